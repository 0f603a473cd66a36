"""``firefork env``: shell exports that point AWS tools at a running server."""

from __future__ import annotations

import configparser
import contextlib
import json
import os
import shlex
from pathlib import Path

import click

from firefork.cli import options


@click.command()
@options.data_dir
def env(*, data_dir: Path) -> None:
    """Print exports for ``eval "$(firefork env)"``."""
    credentials = configparser.ConfigParser(interpolation=None)
    try:
        if not credentials.read(data_dir / "credentials"):
            raise FileNotFoundError
        pair = credentials["default"]
        exports = {
            "AWS_ACCESS_KEY_ID": pair["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": pair["aws_secret_access_key"],
        }
    except PermissionError:
        raise click.ClickException(f"{data_dir / 'credentials'} may only be read by its owner.") from None
    except (OSError, KeyError, configparser.Error):
        raise click.ClickException(
            f"{data_dir} has no credentials: start the server once with `firefork up --data-dir {data_dir}`."
        ) from None
    try:
        server = json.loads((data_dir / "server.json").read_text())
        _check_running(server["pid"])
    except (OSError, ValueError):
        raise click.ClickException(
            f"no server runs on {data_dir}: start it with `firefork up --data-dir {data_dir}`."
        ) from None
    exports |= {
        "AWS_ENDPOINT_URL": server["endpoint"],
        "AWS_DEFAULT_REGION": server["region"],
        "AWS_REGION": server["region"],
        # SDKs put "stream-" before the host of StartLiveTail, which no address of this machine can take.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }
    print("unset AWS_SESSION_TOKEN AWS_PROFILE")
    for name, value in exports.items():
        print(f"export {name}={shlex.quote(value)}")


def _check_running(pid: int) -> None:
    """Raises ProcessLookupError for the file of a server that was killed and could not remove it."""
    with contextlib.suppress(PermissionError):  # somebody else's process is a process
        os.kill(pid, 0)
