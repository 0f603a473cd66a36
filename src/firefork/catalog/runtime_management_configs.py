"""When a function's runtime is updated. AWS: API reference, PutRuntimeManagementConfig; fact sheet section 1.1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from firefork.aws.errors import InvalidParameterValue
from firefork.catalog.function_records import need, number_of
from firefork.catalog.function_rules import runtime_version_arn
from firefork.catalog.functions import Functions
from firefork.catalog.qualified import Documents
from firefork.catalog.references import FunctionReference
from firefork.store.database import Database
from firefork.store.tables import runtime_management_configs

_DOCUMENTS: Final = Documents(runtime_management_configs)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeManagementConfig:
    update_runtime_on: str = "Auto"
    """``Auto``, ``FunctionUpdate`` or ``Manual``."""
    runtime_version_arn: str | None = None
    """Only with ``Manual``."""


class RuntimeManagementConfigs:
    """The configs of all functions, by version. Thread-safe; methods may block."""

    def __init__(self, database: Database, functions: Functions) -> None:
        self._database = database
        self._functions = functions

    def put(self, target: FunctionReference, config: RuntimeManagementConfig) -> None:
        """Raises ResourceNotFound, InvalidParameterValue.

        A machine has one version of each runtime, so ``Manual`` can only name that one.
        """
        number = _version(target)
        manual = config.update_runtime_on == "Manual"
        if manual and config.runtime_version_arn is None:
            raise InvalidParameterValue("RuntimeVersionArn is required when UpdateRuntimeOn is Manual.")
        if not manual and config.runtime_version_arn is not None:
            raise InvalidParameterValue("RuntimeVersionArn is only valid when UpdateRuntimeOn is Manual.")
        with self._functions.change(target.scope, target.name) as connection:
            function = need(connection, target.scope, target.name, number)
            if manual and config.runtime_version_arn != runtime_version_arn(target.scope, function.runtime):
                raise InvalidParameterValue(
                    f"The runtime version {config.runtime_version_arn} is not available for {function.runtime}."
                )
            document = {
                "update_runtime_on": config.update_runtime_on,
                "runtime_version_arn": config.runtime_version_arn,
            }
            _DOCUMENTS.save(connection, target.scope, target.name, target.qualifier, document)

    def get(self, target: FunctionReference) -> RuntimeManagementConfig:
        """The default where nothing was put. Raises ResourceNotFound."""
        number = _version(target)
        with self._database.read() as connection:
            need(connection, target.scope, target.name, number)
            document = _DOCUMENTS.load(connection, target.scope, target.name, target.qualifier)
        return RuntimeManagementConfig(**(document or {}))


def _version(target: FunctionReference) -> int:
    number = number_of(target.qualifier)
    if number is None:
        raise InvalidParameterValue("The qualifier must be $LATEST or the number of a published version.")
    return number
