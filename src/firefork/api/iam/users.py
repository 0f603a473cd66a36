"""Users, their boundaries, tags and access keys. AWS: IAM API reference, CreateUser and its like."""

from __future__ import annotations

import dataclasses
from typing import Any

from firefork.api.call import Call
from firefork.api.iam.paging import page
from firefork.api.iam.roles import merged, tag_page, without
from firefork.api.iam.shapes import fresh, show_group, show_user
from firefork.aws.errors import AccessDenied, NoSuchEntity
from firefork.aws.principal import PrincipalType
from firefork.catalog.iam.access_keys import AccessKey, AccessKeys
from firefork.catalog.iam.directory import Directory, tags_from
from firefork.catalog.iam.entities import Group, User


class Users:
    def __init__(self, directory: Directory, keys: AccessKeys) -> None:
        self._directory = directory
        self._keys = keys

    def create_user(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        tags = tags_from(request.get("Tags") or [])
        user = User(
            **fresh(call, User, request, request["UserName"], tags), boundary_arn=request.get("PermissionsBoundary")
        )
        self._directory.create(user)
        return {"User": show_user(user, tags=True)}

    def get_user(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Without a name: the caller."""
        if request.get("UserName") is None and call.principal.type is PrincipalType.ROOT:
            return {"User": {"UserId": call.principal.user_id, "Arn": call.principal.arn}}
        user = self._directory.get(User, call.scope.account, _name(call, request))
        return {"User": show_user(user, tags=True)}

    def list_users(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        users = self._directory.entities(User, call.scope.account, request.get("PathPrefix") or "/")
        return page(request, "Users", users, lambda user: user.name.lower(), show_user)

    def update_user(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        changes = {
            field: request[member]
            for member, field in (("NewUserName", "name"), ("NewPath", "path"))
            if request.get(member) is not None
        }
        self._change(call, request, **changes)
        return {}

    def delete_user(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.delete(User, call.scope.account, request["UserName"])
        return {}

    def put_user_permissions_boundary(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._change(call, request, boundary_arn=request["PermissionsBoundary"])
        return {}

    def delete_user_permissions_boundary(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        user = self._directory.get(User, call.scope.account, request["UserName"])
        if user.boundary_arn is None:
            raise NoSuchEntity(f"User {user.name} does not have a permissions boundary associated with it.")
        self._change(call, request, boundary_arn=None)
        return {}

    def tag_user(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        given = tags_from(request["Tags"])
        self._directory.change(
            User,
            call.scope.account,
            request["UserName"],
            lambda user: dataclasses.replace(user, tags=merged(user.tags, given)),
        )
        return {}

    def untag_user(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.change(
            User,
            call.scope.account,
            request["UserName"],
            lambda user: dataclasses.replace(user, tags=without(user.tags, request["TagKeys"])),
        )
        return {}

    def list_user_tags(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return tag_page(request, self._directory.get(User, call.scope.account, request["UserName"]).tags)

    def list_groups_for_user(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        account = call.scope.account
        names = self._directory.containers(Group, account, request["UserName"])
        groups = [self._directory.get(Group, account, name) for name in names]
        return page(request, "Groups", groups, lambda group: group.name, show_group)

    # What Terraform and the console ask of a user before they delete it. Nothing of the kind can be made here.

    def list_mfa_devices(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("UserName") is not None:
            self._directory.get(User, call.scope.account, request["UserName"])
        return {"MFADevices": [], "IsTruncated": False}

    def list_virtual_mfa_devices(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return {"VirtualMFADevices": [], "IsTruncated": False}

    def list_ssh_public_keys(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.get(User, call.scope.account, _name(call, request))
        return {"SSHPublicKeys": [], "IsTruncated": False}

    def list_signing_certificates(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.get(User, call.scope.account, _name(call, request))
        return {"Certificates": [], "IsTruncated": False}

    def list_service_specific_credentials(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.get(User, call.scope.account, _name(call, request))
        return {"ServiceSpecificCredentials": [], "IsTruncated": False}

    def get_login_profile(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        user = self._directory.get(User, call.scope.account, _name(call, request))
        raise NoSuchEntity(f"Login Profile for User {user.name} cannot be found.")

    def delete_login_profile(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return self.get_login_profile(call, request)

    # ---- access keys

    def create_access_key(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        key, secret = self._keys.create(call.scope.account, _name(call, request))
        return {"AccessKey": {**_show_key(key), "SecretAccessKey": secret}}

    def list_access_keys(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        keys = self._keys.list(call.scope.account, _name(call, request))
        return page(request, "AccessKeyMetadata", keys, lambda key: key.id, _show_key)

    def update_access_key(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        active = request["Status"] == "Active"
        self._keys.set_active(call.scope.account, _name(call, request), request["AccessKeyId"], active=active)
        return {}

    def delete_access_key(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._keys.delete(call.scope.account, _name(call, request), request["AccessKeyId"])
        return {}

    def get_access_key_last_used(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        key_id = request["AccessKeyId"]
        owner = self._keys.owner(key_id)
        if owner is None or owner[0] != call.scope.account:
            raise AccessDenied(
                f"User: {call.principal.arn} is not authorized to perform iam:GetAccessKeyLastUsed on resource: "
                f"access key {key_id}"
            )
        use = self._keys.last_use(key_id)
        shown: dict[str, Any] = {"ServiceName": "N/A", "Region": "N/A"}
        if use is not None:
            shown = {
                "LastUsedDate": int(use.moment_s),
                "ServiceName": use.service,
                "Region": use.region,
            }
        return {"UserName": owner[1], "AccessKeyLastUsed": shown}

    def _change(self, call: Call, request: dict[str, Any], **changes: Any) -> User:
        return self._directory.change(
            User, call.scope.account, request["UserName"], lambda user: dataclasses.replace(user, **changes)
        )


def _name(call: Call, request: dict[str, Any]) -> str:
    """The user that is meant: the one named, or the caller."""
    name: str | None = request.get("UserName")
    return name if name is not None else call.principal.own_user_name()


def _show_key(key: AccessKey) -> dict[str, Any]:
    return {
        "UserName": key.user,
        "AccessKeyId": key.id,
        "Status": "Active" if key.active else "Inactive",
        "CreateDate": key.created.replace(microsecond=0),
    }
