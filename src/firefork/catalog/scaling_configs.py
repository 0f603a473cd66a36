"""How many environments a version on managed instances keeps. AWS: Lambda API reference, PutFunctionScalingConfig."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from firefork.aws.errors import InvalidParameterValue, ResourceNotFound
from firefork.catalog.function_records import need, number_of
from firefork.catalog.functions import Functions
from firefork.catalog.qualified import Documents
from firefork.catalog.references import FunctionReference
from firefork.store.database import Database
from firefork.store.tables import scaling_configs

_DOCUMENTS: Final = Documents(scaling_configs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingConfig:
    """AWS: API reference, FunctionScalingConfig. ``None`` is what the caller never set."""

    minimum: int | None = None
    maximum: int | None = None


class ScalingConfigs:
    """Kept and shown; they have no effect here, where nothing runs on managed instances. Methods may block."""

    def __init__(self, database: Database, functions: Functions) -> None:
        self._database = database
        self._functions = functions

    def put(self, target: FunctionReference, config: ScalingConfig) -> str:
        """The version's state. An empty config removes what was set. Raises ResourceNotFound, InvalidParameterValue."""
        if config.minimum is not None and config.maximum is not None and config.minimum > config.maximum:
            raise InvalidParameterValue("MinExecutionEnvironments must not be greater than MaxExecutionEnvironments.")
        with self._functions.change(target.scope, target.name) as connection:
            function = need(connection, target.scope, target.name, _version(target))
            document = {"minimum": config.minimum, "maximum": config.maximum}
            if config == ScalingConfig():
                _DOCUMENTS.delete(connection, target.scope, target.name, target.qualifier)
            else:
                _DOCUMENTS.save(connection, target.scope, target.name, target.qualifier, document)
        return function.state

    def get(self, target: FunctionReference) -> ScalingConfig:
        """Raises ResourceNotFound."""
        with self._database.read() as connection:
            need(connection, target.scope, target.name, _version(target))
            document = _DOCUMENTS.load(connection, target.scope, target.name, target.qualifier)
        return ScalingConfig(**(document or {}))


def _version(target: FunctionReference) -> int:
    """``$LATEST.PUBLISHED`` is there only on managed instances."""
    number = number_of(target.qualifier)
    if number is None:
        raise ResourceNotFound(f"Function not found: {target.arn}")
    return number
