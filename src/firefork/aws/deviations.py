"""Where botocore's models differ from what the services do, each with its source. One place, to be reviewed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

SHAPES: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    "lambda": {
        # The model's larger maxima are for managed instances; ordinary functions keep the documented quotas.
        # AWS: Lambda quotas; fact sheet section 9.
        "MemorySize": {"max": 10240},
        "EphemeralStorageSize": {"max": 10240},
        "Timeout": {"max": 900},
        # A bare name beyond 64 characters is the handler's error, not the front door's (section 6.2).
        "FunctionName": {"max": 140},
        # The order in which the service names the values (recorded in 2025).
        "EventSourcePosition": {"enum": ["LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"]},
        "RecursiveLoop": {"enum": ["Terminate", "Allow"]},
        "InvokeMode": {"enum": ["RESPONSE_STREAM", "BUFFERED"]},
        # Lists of which the service does not say that an element must not be null (recorded in 2025 and 2026).
        "SubnetIds": {"sparse": True},
        "SecurityGroupIds": {"sparse": True},
        "CompatibleRuntimes": {"sparse": True},
    },
    "logs": {
        # Names that are too long are the service's own error (recorded; api/logs/groups.py).
        "LogGroupName": {"max": None},
        "LogStreamName": {"max": None},
    },
}

MEMBERS: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
    "lambda": {
        # The service itself says which runtimes may be created, with another code and text (section 1.1). Layers may
        # name any that there ever was.
        "CreateFunctionRequest": {"Runtime": "String"},
        "UpdateFunctionConfigurationRequest": {"Runtime": "String"},
    },
}
"""Members that have another shape than the model says."""

VALIDATION_CODES: Final[Mapping[str, str]] = {
    "lambda": "ValidationException",
    "logs": "InvalidParameterException",
    "iam": "ValidationError",
    "sts": "ValidationError",
    "cloudwatch": "ValidationException",
    "schemas": "BadRequestException",
}
"""The wire code of a request that breaks the model: recorded for Lambda, documented for the others."""


HIDDEN_VALUES: Final = frozenset({"iam"})
"""Services whose violations do not repeat the value: recorded for IAM in 2026, "Value at 'tags' failed to …"."""

_NAME: Final = "contain only alphanumeric characters and/or the following: +=,.@_-"
_PATH: Final = "begin and end with / and contain only alphanumeric characters and/or / characters."
_IAM_RULES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("userName", "newUserName", "groupName", "newGroupName", "roleName", "policyName"), _NAME),
    "instanceProfileName": _NAME,
    "path": _PATH,
    "newPath": _PATH,
    "pathPrefix": "begin with the / character and contain only alphanumeric characters and/or / characters.",
    "accessKeyId": "contain only alphanumeric characters.",
}
"""What IAM says of names and paths instead of showing a pattern. Recorded for a path in 2026 (localstack's
test_iam_mfa), published for names and prefixes by users of Terraform and of the AWS CLI.
"""
_BREAKS_PATTERN: Final = re.compile(r".* at '(\w+)' failed to .*: Member must satisfy regular expression .*", re.DOTALL)


def own_words(service: str, found: list[str]) -> tuple[list[str], str | None]:
    """Which of the violations of a request the service tells in the usual way, and what it says if there are none."""
    if service != "iam":
        return found, None
    places = {text: match[1] for text in found if (match := _BREAKS_PATTERN.fullmatch(text)) is not None}
    usual = [text for text in found if places.get(text) not in _IAM_RULES]
    if usual:
        return usual, None
    place = places[found[0]]
    return [], f"The specified value for {place} is invalid. It must {_IAM_RULES[place]}"


def apply(service: str, model: Any) -> None:
    """Change a loaded model in place."""
    shapes = model._service_description["shapes"]
    for name, changes in SHAPES.get(service, {}).items():
        if name not in shapes:
            continue
        for key, value in changes.items():
            if value is None:
                shapes[name].pop(key, None)
            else:
                shapes[name][key] = value
    for name, members in MEMBERS.get(service, {}).items():
        for member, shape in members.items():
            shapes[name]["members"][member]["shape"] = shape
