"""``firefork up``: run the server in the foreground."""

from __future__ import annotations

import logging
import resource
from ipaddress import IPv4Network
from pathlib import Path

import click

from firefork.cli import options
from firefork.settings import DEFAULT_NETWORK_RANGE, Settings


@click.command(context_settings={"show_default": True})
@click.option("--host", envvar="FIREFORK_HOST", default="127.0.0.1", help="Address to listen on.")
@click.option(
    "--port",
    envvar="FIREFORK_PORT",
    default=4566,
    type=click.IntRange(0, 65535),
    help="Port; 0 takes a free one.",
)
@options.data_dir
@options.runtimes_dir
@click.option(
    "--region",
    envvar="FIREFORK_REGION",
    default="us-east-1",
    type=options.REGION,
    help="Region that clients are told.",
)
@click.option(
    "--account",
    envvar="FIREFORK_ACCOUNT",
    default="000000000000",
    type=options.ACCOUNT,
    help="Account of the root key.",
)
@options.database
@click.option(
    "--upstream",
    envvar="FIREFORK_UPSTREAM",
    type=options.URL,
    help="Endpoint that requests for services are passed on to which Firefork does not serve: S3, SQS, DynamoDB …",
)
@click.option(
    "--tls-cert",
    envvar="FIREFORK_TLS_CERT",
    type=options.EXISTING_PATH,
    help="Serve HTTPS with this certificate: a PEM file, with its chain.",
)
@click.option(
    "--tls-key",
    envvar="FIREFORK_TLS_KEY",
    type=options.EXISTING_PATH,
    show_default="in the certificate's file",
    help="PEM file with the certificate's key.",
)
@click.option(
    "--test-credentials",
    envvar="FIREFORK_TEST_CREDENTIALS",
    is_flag=True,
    help="Accept the key pair test/test; only on a loopback address.",
)
@click.option(
    "--iam",
    envvar="FIREFORK_IAM",
    type=click.Choice(["relaxed", "enforce"]),
    show_default="relaxed on a loopback address, else enforce",
    help="Whether a role that does not exist may do everything in its account (relaxed) or nothing (enforce).",
)
@click.option(
    "--allow-blocked-runtimes",
    envvar="FIREFORK_ALLOW_BLOCKED_RUNTIMES",
    is_flag=True,
    help="Let functions be created on runtimes that AWS has closed.",
)
@click.option(
    "--signing-roots",
    envvar="FIREFORK_SIGNING_ROOTS",
    type=options.EXISTING_PATH,
    help="PEM file of certificates that code signatures may lead to besides AWS Signer's.",
)
@options.interpreter
@click.option(
    "--sandbox",
    envvar="FIREFORK_SANDBOX",
    default="auto",
    type=click.Choice(["auto", "namespaces", "process"]),
    help="How functions are isolated.",
)
@click.option(
    "--network",
    envvar="FIREFORK_NETWORK",
    type=click.Choice(["nat", "none", "host"]),
    show_default="nat where it is possible, else host",
    help="What functions reach: the internet, nothing, or all that this machine does.",
)
@click.option(
    "--network-range",
    envvar="FIREFORK_NETWORK_RANGE",
    type=options.NETWORK,
    default=str(DEFAULT_NETWORK_RANGE),
    help="Where functions' addresses come from with nat.",
)
@click.option(
    "--allow-network",
    "allowed_networks",
    envvar="FIREFORK_ALLOW_NETWORK",
    type=options.NETWORK,
    multiple=True,
    help="A private network or own address that functions may reach with nat; may be repeated.",
)
@click.option(
    "--idle-timeout",
    envvar="FIREFORK_IDLE_TIMEOUT",
    default=600.0,
    type=options.Seconds(min=0.1),
    help="Seconds until an idle environment ends.",
)
@click.option(
    "--init-limit",
    envvar="FIREFORK_INIT_LIMIT",
    default=10.0,
    type=options.Seconds(min=0.1),
    help="Seconds that a function's init may take.",
)
@click.option(
    "--spares",
    envvar="FIREFORK_SPARES",
    default=2,
    type=click.IntRange(0, 64),
    help="Least number of sandboxes kept ready for each runtime; more after bursts, none with 0.",
)
@click.option(
    "--shutdown-limit",
    envvar="FIREFORK_SHUTDOWN_LIMIT",
    default=5.0,
    type=options.Seconds(min=0.0),
    help="Seconds that running invokes get when the server stops.",
)
@click.option(
    "--account-concurrency",
    envvar="FIREFORK_ACCOUNT_CONCURRENCY",
    default=1000,
    type=click.IntRange(min=0),
    help="Invokes that may run at once in an account and region.",
)
@click.option(
    "--memory-budget",
    envvar="FIREFORK_MEMORY_BUDGET",
    type=click.IntRange(min=1),
    show_default="4/5 of what is available",
    help="Megabytes that all environments may use together.",
)
@click.option(
    "--concurrent-starts",
    envvar="FIREFORK_CONCURRENT_STARTS",
    default=8,
    type=click.IntRange(min=1),
    help="Environments started at once; functions take turns.",
)
@click.option(
    "--stream-limit",
    envvar="FIREFORK_STREAM_LIMIT",
    default=200,
    type=click.IntRange(min=1),
    help="Megabytes that one streamed response may have.",
)
@click.option(
    "--stream-rate",
    envvar="FIREFORK_STREAM_RATE",
    default=2.0,
    type=options.Amount(min=0.0),
    help="Megabytes a second of a streamed response after its first 6 MB; 0 for no limit.",
)
@click.option(
    "--snapstart-latest",
    envvar="FIREFORK_SNAPSTART_LATEST",
    is_flag=True,
    help="SnapStart for $LATEST, too, of functions that have it for published versions.",
)
@click.option(
    "--metrics",
    envvar="FIREFORK_METRICS",
    default="on",
    type=click.Choice(["on", "off"]),
    help="Whether invokes are counted, and metrics in log lines read.",
)
@click.option(
    "--metrics-retention",
    envvar="FIREFORK_METRICS_RETENTION",
    default=455,
    type=click.IntRange(min=1),
    help="Days that metrics are kept.",
)
@click.option("--verbose", "-v", envvar="FIREFORK_VERBOSE", is_flag=True, help="One line for each request.")
def up(
    *,
    host: str,
    port: int,
    data_dir: Path,
    runtimes_dir: Path,
    region: str,
    account: str,
    database: str | None,
    upstream: str | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    test_credentials: bool,
    iam: str | None,
    allow_blocked_runtimes: bool,
    signing_roots: Path | None,
    interpreters: tuple[Path, ...],
    sandbox: str,
    network: str | None,
    network_range: IPv4Network,
    allowed_networks: tuple[IPv4Network, ...],
    idle_timeout: float,
    init_limit: float,
    spares: int,
    shutdown_limit: float,
    account_concurrency: int,
    memory_budget: int | None,
    concurrent_starts: int,
    stream_limit: int,
    stream_rate: float,
    snapstart_latest: bool,
    metrics: str,
    metrics_retention: int,
    verbose: bool,
) -> None:
    """Start Firefork and serve until Ctrl-C or SIGTERM."""
    run(
        Settings(
            data_dir=data_dir,
            runtimes_dir=runtimes_dir,
            host=host,
            port=port,
            region=region,
            account=account,
            database=database,
            upstream=upstream.rstrip("/") if upstream else None,
            tls_cert=tls_cert,
            tls_key=tls_key,
            test_credentials=test_credentials,
            iam=iam,
            allow_blocked_runtimes=allow_blocked_runtimes,
            signing_roots=signing_roots,
            interpreter_paths=interpreters,
            sandbox=sandbox,
            network=network,
            network_range=network_range,
            allowed_networks=allowed_networks,
            idle_timeout_s=idle_timeout,
            init_limit_s=init_limit,
            spares=spares,
            shutdown_limit_s=shutdown_limit,
            account_concurrency=account_concurrency,
            memory_budget_mb=memory_budget,
            concurrent_starts=concurrent_starts,
            stream_limit_mb=stream_limit,
            stream_rate_mb_s=stream_rate or None,
            snapstart_latest=snapstart_latest,
            metrics=metrics == "on",
            metrics_retention_days=metrics_retention,
            verbose=verbose,
        )
    )


def run(settings: Settings) -> None:
    """Serve; a start that fails is one line."""
    # Each environment takes some ten descriptors, and the usual soft limit of 1,024 is for programs that use select().
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # Only here: the other commands start faster without the server's parts.
    import uvloop

    from firefork.api.platform import StartFailed, serve

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    access = logging.getLogger("firefork.access")
    access.propagate = False
    access.setLevel(logging.INFO)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    access.addHandler(handler)
    try:
        uvloop.run(serve(settings, lambda line: print(line, flush=True)))
    except StartFailed as error:
        raise click.ClickException(str(error)) from None
