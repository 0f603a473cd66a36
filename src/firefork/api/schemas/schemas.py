"""Schemas and their versions. AWS: EventBridge Schemas API reference."""

from __future__ import annotations

from typing import Any, Final

from firefork.api.call import Call
from firefork.api.schemas.paging import limit_of, page, start_of
from firefork.aws.errors import SchemasBadRequest, SchemasForbidden
from firefork.catalog.schemas.discovery import discovered_schema
from firefork.catalog.schemas.entities import Schema, SchemaVersion
from firefork.catalog.schemas.registries import Registries

_SEARCHED: Final = 1000
"""Schemas that one search looks through."""


class Schemas:
    def __init__(self, catalog: Registries) -> None:
        self._catalog = catalog

    def create_schema(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return _show(
            *self._catalog.create_schema(
                call.scope,
                request["RegistryName"],
                request["SchemaName"],
                kind=request["Type"],
                content=request["Content"],
                description=request.get("Description"),
                tags=request.get("Tags") or {},
            )
        )

    def update_schema(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return _show(
            *self._catalog.update_schema(
                call.scope,
                request["RegistryName"],
                request["SchemaName"],
                kind=request.get("Type"),
                content=request.get("Content"),
                description=request.get("Description"),
            )
        )

    def describe_schema(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        schema, version = self._find(call, request)
        return {**_show(schema, version), "Content": version.content}

    def export_schema(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Only what AWS discovered or provides can be exported, there as here."""
        self._find(call, request)
        raise SchemasForbidden("You cannot export non discovered or non aws managed schemas.")

    def _find(self, call: Call, request: dict[str, Any]) -> tuple[Schema, SchemaVersion]:
        return self._catalog.schema(
            call.scope, request["RegistryName"], request["SchemaName"], request.get("SchemaVersion")
        )

    def delete_schema(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._catalog.delete_schema(call.scope, request["RegistryName"], request["SchemaName"])
        return {}

    def delete_schema_version(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._catalog.delete_version(
            call.scope, request["RegistryName"], request["SchemaName"], request["SchemaVersion"]
        )
        return {}

    def list_schemas(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        limit = limit_of(request)
        found = self._catalog.schemas(
            call.scope,
            request["RegistryName"],
            prefix=request.get("SchemaNamePrefix") or "",
            after=start_of(request),
            limit=limit + 1,
        )
        shown, token = page(found, limit, lambda schema: schema.name)
        return {
            "Schemas": [
                {
                    "SchemaName": schema.name,
                    "SchemaArn": schema.arn,
                    "LastModified": schema.last_modified_ms / 1000,
                    "VersionCount": schema.version_count,
                    "Tags": schema.tags,
                }
                for schema in shown
            ],
            "NextToken": token,
        }

    def list_schema_versions(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        limit, start = limit_of(request), start_of(request)
        if start and not start.isdecimal():
            raise SchemasBadRequest("The NextToken is invalid.")
        schema, found = self._catalog.versions(
            call.scope, request["RegistryName"], request["SchemaName"], after=int(start or 0), limit=limit + 1
        )
        shown, token = page(found, limit, lambda version: str(version.number))
        return {
            "SchemaVersions": [
                {
                    "SchemaName": schema.name,
                    "SchemaArn": schema.arn,
                    "SchemaVersion": str(version.number),
                    "Type": version.type,
                }
                for version in shown
            ],
            "NextToken": token,
        }

    def search_schemas(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Schemas that have every word in their name or in their latest version."""
        limit = limit_of(request)
        words = request["Keywords"].lower().split()
        if not words:
            raise SchemasBadRequest("Keywords must not be empty.")
        registry, start = request["RegistryName"], start_of(request)
        found = []
        for schema in self._catalog.schemas(call.scope, registry, prefix="", after=start, limit=_SEARCHED):
            _, versions = self._catalog.versions(call.scope, registry, schema.name)
            text = f"{schema.name}\n{versions[-1].content}".lower()
            if all(word in text for word in words):
                found.append((schema, versions))
        shown, token = page(found, limit, lambda each: each[0].name)
        return {
            "Schemas": [
                {
                    "RegistryName": registry,
                    "SchemaName": schema.name,
                    "SchemaArn": schema.arn,
                    "SchemaVersions": [
                        {
                            "SchemaVersion": str(version.number),
                            "Type": version.type,
                            "CreatedDate": version.created_ms / 1000,
                        }
                        for version in versions
                    ],
                }
                for schema, versions in shown
            ],
            "NextToken": token,
        }

    def get_discovered_schema(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return {"Content": discovered_schema(request["Type"], request["Events"])}


def _show(schema: Schema, version: SchemaVersion) -> dict[str, Any]:
    return {
        "SchemaName": schema.name,
        "SchemaArn": schema.arn,
        "SchemaVersion": str(version.number),
        "Type": version.type,
        "Description": schema.description,
        "Tags": schema.tags,
        "LastModified": schema.last_modified_ms / 1000,
        "VersionCreatedDate": version.created_ms / 1000,
    }
