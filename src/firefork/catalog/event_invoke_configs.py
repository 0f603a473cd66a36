"""How asynchronous events of a function are tried and where their outcome goes.

AWS: Lambda API reference, PutFunctionEventInvokeConfig to ListFunctionEventInvokeConfigs; fact sheet section 6.3.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from firefork.aws.errors import InvalidParameterValue, ResourceNotFound
from firefork.aws.scope import Scope
from firefork.catalog.function import LATEST
from firefork.catalog.function_records import load
from firefork.catalog.functions import Functions
from firefork.catalog.qualified import Documents, qualified_arn, qualifier_exists
from firefork.catalog.references import FunctionReference
from firefork.store.clock import now
from firefork.store.database import Database
from firefork.store.tables import event_invoke_configs

_NO_FUNCTION: Final = "The function doesn't exist."
_DOCUMENTS: Final = Documents(event_invoke_configs)
_SUCCESS_SERVICES: Final = frozenset({"sqs", "sns", "lambda", "events"})
_FAILURE_SERVICES: Final = _SUCCESS_SERVICES | {"s3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInvokeConfig:
    """AWS: API reference, FunctionEventInvokeConfig. ``None`` is what the caller never set."""

    scope: Scope
    function: str
    qualifier: str
    last_modified: datetime
    maximum_retry_attempts: int | None = None
    maximum_event_age_s: int | None = None
    on_success: str | None = None
    """ARN of the destination."""
    on_failure: str | None = None

    @property
    def arn(self) -> str:
        return qualified_arn(self.scope, self.function, self.qualifier)


class EventInvokeConfigs:
    """The event invoke configs of all functions. Thread-safe; methods may block."""

    def __init__(self, database: Database, functions: Functions) -> None:
        self._database = database
        self._functions = functions

    def put(self, target: FunctionReference, settings: Mapping[str, Any], *, merge: bool) -> EventInvokeConfig:
        """Replace the config, or with ``merge`` change the fields that ``settings`` has.

        Raises ResourceNotFound (function, or the config to merge with), InvalidParameterValue (destinations).
        """
        qualifier = target.qualifier or LATEST
        fresh = EventInvokeConfig(scope=target.scope, function=target.name, qualifier=qualifier, last_modified=now())
        with self._functions.change(target.scope, target.name) as connection:
            if not qualifier_exists(connection, target.scope, target.name, qualifier):
                raise ResourceNotFound(_NO_FUNCTION)
            _check_destinations(connection, target, settings)
            base = _need(connection, target) if merge else fresh
            config = dataclasses.replace(base, last_modified=fresh.last_modified, **settings)
            _DOCUMENTS.save(connection, target.scope, target.name, qualifier, _to_document(config))
        return config

    def get(self, target: FunctionReference) -> EventInvokeConfig:
        """Raises ResourceNotFound."""
        with self._database.read() as connection:
            return _need(connection, target)

    def list(
        self, scope: Scope, name: str, *, after: str | None, limit: int
    ) -> tuple[Sequence[EventInvokeConfig], str | None]:
        """By qualifier; and the one after which the next page begins. Raises ResourceNotFound."""
        with self._database.read() as connection:
            if load(connection, scope, name, 0) is None:
                raise ResourceNotFound(_NO_FUNCTION)
            page, following = _DOCUMENTS.page(connection, scope, name, after=after, limit=limit)
        return [_from_document(scope, name, qualifier, document) for qualifier, document in page], following

    def delete(self, target: FunctionReference) -> None:
        """Raises ResourceNotFound."""
        with self._functions.change(target.scope, target.name) as connection:
            if not _DOCUMENTS.delete(connection, target.scope, target.name, target.qualifier):
                raise _missing(target)


def _need(connection: Connection, target: FunctionReference) -> EventInvokeConfig:
    document = _DOCUMENTS.load(connection, target.scope, target.name, target.qualifier)
    if document is None:
        raise _missing(target)
    return _from_document(target.scope, target.name, target.qualifier or LATEST, document)


def _missing(target: FunctionReference) -> ResourceNotFound:
    arn = qualified_arn(target.scope, target.name, target.qualifier or LATEST)
    return ResourceNotFound(f"The function {arn} doesn't have an EventInvokeConfig")


def _check_destinations(connection: Connection, target: FunctionReference, settings: Mapping[str, Any]) -> None:
    success, failure = settings.get("on_success"), settings.get("on_failure")
    for arn, services in ((success, _SUCCESS_SERVICES), (failure, _FAILURE_SERVICES)):
        if not arn:
            continue
        service = arn.split(":")[2] if arn.startswith("arn:") else ""
        if service not in services:
            raise InvalidParameterValue(
                f"The provided destination config DestinationConfig(onSuccess={_shown('OnSuccess', success)}, "
                f"onFailure={_shown('OnFailure', failure)}) is invalid."
            )
        if service == "lambda":
            _check_function(connection, target, arn)


def _shown(name: str, arn: str | None) -> str:
    return f"{name}(destination={arn})" if arn else "null"


def _check_function(connection: Connection, target: FunctionReference, arn: str) -> None:
    parts = arn.split(":")
    scope, name = Scope(parts[4], parts[3]), parts[6] if len(parts) > 6 else ""
    if (scope, name) == (target.scope, target.name):
        raise InvalidParameterValue("You can't specify the function as a destination for itself.")
    if load(connection, scope, name, 0) is None:
        raise InvalidParameterValue(f"The destination ARN {arn} is invalid.")


def _to_document(config: EventInvokeConfig) -> dict[str, Any]:
    return {
        "last_modified": config.last_modified.isoformat(),
        "maximum_retry_attempts": config.maximum_retry_attempts,
        "maximum_event_age_s": config.maximum_event_age_s,
        "on_success": config.on_success,
        "on_failure": config.on_failure,
    }


def _from_document(scope: Scope, name: str, qualifier: str, document: dict[str, Any]) -> EventInvokeConfig:
    modified = datetime.fromisoformat(document.pop("last_modified"))
    return EventInvokeConfig(scope=scope, function=name, qualifier=qualifier, last_modified=modified, **document)
