"""Who the caller is, and temporary credentials. AWS: STS API reference, AssumeRole, GetSessionToken and others."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from firefork.api.authorization import request_tags
from firefork.api.call import Call
from firefork.aws.errors import (
    AccessDenied,
    InvalidStsParameter,
    MalformedPolicyDocument,
    PackedPolicyTooLarge,
    ValidationError,
)
from firefork.aws.principal import Principal, PrincipalType, Session
from firefork.catalog.iam.directory import Directory, tags_from
from firefork.catalog.iam.entities import Role
from firefork.catalog.iam.identities import Identities
from firefork.catalog.keys import Keys, SessionCredentials, role_session
from firefork.identity import document as documents
from firefork.identity import refusal
from firefork.identity.context import Value
from firefork.identity.document import Kind
from firefork.identity.evaluation import AccessRequest, evaluate

_ARN: Final = re.compile(r"arn:aws[a-zA-Z-]*:iam::\d{12}:.+")
_ROLE: Final = re.compile(r"arn:aws[a-zA-Z-]*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@\-_/]+")
_ROLE_DURATION_S: Final = 3600
_CHAINED_DURATION_S: Final = 3600
_USER_DURATION_S: Final = 43_200
_ROOT_DURATION_S: Final = 3600
_POLICY_SIZE: Final = 2048
"""Characters of a session policy."""
_POLICY_ARNS: Final = 10


class Identity:
    def __init__(self, keys: Keys, directory: Directory, identities: Identities) -> None:
        self._keys = keys
        self._directory = directory
        self._identities = identities

    def get_caller_identity(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        principal = call.principal
        return {"UserId": principal.user_id, "Account": principal.account, "Arn": principal.arn}

    def get_access_key_info(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        account = self._keys.account_of(request["AccessKeyId"])
        if account is None:
            raise ValidationError(f"The access key ID {request['AccessKeyId']} is not valid.")
        return {"Account": account}

    def get_session_token(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        caller = call.principal
        if caller.session is not None:
            raise AccessDenied("Cannot call GetSessionToken with session credentials")
        if request.get("TokenCode") or request.get("SerialNumber"):
            raise _no_mfa()
        root = caller.type is PrincipalType.ROOT
        duration_s = request.get("DurationSeconds") or (_ROOT_DURATION_S if root else _USER_DURATION_S)
        if root:
            # Longer ones are shortened for the root user: STS API reference, GetSessionToken.
            duration_s = min(duration_s, _ROOT_DURATION_S)
        principal = Principal(
            account=caller.account,
            arn=caller.arn,
            user_id=caller.user_id,
            session=Session(issued_at_s=int(time.time())),
        )
        return {"Credentials": _show(self._keys.issue_session(principal, duration_s))}

    def assume_role(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """While IAM is relaxed a role that does not exist can be assumed as well, of any account."""
        arn = request["RoleArn"]
        if not _ARN.fullmatch(arn):
            raise ValidationError(f"{arn} is invalid")
        if not _ROLE.fullmatch(arn):  # no role, so nobody may assume it
            raise AccessDenied(
                f"User: {call.principal.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            )
        if request.get("TokenCode") or request.get("SerialNumber"):
            raise _no_mfa()
        tags, transitive = _session_tags(call.principal, request)
        policies, size = self._session_policies(call, request)
        role = self._identities.role(arn)
        self._check_trust(call, request, role)
        duration_s = self._duration(call.principal, request, role)
        session = Session(
            issued_at_s=int(time.time()),
            role_arn=arn,
            policies=policies,
            tags=tuple(tags.items()),
            transitive_tag_keys=transitive,
            source_identity=_source_identity(call.principal, request),
        )
        principal = role_session(
            arn, request["RoleSessionName"], role_id=role.id if role is not None else None, session=session
        )
        answer: dict[str, Any] = {
            "Credentials": _show(self._keys.issue_session(principal, duration_s)),
            "AssumedRoleUser": {"AssumedRoleId": principal.user_id, "Arn": principal.arn},
            "SourceIdentity": session.source_identity,
        }
        if size:
            answer["PackedPolicySize"] = size
        return answer

    def _check_trust(self, call: Call, request: dict[str, Any], role: Role | None) -> None:
        """Trust policy and the caller's own policies, for each action that the request implies."""
        arn = request["RoleArn"]
        known = self._identities.load(call.principal)
        actions = ["sts:AssumeRole"]
        if request.get("Tags"):
            actions.append("sts:TagSession")
        if request.get("SourceIdentity"):
            actions.append("sts:SetSourceIdentity")
        # Of a role that does not exist only the caller's own policies can speak, whatever its account.
        own = role is None or role.account == call.principal.account
        trust = documents.compiled(role.trust_policy, Kind.TRUST) if role is not None else None
        context = self._context(call, request, known.tags)
        for action in actions:
            wanted = AccessRequest(caller=known.caller, action=action, resource=arn, context=context)
            decision = evaluate(
                wanted, known.identity, resource_policy=trust, same_account=own, consent_needed=role is not None
            )
            if not decision.allowed or (role is None and not self._identities.relaxed):
                raise AccessDenied(refusal.message(known.caller, action, arn, decision))

    def _context(self, call: Call, request: dict[str, Any], tags: Sequence[tuple[str, str]]) -> dict[str, Value]:
        """AWS: Service Authorization Reference, "Condition keys for AWS Security Token Service"."""
        principal = call.principal
        context: dict[str, Value] = {
            "aws:principalaccount": principal.account,
            "aws:principalarn": principal.session.role_arn
            if principal.session and principal.session.role_arn
            else principal.arn,
            "aws:principaltype": principal.type.value,
            "aws:userid": principal.user_id,
            "aws:currenttime": datetime.now(UTC).isoformat(timespec="seconds"),
            "aws:epochtime": str(int(time.time())),
            "aws:securetransport": str(call.endpoint.startswith("https:")).lower(),
            "sts:rolesessionname": request["RoleSessionName"],
            **{f"aws:principaltag/{name.lower()}": value for name, value in tags},
            **request_tags(request.get("Tags")),
        }
        for key, value in (
            ("aws:sourceip", call.source_ip),
            ("sts:externalid", request.get("ExternalId")),
            ("sts:sourceidentity", request.get("SourceIdentity")),
        ):
            if value:
                context[key] = value
        if request.get("TransitiveTagKeys"):
            context["sts:transitivetagkeys"] = tuple(request["TransitiveTagKeys"])
        if principal.type is PrincipalType.USER:
            context["aws:username"] = principal.name
        if principal.session is not None:
            context["aws:multifactorauthpresent"] = "false"
        return context

    def _duration(self, caller: Principal, request: dict[str, Any], role: Role | None) -> int:
        duration_s = int(request.get("DurationSeconds") or _ROLE_DURATION_S)
        if role is not None and duration_s > role.max_session_s:
            raise ValidationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
        if caller.type is PrincipalType.ROLE_SESSION and duration_s > _CHAINED_DURATION_S:
            raise ValidationError(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
            )
        return duration_s

    def _session_policies(self, call: Call, request: dict[str, Any]) -> tuple[tuple[str, ...] | None, int]:
        """The documents that limit the session, and how full they make it in per cent."""
        arns = [entry["arn"] for entry in request.get("PolicyArns") or [] if entry.get("arn")]
        text = request.get("Policy")
        if text is None and not arns:
            return None, 0
        if len(arns) > _POLICY_ARNS:
            raise ValidationError(f"The number of policies cannot exceed {_POLICY_ARNS}.")
        policies = []
        if text is not None:
            documents.compiled(text, Kind.IDENTITY)
            policies.append(text)
        for arn in arns:
            document = self._directory.document_of(call.scope.account, arn)
            if document is None:
                raise MalformedPolicyDocument(f"Policy {arn} does not exist or is not attachable.")
            policies.append(document)
        size = round(len(text or "") / _POLICY_SIZE * 100)
        if size > 100:
            raise PackedPolicyTooLarge(f"Packed policy consumes {size}% of allotted space, please use smaller policy.")
        return tuple(policies), max(size, 1)


