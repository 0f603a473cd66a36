"""The function noun: one published version, or ``$LATEST``, as the API shows it and as the engine runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from firefork.aws.scope import Scope

LATEST = "$LATEST"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerReference:
    """A layer version in a function's ordered list."""

    arn: str
    """Layer *version* ARN."""
    code_size: int
    code_sha256: str
    """Hex digest: the blob's key."""
    signing_profile_version_arn: str | None = None
    signing_job_arn: str | None = None
    """Both as the layer's signature said when the layer was published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingConfig:
    log_group: str
    log_format: str = "Text"
    application_log_level: str | None = None
    system_log_level: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionVersion:
    """Code and configuration of one version. Immutable: a change makes a new value with a new revision id.

    AWS: API reference, FunctionConfiguration.
    """

    scope: Scope
    name: str
    version: str
    """``$LATEST`` or a number as text."""
    revision_id: str
    runtime: str
    handler: str
    role: str
    description: str = ""
    memory_mb: int = 128
    timeout_s: int = 3
    ephemeral_storage_mb: int = 512
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    """``None`` when the caller never set it, ``{}`` when it was set empty."""
    architecture: str = "x86_64"
    layers: tuple[LayerReference, ...] = ()
    code_sha256: str = ""
    """Hex digest of the zip: the blob's key. The API shows it in base64."""
    code_size: int = 0
    signing_profile_version_arn: str | None = None
    signing_job_arn: str | None = None
    """Both as the code's signature says, if a code signing config had it verified."""
    logging: LoggingConfig = field(default_factory=lambda: LoggingConfig(log_group=""))
    tracing_mode: str = "PassThrough"
    snap_start_apply_on: str = "None"
    state: str = "Pending"
    state_reason: str | None = None
    state_reason_code: str | None = None
    last_update_status: str | None = None
    last_update_status_reason: str | None = None
    last_update_status_reason_code: str | None = None
    last_modified: datetime
    runtime_version_arn: str = ""
    code_origin: Mapping[str, object] = field(default_factory=dict)
    """Members of FunctionCodeLocation beside the link: where the package came from, if that was told."""
    stored_only: Mapping[str, object] = field(default_factory=dict)
    """Members that are stored and echoed but change nothing here yet, keyed as in the API (``VpcConfig`` …)."""

    @property
    def function_arn(self) -> str:
        """ARN without qualifier."""
        return self.scope.arn("lambda", f"function:{self.name}")

    @property
    def qualified_arn(self) -> str:
        return f"{self.function_arn}:{self.version}"
