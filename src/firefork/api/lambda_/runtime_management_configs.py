"""Runtime management. AWS: Lambda API reference, PutRuntimeManagementConfig, GetRuntimeManagementConfig."""

from __future__ import annotations

from typing import Any

from firefork.api.call import Call
from firefork.api.lambda_.targets import target_of
from firefork.catalog.references import FunctionReference
from firefork.catalog.runtime_management_configs import RuntimeManagementConfig
from firefork.catalog.runtime_management_configs import RuntimeManagementConfigs as Catalog


class RuntimeManagementConfigs:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def put_runtime_management_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = target_of(call, request)
        config = RuntimeManagementConfig(
            update_runtime_on=request["UpdateRuntimeOn"], runtime_version_arn=request.get("RuntimeVersionArn")
        )
        self._catalog.put(target, config)
        return _show(target, config)

    def get_runtime_management_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = target_of(call, request)
        return _show(target, self._catalog.get(target))


def _show(target: FunctionReference, config: RuntimeManagementConfig) -> dict[str, Any]:
    return {
        "UpdateRuntimeOn": config.update_runtime_on,
        "FunctionArn": target.arn,
        "RuntimeVersionArn": config.runtime_version_arn,
    }
