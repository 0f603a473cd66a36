"""Whether a policy document is one, checked in the order in which IAM checks.

AWS: IAM User Guide, "Grammar of the IAM JSON policy language". Messages and their order are those that the service was
recorded to give (public test snapshots of February 2026).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from firefork.aws.errors import MalformedPolicyDocument
from firefork.identity.conditions import UnknownOperator, moment, parse_operator

CURRENT: Final = "2012-10-17"
_OLD: Final = "2008-10-17"
_TOP: Final = frozenset({"Version", "Id", "Statement"})
_ELEMENTS: Final = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)
_SID: Final = re.compile(r"[0-9A-Za-z]*")
_VENDOR: Final = re.compile(r"[\w.-]+")
_PARTITION: Final = re.compile(r"aws(-[a-z]+)*|\*")
_SEGMENTS: Final = 6
_IAM_PATHS: Final = (
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
)
_ROLE_ACTION: Final = re.compile(r"sts:(assumerole\w*|tagsession|setsourceidentity|setcontext|\*|assume\*)", re.I)
_AWS_PRINCIPAL: Final = re.compile(
    r"\*|\d{12}|A[A-Z]{3}[A-Z0-9]{12,}"
    r"|arn:aws[a-z-]*:(iam::\d{12}:(root|(user|role)/[^*?]+)|sts::\d{12}:(assumed-role|federated-user)/[^*?]+)"
)
"""Groups are no principals, and a name has no wildcards: published refusals, "Invalid principal in policy"."""
_PRINCIPAL_KINDS: Final = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
_SYNTAX: Final = "Syntax errors in policy."
_LEGACY: Final = "The policy failed legacy parsing"


class Kind(Enum):
    """What a document is for: that decides which elements it has."""

    IDENTITY = "attached to a user, group or role, a boundary, or a session's"
    TRUST = "a role's: who may assume it"
    RESOURCE = "a resource's: who may use it"


def checked(text: str, kind: Kind) -> tuple[str, list[dict[str, Any]]]:
    """The version and the statements of a valid document. Raises MalformedPolicyDocument."""
    document = _load(text, kind)
    version = document.get("Version", _OLD)
    found = document["Statement"]
    statements = found if isinstance(found, list) else [found]
    for statement in statements:
        _check_syntax(statement)
    if kind is Kind.IDENTITY and version != CURRENT:
        raise MalformedPolicyDocument("Policy document must be version 2012-10-17 or greater.")
    problems = [_check_legacy(statement) for statement in statements]
    _check_sids(statements, kind)
    actions = [texts(statement.get("Action", statement.get("NotAction"))) for statement in statements]
    if not all(actions):
        raise MalformedPolicyDocument("Policy statement must contain actions.")
    if kind is Kind.IDENTITY and not all(map(resources, statements)):
        raise MalformedPolicyDocument("Policy statement must contain resources.")
    if kind is not Kind.TRUST:
        for problem in filter(None, problems):
            raise MalformedPolicyDocument(problem)
    for group in actions:
        for action in group:
            _check_action(action)
    for statement, group in zip(statements, actions, strict=True):
        if kind is Kind.TRUST:
            _check_trust(statement, group)
        if kind is not Kind.IDENTITY:
            principal_entries(statement)
        elif "Principal" in statement or "NotPrincipal" in statement:
            raise MalformedPolicyDocument("Policy document should not specify a principal.")
    return version, statements


def _load(text: str, kind: Kind) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        message = "This policy contains invalid Json" if kind is Kind.TRUST else _SYNTAX
        raise MalformedPolicyDocument(message) from None
    if not isinstance(document, dict) or not document.keys() <= _TOP or "Statement" not in document:
        raise MalformedPolicyDocument(_SYNTAX)
    if not isinstance(document["Statement"], list | dict) or not document["Statement"]:
        raise MalformedPolicyDocument(_SYNTAX)
    if document.get("Version", CURRENT) not in (CURRENT, _OLD) or not isinstance(document.get("Id", ""), str):
        raise MalformedPolicyDocument(_SYNTAX)
    return document


def _check_syntax(statement: Any) -> None:
    wrong = (
        not isinstance(statement, dict)
        or not statement.keys() <= _ELEMENTS
        or str(statement.get("Effect")).lower() not in ("allow", "deny")
        or not isinstance(statement.get("Sid", ""), str)
        or any(name in statement and f"Not{name}" in statement for name in ("Principal", "Action", "Resource"))
        or any(
            not _is_text_or_list(statement[name])
            for name in ("Action", "NotAction", "Resource", "NotResource")
            if name in statement
        )
        or not _is_condition(statement.get("Condition", {}))
    )
    if wrong:
        raise MalformedPolicyDocument(_SYNTAX)


def _is_text_or_list(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _is_condition(block: object) -> bool:
    """``{operator: {key: value or list}}``; values are texts, numbers or booleans. An empty operator may be unknown."""
    return isinstance(block, dict) and all(
        isinstance(lines, dict)
        and (not lines or _is_operator(name))
        and all(
            isinstance(item, str | int | float)
            for value in lines.values()
            for item in (value if isinstance(value, list) else [value])
        )
        for name, lines in block.items()
    )


def _is_operator(name: str) -> bool:
    try:
        parse_operator(name)
    except UnknownOperator:
        return False
    return True


def _check_legacy(statement: Mapping[str, Any]) -> str | None:
    """What an older parser of the service refuses without telling why; otherwise the first wrong resource, in words."""
    dates = (
        item
        for name, lines in statement.get("Condition", {}).items()
        if lines and parse_operator(name).base.startswith("date")
        for value in lines.values()
        for item in texts(value)
    )
    if statement["Effect"] not in ("Allow", "Deny") or any(moment(str(date)) is None for date in dates):
        raise MalformedPolicyDocument(_LEGACY)
    problem = next(filter(None, map(_resource_problem, resources(statement))), None)
    if problem is None and any(map(_is_truncated, resources(statement))):
        raise MalformedPolicyDocument(_LEGACY)
    return problem


def _is_truncated(resource: str) -> bool:
    """An ARN with an empty segment must have all six, and its service is never empty."""
    parts = resource.split(":")
    return (len(parts) < _SEGMENTS and "" in parts) or (len(parts) > 2 and not parts[2])


def _resource_problem(resource: str) -> str | None:
    if resource == "*":
        return None
    if ":" not in resource:
        return f'Resource {resource} must be in ARN format or "*".'
    parts = resource.split(":", _SEGMENTS - 1)
    parts += ["*"] * (_SEGMENTS - len(parts))
    _, partition, vendor, region, _, path = parts
    if not _PARTITION.fullmatch(partition):
        # The service shows the ARN as it would complete it.
        return f'Partition "{partition}" is not valid for resource "{":".join(["arn", *parts[1:]])}".'
    if "*" in vendor or "?" in vendor:
        return "Resource vendor must be fully qualified and cannot contain regexes."
    if vendor == "s3" and region not in ("", "*") and not path.startswith("accesspoint/"):
        return f"Resource {resource} can not contain region information."
    if vendor == "iam":
        if region not in ("", "*"):
            return f"IAM resource {resource} cannot contain region information."
        if path not in ("*", "root") and not path.startswith(_IAM_PATHS):
            return f'IAM resource path must either be "*", root, or start with {", ".join(_IAM_PATHS)}.'
    return None


def _check_sids(statements: list[dict[str, Any]], kind: Kind) -> None:
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    if len(sids) != len(set(sids)):
        raise MalformedPolicyDocument("Statement IDs (SID) in a single policy must be unique.")
    if kind is not Kind.RESOURCE and not all(map(_SID.fullmatch, sids)):
        raise MalformedPolicyDocument(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[0-9A-Za-z]*"
        )


def _check_action(action: str) -> None:
    if action == "*":
        return
    vendor, colon, name = action.partition(":")
    if not colon or not vendor:
        raise MalformedPolicyDocument("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    if ":" in name:
        raise MalformedPolicyDocument("Actions/Condition can contain only one colon.")
    if not _VENDOR.fullmatch(vendor):
        raise MalformedPolicyDocument(f"Vendor {vendor} is not valid")


def _check_trust(statement: Mapping[str, Any], actions: tuple[str, ...]) -> None:
    for name in ("Resource", "NotResource"):
        if name in statement:
            raise MalformedPolicyDocument(f"Has prohibited field {name}")
    if any(action != "*" and not _ROLE_ACTION.fullmatch(action) for action in actions):
        raise MalformedPolicyDocument("AssumeRole policy may only specify STS AssumeRole actions.")
    if "Principal" not in statement and "NotPrincipal" not in statement:
        raise MalformedPolicyDocument("Missing required field Principal")


def principal_entries(statement: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The Principal element by kind of principal. Raises MalformedPolicyDocument."""
    found = statement.get("Principal", statement.get("NotPrincipal"))
    if found is None:
        raise MalformedPolicyDocument("Missing required field Principal")
    if found == "*":
        return {"AWS": ("*",)}
    if not isinstance(found, dict) or not found or not found.keys() <= _PRINCIPAL_KINDS:
        raise MalformedPolicyDocument(_SYNTAX)
    entries = {}
    for kind, value in found.items():
        if not _is_text_or_list(value):
            raise MalformedPolicyDocument(_SYNTAX)
        entries[kind] = texts(value)
        for one in entries[kind]:
            if kind == "AWS" and not _AWS_PRINCIPAL.fullmatch(one):
                raise MalformedPolicyDocument(f'Invalid principal in policy: "AWS":"{one}"')
            if kind == "Service" and "." not in one:
                raise MalformedPolicyDocument(f'Invalid principal in policy: "SERVICE":"{one}"')
    return entries


def texts(value: Any) -> tuple[Any, ...]:
    """One value or a list of them as a tuple."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else (value,)


def resources(statement: Mapping[str, Any]) -> tuple[str, ...]:
    """Of Resource or NotResource; a trust policy has none."""
    return texts(statement.get("Resource", statement.get("NotResource")))
