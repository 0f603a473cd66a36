"""All entities of an account with their policies. AWS: IAM API reference, GetAccountAuthorizationDetails.

Which members stand there is recorded (public snapshots of February 2026).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from firefork.api.call import Call
from firefork.api.iam.paging import page
from firefork.api.iam.shapes import (
    show_attached,
    show_document,
    show_group,
    show_instance_profile,
    show_policy,
    show_role,
    show_tags,
    show_user,
    show_version,
)
from firefork.catalog.iam import aws_policies
from firefork.catalog.iam.directory import Directory
from firefork.catalog.iam.entities import Entity, Group, InstanceProfile, ManagedPolicy, Role, User

_LISTS: Final = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")


class AuthorizationDetails:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def get_account_authorization_details(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """One order for all lists, so that a page may end in any of them."""
        account = call.scope.account
        wanted = request.get("Filter") or ("User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy")
        counts = self._directory.attachment_counts(account)
        boundaries = self._directory.boundary_arns(account)

        def entities() -> Iterator[tuple[str, Entity]]:
            kinds: tuple[type[Entity], ...] = (User, Group, Role)
            for member, kind in zip(_LISTS, kinds, strict=False):
                if kind.__name__ in wanted:
                    yield from ((member, entity) for entity in self._directory.entities(kind, account))
            if "LocalManagedPolicy" in wanted:
                yield from (("Policies", policy) for policy in self._directory.entities(ManagedPolicy, account))
            if "AWSManagedPolicy" in wanted:  # only those in use
                own = (policy.as_entity(call.scope.partition) for policy in aws_policies.ALL)
                yield from (("Policies", one) for one in own if one.arn in counts or one.arn in boundaries)

        def show(item: tuple[str, Entity]) -> tuple[str, dict[str, Any]]:
            member, entity = item
            if isinstance(entity, ManagedPolicy):
                versions = self._directory.versions(account, entity.arn)
                shown = {
                    **show_policy(
                        entity,
                        attachments=counts.get(entity.arn, 0),
                        boundaries=boundaries.count(entity.arn),
                        tags=None,
                    ),
                    "PolicyVersionList": [show_version(version, document=True) for version in versions],
                }
            else:
                shown = self._principal(account, entity)
            return member, shown

        found = page(
            request, "all", list(entities()), lambda item: f"{_LISTS.index(item[0])}{item[1].arn.lower()}", show
        )
        answer: dict[str, Any] = {member: [] for member in _LISTS}
        for member, shown in found.pop("all"):
            answer[member].append(shown)
        return {**answer, **found}

    def _principal(self, account: str, entity: Entity) -> dict[str, Any]:
        """A user, group or role. Users without policies of their own have no list of them; as recorded."""
        kind, name = type(entity), entity.name
        inline = [
            {"PolicyName": policy, "PolicyDocument": show_document(document)}
            for policy, document in self._directory.inline(kind, account, name).items()
        ]
        attached = [show_attached(arn) for arn in self._directory.attached(kind, account, name)]
        shown: dict[str, Any] = {"AttachedManagedPolicies": attached}
        if isinstance(entity, Group):
            return {**show_group(entity), "GroupPolicyList": inline, **shown}
        shown["Tags"] = show_tags(entity.tags)
        if isinstance(entity, User):
            groups = self._directory.containers(Group, account, name)
            return {**show_user(entity, tags=True), "UserPolicyList": inline or None, "GroupList": groups, **shown}
        assert isinstance(entity, Role)
        profiles = [
            show_instance_profile(self._directory, self._directory.get(InstanceProfile, account, profile))
            for profile in self._directory.containers(InstanceProfile, account, name)
        ]
        return {
            **show_role(entity, tags=True),
            "InstanceProfileList": profiles,
            "RolePolicyList": inline,
            "RoleLastUsed": {},
            **shown,
        }
