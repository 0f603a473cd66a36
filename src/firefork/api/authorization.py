"""Every call is checked here before its handler runs. AWS: IAM User Guide, "How IAM works", "Request context"."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from firefork.api.actions import Asked, permissions
from firefork.api.call import Call
from firefork.aws.errors import AccessDenied
from firefork.aws.principal import PrincipalType
from firefork.catalog.iam.access_keys import AccessKeys, LastUse
from firefork.catalog.iam.directory import Directory
from firefork.catalog.iam.entities import Entity
from firefork.catalog.iam.identities import Identities, Known
from firefork.catalog.resource_policies import ResourcePolicies
from firefork.identity import document as documents
from firefork.identity import refusal
from firefork.identity.context import Value
from firefork.identity.document import Kind
from firefork.identity.evaluation import AccessRequest, Decision, evaluate
from firefork.store.clock import now

ResourceTags = Callable[[str], "Mapping[str, str]"]
"""From a resource's ARN to its tags, for ``aws:ResourceTag``; may block, and is asked only if a policy needs it."""

_RESOURCE_TAG: Final = "aws:resourcetag/"
_DECIDED: Final = 1024
"""Decisions kept for each caller."""


class RequestContext:
    """The condition keys of a call; nothing is worked out unless a condition asks. Implements ``identity.Context``."""

    __slots__ = ("_call", "_extra", "_known", "_request", "_resource", "_tags", "_values")

    def __init__(
        self,
        call: Call,
        request: Mapping[str, Any],
        known: Known,
        resource: str,
        extra: Mapping[str, Value],
        tags: ResourceTags,
    ) -> None:
        """``extra`` are the keys of the service, in lower case."""
        self._call = call
        self._request = request
        self._known = known
        self._resource = resource
        self._extra = extra
        self._tags = tags
        self._values: dict[str, Value] | None = None

    def get(self, key: str, /) -> Value | None:
        if self._values is None:
            self._values = self._read()
        if key.startswith(_RESOURCE_TAG) and key not in self._values:
            self._values |= {
                f"{_RESOURCE_TAG}{name.lower()}": value for name, value in self._tags(self._resource).items()
            }
        return self._values.get(key)

    def _read(self) -> dict[str, Value]:
        """AWS: IAM User Guide, "AWS global condition context keys"."""
        call, principal, moment = self._call, self._call.principal, now()
        session = principal.session
        values: dict[str, Value] = {
            "aws:currenttime": moment.isoformat(timespec="seconds"),
            "aws:epochtime": str(int(moment.timestamp())),
            "aws:principalaccount": principal.account,
            "aws:principalarn": self._known.caller.role_arn or principal.arn,
            "aws:principaltype": principal.type.value,
            "aws:userid": principal.user_id,
            "aws:requestedregion": call.scope.region,
            "aws:securetransport": str(call.endpoint.startswith("https:")).lower(),
            "aws:viaawsservice": "false",
            "aws:principalisawsservice": "false",
            **{f"aws:principaltag/{name.lower()}": value for name, value in self._known.tags},
            **request_tags(self._request.get("Tags") or self._request.get("tags")),
        }
        for key, value in (
            ("aws:sourceip", call.source_ip),
            ("aws:useragent", call.headers.get("user-agent", "")),
            ("aws:referer", call.headers.get("referer", "")),
            ("aws:resourceaccount", account_of(self._resource)),
        ):
            if value:
                values[key] = value
        if isinstance(self._request.get("TagKeys"), list):
            values["aws:tagkeys"] = tuple(self._request["TagKeys"])
        if principal.type is PrincipalType.USER:
            values["aws:username"] = principal.name
        if session is not None:
            values["aws:multifactorauthpresent"] = "false"
            values["aws:tokenissuetime"] = datetime.fromtimestamp(session.issued_at_s, UTC).isoformat()
            if session.source_identity is not None:
                values["aws:sourceidentity"] = session.source_identity
            if session.function_arn is not None:
                values["lambda:sourcefunctionarn"] = session.function_arn
        return {**values, **self._extra}


