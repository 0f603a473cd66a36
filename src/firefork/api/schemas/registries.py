"""Registries. AWS: EventBridge Schemas API reference."""

from __future__ import annotations

from typing import Any

from firefork.api.call import Call
from firefork.api.schemas.paging import limit_of, page, start_of
from firefork.catalog.schemas.entities import Registry
from firefork.catalog.schemas.registries import Registries as RegistryCatalog


class Registries:
    def __init__(self, catalog: RegistryCatalog) -> None:
        self._catalog = catalog

    def create_registry(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return _show(
            self._catalog.create_registry(
                call.scope,
                request["RegistryName"],
                description=request.get("Description"),
                tags=request.get("Tags") or {},
            )
        )

    def describe_registry(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return _show(self._catalog.registry(call.scope, request["RegistryName"]))

    def update_registry(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return _show(self._catalog.update_registry(call.scope, request["RegistryName"], request.get("Description")))

    def delete_registry(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._catalog.delete_registry(call.scope, request["RegistryName"])
        return {}

    def list_registries(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        limit = limit_of(request)
        if (request.get("Scope") or "LOCAL").upper() != "LOCAL":
            return {"Registries": []}  # AWS's own registries describe events of services that are not here
        found = self._catalog.registries(
            call.scope, prefix=request.get("RegistryNamePrefix") or "", after=start_of(request), limit=limit + 1
        )
        shown, token = page(found, limit, lambda registry: registry.name)
        return {
            "Registries": [{"RegistryName": each.name, "RegistryArn": each.arn, "Tags": each.tags} for each in shown],
            "NextToken": token,
        }


def _show(registry: Registry) -> dict[str, Any]:
    return {
        "RegistryName": registry.name,
        "RegistryArn": registry.arn,
        "Description": registry.description,
        "Tags": registry.tags,
    }
