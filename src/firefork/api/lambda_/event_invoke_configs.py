"""Event invoke configs. AWS: Lambda API reference, PutFunctionEventInvokeConfig to ListFunctionEventInvokeConfigs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firefork.api.call import Call
from firefork.api.lambda_ import paging
from firefork.api.lambda_.targets import target_of
from firefork.aws.errors import InvalidParameterValue
from firefork.catalog.event_invoke_configs import EventInvokeConfig
from firefork.catalog.event_invoke_configs import EventInvokeConfigs as Catalog


class EventInvokeConfigs:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def put_function_event_invoke_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return _show(self._catalog.put(target_of(call, request), _read(request), merge=False))

    def update_function_event_invoke_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return _show(self._catalog.put(target_of(call, request), _read(request), merge=True))

    def get_function_event_invoke_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return _show(self._catalog.get(target_of(call, request)))

    def list_function_event_invoke_configs(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = target_of(call, request)
        page, following = self._catalog.list(
            target.scope, target.name, after=paging.text_after(request), limit=paging.limit(request)
        )
        return {
            "FunctionEventInvokeConfigs": [_show(config) for config in page],
            "NextMarker": paging.marker(following),
        }

    def delete_function_event_invoke_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._catalog.delete(target_of(call, request))
        return {}


def _read(request: Mapping[str, Any]) -> dict[str, Any]:
    """EventInvokeConfig's fields that the request sets. Raises InvalidParameterValue if it sets none."""
    attempts, age = request.get("MaximumRetryAttempts"), request.get("MaximumEventAgeInSeconds")
    destinations = request.get("DestinationConfig")
    if attempts is None and age is None and destinations is None:
        raise InvalidParameterValue("You must specify at least one of error handling or destination setting.")
    settings: dict[str, Any] = {}
    if attempts is not None:
        settings["maximum_retry_attempts"] = attempts
    if age is not None:
        settings["maximum_event_age_s"] = age
    if destinations is not None:
        for member, field in (("OnSuccess", "on_success"), ("OnFailure", "on_failure")):
            settings[field] = (destinations.get(member) or {}).get("Destination") or None
    return settings


def _show(config: EventInvokeConfig) -> dict[str, Any]:
    return {
        "LastModified": config.last_modified,
        "FunctionArn": config.arn,
        "MaximumRetryAttempts": config.maximum_retry_attempts,
        "MaximumEventAgeInSeconds": config.maximum_event_age_s,
        "DestinationConfig": {
            "OnSuccess": {"Destination": config.on_success},
            "OnFailure": {"Destination": config.on_failure},
        },
    }
