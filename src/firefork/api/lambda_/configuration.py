"""Function versions as the Lambda API shows them, and requests as the catalog wants them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from firefork.aws.errors import InvalidParameterValue
from firefork.catalog.function import FunctionVersion, LayerReference, LoggingConfig
from firefork.catalog.function_rules import show_sha256, vpc_id
from firefork.catalog.layers import LayerVersion

_NOT_YET: Final[Mapping[str, str]] = {
    "CapacityProviderConfig": "Capacity providers are not supported yet: leave CapacityProviderConfig out.",
    "AcceleratorConfig": "Accelerators are not supported: leave AcceleratorConfig out.",
    "RuntimeConfig": "Customer-managed runtimes are not supported yet: use a managed runtime or provided.al2023.",
    "PublishTo": "PublishTo is only supported for functions on managed instances.",
    "ImageConfig": "ImageConfig is only supported for functions with PackageType Image.",
}
"""What is refused rather than accepted without effect."""

_LIST_OMITS: Final = (
    "State",
    "StateReason",
    "StateReasonCode",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "RuntimeVersionConfig",
)


def show(function: FunctionVersion, *, qualifier: str | None = None) -> dict[str, Any]:
    """FunctionConfiguration. ``qualifier`` is what the ARN ends with. Absent members are ``None``."""
    logging: dict[str, Any] = {
        "LogFormat": function.logging.log_format,
        "LogGroup": function.logging.log_group,
        "ApplicationLogLevel": function.logging.application_log_level,
        "SystemLogLevel": function.logging.system_log_level,
    }
    optimization = "On" if function.snap_start_apply_on != "None" and function.version != "$LATEST" else "Off"
    shown: dict[str, Any] = {
        "FunctionName": function.name,
        "FunctionArn": f"{function.function_arn}:{qualifier}" if qualifier else function.function_arn,
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
        **show_signer(function),
    }
    if function.environment is not None:
        shown["Environment"] = {"Variables": dict(function.environment)}
    if function.layers:
        shown["Layers"] = [
            {"Arn": layer.arn, "CodeSize": layer.code_size, **show_signer(layer)} for layer in function.layers
        ]
    shown.update(function.stored_only)
    if "VpcConfig" in shown:
        shown["VpcConfig"] = {
            **shown["VpcConfig"],
            "VpcId": vpc_id(function.scope) if shown["VpcConfig"]["SubnetIds"] else "",
        }
    return shown


def show_in_list(function: FunctionVersion, *, qualifier: str | None) -> dict[str, Any]:
    """Lists leave out states and the runtime version."""
    shown = show(function, qualifier=qualifier)
    for name in _LIST_OMITS:
        shown.pop(name, None)
    return shown


def show_signer(signed: FunctionVersion | LayerReference | LayerVersion) -> dict[str, str | None]:
    """Who signed a package, if that is known."""
    return {"SigningProfileVersionArn": signed.signing_profile_version_arn, "SigningJobArn": signed.signing_job_arn}


def show_time(moment: datetime) -> str:
    """``2026-11-24T10:00:00.000+0000``"""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"


def read(request: Mapping[str, Any], *, name: str, current: FunctionVersion | None = None) -> dict[str, Any]:
    """FunctionVersion's fields that a create or update request sets; layers are left to the caller."""
    for member, reason in _NOT_YET.items():
        if request.get(member) is not None:
            raise InvalidParameterValue(reason)
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
    stored = _read_stored(request, current)
    if stored or current is None:
        # An update hands over ``None`` for what is to be unset; a new function has nothing to unset.
        kept = stored if current is not None else {name: item for name, item in stored.items() if item is not None}
        fields["stored_only"] = kept
    return fields


def _read_stored(request: Mapping[str, Any], current: FunctionVersion | None) -> dict[str, Any]:
    """Members that are kept and shown and have no effect here yet; an empty value unsets one."""
    stored: dict[str, Any] = {}
    if request.get("VpcConfig") is not None:
        vpc = request["VpcConfig"]
        stored["VpcConfig"] = {
            "SubnetIds": vpc.get("SubnetIds") or [],
            "SecurityGroupIds": vpc.get("SecurityGroupIds") or [],
            "Ipv6AllowedForDualStack": bool(vpc.get("Ipv6AllowedForDualStack")),
        }
    if request.get("DeadLetterConfig") is not None:
        target = request["DeadLetterConfig"].get("TargetArn")
        stored["DeadLetterConfig"] = {"TargetArn": target} if target else None
    for member in ("KMSKeyArn", "FileSystemConfigs"):
        if request.get(member) is not None:
            stored[member] = request[member] or None
    if request.get("TenancyConfig") is not None:
        stored["TenancyConfig"] = request["TenancyConfig"]
    if request.get("DurableConfig") is not None:
        known = {} if current is None else current.stored_only.get("DurableConfig")
        if not isinstance(known, Mapping):
            raise InvalidParameterValue("DurableConfig can only be set when a function is created.")
        stored["DurableConfig"] = {**known, **request["DurableConfig"]}
    return stored


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
