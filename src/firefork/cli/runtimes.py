"""``firefork runtimes``: which runtimes there are, and installing them."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from firefork.catalog.runtimes import RUNTIMES, RuntimeInfo
from firefork.cli import options
from firefork.engine.installations import Installations, RuntimeNotInstalled
from firefork.engine.installer import OLDEST_PYTHON, STEPS, InstallFailed, install, is_current

_WIDE: Final = 1000


@click.group(invoke_without_command=True)
@options.runtimes_dir
@options.interpreter
@options.as_json
@click.pass_context
def runtimes(context: click.Context, *, runtimes_dir: Path, interpreters: tuple[Path, ...], as_json: bool) -> None:
    """List runtime identifiers with what this machine has for them."""
    context.obj = Installations(runtimes_dir, interpreters)
    if context.invoked_subcommand is None:
        show(context.obj, as_json=as_json)


@runtimes.command("list")
@options.as_json
@click.pass_obj
def list_command(installations: Installations, *, as_json: bool) -> None:
    """List runtime identifiers with what this machine has for them."""
    show(installations, as_json=as_json)


@runtimes.command("install")
@click.argument("identifiers", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All whose interpreter is on this machine.")
@click.pass_obj
def install_command(installations: Installations, *, identifiers: tuple[str, ...], everything: bool) -> None:
    """Install the runtime client and the SDK, and the interpreter where it is missing."""
    wanted = list(identifiers)
    if everything:
        wanted += [
            found.identifier for found in installations.interpreters() if _python(found.identifier) >= OLDEST_PYTHON
        ]
        if not wanted:
            raise click.ClickException(
                "no Python 3.8 or later was found on this machine; fetch one with "
                "`firefork runtimes install python3.13`."
            )
    if not wanted:
        raise click.UsageError("Name the runtimes to install, or use --all.")
    for identifier in wanted:
        if identifier.startswith("provided") and identifier in RUNTIMES:
            continue
        if identifier not in RUNTIMES or _python(identifier) < OLDEST_PYTHON:
            raise click.UsageError(f"'{identifier}' is no runtime that can be installed; see `firefork runtimes`.")
    missing = []
    for identifier in dict.fromkeys(wanted):
        if identifier.startswith("provided"):
            print(f"{identifier} brings its own runtime in the function's package: there is nothing to install.")
        elif not _is_there(installations, identifier):
            missing.append(identifier)
        elif not everything:
            print(f"{identifier} is installed.")
    if missing:
        _install_all(installations, missing)
    elif everything:
        print(f"runtimes: {', '.join(dict.fromkeys(wanted))} are installed in {installations.runtimes_dir}")


def _install_all(installations: Installations, wanted: list[str]) -> None:
    failed = []
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    console = Console()
    # A bar is for eyes; a log gets a line for each runtime.
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("runtimes", total=len(wanted) * STEPS)
        for number, identifier in enumerate(wanted):

            def tell(text: str, identifier: str = identifier) -> None:
                progress.update(task, description=f"{identifier}: {text}", advance=1)

            try:
                installed = install(installations, identifier, tell)
            except InstallFailed as error:
                failed.append(f"{identifier}: {error}")
            else:
                client, sdk = installed.awslambdaric_version, installed.sdk_version
                progress.console.print(
                    f"{identifier}: awslambdaric {client}, boto3 {sdk}", markup=False, highlight=False, soft_wrap=True
                )
            progress.update(task, completed=(number + 1) * STEPS)
        progress.update(task, description=f"{len(wanted) - len(failed)} of {len(wanted)} runtimes installed")
    if failed:
        for line in failed[:-1]:
            print(f"firefork: {line}", file=sys.stderr)
        raise click.ClickException(failed[-1])


def _is_there(installations: Installations, identifier: str) -> bool:
    return installations.missing(identifier) is None and is_current(installations, identifier)


def _python(identifier: str) -> tuple[int, int]:
    info = RUNTIMES.get(identifier)
    return (info.python if info else None) or (0, 0)


def rows(installations: Installations) -> list[dict[str, Any]]:
    """One entry for each identifier."""
    today = date.today()
    found = {one.identifier: one for one in installations.interpreters()}
    result = []
    for info in RUNTIMES.values():
        interpreter = found.get(info.identifier)
        client = sdk = None
        if info.python is not None:
            try:
                installation = installations.find(info.identifier)
                client, sdk = installation.awslambdaric_version, installation.sdk_version
            except RuntimeNotInstalled:
                pass
        result.append(
            {
                "identifier": info.identifier,
                "python": interpreter.version if interpreter else None,
                "interpreter": str(interpreter.executable) if interpreter else None,
                "found": interpreter.source if interpreter else None,
                "awslambdaric": client,
                "sdk": sdk,
                "operating_system": info.operating_system,
                "deprecated_on": _day(info.deprecated_on),
                "block_create_on": _day(info.block_create_on),
                "block_update_on": _day(info.block_update_on),
                "state": _state(installations, info, today, interpreter is not None),
            }
        )
    return result


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _state(installations: Installations, info: RuntimeInfo, today: date, has_interpreter: bool) -> str:
    if not info.creatable(today):
        return "blocked by AWS"
    if installations.missing(info.identifier) is None:
        return "ready" if info.deprecated_on is None or today < info.deprecated_on else "ready, deprecated"
    if info.python is None:
        return "needs any Python runtime"
    return "client not installed" if has_interpreter else "no interpreter"


def show(installations: Installations, *, as_json: bool) -> None:
    found = rows(installations)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    headings = (
        "identifier",
        "python",
        "interpreter",
        "found",
        "awslambdaric",
        "SDK",
        "system",
        "deprecated",
        "no create",
        "no update",
        "state",
    )
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for row in found:
        table.add_row(*(str(value) if value is not None else "-" for value in row.values()))
    # Wider than the terminal is better than cells in pieces: `less -S` shows whole rows.
    Console(width=_WIDE).print(table, crop=False)
