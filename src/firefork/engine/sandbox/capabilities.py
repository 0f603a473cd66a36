"""What this machine allows: which kind of sandbox can be made, and with which limits."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from firefork.engine.sandbox import seccomp
from firefork.engine.sandbox.cgroups import Hierarchies, find_hierarchies

_PROBE: Final = """
import os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, {source!r})
from firefork.engine.guest import kernel, launch
if {user}:
    launch.enter_user_namespace()
for flag in (kernel.CLONE_NEWNS, kernel.CLONE_NEWPID, kernel.CLONE_NEWIPC, kernel.CLONE_NEWNET, kernel.CLONE_NEWUTS):
    kernel.unshare(flag)
kernel.mount(None, "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
kernel.mount("tmpfs", "/mnt", "tmpfs")
if os.fork() == 0:
    kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """How functions can be isolated here."""

    mode: str
    """``root``, ``user`` or ``process``."""
    hierarchies: Hierarchies | None
    seccomp: bool
    why_not: str | None = None
    """Why ``mode`` is no better than it is."""

    def describe(self) -> str:
        """One line for people."""
        if self.mode == "process":
            return f"plain processes without isolation or limits ({self.why_not})"
        kind = "namespaces as root" if self.mode == "root" else "namespaces of an ordinary user"
        if self.hierarchies is None:
            limits = "no cgroup limits"
        else:
            limits = f"cgroup v{self.hierarchies.version} ({', '.join(sorted(self.hierarchies.parents))})"
        return f"{kind}, {limits}, {'seccomp' if self.seccomp else 'no seccomp (libseccomp is missing)'}"


def detect(wanted: str = "auto") -> Capabilities:
    """Find out by trying, in child processes. ``wanted``: ``auto``, ``namespaces`` or ``process``.

    Raises RuntimeError when ``namespaces`` is wanted and cannot be had.
    """
    if wanted == "process":
        return Capabilities(mode="process", hierarchies=None, seccomp=False, why_not="asked for by --sandbox process")
    mode, why_not = _best_mode()
    if mode == "process":
        if wanted == "namespaces":
            raise RuntimeError(f"namespaces cannot be used here: {why_not}")
        return Capabilities(mode="process", hierarchies=None, seccomp=False, why_not=why_not)
    return Capabilities(
        mode=mode, hierarchies=find_hierarchies(), seccomp=seccomp.program() is not None, why_not=why_not
    )


def _best_mode() -> tuple[str, str | None]:
    if sys.platform != "linux":
        return "process", f"{sys.platform} has no namespaces"
    if os.geteuid() == 0:
        why = _try(user=False)
        if why is None:
            return "root", None
    why = _try(user=True)
    return ("user", None) if why is None else ("process", why)


def _try(*, user: bool) -> str | None:
    """Make every namespace in a child; why that failed, ``None`` when it worked."""
    import firefork

    source = os.path.dirname(os.path.dirname(os.path.abspath(firefork.__file__)))
    probe = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _PROBE.format(source=source, user=user)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if probe.returncode == 0:
        return None
    words = probe.stderr.strip().splitlines()
    return words[-1] if words else f"the probe ended with {probe.returncode}"
