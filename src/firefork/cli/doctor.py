"""``firefork doctor``: what this machine can do, and the command that mends what it cannot."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from firefork.cli import options
from firefork.engine.installations import Installations, uv_binary
from firefork.engine.sandbox import seccomp
from firefork.engine.sandbox.capabilities import detect
from firefork.engine.sandbox.cgroups import find_hierarchies


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    subject: str
    state: str
    """``ok``, ``missing`` or ``limited``."""
    detail: str
    remedy: str | None = None
    """A command, or what to change."""


@click.command()
@options.runtimes_dir
@options.interpreter
@options.as_json
def doctor(*, runtimes_dir: Path, interpreters: tuple[Path, ...], as_json: bool) -> None:
    """Say what this machine can do; exits with 1 when no function could run."""
    installations = Installations(runtimes_dir, interpreters)
    found = examine(installations)
    if as_json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        table = Table(box=None, pad_edge=False, show_header=False)
        for _ in range(4):
            table.add_column(overflow="fold")
        for finding in found:
            table.add_row(finding.state, finding.subject, finding.detail, finding.remedy or "")
        Console().print(table)
    if not installations.all():
        sys.exit(1)


def examine(installations: Installations) -> list[Finding]:
    """Everything that matters, in the order of its weight."""
    found = [Finding(subject="system", state="ok", detail=f"{platform.system()} {platform.release()}")]
    capabilities = detect()
    if capabilities.mode == "process":
        found.append(
            Finding(
                subject="namespaces",
                state="missing",
                detail=f"functions run as plain processes, without isolation: {capabilities.why_not}",
                remedy="run as root, or `sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000`",
            )
        )
    else:
        who = "root" if capabilities.mode == "root" else "an ordinary user with user namespaces"
        found.append(Finding(subject="namespaces", state="ok", detail=f"mount, pid, ipc, uts, net, cgroup as {who}"))
    found.append(_cgroups())
    if seccomp.program() is not None:
        found.append(Finding(subject="seccomp", state="ok", detail="libseccomp found, filter compiled"))
    elif sys.platform == "linux":
        found.append(
            Finding(
                subject="seccomp",
                state="missing",
                detail="libseccomp was not found",
                remedy="apt-get install libseccomp2",
            )
        )
    found.append(_uv())
    found.extend(_runtimes(installations))
    return found


def _cgroups() -> Finding:
    hierarchies = find_hierarchies()
    if hierarchies is None:
        remedy = "run as root, or `systemd-run --user --scope -p Delegate=yes firefork up`" if os.geteuid() else None
        detail = "no group can be made: memory, CPU and process limits are not enforced"
        return Finding(subject="cgroups", state="limited", detail=detail, remedy=remedy)
    wanted = {"memory", "cpu", "pids", "freezer"} if hierarchies.version == 1 else {"memory", "cpu", "pids"}
    missing = wanted - set(hierarchies.parents)
    detail = f"version {hierarchies.version}: {', '.join(sorted(hierarchies.parents))}"
    if missing:
        return Finding(
            subject="cgroups",
            state="limited",
            detail=f"{detail}; without {', '.join(sorted(missing))}",
            remedy=None,
        )
    return Finding(subject="cgroups", state="ok", detail=detail)


def _uv() -> Finding:
    binary = uv_binary()
    if binary is None:
        return Finding(
            subject="uv",
            state="missing",
            detail="needed to install runtimes",
            remedy="python3 -m pip install uv",
        )
    return Finding(subject="uv", state="ok", detail=shutil.which(binary) or binary)


def _runtimes(installations: Installations) -> list[Finding]:
    found = []
    for interpreter in installations.interpreters():
        identifier = interpreter.identifier
        if identifier == "python3.7":
            continue
        reason = installations.missing(identifier)
        detail = f"{interpreter.version} from {interpreter.source}: {interpreter.executable}"
        if reason is None:
            found.append(Finding(subject=identifier, state="ok", detail=detail))
        else:
            found.append(
                Finding(
                    subject=identifier,
                    state="missing",
                    detail=f"{detail}, no runtime client",
                    remedy=f"firefork runtimes install {identifier}",
                )
            )
    if not found:
        found.append(
            Finding(
                subject="interpreters",
                state="missing",
                detail="no Python 3.8 or later was found",
                remedy="firefork runtimes install python3.13",
            )
        )
    return found
