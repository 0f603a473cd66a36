"""Resource policies of functions. AWS: Lambda API reference, AddPermission to DeleteResourcePolicy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from firefork.api.call import Call
from firefork.api.lambda_.targets import target_of
from firefork.aws.errors import InvalidParameterValue
from firefork.catalog.policies import Policies, principal
from firefork.catalog.references import FunctionReference


class Permissions:
    def __init__(self, policies: Policies) -> None:
        self._policies = policies

    def add_permission(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = target_of(call, request)
        statement = {
            "Sid": request["StatementId"],
            "Principal": principal(target.scope, request["Principal"]),
            "Action": request["Action"],
            "Condition": _condition(request),
        }
        added = self._policies.add(target, statement, request.get("RevisionId"))
        return {"Statement": as_text(added)}

    def remove_permission(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._policies.remove(target_of(call, request), request["StatementId"], request.get("RevisionId"))
        return {}

    def get_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        document, revision = self._policies.get(target_of(call, request))
        return {"Policy": as_text(document), "RevisionId": revision}

    def put_resource_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = _by_arn(call, request)
        document, revision = self._policies.put(target, request["Policy"], request.get("RevisionId"))
        return {"Policy": as_text(document), "RevisionId": revision}

    def get_resource_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        document, revision = self._policies.get(_by_arn(call, request))
        return {"Policy": as_text(document), "RevisionId": revision}

    def delete_resource_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._policies.delete(_by_arn(call, request), request.get("RevisionId"))
        return {}


def as_text(document: Mapping[str, Any]) -> str:
    """Policies and statements travel as compact JSON text."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _by_arn(call: Call, request: Mapping[str, Any]) -> FunctionReference:
    return FunctionReference.parse(call.scope, request["ResourceArn"])


def _condition(request: Mapping[str, Any]) -> dict[str, Any]:
    """The condition keys with which AWS writes each member (recorded)."""
    auth_type = request.get("FunctionUrlAuthType")
    if auth_type is not None and request["Action"] != "lambda:InvokeFunctionUrl":
        raise InvalidParameterValue("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")
    equals = {
        "lambda:FunctionUrlAuthType": auth_type,
        "aws:PrincipalOrgID": request.get("PrincipalOrgID"),
        "AWS:SourceAccount": request.get("SourceAccount"),
        "lambda:EventSourceToken": request.get("EventSourceToken"),
    }
    condition: dict[str, Any] = {}
    if any(equals.values()):
        condition["StringEquals"] = {key: value for key, value in equals.items() if value}
    if request.get("SourceArn"):
        condition["ArnLike"] = {"AWS:SourceArn": request["SourceArn"]}
    if request.get("InvokedViaFunctionUrl") is not None:
        condition["Bool"] = {"lambda:InvokedViaFunctionUrl": str(request["InvokedViaFunctionUrl"]).lower()}
    return condition
