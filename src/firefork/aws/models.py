"""botocore's service models: which operations there are, how requests reach them, what their shapes are."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

import botocore.session
from botocore.model import OperationModel, ServiceModel

from firefork.aws import deviations


@functools.cache
def service_model(name: str) -> ServiceModel:
    """The model of a service by botocore's name (``lambda``), with reviewed deviations applied.

    Raises botocore.exceptions.UnknownServiceError.
    """
    model = botocore.session.Session().get_service_model(name)
    deviations.apply(name, model)
    return model


@functools.cache
def operation_model(service: str, operation: str) -> OperationModel:
    return service_model(service).operation_model(operation)


@functools.cache
def protocols(service: str) -> tuple[str, ...]:
    """The wire protocols that a service speaks, its preferred one first."""
    metadata = service_model(service).metadata
    return tuple(metadata.get("protocols") or [metadata["protocol"]])


@functools.cache
def takes_gzip(service: str) -> bool:
    """Whether clients may compress requests to a service. Smithy: "requestCompression trait"."""
    model = service_model(service)
    return any(model.operation_model(name).request_compression for name in model.operation_names)


@functools.cache
def operation_by_target(service: str) -> Mapping[str, str]:
    """``X-Amz-Target`` values of a JSON service."""
    model = service_model(service)
    prefix = model.metadata.get("targetPrefix", "")
    return {f"{prefix}.{name}": name for name in model.operation_names}


@dataclass(frozen=True, slots=True)
class _Route:
    operation: str
    segments: tuple[str | None, ...]
    """Literal segments; ``None`` where a label stands."""
    labels: tuple[tuple[int, str], ...]
    constants: Mapping[str, str] = field(default_factory=dict)

    def fits(self, parts: Sequence[str], query: str) -> bool:
        for own, part in zip(self.segments, parts, strict=True):
            if own is not None and own != part:
                return False
        if not self.constants:
            return True
        return self.constants.items() <= dict(parse_qsl(query, keep_blank_values=True)).items()


class Router:
    """Finds the operation of a REST request: method, undecoded path and query."""

    def __init__(self, model: ServiceModel) -> None:
        self._routes: dict[tuple[str, int, str, str | None], list[_Route]] = {}
        """By method, number of segments, the first one, and the last one unless it is a label."""
        for name in model.operation_names:
            http = model.operation_model(name).http
            path, _, query = http["requestUri"].partition("?")
            parts = path.strip("/").split("/")
            labels = tuple((index, part[1:-1].rstrip("+")) for index, part in enumerate(parts) if part.startswith("{"))
            positions = {index for index, _ in labels}
            segments = tuple(None if index in positions else part for index, part in enumerate(parts))
            route = _Route(name, segments, labels, dict(parse_qsl(query, keep_blank_values=True)))
            self._routes.setdefault((http["method"], len(parts), parts[0], segments[-1]), []).append(route)
        for routes in self._routes.values():
            # Constants and literals first: the most specific route wins.
            routes.sort(key=lambda route: (-len(route.constants), len(route.labels)))

    def find(self, method: str, path: str, query: str) -> tuple[str, dict[str, str]] | None:
        """The operation and its decoded labels, or ``None``."""
        parts = path.strip("/").split("/")
        for last in (parts[-1], None):
            for route in self._routes.get((method, len(parts), parts[0], last), ()):
                if route.fits(parts, query):
                    return route.operation, {name: unquote(parts[index]) for index, name in route.labels}
        return None


@functools.cache
def router(service: str) -> Router:
    return Router(service_model(service))
