"""Aliases. AWS: Lambda API reference, CreateAlias to ListAliases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firefork.api.call import Call
from firefork.api.lambda_ import paging
from firefork.api.lambda_.targets import unqualified
from firefork.catalog.alias import Alias
from firefork.catalog.aliases import Aliases as Catalog


class Aliases:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def create_alias(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = unqualified(call, request)
        alias = self._catalog.create(
            target.scope,
            target.name,
            request["Name"],
            request["FunctionVersion"],
            description=request.get("Description") or "",
            weights=_weights(request) or {},
        )
        return _show(alias)

    def update_alias(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = unqualified(call, request)
        alias = self._catalog.update(
            target.scope,
            target.name,
            request["Name"],
            version=request.get("FunctionVersion"),
            description=request.get("Description"),
            weights=_weights(request),
            revision_id=request.get("RevisionId"),
        )
        return _show(alias)

    def get_alias(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = unqualified(call, request)
        return _show(self._catalog.get(target.scope, target.name, request["Name"]))

    def list_aliases(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = unqualified(call, request)
        page, following = self._catalog.list(
            target.scope,
            target.name,
            version=request.get("FunctionVersion"),
            after=paging.text_after(request),
            limit=paging.limit(request),
        )
        return {"Aliases": [_show(alias) for alias in page], "NextMarker": paging.marker(following)}

    def delete_alias(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = unqualified(call, request)
        self._catalog.delete(target.scope, target.name, request["Name"])
        return {}


def _weights(request: Mapping[str, Any]) -> dict[str, float] | None:
    """``None`` when the request says nothing of routing."""
    routing = request.get("RoutingConfig")
    return None if routing is None else dict(routing.get("AdditionalVersionWeights") or {})


def _show(alias: Alias) -> dict[str, Any]:
    weights = {alias.other_version: alias.other_weight} if alias.other_version is not None else None
    return {
        "AliasArn": alias.arn,
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RoutingConfig": {"AdditionalVersionWeights": weights} if weights else None,
        "RevisionId": alias.revision_id,
    }
