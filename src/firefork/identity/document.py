"""Policy documents, compiled once. AWS: IAM User Guide, "IAM JSON policy reference"."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from firefork.identity.callers import Caller, Naming, Principals, principals
from firefork.identity.conditions import Condition
from firefork.identity.conditions import compiled as compiled_condition
from firefork.identity.context import Context
from firefork.identity.patterns import Matcher, Style, keys_of, matcher, parts_of, spelled_keys
from firefork.identity.validity import CURRENT, Kind, checked, principal_entries, resources, texts

__all__ = ["Kind", "Policy", "Statement", "compiled", "context_keys"]


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
    arn: str | None = None
    """Of a managed policy: refusals name it."""

    @classmethod
    def of(cls, text: str, statements: Iterable[Statement]) -> Policy:
        found = tuple(statements)
        keys: frozenset[str] = frozenset()
        return cls(text=text, statements=found, keys=keys.union(*(statement.keys for statement in found)))


@functools.lru_cache(maxsize=4096)
def compiled(text: str, kind: Kind) -> Policy:
    """A document ready to be asked; the same text is compiled once. Raises MalformedPolicyDocument in AWS's words."""
    version, statements = checked(text, kind)
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
        patterns = [*resources(statement)]
        patterns += [str(item) for lines in statement.get("Condition", {}).values() for item in lines.values()]
        keys |= {name for pattern in patterns for name in spelled_keys(pattern)}
    return keys


def _compile(index: int, statement: Mapping[str, Any], *, variables: bool) -> Statement:
    conditions = tuple(
        _condition(name, key, value, variables=variables)
        for name, lines in statement.get("Condition", {}).items()
        for key, value in lines.items()
    )
    named = "Principal" in statement or "NotPrincipal" in statement
    keys = {key for resource in resources(statement) for key in keys_of(parts_of(resource, variables=variables))}
    return Statement(
        index=index,
        allows=statement["Effect"] == "Allow",
        principals=principals(principal_entries(statement), excluded="NotPrincipal" in statement) if named else None,
        action=_actions(statement),
        resource=_resources(statement, variables=variables),
        conditions=conditions,
        keys=frozenset(keys).union(*(condition.keys for condition in conditions)),
    )


def _condition(name: str, key: str, value: Any, *, variables: bool) -> Condition:
    values = tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in texts(value))
    return compiled_condition(name, key, values, variables=variables)


_NO_CONTEXT: Final[dict[str, str]] = {}


def _actions(statement: Mapping[str, Any]) -> Callable[[str], bool]:
    """Actions hold wildcards, and no variables."""
    excluded = "NotAction" in statement
    patterns = [action.lower() for action in texts(statement.get("Action", statement.get("NotAction")))]
    fits = matcher(patterns, Style.TEXT, variables=False)
    return lambda action: fits(action, _NO_CONTEXT) != excluded


def _resources(statement: Mapping[str, Any], *, variables: bool) -> Matcher:
    """A trust policy has no resources: it is about the role it belongs to."""
    if "Resource" not in statement and "NotResource" not in statement:
        return lambda resource, context: True
    excluded = "NotResource" in statement
    fits = matcher(resources(statement), Style.RESOURCE, variables=variables)
    if not excluded:
        return fits
    return lambda resource, context: not fits(resource, context)
