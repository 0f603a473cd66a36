"""Versions: publish and list. AWS: Lambda API reference, PublishVersion, ListVersionsByFunction."""

from __future__ import annotations

from typing import Any

from firefork.api.call import Call
from firefork.api.lambda_ import paging
from firefork.api.lambda_.configuration import show, show_in_list
from firefork.api.lambda_.targets import unqualified
from firefork.aws.errors import InvalidParameterValue
from firefork.catalog.functions import Functions as Catalog
from firefork.catalog.references import FunctionReference


class Versions:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def publish_version(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = unqualified(call, request)
        if request.get("PublishTo"):
            raise InvalidParameterValue("PublishTo is only supported for functions on managed instances.")
        version = self._catalog.publish_version(
            target.scope,
            target.name,
            description=request.get("Description"),
            code_sha256=request.get("CodeSha256"),
            revision_id=request.get("RevisionId"),
        )
        return show(version, qualifier=version.version)

    def list_versions_by_function(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = FunctionReference.parse(call.scope, request["FunctionName"])
        page = self._catalog.list_versions(
            reference.scope,
            reference.name,
            after=paging.number_after(request),
            limit=paging.limit(request),
        )
        return {
            "Versions": [show_in_list(version, qualifier=version.version) for version in page.versions],
            "NextMarker": paging.marker(page.next_key[1]) if page.next_key else None,
        }
