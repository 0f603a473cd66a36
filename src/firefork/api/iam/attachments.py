"""Inline and attached policies of roles, users and groups: three resources, one behaviour.

AWS: IAM API reference, PutRolePolicy, AttachRolePolicy and their like for users and groups.
"""

from __future__ import annotations

from typing import Any

from firefork.api.call import Call
from firefork.api.iam.paging import page
from firefork.api.iam.shapes import show_document
from firefork.catalog.iam.directory import Directory
from firefork.catalog.iam.entities import Entity, Group, Role, User


class _Attachments:
    """The operations for entities of one kind."""

    def __init__(self, directory: Directory, kind: type[Entity], member: str) -> None:
        """``member`` names the entity in requests: ``RoleName``."""
        self._directory = directory
        self._kind = kind
        self._member = member

    def put(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.put_inline(
            self._kind,
            call.scope.account,
            request[self._member],
            request["PolicyName"],
            request["PolicyDocument"],
        )
        return {}

    def get(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        owner, name = request[self._member], request["PolicyName"]
        document = self._directory.get_inline(self._kind, call.scope.account, owner, name)
        return {self._member: owner, "PolicyName": name, "PolicyDocument": show_document(document)}

    def delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.delete_inline(self._kind, call.scope.account, request[self._member], request["PolicyName"])
        return {}

    def list(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        names = list(self._directory.inline(self._kind, call.scope.account, request[self._member]))
        return page(request, "PolicyNames", names, lambda name: name, lambda name: name)

    def attach(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.attach(self._kind, call.scope.account, request[self._member], request["PolicyArn"])
        return {}

    def detach(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.detach(self._kind, call.scope.account, request[self._member], request["PolicyArn"])
        return {}

    def list_attached(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        prefix = request.get("PathPrefix") or "/"
        arns = [
            arn
            for arn in self._directory.attached(self._kind, call.scope.account, request[self._member])
            if arn.partition(":policy")[2].startswith(prefix)
        ]
        return page(
            request,
            "AttachedPolicies",
            arns,
            lambda arn: arn,
            lambda arn: {"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn},
        )


class RolePolicies:
    def __init__(self, directory: Directory) -> None:
        operations = _Attachments(directory, Role, "RoleName")
        self.put_role_policy = operations.put
        self.get_role_policy = operations.get
        self.delete_role_policy = operations.delete
        self.list_role_policies = operations.list
        self.attach_role_policy = operations.attach
        self.detach_role_policy = operations.detach
        self.list_attached_role_policies = operations.list_attached


class UserPolicies:
    def __init__(self, directory: Directory) -> None:
        operations = _Attachments(directory, User, "UserName")
        self.put_user_policy = operations.put
        self.get_user_policy = operations.get
        self.delete_user_policy = operations.delete
        self.list_user_policies = operations.list
        self.attach_user_policy = operations.attach
        self.detach_user_policy = operations.detach
        self.list_attached_user_policies = operations.list_attached


class GroupPolicies:
    def __init__(self, directory: Directory) -> None:
        operations = _Attachments(directory, Group, "GroupName")
        self.put_group_policy = operations.put
        self.get_group_policy = operations.get
        self.delete_group_policy = operations.delete
        self.list_group_policies = operations.list
        self.attach_group_policy = operations.attach
        self.detach_group_policy = operations.detach
        self.list_attached_group_policies = operations.list_attached
