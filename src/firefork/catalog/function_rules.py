"""What the service checks of a function's configuration beyond its model.

AWS: Lambda API reference, CreateFunction and UpdateFunctionConfiguration; fact sheet sections 1.1, 2.2, 12.3 and 12.9.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from firefork.aws.errors import InvalidParameterValue
from firefork.aws.scope import Scope
from firefork.catalog.function import LayerReference
from firefork.catalog.runtimes import RETIRED, RUNTIMES, creatable

ENVIRONMENT_LIMIT: Final = 4096
LAYER_LIMIT: Final = 5
_SNAP_START_PYTHON: Final = (3, 12)

RESERVED_VARIABLES: Final = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API",
        "AWS_LAMBDA_METADATA_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)


def check_runtime(identifier: str, today: date, *, updating: bool, allow_blocked: bool) -> None:
    """Raises InvalidParameterValue for a runtime that AWS does not have, or no longer lets functions use."""
    info = RUNTIMES.get(identifier)
    if info is None and identifier not in RETIRED:
        allowed = ", ".join(creatable(today, allow_blocked=allow_blocked))
        raise InvalidParameterValue(
            f"Value {identifier} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
            f"[{allowed}] or be a valid ARN"
        )
    if info is None or not (allow_blocked or (info.updatable(today) if updating else info.creatable(today))):
        raise InvalidParameterValue(
            f"The runtime parameter of {identifier} is no longer supported for creating or updating AWS Lambda "
            "functions. We recommend you use a supported runtime while creating or updating functions."
        )


def check_environment(variables: Mapping[str, str] | None) -> None:
    """Reserved names and size, as the service checks them. Raises InvalidParameterValue."""
    if not variables:
        return
    failed = (
        "Lambda was unable to configure your environment variables because the environment variables you have provided"
    )
    reserved = [name for name in variables if name in RESERVED_VARIABLES]
    if reserved:
        raise InvalidParameterValue(
            f"{failed} contains reserved keys that are currently not supported for modification. Reserved keys used in "
            f"this request: {', '.join(reserved)}"
        )
    measured = json.dumps(dict(variables), separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > ENVIRONMENT_LIMIT:
        raise InvalidParameterValue(f"{failed} exceeded the 4KB limit. String measured: {measured}")


def check_layers(layers: Sequence[LayerReference]) -> None:
    """Number and uniqueness. Raises InvalidParameterValue."""
    if len(layers) > LAYER_LIMIT:
        raise InvalidParameterValue(f"Cannot reference more than {LAYER_LIMIT} layers.")
    seen: dict[str, str] = {}
    for layer in layers:
        base = layer.arn.rpartition(":")[0]
        if base in seen:
            raise InvalidParameterValue(
                "Two different versions of the same layer are not allowed to be referenced in the same function. "
                f"{seen[base]} and {layer.arn} are versions of the same layer."
            )
        seen[base] = layer.arn


def check_snap_start(runtime: str, apply_on: str) -> None:
    """Raises InvalidParameterValue. AWS: developer guide, "Lambda SnapStart", supported runtimes."""
    if apply_on == "None":
        return
    info = RUNTIMES[runtime]
    if info.python is None or info.python < _SNAP_START_PYTHON:
        raise InvalidParameterValue(f"{runtime} is not supported for SnapStart enabled functions.")


def check_stored(stored: Mapping[str, Any], apply_on: str) -> None:
    """Members that are kept without effect must still be ones that AWS would take. Raises InvalidParameterValue."""
    vpc = stored.get("VpcConfig") or {}
    if bool(vpc.get("SubnetIds")) != bool(vpc.get("SecurityGroupIds")):
        raise InvalidParameterValue("SecurityGroupIds and SubnetIds must coexist or be both empty list.")
    target = (stored.get("DeadLetterConfig") or {}).get("TargetArn")
    if target and target.split(":")[2] not in ("sqs", "sns"):
        raise InvalidParameterValue(
            f"The provided target ARN {target} is invalid: it must be of an SQS queue or SNS topic."
        )
    if stored.get("FileSystemConfigs") and not vpc.get("SubnetIds"):
        raise InvalidParameterValue("A function must be connected to a VPC to mount a file system.")
    if stored.get("TenancyConfig") and apply_on != "None":
        raise InvalidParameterValue("SnapStart is not supported for functions with tenant isolation.")


def vpc_id(scope: Scope) -> str:
    """The VPC that all subnets of an account and region are taken to be in: what VpcConfig shows as ``VpcId``."""
    return f"vpc-{hashlib.sha256(f'{scope.account} {scope.region}'.encode()).hexdigest()[:17]}"


def show_sha256(digest: str) -> str:
    """CodeSha256 as the API shows it: base64 of the hash of the zip."""
    return base64.b64encode(bytes.fromhex(digest)).decode()


def runtime_version_arn(scope: Scope, runtime: str) -> str:
    """``arn:aws:lambda:us-east-1::runtime:<64 hex>``, the same for a runtime everywhere."""
    digest = hashlib.sha256(f"firefork {runtime}".encode()).hexdigest()
    return f"arn:{scope.partition}:lambda:{scope.region}::runtime:{digest}"
