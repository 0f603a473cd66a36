"""Policy documents: checked as IAM checks them, and compiled once.

AWS: IAM User Guide, "IAM JSON policy reference" and "Grammar of the IAM JSON policy language". The messages are those
that the service was recorded to give (public test snapshots of February 2026).
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from firefork.aws.errors import MalformedPolicyDocument
from firefork.identity.callers import Caller, Naming, Principals, principals
from firefork.identity.conditions import Condition, UnknownOperator
from firefork.identity.conditions import compiled as compiled_condition
from firefork.identity.context import Context
from firefork.identity.patterns import Matcher, Style, keys_of, matcher, parts_of, spelled_keys

CURRENT: Final = "2012-10-17"
_VERSIONS: Final = (CURRENT, "2008-10-17")
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
_VENDOR: Final = re.compile(r"[a-zA-Z0-9-]+")
_PARTITION: Final = re.compile(r"aws(-[a-z]+)*|\*")
_ROLE_ACTION: Final = re.compile(r"sts:(assumerole\w*|tagsession|setsourceidentity|setcontext|\*|assume\*)", re.I)
_AWS_PRINCIPAL: Final = re.compile(r"\*|\d{12}|arn:aws[a-z-]*:(iam|sts)::\d{12}:.+|A[A-Z]{3}[A-Z0-9]{12,}")
_PRINCIPAL_KINDS: Final = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
_SYNTAX: Final = "Syntax errors in policy."


class Kind(Enum):
    """What a document is for: that decides which elements it has."""

    IDENTITY = "attached to a user, group or role, a boundary, or a session's"
    TRUST = "a role's: who may assume it"
    RESOURCE = "a resource's: who may use it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One compiled statement."""

    index: int
    allows: bool
    """Otherwise it denies."""
    principals: Principals | None
    """``None`` in identity policies."""
    action: Callable[[str], bool]
    """Asked with ``lambda:InvokeFunction`` in lower case."""
    resource: Matcher
    conditions: tuple[Condition, ...]
    keys: frozenset[str]
    """Every condition key that the statement depends on."""

    def naming(self, caller: Caller) -> Naming:
        """How exactly the statement names the caller; an identity policy names its owner."""
        return Naming.ITSELF if self.principals is None else self.principals.naming(caller)

    def covers(self, action: str, resource: str, context: Context) -> bool:
        """Whether action, resource and conditions fit; ``action`` in lower case."""
        return (
            self.action(action)
            and self.resource(resource, context)
            and all(condition.holds(context) for condition in self.conditions)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One compiled document."""

    text: str
    statements: tuple[Statement, ...]
    keys: frozenset[str]
    """Every condition key that it depends on, in lower case."""

    @classmethod
    def of(cls, text: str, statements: Iterable[Statement]) -> Policy:
        found = tuple(statements)
        keys: frozenset[str] = frozenset()
        return cls(text=text, statements=found, keys=keys.union(*(statement.keys for statement in found)))


@functools.lru_cache(maxsize=4096)
def compiled(text: str, kind: Kind) -> Policy:
    """A document ready to be asked; the same text is compiled once. Raises MalformedPolicyDocument in AWS's words."""
    document = _load(text, kind)
    version = document.get("Version", "2008-10-17")
    found = document["Statement"]
    statements = found if isinstance(found, list) else [found]
    for statement in statements:
        _check_syntax(statement)
    if version not in _VERSIONS or (kind is Kind.IDENTITY and version != CURRENT):
        raise MalformedPolicyDocument("Policy document must be version 2012-10-17 or greater.")
    _check_sids(statements)
    for statement in statements:
        _check_meaning(statement, kind)
    return Policy.of(
        text,
        (_compile(index, statement, variables=version == CURRENT) for index, statement in enumerate(statements)),
    )


def context_keys(text: str) -> set[str]:
    """The condition keys that a valid document refers to, as it spells them."""
    found = json.loads(text)["Statement"]
    keys = set()
    for statement in found if isinstance(found, list) else [found]:
        keys |= {key for lines in statement.get("Condition", {}).values() for key in lines}
        texts = [*_texts(statement.get("Resource", statement.get("NotResource")))]
        texts += [str(item) for lines in statement.get("Condition", {}).values() for item in lines.values()]
        keys |= {name for item in texts for name in spelled_keys(item)}
    return keys


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
    if any(not isinstance(document.get(name, ""), str) for name in ("Version", "Id")):
        raise MalformedPolicyDocument(_SYNTAX)
    return document


def _check_syntax(statement: Any) -> None:
    wrong = (
        not isinstance(statement, dict)
        or not statement.keys() <= _ELEMENTS
        or statement.get("Effect") not in ("Allow", "Deny")
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
    """``{operator: {key: value or list}}``; values are texts, numbers or booleans."""
    return isinstance(block, dict) and all(
        isinstance(lines, dict)
        and all(
            isinstance(item, str | int | float)
            for value in lines.values()
            for item in (value if isinstance(value, list) else [value])
        )
        for lines in block.values()
    )


def _check_sids(statements: list[dict[str, Any]]) -> None:
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    if len(sids) != len(set(sids)):
        raise MalformedPolicyDocument("Statement IDs (SID) in a single policy must be unique.")


def _check_meaning(statement: Mapping[str, Any], kind: Kind) -> None:
    if kind is not Kind.RESOURCE and not _SID.fullmatch(statement.get("Sid", "")):
        raise MalformedPolicyDocument(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[0-9A-Za-z]*"
        )
    actions = _texts(statement.get("Action", statement.get("NotAction")))
    if not actions:
        raise MalformedPolicyDocument("Policy statement must contain actions.")
    for action in actions:
        _check_action(action)
    if kind is Kind.TRUST:
        _check_trust(statement, actions)
    else:
        resources = _texts(statement.get("Resource", statement.get("NotResource")))
        if not resources and kind is Kind.IDENTITY:
            raise MalformedPolicyDocument("Policy statement must contain resources.")
        for resource in resources:
            _check_resource(resource)
    if kind is Kind.IDENTITY:
        if "Principal" in statement or "NotPrincipal" in statement:
            raise MalformedPolicyDocument("Policy document should not specify a principal.")
    else:
        _entries(statement)


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


def _check_resource(resource: str) -> None:
    if resource == "*":
        return
    parts = resource.split(":", 5)
    if parts[0] != "arn" or len(parts) < 3:
        raise MalformedPolicyDocument(f'Resource {resource} must be in ARN format or "*".')
    if not _PARTITION.fullmatch(parts[1]):
        raise MalformedPolicyDocument(f'Partition "{parts[1]}" is not valid for resource "{resource}".')


def _check_trust(statement: Mapping[str, Any], actions: tuple[str, ...]) -> None:
    for name in ("Resource", "NotResource"):
        if name in statement:
            raise MalformedPolicyDocument(f"Has prohibited field {name}")
    if any(action != "*" and not _ROLE_ACTION.fullmatch(action) for action in actions):
        raise MalformedPolicyDocument("AssumeRole policy may only specify STS AssumeRole actions.")
    if "Principal" not in statement and "NotPrincipal" not in statement:
        raise MalformedPolicyDocument("Missing required field Principal")


def _entries(statement: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The Principal element by kind. Raises MalformedPolicyDocument."""
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
        entries[kind] = _texts(value)
        for one in entries[kind]:
            if kind == "AWS" and not _AWS_PRINCIPAL.fullmatch(one):
                raise MalformedPolicyDocument(f'Invalid principal in policy: "AWS":"{one}"')
            if kind == "Service" and "." not in one:
                raise MalformedPolicyDocument(f'Invalid principal in policy: "SERVICE":"{one}"')
    return entries


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _compile(index: int, statement: Mapping[str, Any], *, variables: bool) -> Statement:
    conditions = tuple(
        _condition(name, key, value, variables=variables)
        for name, lines in statement.get("Condition", {}).items()
        for key, value in lines.items()
    )
    named = "Principal" in statement or "NotPrincipal" in statement
    resources = _texts(statement.get("Resource", statement.get("NotResource")))
    keys = {key for resource in resources for key in keys_of(parts_of(resource, variables=variables))}
    return Statement(
        index=index,
        allows=statement["Effect"] == "Allow",
        principals=principals(_entries(statement), excluded="NotPrincipal" in statement) if named else None,
        action=_actions(statement),
        resource=_resources(statement, variables=variables),
        conditions=conditions,
        keys=frozenset(keys).union(*(condition.keys for condition in conditions)),
    )


def _condition(name: str, key: str, value: Any, *, variables: bool) -> Condition:
    items = value if isinstance(value, list) else [value]
    values = tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in items)
    try:
        return compiled_condition(name, key, values, variables=variables)
    except UnknownOperator:
        raise MalformedPolicyDocument(_SYNTAX) from None


_NO_CONTEXT: Final[dict[str, str]] = {}


def _actions(statement: Mapping[str, Any]) -> Callable[[str], bool]:
    """Actions hold wildcards, and no variables."""
    excluded = "NotAction" in statement
    patterns = [action.lower() for action in _texts(statement.get("Action", statement.get("NotAction")))]
    fits = matcher(patterns, Style.TEXT, variables=False)
    return lambda action: fits(action, _NO_CONTEXT) != excluded


def _resources(statement: Mapping[str, Any], *, variables: bool) -> Matcher:
    """A trust policy has no resources: it is about the role it belongs to."""
    if "Resource" not in statement and "NotResource" not in statement:
        return lambda resource, context: True
    excluded = "NotResource" in statement
    patterns = _texts(statement.get("Resource", statement.get("NotResource")))
    fits = matcher(patterns, Style.RESOURCE, variables=variables)
    if not excluded:
        return fits
    return lambda resource, context: not fits(resource, context)