def _session_tags(caller: Principal, request: dict[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The session's tags: those of the request and the transitive ones of the calling session.

    AWS: IAM User Guide, "Pass session tags in AWS STS"; messages as recorded.
    """
    entries = request.get("Tags") or []
    folded = [entry["Key"].lower() for entry in entries]
    if len(folded) != len(set(folded)):
        raise InvalidStsParameter("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    given = tags_from(entries)
    keys = request.get("TransitiveTagKeys") or []
    if any(key.lower() not in folded for key in keys):
        raise InvalidStsParameter("The specified transitive tag key must be included in the requested tags.")
    if caller.session is None:
        return given, tuple(keys)
    passed_on = {key.lower() for key in caller.session.transitive_tag_keys}
    inherited = {name: value for name, value in caller.session.tags if name.lower() in passed_on}
    if any(name.lower() in folded for name in inherited):
        raise InvalidStsParameter(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from "
            "the calling session."
        )
    return {**inherited, **given}, (*inherited, *keys)


def _source_identity(caller: Principal, request: dict[str, Any]) -> str | None:
    """Once set it stays through all sessions that are assumed from there."""
    asked: str | None = request.get("SourceIdentity")
    held = caller.session.source_identity if caller.session is not None else None
    if asked is not None and held is not None and asked != held:
        raise AccessDenied("Source identity cannot be changed once it has been set.")
    return asked or held


def _no_mfa() -> AccessDenied:
    """No device can be registered here, so none is the caller's: in the words that users have published for that."""
    return AccessDenied(
        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid "
        "and associated with this user."
    )


def _show(credentials: SessionCredentials) -> dict[str, Any]:
    return {
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "SessionToken": credentials.session_token,
        "Expiration": datetime.fromtimestamp(credentials.expires_at_s, UTC),
    }
