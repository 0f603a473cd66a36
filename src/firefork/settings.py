"""Every option of a Firefork server, with its default; the command line and ``FIREFORK_*`` mirror it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one server runs. Paths are absolute."""

    data_dir: Path
    """Database, blobs, unpacked code, credentials. One server at a time owns it (it holds a lock file)."""
    runtimes_dir: Path
    """Runtime clients and SDKs, one folder an identifier; may be shared by servers."""
    host: str = "127.0.0.1"
    port: int = 4566
    region: str = "us-east-1"
    account: str = "000000000000"
    database_url: str | None = None
    """SQLAlchemy URL; ``None`` means SQLite inside ``data_dir``."""
    upstream: str | None = None
    """Base URL where AWS services live that Firefork does not serve (S3 for code uploads)."""
    test_credentials: bool = False
    """Accept the pair test/test; only on a loopback address."""
    iam: str | None = None
    """``relaxed`` or ``enforce``: what a role that does not exist may do; ``None``: relaxed on loopback only."""
    allow_blocked_runtimes: bool = False
    """Let functions be created on runtimes that are past their block-create date."""
    interpreter_paths: tuple[Path, ...] = ()
    """Further places to look for ``python3.X``: executables or folders holding them."""
    sandbox: str = "auto"
    """``auto``, ``namespaces`` or ``process``."""
    idle_timeout_s: float = 600.0
    """An environment that served nothing for this long is shut down."""
    init_limit_s: float = 10.0
    """How long a function's init may take before it is ended and repeated within the first invoke."""
    spares: int = 2
    """Forked sandboxes without a function kept ready per zygote."""
    shutdown_limit_s: float = 5.0
    """How long running invokes may go on after SIGTERM before they are ended."""
    verbose: bool = False
