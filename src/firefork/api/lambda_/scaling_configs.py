"""Scaling of managed instances. AWS: Lambda API reference, PutFunctionScalingConfig, GetFunctionScalingConfig."""

from __future__ import annotations

from typing import Any

from firefork.api.call import Call
from firefork.api.lambda_.targets import target_of
from firefork.catalog.scaling_configs import ScalingConfig
from firefork.catalog.scaling_configs import ScalingConfigs as Catalog


class ScalingConfigs:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def put_function_scaling_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("FunctionScalingConfig") or {}
        config = ScalingConfig(
            minimum=wanted.get("MinExecutionEnvironments"), maximum=wanted.get("MaxExecutionEnvironments")
        )
        return {"FunctionState": self._catalog.put(target_of(call, request), config)}

    def get_function_scaling_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = target_of(call, request)
        config = self._catalog.get(target)
        shown = {"MinExecutionEnvironments": config.minimum, "MaxExecutionEnvironments": config.maximum}
        is_set = config != ScalingConfig()
        return {
            "FunctionArn": target.arn,
            "AppliedFunctionScalingConfig": shown if is_set else None,
            "RequestedFunctionScalingConfig": shown if is_set else None,
        }
