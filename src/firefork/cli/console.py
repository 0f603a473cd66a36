"""``firefork console``: a new one-time link to the console of a running server."""

from __future__ import annotations

import json
from pathlib import Path

import click

from firefork.catalog.keys import Keys
from firefork.catalog.sign_in_links import SignInLinks, sign_in_link
from firefork.cli import options
from firefork.settings import Settings


@click.command()
@options.data_dir
def console(*, data_dir: Path) -> None:
    """Print a link that signs a browser in once, within 15 minutes."""
    try:
        server = json.loads((data_dir / "server.json").read_text())
    except (OSError, ValueError):
        raise click.ClickException(
            f"no server runs on {data_dir}: start it with `firefork up --data-dir {data_dir}`."
        ) from None
    try:
        keys = Keys(data_dir, Settings(data_dir=data_dir, runtimes_dir=data_dir / "runtimes"))
    except (OSError, ValueError) as error:
        raise click.ClickException(f"the keys cannot be read: {error}") from None
    print(sign_in_link(server["endpoint"], SignInLinks(keys.seal_link, server["run"]).issue()))
