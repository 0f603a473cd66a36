"""Writes docs/configuration.md from the options that ``firefork up`` really has; a test checks that it is current."""

from __future__ import annotations

import inspect
from pathlib import Path

import click

from firefork.cli.up import up

PAGE = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"

_HEAD = """\
# Configuration
[Contents](README.md)

`firefork up` needs no option. Each has an environment variable that does the same; the command line counts more.
A flag's variable is `1` or `true`; several values in one variable are separated as in `PATH`. A value that does not
fit is one line and an exit status of 2; a server that cannot start is one line and an exit status of 1.

| option of `firefork up` | variable | without it | meaning |
|---|---|---|---|
"""

_TAIL = """
`--data-dir` counts for `firefork env`, `backup` and `restore` as well, `--database` for the latter two,
`--runtimes-dir` and `--interpreter` for `firefork doctor` and `firefork runtimes`, which also have `--json`
(`FIREFORK_JSON`).

## The data folder

One server at a time owns it. `credentials` is a credentials file in AWS's format with the root key, readable by its
owner only; `session.key` seals the temporary keys of roles; `secrets.key` encrypts secrets in the database;
`metrics.token` is for [Prometheus](metrics.md#prometheus);
`firefork.db` is the SQLite database; `blobs/` holds packages as they were uploaded, `code/` and `opt/` what was
unpacked from them (made again when missing); `server.json` says where the running server listens. To move everything,
stop the server and copy the folder, or use `firefork backup` ([Databases](databases.md)).

## The runtimes folder

One folder for each runtime, with `awslambdaric` and the SDK in the versions that are locked in
`src/firefork/engine/runtime_locks/`. Servers may share it. Interpreters are not in it: they are found on `PATH`, in
pyenv's and uv's folders, and where `--interpreter` points, in this order; one that `--interpreter` names wins.
"""


def page() -> str:
    """The whole page. This file is its source: ``make docs`` writes it."""
    rows = [_row(option) for option in up.params if isinstance(option, click.Option)]
    return _HEAD + "\n".join(rows) + "\n" + _TAIL


def _row(option: click.Option) -> str:
    name = max(option.opts, key=len)
    kind = option.type
    if isinstance(kind, click.Choice):
        name += " " + "\\|".join(kind.choices)
    elif not option.is_flag:
        name += f" {option.make_metavar(click.Context(up)).split()[0].upper()}"
    return f"| `{name}` | `{option.envvar}` | {_default(option)} | {inspect.cleandoc(option.help or '')} |"


def _default(option: click.Option) -> str:
    if isinstance(option.show_default, str):
        return option.show_default
    if option.is_flag:
        return "off"
    if not isinstance(option.default, str | int | float):
        return "none"
    return f"`{option.default:g}`" if isinstance(option.default, float) else f"`{option.default}`"


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote {PAGE.relative_to(PAGE.parent.parent)}")