class Authorizer:
    """Decides about calls. Thread-safe."""

    def __init__(
        self,
        directory: Directory,
        identities: Identities,
        keys: AccessKeys,
        *,
        resource_policies: ResourcePolicies,
        resource_tags: ResourceTags = lambda arn: {},
    ) -> None:
        self._directory = directory
        self._identities = identities
        self._keys = keys
        self._resource_policies = resource_policies
        self._resource_tags = resource_tags

    def may_block(self, call: Call, request: Mapping[str, Any]) -> bool:
        """Whether ``check`` has to read the database first: then it belongs into a worker thread."""
        known = self._identities.cached(call.principal)
        if known is None or known.needs_resource_tags:
            return True
        asked = self._asked(call, request)
        for permission in permissions(call.service, call.operation):
            for resource in permission.resources(asked):
                if not self._resource_policies.known(resource):
                    return True
        return False

    def check(self, call: Call, request: Mapping[str, Any]) -> None:
        """Raises AccessDenied in AWS's words, and what parsing a function's name raises."""
        known = self._identities.cached(call.principal) or self._identities.load(call.principal)
        if call.principal.session is None and self._keys.is_active(call.access_key_id):
            use = LastUse(moment_s=time.time(), service=call.service, region=call.scope.region)
            self._keys.note_use(call.access_key_id, use)
        asked = self._asked(call, request)
        for permission in permissions(call.service, call.operation):
            for resource in permission.resources(asked):
                if permission.action == "iam:PassRole" and account_of(resource) != call.scope.account:
                    self._check_foreign_role(resource)
                extra = permission.keys(asked) if permission.keys is not None else {}
                decision = self._decide(call, request, known, permission.action, resource, extra)
                if not decision.allowed:
                    own = account_of(resource) in ("", known.caller.account)
                    raise AccessDenied(
                        refusal.message(known.caller, permission.action, permission.shown(resource), decision, own=own)
                    )

    def _check_foreign_role(self, role_arn: str) -> None:
        """Roles of other accounts cannot be passed; one that does not exist is only a name while IAM is relaxed."""
        if not self._identities.relaxed or self._identities.role(role_arn) is not None:
            raise AccessDenied("Cross-account pass role is not allowed.")

    def _decide(
        self,
        call: Call,
        request: Mapping[str, Any],
        known: Known,
        action: str,
        resource: str,
        extra: Mapping[str, Value],
    ) -> Decision:
        text = self._resource_policies.get(resource) if resource != "*" else None
        decided = known.decided.get((action, resource, text))
        if decided is not None:
            return decided
        shared = documents.compiled(text, Kind.RESOURCE) if text is not None else None
        context = RequestContext(call, request, known, resource, extra, self._resource_tags)
        wanted = AccessRequest(caller=known.caller, action=action, resource=resource, context=context)
        own = _owner(action, resource) in ("", known.caller.account)
        decision = evaluate(wanted, known.identity, resource_policy=shared, same_account=own)
        if not known.keys and (shared is None or not shared.keys):
            # Nothing but caller, action and resource matters: the answer stays until something in IAM changes.
            if len(known.decided) >= _DECIDED:
                known.decided.clear()
            known.decided[action, resource, text] = decision
        return decision

    def _asked(self, call: Call, request: Mapping[str, Any]) -> Asked:
        return Asked(call, request, lambda kind, name: self._arn_of(call, kind, name))

    def _arn_of(self, call: Call, kind: type[Entity], name: str) -> str:
        """What does not exist is asked for as if it lay in the root path."""
        found = self._directory.find(kind, call.scope.account, name)
        return found.arn if found is not None else call.scope.global_arn("iam", f"{kind.kind}/{name}")


def _owner(action: str, resource: str) -> str:
    """The account whose consent an action on a resource needs, empty if it is the caller's own affair."""
    owner = account_of(resource)
    if owner == "aws" and action.startswith(("iam:Get", "iam:List")):
        return ""  # AWS's own policies are there to be read by everybody
    if action == "iam:PassRole":
        return ""  # a foreign role that may be passed at all is taken for one of the own account
    return owner


def account_of(arn: str) -> str:
    """The account in an ARN, empty if it has none."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def request_tags(tags: object) -> dict[str, Value]:
    """``aws:RequestTag/…`` and ``aws:TagKeys`` of the tags that a request gives, as a map or as a list."""
    if not tags or not isinstance(tags, list | dict):
        return {}
    pairs = tags.items() if isinstance(tags, dict) else [(tag["Key"], tag["Value"]) for tag in tags if "Key" in tag]
    values: dict[str, Value] = {f"aws:requesttag/{name.lower()}": value for name, value in pairs}
    return {**values, "aws:tagkeys": tuple(name for name, _ in pairs)}
