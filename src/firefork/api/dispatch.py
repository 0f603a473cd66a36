"""Which method answers which operation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore import xform_name

from firefork.api.call import Call
from firefork.aws import models
from firefork.aws.errors import NotImplementedHere


@dataclass(frozen=True, slots=True)
class Operation:
    """A modelled operation and what answers it."""

    service: str
    name: str
    handler: Callable[[Call, dict[str, Any]], Any]
    on_loop: bool
    """Whether the handler is a coroutine function; the others run in a worker thread."""
    implemented: bool


def dispatch_table(service: str, providers: Sequence[object]) -> Mapping[str, Operation]:
    """Every modelled operation of a service, bound to a provider's method of that name or to an honest refusal."""
    table = {}
    for name in models.service_model(service).operation_names:
        method = next(
            (
                getattr(provider, xform_name(name), None)
                for provider in providers
                if hasattr(provider, xform_name(name))
            ),
            None,
        )
        handler = method or _not_implemented(service, name)
        table[name] = Operation(service, name, handler, inspect.iscoroutinefunction(handler), method is not None)
    return table


def _not_implemented(service: str, name: str) -> Callable[[Call, dict[str, Any]], Any]:
    async def refuse(call: Call, request: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedHere(f"Firefork does not implement the operation {name} of {service}.")

    return refuse
