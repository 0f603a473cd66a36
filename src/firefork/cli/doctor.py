"""``firefork doctor``: what this machine can do, and the command that mends what it cannot."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click

from firefork.catalog.runtimes import RUNTIMES
from firefork.cli import options
from firefork.engine.guest import kernel
from firefork.engine.installations import Installations, uv_binary
from firefork.engine.installer import OLDEST_PYTHON
from firefork.engine.sandbox import seccomp
from firefork.engine.sandbox.capabilities import detect
from firefork.engine.sandbox.cgroups import find_hierarchies


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    subject: str
    state: str
    """``ok``, ``missing``, ``limited``, or ``optional`` for what nobody has to have."""
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
        for finding in found:
            print(f"{finding.state:9} {finding.subject:15} {finding.detail}")
            if finding.remedy:
                # On a line of its own, so that a command is never broken into pieces.
                print(f"{'':25} -> {finding.remedy}")
    if not installations.all():
        sys.exit(1)


def examine(installations: Installations) -> list[Finding]:
    """Everything that matters, in the order of its weight."""
    found = [Finding(subject="system", state="ok", detail=f"{platform.system()} {platform.release()}")]
    found.extend(_namespaces())
    found.append(_cgroups())
    found.append(_seccomp())
    found.append(_uv())
    found.extend(_runtimes(installations))
    return found


def _namespaces() -> list[Finding]:
    capabilities = detect()
    if capabilities.mode == "process":
        worst = Finding(
            subject="namespaces",
            state="missing",
            detail=f"functions run as plain processes, without isolation: {capabilities.why_not}",
            remedy=_namespace_remedy(),
        )
        return [worst]
    if capabilities.mode == "user":
        detail = "mount, pid, ipc, uts, net as an ordinary user, in a user namespace"
        return [Finding(subject="namespaces", state="ok", detail=detail)]
    found = [Finding(subject="namespaces", state="ok", detail="mount, pid, ipc, uts, net as root")]
    why_not = _user_namespaces_refused()
    if why_not is None:
        found.append(Finding(subject="user namespaces", state="ok", detail="functions are isolated without root, too"))
    else:
        found.append(
            Finding(
                subject="user namespaces",
                state="optional",
                detail=f"without root functions would not be isolated: {why_not}",
                remedy=_namespace_remedy(),
            )
        )
    return found


_NOBODY: Final = 65534


def _user_namespaces_refused() -> str | None:
    """Try as nobody, in a child, since root is asked fewer questions; the kernel's answer, ``None`` when it may."""
    pid = os.fork()
    if pid == 0:
        code = 255
        with contextlib.suppress(BaseException):
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
            kernel.unshare(kernel.CLONE_NEWUSER)
            kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET)
            code = 0
        os._exit(code)
    _, status = os.waitpid(pid, 0)
    return None if status == 0 else "the kernel refuses them to ordinary users"


_NAMESPACE_SWITCHES: Final = (
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
    ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    ("user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
)
"""Files below /proc/sys, the value that forbids, and the setting that allows."""


def _namespace_remedy() -> str:
    if sys.platform != "linux":
        return "run Firefork in a Linux virtual machine"
    for name, forbids, setting in _NAMESPACE_SWITCHES:
        try:
            value = Path("/proc/sys", name).read_text().strip()
        except OSError:
            continue
        if value == forbids:
            return f"sudo sysctl -w {setting}"
    return "run `firefork up` as root; in a container also add `--privileged` to `docker run`"


def _seccomp() -> Finding:
    if sys.platform != "linux":
        return Finding(subject="seccomp", state="limited", detail=f"{sys.platform} has no system call filters")
    if not Path("/proc/sys/kernel/seccomp/actions_avail").exists():
        return Finding(subject="seccomp", state="limited", detail="this kernel has no system call filters")
    if seccomp.program() is None:
        return Finding(
            subject="seccomp",
            state="missing",
            detail="libseccomp was not found: functions run without a system call filter",
            remedy=f"{'' if os.geteuid() == 0 else 'sudo '}apt-get install libseccomp2",
        )
    return Finding(subject="seccomp", state="ok", detail="libseccomp found, filter compiled")


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
        if identifier not in _installable():
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
    absent = [name for name in _installable() if name not in {finding.subject for finding in found}]
    if found and absent:
        found.append(
            Finding(
                subject="other runtimes",
                state="optional",
                detail=f"no interpreter for {', '.join(absent)}",
                remedy=f"firefork runtimes install {' '.join(absent)}",
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


def _installable() -> list[str]:
    return [info.identifier for info in RUNTIMES.values() if (info.python or (0, 0)) >= OLDEST_PYTHON]
