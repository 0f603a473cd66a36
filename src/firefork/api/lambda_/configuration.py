"""Function versions as the Lambda API shows them, and requests as the catalog wants them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from firefork.aws.errors import InvalidParameterValue
from firefork.catalog.function import FunctionVersion, LoggingConfig
from firefork.catalog.functions import show_sha256

_Key = TypeVar("_Key")

STORED_ONLY: Final = (
    "VpcConfig",
    "DeadLetterConfig",
    "KMSKeyArn",
    "FileSystemConfigs",
    "TenancyConfig",
    "DurableConfig",
)
"""Members that are kept and shown and have no effect here yet."""

_LIST_OMITS: Final = (
    "State",
    "StateReason",
    "StateReasonCode",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "RuntimeVersionConfig",
)


def show(function: FunctionVersion, *, qualified: bool = False) -> dict[str, Any]:
    """FunctionConfiguration. ``qualified``: the ARN carries the version. Absent members are ``None``."""
    logging: dict[str, Any] = {
        "LogFormat": function.logging.log_format,
        "LogGroup": function.logging.log_group,
        "ApplicationLogLevel": function.logging.application_log_level,
        "SystemLogLevel": function.logging.system_log_level,
    }
    optimization = "On" if function.snap_start_apply_on != "None" and function.version != "$LATEST" else "Off"
    shown: dict[str, Any] = {
        "FunctionName": function.name,
        "FunctionArn": function.qualified_arn if qualified else function.function_arn,
        "Runtime": function.runtime,
        "Role": function.role,
        "Handler": function.handler,
        "CodeSize": function.code_size,
        "Description": function.description,
        "Timeout": function.timeout_s,
        "MemorySize": function.memory_mb,
        "LastModified": show_time(function.last_modified),
        "CodeSha256": show_sha256(function.code_sha256),
        "Version": function.version,
        "TracingConfig": {"Mode": function.tracing_mode},
        "RevisionId": function.revision_id,
        "State": function.state,
        "StateReason": function.state_reason,
        "StateReasonCode": function.state_reason_code,
        "LastUpdateStatus": function.last_update_status,
        "LastUpdateStatusReason": function.last_update_status_reason,
        "LastUpdateStatusReasonCode": function.last_update_status_reason_code,
        "PackageType": "Zip",
        "Architectures": [function.architecture],
        "EphemeralStorage": {"Size": function.ephemeral_storage_mb},
        "SnapStart": {"ApplyOn": function.snap_start_apply_on, "OptimizationStatus": optimization},
        "RuntimeVersionConfig": {"RuntimeVersionArn": function.runtime_version_arn},
        "LoggingConfig": {name: value for name, value in logging.items() if value is not None},
    }
    if function.environment is not None:
        shown["Environment"] = {"Variables": dict(function.environment)}
    if function.layers:
        shown["Layers"] = [{"Arn": layer.arn, "CodeSize": layer.code_size} for layer in function.layers]
    for name, value in function.stored_only.items():
        shown[name] = value
    return shown


def show_in_list(function: FunctionVersion, *, qualified: bool) -> dict[str, Any]:
    """Lists leave out states and the runtime version."""
    shown = show(function, qualified=qualified)
    for name in _LIST_OMITS:
        shown.pop(name, None)
    return shown


def show_time(moment: datetime) -> str:
    """``2026-11-24T10:00:00.000+0000``"""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"


def read(request: Mapping[str, Any], *, name: str, current: FunctionVersion | None = None) -> dict[str, Any]:
    """FunctionVersion's fields that a create or update request sets; layers are left to the caller."""
    fields: dict[str, Any] = {}
    simple = {
        "Runtime": "runtime",
        "Handler": "handler",
        "Role": "role",
        "Description": "description",
        "MemorySize": "memory_mb",
        "Timeout": "timeout_s",
    }
    for member, field in simple.items():
        if request.get(member) is not None:
            fields[field] = request[member]
    if request.get("Environment") is not None:
        fields["environment"] = dict(request["Environment"].get("Variables") or {})
    if request.get("EphemeralStorage") is not None:
        fields["ephemeral_storage_mb"] = request["EphemeralStorage"]["Size"]
    if request.get("Architectures"):
        if len(request["Architectures"]) != 1:
            raise InvalidParameterValue(
                f"1 validation error detected: Value '[{', '.join(request['Architectures'])}]' at 'architectures' "
                "failed to satisfy constraint: Member must have length less than or equal to 1"
            )
        fields["architecture"] = request["Architectures"][0]
    if (request.get("TracingConfig") or {}).get("Mode"):
        fields["tracing_mode"] = request["TracingConfig"]["Mode"]
    if (request.get("SnapStart") or {}).get("ApplyOn"):
        fields["snap_start_apply_on"] = request["SnapStart"]["ApplyOn"]
    if request.get("LoggingConfig") is not None:
        fields["logging"] = _read_logging(request["LoggingConfig"], name, current)
    stored = {member: request[member] for member in STORED_ONLY if request.get(member) is not None}
    if stored or current is None:
        fields["stored_only"] = {**(current.stored_only if current else {}), **stored}
    return fields


def _read_logging(request: Mapping[str, Any], name: str, current: FunctionVersion | None) -> LoggingConfig:
    known = current.logging if current else LoggingConfig(log_group=f"/aws/lambda/{name}")
    log_format = request.get("LogFormat", known.log_format)
    levels = {level: request.get(level) for level in ("ApplicationLogLevel", "SystemLogLevel")}
    if log_format == "Text":
        if any(levels.values()):
            raise InvalidParameterValue(
                "ApplicationLogLevel and SystemLogLevel are not supported for the Text log format. "
                "Set LogFormat to JSON to use log levels."
            )
        application = system = None
    else:
        application = levels["ApplicationLogLevel"] or known.application_log_level or "INFO"
        system = levels["SystemLogLevel"] or known.system_log_level or "INFO"
    return LoggingConfig(
        log_group=request.get("LogGroup", known.log_group),
        log_format=log_format,
        application_log_level=application,
        system_log_level=system,
    )


def marker(position: object) -> str | None:
    """An opaque page marker, ``None`` at the end."""
    if position is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def position(text: str | None, kind: type[_Key]) -> _Key | None:
    """What ``marker`` made of a value of that kind. Raises InvalidParameterValue."""
    if not text:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(text))
    except ValueError:
        found = None
    if not isinstance(found, kind):
        raise InvalidParameterValue("Invalid pagination token")
    return found
