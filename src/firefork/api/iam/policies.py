"""Managed policies and their versions. AWS: IAM API reference, CreatePolicy and its like."""

from __future__ import annotations

import dataclasses
from typing import Any

from firefork.api.call import Call
from firefork.api.iam.paging import page
from firefork.api.iam.shapes import fresh, policy_tag_order, show_policy, show_tags, show_version
from firefork.catalog.iam import aws_policies
from firefork.catalog.iam.directory import Directory, not_attachable, tags_from
from firefork.catalog.iam.entities import Group, ManagedPolicy, Role, User
from firefork.identity import document as documents
from firefork.identity.document import Kind


class Policies:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def create_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        tags = tags_from(request.get("Tags") or [], of_policy=True)
        documents.compiled(request["PolicyDocument"], Kind.IDENTITY)
        values = fresh(call, ManagedPolicy, request, request["PolicyName"], tags)
        policy = ManagedPolicy(**values, updated=values["created"], description=request.get("Description"))
        self._directory.create(policy, document=request["PolicyDocument"])
        return {"Policy": show_policy(policy, attachments=0, boundaries=0, tags=False)}

    def get_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        account, arn = call.scope.account, request["PolicyArn"]
        policy = self._directory.policy(account, arn)
        shown = show_policy(
            policy,
            attachments=self._directory.attachment_counts(account).get(arn, 0),
            boundaries=len(self._directory.bounded_by(account, arn)),
            tags=True,
            details=True,
        )
        return {"Policy": shown}

    def list_policies(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        account = call.scope.account
        prefix, origin = request.get("PathPrefix") or "/", request.get("Scope") or "All"
        found: list[ManagedPolicy] = []
        if origin in ("All", "Local"):
            found += self._directory.entities(ManagedPolicy, account, prefix)
        if origin in ("All", "AWS"):
            own = (policy.as_entity(call.scope.partition) for policy in aws_policies.ALL)
            found += [policy for policy in own if policy.path.startswith(prefix)]
        counts = self._directory.attachment_counts(account)
        boundaries = self._directory.boundary_arns(account)
        usage = request.get("PolicyUsageFilter")
        if request.get("OnlyAttached") or usage == "PermissionsPolicy":
            found = [policy for policy in found if policy.arn in counts]
        if usage == "PermissionsBoundary":
            found = [policy for policy in found if policy.arn in boundaries]
        return page(
            request,
            "Policies",
            found,
            lambda policy: policy.arn,
            lambda policy: show_policy(
                policy,
                attachments=counts.get(policy.arn, 0),
                boundaries=boundaries.count(policy.arn),
                tags=None,
            ),
        )

    def delete_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        policy = self._directory.own_policy(call.scope.account, request["PolicyArn"])
        self._directory.delete(ManagedPolicy, policy.account, policy.name)
        return {}

    def list_entities_for_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """One page: an account that has more attachments of one policy than fit is not a local one."""
        account, arn = call.scope.account, request["PolicyArn"]
        if self._directory.document_of(account, arn) is None:
            raise not_attachable(arn)
        usage = request.get("PolicyUsageFilter")
        wanted = request.get("EntityFilter")
        attached = self._directory.attached_to(account, arn) if usage != "PermissionsBoundary" else []
        if usage != "PermissionsPolicy":
            attached += [(entity.kind, entity.name) for entity in self._directory.bounded_by(account, arn)]
        prefix = request.get("PathPrefix") or "/"
        answer: dict[str, Any] = {"PolicyGroups": [], "PolicyUsers": [], "PolicyRoles": [], "IsTruncated": False}
        for kind in (Group, User, Role):
            noun = kind.__name__
            if wanted not in (None, noun):
                continue
            for name in sorted({name for own_kind, name in attached if own_kind == kind.kind}):
                entity = self._directory.get(kind, account, name)
                if entity.path.startswith(prefix):
                    answer[f"Policy{noun}s"].append({f"{noun}Name": name, f"{noun}Id": entity.id})
        return answer

    def create_policy_version(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        version = self._directory.create_version(
            call.scope.account,
            request["PolicyArn"],
            request["PolicyDocument"],
            as_default=bool(request.get("SetAsDefault")),
        )
        return {"PolicyVersion": show_version(version, document=False)}

    def get_policy_version(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        version = self._directory.version(call.scope.account, request["PolicyArn"], _number(request["VersionId"]))
        return {"PolicyVersion": show_version(version, document=True)}

    def list_policy_versions(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        versions = self._directory.versions(call.scope.account, request["PolicyArn"])
        return page(
            request,
            "Versions",
            versions,
            lambda version: f"{10**9 - version.number:010d}",  # newest first
            lambda version: show_version(version, document=False),
        )

    def delete_policy_version(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.delete_version(call.scope.account, request["PolicyArn"], _number(request["VersionId"]))
        return {}

    def set_default_policy_version(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._directory.set_default_version(call.scope.account, request["PolicyArn"], _number(request["VersionId"]))
        return {}

    def tag_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        given = tags_from(request["Tags"], of_policy=True)
        policy = self._directory.own_policy(call.scope.account, request["PolicyArn"])
        self._directory.change(
            ManagedPolicy,
            policy.account,
            policy.name,
            lambda policy: dataclasses.replace(policy, tags={**policy.tags, **given}),
        )
        return {}

    def untag_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        gone = set(request["TagKeys"])
        policy = self._directory.own_policy(call.scope.account, request["PolicyArn"])
        self._directory.change(
            ManagedPolicy,
            policy.account,
            policy.name,
            lambda policy: dataclasses.replace(
                policy, tags={key: value for key, value in policy.tags.items() if key not in gone}
            ),
        )
        return {}

    def list_policy_tags(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        tags = show_tags(self._directory.policy(call.scope.account, request["PolicyArn"]).tags)
        return page(request, "Tags", tags, lambda tag: policy_tag_order(tag["Key"]), lambda tag: tag)


def _number(version_id: str) -> int:
    """``v12``, and the model's ``v12.x``."""
    return int(version_id[1:].partition(".")[0])
