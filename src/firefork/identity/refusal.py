"""The words of AccessDenied. AWS: IAM User Guide, "Troubleshoot access denied error messages"."""

from __future__ import annotations

from firefork.identity.callers import Caller
from firefork.identity.evaluation import Decision, Effect, Source


def message(caller: Caller, action: str, resource: str, decision: Decision) -> str:
    """``User: … is not authorized to perform: … on resource: … because no … policy allows the … action``."""
    start = f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource}"
    if action == "sts:AssumeRole":
        # STS does not tell strangers which of the policies was in the way.
        return start
    if decision.effect is Effect.EXPLICIT_DENY:
        article = "an" if decision.source is Source.IDENTITY else "a"
        return f"{start} with an explicit deny in {article} {decision.source.value}"
    return f"{start} because no {decision.source.value} allows the {action} action"
