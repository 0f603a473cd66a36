"""A function's own zygote: its runtime, initialised once, which then forks environments (SnapStart).

User code has run in it, so it holds no privilege: no capability in any set, the system call filter of every runtime. It
cannot make a namespace, nor enter one; a fork of it enters those that ``restorer.py`` made, when that lets it.

AWS: Lambda developer guide, "Improving startup performance with Lambda SnapStart".
"""

import base64
import contextlib
import os
import random
import socket
import sys
from typing import Any, Callable, Dict, List, Optional

from . import channel, kernel, root, runtime


def confine(options: Dict[str, Any], keep: List[int], entered: Callable[[], None]) -> int:
    """Give up what the code of a function may not have; the descriptor that hears of calls of setns.

    The user namespace is the version's own. ``entered`` is called inside it and returns when pid 1 has written its
    maps.
    """
    runtime.shed(keep)
    if options["mode"] == "root":
        os.setgroups([])
        kernel.unshare(kernel.CLONE_NEWUSER)
        entered()
        os.setresgid(root.GROUP_ID, root.GROUP_ID, root.GROUP_ID)
        os.setresuid(root.USER_ID, root.USER_ID, root.USER_ID)
    else:
        runtime.enter_own_user_namespace(options)
    kernel.drop_capability_bounds()
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.clear_capabilities()
    return kernel.install_listening_filter(base64.b64decode(options["template_filter"]))


def write_maps(pid: int) -> None:
    """As pid 1: let the template's namespace know the one user that functions are."""
    lines = (
        ("setgroups", "deny"),
        ("uid_map", f"{root.USER_ID} {root.USER_ID} 1"),
        ("gid_map", f"{root.GROUP_ID} {root.GROUP_ID} 1"),
    )
    for name, text in lines:
        with open(f"/proc/{pid}/{name}", "w") as file:
            file.write(text)


class Template:
    """The initialised runtime between its hooks before the snapshot and the end of its version."""

    def __init__(self, options: Dict[str, Any], control: socket.socket, frames: int) -> None:
        """``control`` is a socket to pid 1."""
        self.options = options
        self.control = control
        self.frames = frames

    def serve(self) -> None:
        """Fork a runtime for every order; returns only in such a one, in its environment and bound to its stream."""
        threads = len(os.listdir("/proc/self/task"))
        if threads > 1:
            channel.send(self.control, {"event": "unusable", "reason": f"init left {threads - 1} threads running"})
            os._exit(0)
        sys.stdout.flush()
        channel.send(self.control, {"event": "ready", "baseline_kb": runtime.resident_kb()})
        while True:
            order, descriptors = channel.receive(self.control)
            if order is None:
                os._exit(0)
            pid = os.fork()
            if pid == 0:
                self._become_runtime(descriptors)
                return
            for number in descriptors:
                os.close(number)
            os.waitpid(pid, 0)  # it only lives until it has forked the runtime

    def _become_runtime(self, descriptors: List[int]) -> None:
        self.control.close()
        entrance, output, frames, handover, *groups = descriptors
        try:
            for group in groups:
                os.write(group, b"0")
                os.close(group)
            with socket.socket(fileno=entrance) as pid_1:
                _, doors = channel.receive(pid_1)
            if not doors:
                os._exit(1)  # there is no environment
            kernel.set_namespace(doors[0], kernel.ENVIRONMENT_NAMESPACES | _cgroup_namespace(self.options))
            # Entering a user namespace gives all capabilities in it.
            kernel.drop_capability_bounds()
            kernel.clear_capabilities()
            if os.fork():  # a process namespace is entered by children
                os._exit(0)
        except OSError:
            os._exit(1)  # the restorer sees that nobody came
        os.setsid()
        os.close(doors[0])
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.dup2(frames, self.frames, False)
        for number in (output, frames):
            os.close(number)
        if self.options.get("filter"):
            kernel.install_filter(base64.b64decode(self.options["filter"]))
        order = runtime.read_order(handover)
        os.environ.update(order["environment"])
        random.seed()
        _reseed_numpy()


def _cgroup_namespace(options: Dict[str, Any]) -> int:
    return kernel.CLONE_NEWCGROUP if options["cgroup_namespace"] else 0


def _reseed_numpy() -> None:
    numpy_random = sys.modules.get("numpy.random")
    seed: Optional[Callable[[], None]] = getattr(numpy_random, "seed", None)
    if seed is not None:
        with contextlib.suppress(Exception):  # a function's own module of that name may do as it likes
            seed()
