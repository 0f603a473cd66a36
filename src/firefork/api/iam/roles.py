"""Roles, their boundaries and tags, and the roles of services. AWS: IAM API reference, CreateRole and its like."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from firefork.api.call import Call
from firefork.api.iam.paging import page
from firefork.api.iam.shapes import fresh, show_role, show_tags
from firefork.aws.errors import (
    EntityAlreadyExists,
    InvalidInput,
    MalformedPolicyDocument,
    NoSuchEntity,
    ValidationError,
)
from firefork.catalog.iam.directory import Directory, tags_from
from firefork.catalog.iam.entities import DEFAULT_SESSION_S, SERVICE_ROLE_PATH, Role, User, service_role_name
from firefork.catalog.iam.identities import Identities
from firefork.identity import document as documents
from firefork.identity.document import Kind
from firefork.store.clock import new_id

_OWN: Final = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):(?P<kind>user|role)/(?:.*/)?(?P<name>[^/]+)")
_SERVICE: Final = re.compile(r"[\w+=,.@-]+\.amazonaws\.com(\.cn)?")


class Roles:
    def __init__(self, directory: Directory, identities: Identities) -> None:
        self._directory = directory
        self._identities = identities

    def create_role(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        tags = tags_from(request.get("Tags") or [])
        document = request["AssumeRolePolicyDocument"]
        self._check_trust(call, document)
        role = Role(
            **fresh(call, Role, request, request["RoleName"], tags),
            trust_policy=document,
            description=request.get("Description"),
            max_session_s=request.get("MaxSessionDuration") or DEFAULT_SESSION_S,
            boundary_arn=request.get("PermissionsBoundary"),
        )
        if role.service_linked:
            raise ValidationError(f"The path {SERVICE_ROLE_PATH} is reserved for service-linked roles.")
        self._directory.create(role)
        return {"Role": show_role(role, tags=True)}

    def get_role(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        role = self._directory.get(Role, call.scope.account, request["RoleName"])
        return {"Role": {**show_role(role, details=True, tags=True), "RoleLastUsed": {}}}

    def list_roles(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        roles = self._directory.entities(Role, call.scope.account, request.get("PathPrefix") or "/")
        return page(request, "Roles", roles, lambda role: role.name.lower(), lambda role: show_role(role, details=True))

    def update_role(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """What is not given stays."""
        changes = {
            field: request[member]
            for member, field in (("Description", "description"), ("MaxSessionDuration", "max_session_s"))
            if request.get(member) is not None
        }
        self._change(call, request, **changes)
        return {}

    def update_role_description(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        role = self._change(call, request, description=request["Description"])
        return {"Role": {**show_role(role), "Description": role.description}}

    def update_assume_role_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.get(Role, call.scope.account, request["RoleName"])
        self._check_trust(call, request["PolicyDocument"])
        self._change(call, request, trust_policy=request["PolicyDocument"])
        return {}

    def _check_trust(self, call: Call, document: str) -> None:
        """Who is trusted must exist, which is why a role cannot trust itself from the start. Here only the account's
        own users and roles can be looked for, and while IAM is relaxed roles need not exist at all.

        Raises MalformedPolicyDocument.
        """
        compiled = documents.compiled(document, Kind.TRUST)
        if self._identities.relaxed:
            return
        for statement in compiled.statements:
            for arn in sorted(statement.principals.arns if statement.principals is not None else ()):
                found = _OWN.fullmatch(arn)
                if found is None or found["account"] != call.scope.account:
                    continue
                entity = self._directory.find(
                    User if found["kind"] == "user" else Role, found["account"], found["name"]
                )
                if entity is None or entity.arn != arn:
                    raise MalformedPolicyDocument(f'Invalid principal in policy: "AWS":"{arn}"')

    def delete_role(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.delete(Role, call.scope.account, request["RoleName"])
        return {}

    def put_role_permissions_boundary(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._change(call, request, boundary_arn=request["PermissionsBoundary"])
        return {}

    def delete_role_permissions_boundary(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        role = self._directory.get(Role, call.scope.account, request["RoleName"])
        if role.boundary_arn is None:
            raise NoSuchEntity(f"Role {role.name} does not have a permissions boundary associated with it.")
        self._change(call, request, boundary_arn=None)
        return {}

    def tag_role(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        given = tags_from(request["Tags"])
        self._directory.change(
            Role,
            call.scope.account,
            request["RoleName"],
            lambda role: dataclasses.replace(role, tags=merged(role.tags, given)),
        )
        return {}

    def untag_role(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.change(
            Role,
            call.scope.account,
            request["RoleName"],
            lambda role: dataclasses.replace(role, tags=without(role.tags, request["TagKeys"])),
        )
        return {}

    def list_role_tags(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        role = self._directory.get(Role, call.scope.account, request["RoleName"])
        return tag_page(request, role.tags)

    def create_service_linked_role(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        service, suffix = request["AWSServiceName"], request.get("CustomSuffix")
        if not _SERVICE.fullmatch(service):
            raise InvalidInput(f"Invalid service name: {service}")
        name = service_role_name(service, suffix)
        trust = {"Effect": "Allow", "Principal": {"Service": [service]}, "Action": ["sts:AssumeRole"]}
        role = Role(
            **fresh(call, Role, {"Path": f"{SERVICE_ROLE_PATH}{service}/"}, name, {}),
            trust_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
            description=request.get("Description"),
        )
        try:
            self._directory.create(role)
        except EntityAlreadyExists:
            raise InvalidInput(
                f"Service role name {name} has been taken in this account, please try a different suffix."
            ) from None
        return {"Role": show_role(role)}

    def delete_service_linked_role(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        role = self._directory.get(Role, call.scope.account, request["RoleName"])
        if not role.service_linked:
            raise InvalidInput(f"The role {role.name} is not a service-linked role.")
        self._directory.delete(Role, role.account, role.name, even_protected=True)
        return {"DeletionTaskId": f"task{role.path}{role.name}/{new_id()}"}

    def get_service_linked_role_deletion_status(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Deletions are done when they are answered."""
        parts = request["DeletionTaskId"].split("/")
        if len(parts) != 5 or f"/{parts[1]}/" != SERVICE_ROLE_PATH:
            raise NoSuchEntity(f"Deletion task {request['DeletionTaskId']} cannot be found.")
        return {"Status": "SUCCEEDED"}

    def _change(self, call: Call, request: dict[str, Any], **changes: Any) -> Role:
        return self._directory.change(
            Role, call.scope.account, request["RoleName"], lambda role: dataclasses.replace(role, **changes)
        )


def merged(tags: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """A key that differs by case only is the same tag, under the new spelling."""
    folded = {key.lower() for key in given}
    return {**{key: value for key, value in tags.items() if key.lower() not in folded}, **given}


def without(tags: Mapping[str, str], keys: list[str]) -> dict[str, str]:
    folded = {key.lower() for key in keys}
    return {key: value for key, value in tags.items() if key.lower() not in folded}


def tag_page(request: dict[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    return page(request, "Tags", show_tags(tags), lambda tag: tag["Key"], lambda tag: tag)
