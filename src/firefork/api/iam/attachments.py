"""Inline and attached policies of roles, users and groups: three resources, one behaviour.

AWS: IAM API reference, PutRolePolicy, AttachRolePolicy and their like for users and groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from firefork.api.call import Call
from firefork.api.iam.paging import page
from firefork.api.iam.shapes import show_attached, show_document
from firefork.catalog.iam.directory import Directory
from firefork.catalog.iam.entities import Entity, Group, Role, User

_KINDS: Final[Mapping[str, type[Entity]]] = {"RoleName": Role, "UserName": User, "GroupName": Group}
"""What a request is about, by the member that names it."""


class EntityPolicies:
    """The operations of all three kinds of entities: their requests differ in one member's name."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def _put(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        _, kind, name = _entity(request)
        self._directory.put_inline(kind, call.scope.account, name, request["PolicyName"], request["PolicyDocument"])
        return {}

    def _get(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        member, kind, name = _entity(request)
        document = self._directory.get_inline(kind, call.scope.account, name, request["PolicyName"])
        return {member: name, "PolicyName": request["PolicyName"], "PolicyDocument": show_document(document)}

    def _delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        _, kind, name = _entity(request)
        self._directory.delete_inline(kind, call.scope.account, name, request["PolicyName"])
        return {}

    def _list(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        _, kind, name = _entity(request)
        names = list(self._directory.inline(kind, call.scope.account, name))
        return page(request, "PolicyNames", names, lambda name: name, lambda name: name)

    def _attach(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        _, kind, name = _entity(request)
        self._directory.attach(kind, call.scope.account, name, request["PolicyArn"])
        return {}

    def _detach(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        _, kind, name = _entity(request)
        self._directory.detach(kind, call.scope.account, name, request["PolicyArn"])
        return {}

    def _list_attached(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        _, kind, name = _entity(request)
        prefix = request.get("PathPrefix") or "/"
        arns = [
            arn
            for arn in self._directory.attached(kind, call.scope.account, name)
            if arn.partition(":policy")[2].startswith(prefix)
        ]
        return page(
            request,
            "AttachedPolicies",
            arns,
            lambda arn: arn,
            show_attached,
        )

    # The names by which operations are found.
    put_role_policy = put_user_policy = put_group_policy = _put
    get_role_policy = get_user_policy = get_group_policy = _get
    delete_role_policy = delete_user_policy = delete_group_policy = _delete
    list_role_policies = list_user_policies = list_group_policies = _list
    attach_role_policy = attach_user_policy = attach_group_policy = _attach
    detach_role_policy = detach_user_policy = detach_group_policy = _detach
    list_attached_role_policies = list_attached_user_policies = list_attached_group_policies = _list_attached


def _entity(request: Mapping[str, Any]) -> tuple[str, type[Entity], str]:
    """The member that names the entity, its kind, and its name. Each operation's model requires exactly one."""
    return next((member, kind, request[member]) for member, kind in _KINDS.items() if member in request)
