"""A function's own zygote: its runtime, initialised once, which then forks environments (SnapStart).

User code has run in it, so it holds no privilege of the host: it lives in a user namespace of its own, where its
capabilities mean nothing outside, and they are effective only while a fork makes its namespaces. Every environment that
comes of it gives them up before it goes on. See docs/snapstart.md for what that means.

AWS: Lambda developer guide, "Improving startup performance with Lambda SnapStart".
"""

import base64
import contextlib
import os
import random
import shutil
import signal
import socket
import sys
from typing import Any, Callable, Dict, List, Optional

from . import channel, init, kernel, network, root, runtime

_NAMESPACES = kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS | kernel.CLONE_NEWNET
FULL_PROC = root.HIDDEN + "/proc"
"""A whole /proc out of everybody's reach: the kernel lets a namespace mount one only where one can be seen already."""
_KEPT_SIGNALS = (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM)


def confine(options: Dict[str, Any], keep: List[int], entered: Callable[[], None]) -> None:
    """Give up what the code of a function may not have, but for the capabilities of a user namespace of its own.

    ``entered`` is called inside the new namespace and returns when pid 1 has written its maps.
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
    kernel.keep_capabilities(effective=False)
    if options.get("template_filter"):
        kernel.install_filter(base64.b64decode(options["template_filter"]))


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

    def __init__(self, options: Dict[str, Any], control: int, frames: int) -> None:
        self.options = options
        self.control = socket.socket(fileno=control)
        self.control.setblocking(True)
        self.frames = frames

    def serve(self) -> None:
        """Fork an environment for every order; returns only in the runtime of such a one, bound to its stream."""
        threads = len(os.listdir("/proc/self/task"))
        if threads > 1:
            channel.send(self.control, {"event": "unusable", "reason": f"init left {threads - 1} threads running"})
            os._exit(0)
        sys.stdout.flush()
        channel.send(self.control, {"event": "ready", "pid": os.getpid(), "baseline_kb": runtime.resident_kb()})
        while True:
            order, descriptors = channel.receive(self.control)
            if order is None:
                os._exit(0)
            pid = os.fork()
            if pid == 0:
                self._become_environment(descriptors)
                return
            for number in descriptors:
                os.close(number)
            os.waitpid(pid, 0)  # it only lives until it has forked pid 1

    def _become_environment(self, descriptors: List[int]) -> None:
        self.control.close()
        control, output, frames, *groups = descriptors
        for group in groups:
            os.write(group, b"0")
            os.close(group)
        kernel.keep_capabilities(effective=True)
        kernel.unshare(_NAMESPACES | (kernel.CLONE_NEWCGROUP if self.options["cgroup_namespace"] else 0))
        if os.fork():
            os._exit(0)
        Restored(self.options, socket.socket(fileno=control), output, frames, self.frames).run()


class Restored(init.Init):
    """Pid 1 of an environment that was forked from a template."""

    def __init__(
        self, options: Dict[str, Any], control: socket.socket, output: int, frames: int, template_frames: int
    ) -> None:
        super().__init__(options, control, output, frames)
        self.template_frames = template_frames
        self.kept: Dict[int, Any] = {}
        self.kept_wakeup = -1

    def _make_inside(self) -> None:
        network.ask_for_link(self.options, self.control)
        # What the function's init set up is given back to the runtime.
        self.kept = {number: signal.getsignal(number) for number in _KEPT_SIGNALS}
        kernel.mount(None, "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
        self._mask_proc()
        self._copy_tmp()
        kernel.set_host_name(root.API_ADDRESS)
        self.listeners = network.listeners(self.options, self.control)
        self.kept_wakeup = self._catch_signals()

    def _copy_tmp(self) -> None:
        """A ``/tmp`` of its own with what init left in the template's."""
        before = os.open("/tmp", os.O_RDONLY | os.O_DIRECTORY)
        room = os.fstatvfs(before)
        size_kb = room.f_blocks * room.f_frsize // 1024
        options = "mode=1777,size={}k,nr_inodes={}".format(size_kb, room.f_files)
        kernel.mount("tmpfs", "/tmp", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, options)
        old = f"/proc/self/fd/{before}/"
        for name in os.listdir(before):
            source, target = old + name, "/tmp/" + name
            if os.path.isdir(source) and not os.path.islink(source):
                shutil.copytree(source, target, symlinks=True)
            elif os.path.islink(source) or os.path.isfile(source):
                shutil.copy2(source, target, follow_symlinks=False)
        os.close(before)

    def _fork_runtime(self) -> bool:
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(write_end)
            self._leave()
            self._become_runtime(read_end)
            return True
        os.close(read_end)
        self.runtime_pid = pid
        self.handover = write_end
        return False

    def _become_runtime(self, handover: int) -> None:
        os.setsid()
        signal.set_wakeup_fd(self.kept_wakeup)
        for number, handler in self.kept.items():
            signal.signal(number, handler)
        for number in (self.wake_read, self.wake_write):
            os.close(number)
        os.dup2(self.output, 1)
        os.dup2(self.output, 2)
        os.dup2(self.frames, self.template_frames, False)
        for number in (self.output, self.frames):
            os.close(number)
        kernel.clear_capabilities()
        if self.options.get("filter"):
            kernel.install_filter(base64.b64decode(self.options["filter"]))
        order = runtime.read_order(handover)
        os.environ.update(order["environment"])
        random.seed()
        _reseed_numpy()

    def _mount_function(self, order: Dict[str, Any]) -> None:
        """Nothing: the template's mounts came along."""


def _reseed_numpy() -> None:
    numpy_random = sys.modules.get("numpy.random")
    seed: Optional[Callable[[], None]] = getattr(numpy_random, "seed", None)
    if seed is not None:
        with contextlib.suppress(Exception):  # a function's own module of that name may do as it likes
            seed()
