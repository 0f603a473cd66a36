"""Entities as IAM's answers show them; which members an operation shows is recorded (public snapshots of 2026)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from firefork.api.call import Call
from firefork.catalog.iam.directory import Directory, PolicyVersion
from firefork.catalog.iam.entities import Entity, Group, InstanceProfile, ManagedPolicy, Role, User, new_unique_id
from firefork.store.clock import now


def fresh(
    call: Call, kind: type[Entity], request: dict[str, Any], name: str, tags: Mapping[str, str]
) -> dict[str, Any]:
    """What every new entity of ``kind`` begins with."""
    return {
        "account": call.scope.account,
        "partition": call.scope.partition,
        "path": request.get("Path") or "/",
        "name": name,
        "id": new_unique_id(kind.id_prefix),
        "created": this_second(),
        "tags": dict(tags),
    }


def this_second() -> datetime:
    """IAM's dates have no fractions."""
    return now().replace(microsecond=0)


def show_document(text: str) -> str:
    """Documents travel percent-encoded. AWS: IAM API reference, GetRolePolicy; RFC 3986."""
    return quote(text, safe="-_.~")


def show_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def policy_tag_order(key: str) -> str:
    """Sorts the tags of policies as the service lists them: shorter keys first (recorded: a, b, z, abc)."""
    return f"{len(key):03d}{key}"


def show_role(role: Role, *, details: bool = False, tags: bool = False) -> dict[str, Any]:
    """``details``: with description and longest session, which the answer to CreateRole leaves out."""
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": role.created,
        "AssumeRolePolicyDocument": show_document(role.trust_policy),
        "Description": role.description if details else None,
        "MaxSessionDuration": role.max_session_s if details else None,
        "PermissionsBoundary": _boundary(role.boundary_arn) if tags else None,
        "Tags": (show_tags(role.tags) or None) if tags else None,
    }


def show_user(user: User, *, tags: bool = False) -> dict[str, Any]:
    return {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": user.created,
        "PermissionsBoundary": _boundary(user.boundary_arn) if tags else None,
        "Tags": (show_tags(user.tags) or None) if tags else None,
    }


def show_group(group: Group) -> dict[str, Any]:
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.id,
        "Arn": group.arn,
        "CreateDate": group.created,
    }


def show_policy(
    policy: ManagedPolicy, *, attachments: int, boundaries: int, tags: bool | None, details: bool = False
) -> dict[str, Any]:
    """``tags``: whether an empty list is shown as well; ``None`` shows no tags at all. A new one's stand as given."""
    shown = [{"Key": key, "Value": value} for key, value in policy.tags.items()]
    if details:
        shown.sort(key=lambda tag: policy_tag_order(tag["Key"]))
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": f"v{policy.default_version}",
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": boundaries,
        "IsAttachable": True,
        "Description": policy.description if details else None,
        "CreateDate": policy.created,
        "UpdateDate": policy.updated,
        "Tags": None if tags is None or not (shown or tags) else shown,
    }


def show_attached(arn: str) -> dict[str, str]:
    return {"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn}


def show_version(version: PolicyVersion, *, document: bool) -> dict[str, Any]:
    return {
        "Document": show_document(version.document) if document else None,
        "VersionId": f"v{version.number}",
        "IsDefaultVersion": version.is_default,
        "CreateDate": version.created.replace(microsecond=0),
    }


def show_instance_profile(
    directory: Directory, profile: InstanceProfile, *, tags: bool | None = None
) -> dict[str, Any]:
    """``tags`` as for policies."""
    shown = show_tags(profile.tags)
    names = directory.members(InstanceProfile, profile.account, profile.name)
    return {
        "Path": profile.path,
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.id,
        "Arn": profile.arn,
        "CreateDate": profile.created,
        "Roles": [show_role(directory.get(Role, profile.account, name)) for name in names],
        "Tags": None if tags is None or not (shown or tags) else shown,
    }


def _boundary(arn: str | None) -> dict[str, str] | None:
    # The service answers "Policy" where its documentation says "PermissionsBoundaryPolicy".
    return None if arn is None else {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}
