"""The words of AccessDenied.

AWS: IAM User Guide, "Troubleshoot access denied error messages"; AWS Security Blog, "Enhanced access denied error
messages with policy ARNs" (2026).
"""

from __future__ import annotations

from typing import Final

from firefork.identity.callers import Caller
from firefork.identity.evaluation import Decision, Effect, Source

_SILENT: Final = frozenset({"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"})
"""STS does not tell strangers which of a role's policies was in the way."""


def message(caller: Caller, action: str, resource: str | None, decision: Decision, *, own: bool = True) -> str:
    """``User: … is not authorized to perform: … on resource: … because no … policy allows the … action``.

    ``resource`` as the service names it, ``None`` if it names none; ``own``: it is of the caller's own account. Only
    there a managed policy that denies is told.
    """
    start = f"User: {caller.arn} is not authorized to perform: {action}"
    if resource is not None:
        start += f" on resource: {resource}"
    if action in _SILENT:
        return start
    if decision.effect is Effect.EXPLICIT_DENY:
        article = "an" if decision.source is Source.IDENTITY else "a"
        arn = decision.matches[0].policy.arn if own else None
        return f"{start} with an explicit deny in {article} {decision.source.value}{f': {arn}' if arn else ''}"
    return f"{start} because no {decision.source.value} allows the {action} action"
