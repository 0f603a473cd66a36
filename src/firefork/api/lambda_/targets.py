"""Which function, version or alias a request is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firefork.api.call import Call
from firefork.aws.errors import InvalidParameterValue
from firefork.catalog.function import LATEST
from firefork.catalog.references import FunctionReference


def target_of(call: Call, request: Mapping[str, Any]) -> FunctionReference:
    """From FunctionName and Qualifier. Raises AWS's errors for names and for qualifiers that do not agree."""
    return FunctionReference.parse(call.scope, request["FunctionName"], request.get("Qualifier"))


def unqualified(call: Call, request: Mapping[str, Any]) -> FunctionReference:
    """For operations on whole functions. Raises InvalidParameterValue for a version or an alias."""
    target = FunctionReference.parse(call.scope, request["FunctionName"])
    if target.qualifier not in (None, LATEST):
        raise InvalidParameterValue(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
            "Please specify either a function name or an unqualified function ARN."
        )
    return target
