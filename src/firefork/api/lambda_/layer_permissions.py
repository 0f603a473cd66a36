"""Policies of layer versions. AWS: Lambda API reference, AddLayerVersionPermission to RemoveLayerVersionPermission."""

from __future__ import annotations

from typing import Any

from firefork.api.call import Call
from firefork.api.lambda_.layers import layer_place
from firefork.api.lambda_.permissions import as_text
from firefork.catalog.policies import Policies, principal


class LayerPermissions:
    def __init__(self, policies: Policies) -> None:
        self._policies = policies

    def add_layer_version_permission(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        scope, name = layer_place(call, request["LayerName"])
        organization = request.get("OrganizationId")
        statement = {
            "Sid": request["StatementId"],
            "Principal": principal(scope, request["Principal"]),
            "Action": request["Action"],
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": organization}} if organization else None,
        }
        added, revision = self._policies.add_layer(
            scope, name, request["VersionNumber"], statement, request.get("RevisionId")
        )
        return {"Statement": as_text(added), "RevisionId": revision}

    def remove_layer_version_permission(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        scope, name = layer_place(call, request["LayerName"])
        self._policies.remove_layer(
            scope, name, request["VersionNumber"], request["StatementId"], request.get("RevisionId")
        )
        return {}

    def get_layer_version_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        scope, name = layer_place(call, request["LayerName"])
        document, revision = self._policies.get_layer(scope, name, request["VersionNumber"])
        return {"Policy": as_text(document), "RevisionId": revision}
