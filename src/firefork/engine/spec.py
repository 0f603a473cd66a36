"""What an environment needs to know of a function version: two versions with equal specs may share environments."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from firefork.aws.scope import Scope
from firefork.catalog.function import FunctionVersion, LoggingConfig

_DEAF_RUNTIMES: Final = frozenset({"python3.8", "python3.9", "python3.10", "python3.11"})


class Initialization(enum.Enum):
    """Why an environment was initialised. AWS: developer guide, "Defined runtime environment variables"."""

    ON_DEMAND = "on-demand"
    PROVISIONED = "provisioned-concurrency"
    SNAP_START = "snap-start"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSpec:
    """The part of a function version that shapes its environments. Hashable and compared by value."""

    scope: Scope
    name: str
    version: str
    runtime: str
    handler: str
    role: str
    memory_mb: int
    timeout_s: int
    tmp_mb: int
    environment: tuple[tuple[str, str], ...] = field(repr=False)
    architecture: str
    layers: tuple[str, ...]
    """Hex digests of the layers' zips, in order."""
    code: str
    """Hex digest of the package's zip."""
    logging: LoggingConfig
    tracing_mode: str
    runtime_version_arn: str
    snap_start: bool = False
    """Whether the function asks for SnapStart; whether ``$LATEST`` has it, too, is up to the engine."""

    @classmethod
    def of(cls, function: FunctionVersion) -> ExecutionSpec:
        return cls(
            scope=function.scope,
            name=function.name,
            version=function.version,
            runtime=function.runtime,
            handler=function.handler,
            role=function.role,
            memory_mb=function.memory_mb,
            timeout_s=function.timeout_s,
            tmp_mb=function.ephemeral_storage_mb,
            environment=tuple(sorted((function.environment or {}).items())),
            architecture=function.architecture,
            layers=tuple(layer.code_sha256 for layer in function.layers),
            code=function.code_sha256,
            logging=function.logging,
            tracing_mode=function.tracing_mode,
            runtime_version_arn=function.runtime_version_arn,
            snap_start=function.snap_start_apply_on == "PublishedVersions",
        )

    @property
    def delivers_sigterm(self) -> bool:
        """Whether a runtime can act on SIGTERM: on AWS the client of Python 3.11 and older waits in native code."""
        return self.runtime not in _DEAF_RUNTIMES

    @property
    def function_arn(self) -> str:
        return self.scope.arn("lambda", f"function:{self.name}")


def function_environment(
    spec: ExecutionSpec,
    *,
    runtime_api: str,
    endpoint: str,
    credentials: Mapping[str, str],
    log_stream: str,
    isolated: bool,
    initialization: Initialization = Initialization.ON_DEMAND,
) -> dict[str, str]:
    """All environment variables of the runtime process, in AWS's order of precedence: later ones win.

    Names and values: fact sheet section 2.1, recorded on AWS. ``AWS_ENDPOINT_URL`` is ours: it makes SDKs inside a
    function find this server without configuration, and a function's own value goes before it. ``isolated``: whether
    the function has AWS's folders around it.
    """
    log_format = spec.logging.log_format
    managed = spec.runtime.startswith("python")
    values = {"AWS_ENDPOINT_URL": endpoint}
    values.update(spec.environment)
    if managed:
        values["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{spec.runtime}"
    values |= {
        "AWS_XRAY_CONTEXT_MISSING": values.get("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"),
        "AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000",
        "_AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1",
        "_AWS_XRAY_DAEMON_PORT": "2000",
    }
    if isolated:
        defaults = {
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
            "LD_LIBRARY_PATH": (
                "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
            ),
            "PYTHONPATH": "/var/runtime",
            "LC_CTYPE": "C.UTF-8",
        }
        if spec.runtime in ("python3.8", "python3.9", "python3.10", "python3.11") or not managed:
            del defaults["LC_CTYPE"]
        if not managed:
            del defaults["PYTHONPATH"]
        if spec.runtime in ("provided", "provided.al2"):
            defaults["PATH"] = "/usr/local/bin:/usr/bin/:/bin:/opt/bin"
            defaults["LD_LIBRARY_PATH"] = (
                "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
            )
        for name, value in defaults.items():
            values.setdefault(name, value)
    else:
        values.setdefault("TZ", ":UTC")
        values.setdefault("LANG", "en_US.UTF-8")
    values.update(credentials)
    values |= {
        "_HANDLER": spec.handler,
        "_X_AMZN_TRACE_ID": "",
        "AWS_REGION": spec.scope.region,
        "AWS_DEFAULT_REGION": spec.scope.region,
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization.value,
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.logging.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": "/var/task",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
    }
    if managed:  # what the shell that starts the runtime leaves behind
        values |= {"PWD": "/var/task", "SHLVL": "0"}
    if initialization is Initialization.SNAP_START:
        # One environment's stream and keys would be all the others', too.
        del values["AWS_LAMBDA_LOG_GROUP_NAME"], values["AWS_LAMBDA_LOG_STREAM_NAME"]
    if log_format == "JSON":
        values["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        values["AWS_LAMBDA_LOG_LEVEL"] = spec.logging.application_log_level or "INFO"
    return values


_HIDDEN_FROM_EXTENSIONS: Final = frozenset(
    {
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_LOG_FORMAT",
        "AWS_LAMBDA_LOG_LEVEL",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)


def extension_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """What external extensions get of the runtime's variables. AWS: "Lambda Extensions API", environment variables."""
    return {
        name: value
        for name, value in variables.items()
        if name == "_FIREFORK_OPT" or not (name.startswith(("_", "AWS_XRAY_")) or name in _HIDDEN_FROM_EXTENSIONS)
    }
