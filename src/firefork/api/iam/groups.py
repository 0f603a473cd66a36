"""Groups and who is in them. AWS: IAM API reference, CreateGroup and its like."""

from __future__ import annotations

import dataclasses
from typing import Any

from firefork.api.call import Call
from firefork.api.iam.paging import page
from firefork.api.iam.shapes import fresh, show_group, show_user
from firefork.catalog.iam.directory import Directory
from firefork.catalog.iam.entities import Group, User


class Groups:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def create_group(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        group = Group(**fresh(call, Group, request, request["GroupName"], {}))
        self._directory.create(group)
        return {"Group": show_group(group)}

    def get_group(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """The group and a page of its users."""
        account = call.scope.account
        group = self._directory.get(Group, account, request["GroupName"])
        names = self._directory.members(Group, account, group.name)
        users = [self._directory.get(User, account, name) for name in names]
        return {"Group": show_group(group), **page(request, "Users", users, lambda user: user.name, show_user)}

    def list_groups(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        groups = self._directory.entities(Group, call.scope.account, request.get("PathPrefix") or "/")
        return page(request, "Groups", groups, lambda group: group.name.lower(), show_group)

    def update_group(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        changes: dict[str, Any] = {
            field: request[member]
            for member, field in (("NewGroupName", "name"), ("NewPath", "path"))
            if request.get(member) is not None
        }
        self._directory.change(
            Group, call.scope.account, request["GroupName"], lambda group: dataclasses.replace(group, **changes)
        )
        return {}

    def delete_group(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.delete(Group, call.scope.account, request["GroupName"])
        return {}

    def add_user_to_group(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.add_member(Group, call.scope.account, request["GroupName"], request["UserName"])
        return {}

    def remove_user_from_group(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.remove_member(Group, call.scope.account, request["GroupName"], request["UserName"])
        return {}
