"""Versions: publish and list. AWS: Lambda API reference, PublishVersion, ListVersionsByFunction."""

from __future__ import annotations

from typing import Any, Final

from firefork.api.call import Call
from firefork.api.lambda_.configuration import marker, position, show, show_in_list
from firefork.catalog.functions import Functions as Catalog
from firefork.catalog.references import FunctionReference

_PAGE: Final = 50


class Versions:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def publish_version(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = FunctionReference.parse(call.scope, request["FunctionName"])
        version = self._catalog.publish_version(
            reference.scope,
            reference.name,
            description=request.get("Description"),
            code_sha256=request.get("CodeSha256"),
            revision_id=request.get("RevisionId"),
        )
        return show(version, qualified=True)

    def list_versions_by_function(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = FunctionReference.parse(call.scope, request["FunctionName"])
        page = self._catalog.list_versions(
            reference.scope,
            reference.name,
            after=position(request.get("Marker"), int),
            limit=min(request.get("MaxItems") or _PAGE, _PAGE),
        )
        return {
            "Versions": [show_in_list(version, qualified=True) for version in page.versions],
            "NextMarker": marker(page.next_key[1]) if page.next_key else None,
        }
