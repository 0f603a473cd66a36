"""Options that several commands share, and the types of their values."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, ClassVar, Final

import click
import platformdirs

_Decorator = Callable[[Any], Any]


def default_data_dir() -> Path:
    return Path(platformdirs.user_data_dir("firefork"))


class _AbsolutePath(click.ParamType[Path]):
    name = "path"
    envvar_list_splitter: ClassVar[str] = os.pathsep
    """As in PATH: a folder's name may hold spaces."""

    def __init__(self, *, exists: bool = False) -> None:
        self._exists = exists

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value).absolute()
        if self._exists and not path.exists():
            self.fail(f"'{value}' does not exist.", param, ctx)
        return path


class _Pattern(click.ParamType[str]):
    """Text of a certain form; ``hint`` completes "'x' is not …"."""

    def __init__(self, name: str, pattern: str, hint: str) -> None:
        self.name = name
        self._pattern = re.compile(pattern)
        self._hint = hint

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not self._pattern.fullmatch(value):
            self.fail(f"'{value}' is not {self._hint}.", param, ctx)
        return str(value)


class _Network(click.ParamType[IPv4Network]):
    """An IPv4 network in CIDR form; one address is a network, too."""

    name = "cidr"
    envvar_list_splitter: ClassVar[str] = os.pathsep

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> IPv4Network:
        try:
            return IPv4Network(value)
        except ValueError:
            self.fail(f"'{value}' is not an IPv4 network, such as 192.168.1.0/24.", param, ctx)


class Amount(click.FloatRange):
    """A finite number; fractions are allowed."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        amount = float(super().convert(value, param, ctx))
        if not math.isfinite(amount):
            self.fail(f"'{value}' is not a number{' of seconds' if self.name == 'seconds' else ''}.", param, ctx)
        return amount


class Seconds(Amount):
    """A finite number of seconds."""

    name = "seconds"


NETWORK: Final = _Network()
REGION: Final = _Pattern("region", r"[a-z]{2,}(-[a-z]+)+-\d+", "the name of a region, such as us-east-1")
ACCOUNT: Final = _Pattern("account", r"\d{12}", "an account number, which has 12 digits")
URL: Final = _Pattern("url", r"https?://[^/\s]+.*", "an http or https address")
PATH: Final = _AbsolutePath()
EXISTING_PATH: Final = _AbsolutePath(exists=True)

data_dir: Final[_Decorator] = click.option(
    "--data-dir",
    envvar="FIREFORK_DATA_DIR",
    type=PATH,
    default=default_data_dir,
    show_default="the user's data folder",
    help="Folder for the database, code and keys.",
)
database: Final[_Decorator] = click.option(
    "--database",
    envvar="FIREFORK_DATABASE",
    help="Address of a PostgreSQL database; without: SQLite in the data folder.",
)
runtimes_dir: Final[_Decorator] = click.option(
    "--runtimes-dir",
    envvar="FIREFORK_RUNTIMES_DIR",
    type=PATH,
    default=lambda: default_data_dir() / "runtimes",
    show_default="runtimes in the user's data folder",
    help="Folder for runtime clients and SDKs.",
)
interpreter: Final[_Decorator] = click.option(
    "--interpreter",
    "interpreters",
    envvar="FIREFORK_INTERPRETER",
    type=EXISTING_PATH,
    multiple=True,
    help="A further interpreter, or a folder of them; may be repeated.",
)
as_json: Final[_Decorator] = click.option("--json", "as_json", envvar="FIREFORK_JSON", is_flag=True, help="Print JSON.")
