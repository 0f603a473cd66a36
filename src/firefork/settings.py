"""Every option of a Firefork server, with its default; the command line and ``FIREFORK_*`` mirror it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final

DEFAULT_NETWORK_RANGE: Final = IPv4Network("198.18.0.0/15")
"""RFC 2544's range for benchmarks: private, and hardly ever the range of a home, office, cloud or container network."""


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
    database: str | None = None
    """SQLAlchemy URL; ``None`` means SQLite inside ``data_dir``."""
    upstream: str | None = None
    """Base URL where AWS services live that Firefork does not serve; code in S3 is fetched there, too."""
    tls_cert: Path | None = None
    """PEM file with the certificate of the public address and its chain; ``None``: plain HTTP."""
    tls_key: Path | None = None
    """PEM file with its key; ``None``: it is in ``tls_cert``."""
    test_credentials: bool = False
    """Accept the pair test/test; only on a loopback address."""
    signing_roots: Path | None = None
    """PEM file with certificates that signatures of packages may lead to besides AWS Signer's roots."""
    iam: str | None = None
    """``relaxed`` or ``enforce``: what a role that does not exist may do; ``None``: relaxed on loopback only."""
    allow_blocked_runtimes: bool = False
    """Let functions be created on runtimes that are past their block-create date."""
    interpreter_paths: tuple[Path, ...] = ()
    """Further places to look for ``python3.X``: executables or folders holding them."""
    sandbox: str = "auto"
    """``auto``, ``namespaces`` or ``process``."""
    network: str | None = None
    """``nat``, ``none`` or ``host``; ``None`` means nat where that is possible, else host."""
    network_range: IPv4Network = DEFAULT_NETWORK_RANGE
    """Where a server with ``nat`` takes the addresses of its environments from."""
    allowed_networks: tuple[IPv4Network, ...] = ()
    """Private or own addresses of this machine that functions may reach with ``nat``."""
    idle_timeout_s: float = 600.0
    """An environment that served nothing for this long is shut down."""
    init_limit_s: float = 10.0
    """How long a function's init may take before it is ended and repeated within the first invoke."""
    spares: int = 2
    """The least number of forked sandboxes without a function that a zygote keeps ready."""
    shutdown_limit_s: float = 5.0
    """How long running invokes may go on after SIGTERM before they are ended."""
    account_concurrency: int = 1000
    """Invokes that may run at once in an account and region."""
    memory_budget_mb: int | None = None
    """Memory that all environments may use together; ``None``: four fifths of what is available at start."""
    concurrent_starts: int = 8
    """Environments that are started at once; functions take turns."""
    stream_limit_mb: int = 200
    """How long one streamed response may be. AWS's limit."""
    stream_rate_mb_s: float | None = 2.0
    """Its speed after the first 6 MB, as on AWS; ``None`` for no limit."""
    snapstart_latest: bool = False
    """Fork ``$LATEST`` of functions with SnapStart from its initialised process, too; AWS does so with versions."""
    metrics: bool = True
    """Whether invokes and the embedded metrics of log lines are counted."""
    metrics_retention_days: int = 455
    """How long metrics are kept, at last one value an hour. AWS: 455 days."""
    verbose: bool = False
