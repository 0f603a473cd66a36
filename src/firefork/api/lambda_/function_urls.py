"""Function URL configs. AWS: Lambda API reference, CreateFunctionUrlConfig to ListFunctionUrlConfigs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from firefork.api.call import Call
from firefork.api.lambda_ import paging
from firefork.api.lambda_.targets import target_of
from firefork.catalog.function_urls import FunctionUrl
from firefork.catalog.function_urls import FunctionUrls as Catalog


class FunctionUrls:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def create_function_url_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        shown = _show(self._catalog.create(target_of(call, request), _read(request)))
        del shown["LastModifiedTime"]
        return shown

    def update_function_url_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return _show(self._catalog.update(target_of(call, request), _read(request)))

    def get_function_url_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return _show_set_up(self._catalog.get(target_of(call, request)))

    def list_function_url_configs(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = target_of(call, request)
        page, following = self._catalog.list(
            target.scope, target.name, after=paging.text_after(request), limit=paging.limit(request)
        )
        return {"FunctionUrlConfigs": [_show_set_up(url) for url in page], "NextMarker": paging.marker(following)}

    def delete_function_url_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._catalog.delete(target_of(call, request))
        return {}


def _read(request: Mapping[str, Any]) -> dict[str, Any]:
    """FunctionUrl's fields that the request sets; an empty Cors removes what was set."""
    settings: dict[str, Any] = {}
    for member, field in (("AuthType", "auth_type"), ("InvokeMode", "invoke_mode")):
        if request.get(member) is not None:
            settings[field] = request[member]
    if request.get("Cors") is not None:
        settings["cors"] = dict(request["Cors"]) or None
    return settings


def _show(url: FunctionUrl) -> dict[str, Any]:
    return {
        "FunctionUrl": url.url,
        "FunctionArn": url.function_arn,
        "AuthType": url.auth_type,
        "Cors": url.cors,
        "CreationTime": _time(url.created),
        "LastModifiedTime": _time(url.last_modified),
        "InvokeMode": url.invoke_mode,
    }


def _show_set_up(url: FunctionUrl) -> dict[str, Any]:
    """Asked for later, a URL has an invoke mode also where none was set (recorded)."""
    return {**_show(url), "InvokeMode": url.invoke_mode or "BUFFERED"}


def _time(moment: datetime) -> str:
    """``2026-11-24T10:00:00.123456Z``"""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
