"""Pid 1 of an environment: makes the sandbox's inside, starts the runtime, reports its end, clears up.

It is a fork of the zygote and keeps doing nothing but waiting for the server's orders and for dead children. What
runs below it is another user without capabilities, so it cannot be traced or signalled by a function.
"""

import contextlib
import os
import select
import signal
import socket
import struct
import sys
from typing import Any, Callable, Dict, List, NoReturn, Optional

from . import channel, extension, kernel, network, root, runtime

_READ_ONLY_PROC = ("/proc/sys", "/proc/bus", "/proc/fs", "/proc/irq")
_HIDDEN_PROC = ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sysrq-trigger", "/proc/kallsyms")

_INODES_PER_MB = 256  # empty files cost the host's memory, too: no more than blocks of 4 KiB

_NEVER_ENDED = "-1000"  # out of memory ends the function, never the one who reports it
_ENDED_FIRST = "500"  # where the machine has no memory left, a function goes before the server

STATUS = struct.Struct("=i")
"""How the end of a restored environment's runtime is told to its pid 1."""


class Init:
    """One environment's pid 1."""

    def __init__(self, options: Dict[str, Any], control: socket.socket, output: int, frames: int) -> None:
        self.options = options
        self.control = control
        self.output = output
        self.frames = frames
        self.isolated = options["mode"] != "process"
        self.runtime_pid: Optional[int] = None
        self.session = 0
        """The session that the runtime made: all that can be found of it where there is no /proc."""
        self.extensions: Dict[int, str] = {}
        self.extension_output: Optional[int] = None
        self.stopped = False
        self.handover: Optional[int] = None
        self.binding: Dict[str, Any] = {}
        self.wake_read, self.wake_write = os.pipe()
        self.listeners: List[socket.socket] = []
        self.watched: Dict[int, Callable[[], None]] = {}
        """Further descriptors, and what is done when they can be read."""
        self.adopted: Dict[int, int] = {}
        """Processes of restored environments, which became children of this one, and who is told their end."""
        self.restore: Optional[Callable[[], None]] = None

    def run(self) -> Optional[Callable[[], None]]:
        """Serve until the server is gone; returns only in the bound runtime, a child.

        The answer is what a template calls to be restored, ``None`` in every other runtime.
        """
        self._make_inside()
        if self._fork_runtime():
            return None
        ready = {"event": "ready", "pid": os.getpid()}
        channel.send(self.control, ready, [listener.fileno() for listener in self.listeners])
        while self.listeners:
            self.listeners.pop().close()
        while True:
            readable, _, _ = select.select([self.control.fileno(), self.wake_read, *self.watched], [], [])
            if self.wake_read in readable:
                os.read(self.wake_read, 512)
                self._bury()
            for number in readable:
                if number in self.watched:
                    self.watched[number]()
            if self.control.fileno() in readable:
                order, descriptors = channel.receive(self.control)
                if order is None:
                    self._end()
                if self._obey(order, descriptors):
                    return self.restore
                for number in descriptors:
                    os.close(number)

    def _make_inside(self) -> None:
        network.ask_for_link(self.options, self.control)
        if self.isolated:
            kernel.mount(None, "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
            # The zygote's /proc goes only when the new one is there: see launch.py. /tmp is an empty folder until bind.
            kernel.mount("proc", "/tmp", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
            kernel.unmount("/proc")
            kernel.mount("/tmp", "/proc", flags=kernel.MS_MOVE)
            self._mask_proc()
            kernel.set_host_name(root.API_ADDRESS)
            _weigh_when_out_of_memory(_NEVER_ENDED)
        elif sys.platform == "linux":
            kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        self.listeners = network.listeners(self.options, self.control)
        self._catch_signals()

    @staticmethod
    def _mask_proc() -> None:
        for path in _READ_ONLY_PROC:
            if os.path.exists(path):
                kernel.bind(path, path, flags=kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
        for path in _HIDDEN_PROC:
            if os.path.exists(path):
                kernel.mount("/dev/null", path, flags=kernel.MS_BIND)

    def _catch_signals(self) -> int:
        """Hear of dead children through the wake pipe; the descriptor that heard of signals before."""
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.set_blocking(self.wake_write, False)
        return signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)

    def _fork_runtime(self) -> bool:
        """Fork a runtime that waits on a pipe for its function; true in that child once it is bound."""
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._leave()
            runtime.prepare(self.options, [read_end, self.output, self.frames])
            runtime.become(self.options, read_end, self.output, self.frames)
            return True
        os.close(read_end)
        self.runtime_pid = self.session = pid
        self.handover = write_end
        return False

    def _become_template(self, control: int) -> bool:
        """Run the function's init in a process that forks environments later; true in that process."""
        from . import restorer, template

        if self.runtime_pid is not None and self.handover is not None:
            os.kill(self.runtime_pid, signal.SIGKILL)  # the waiting runtime: it is not the one that is needed
            os.waitpid(self.runtime_pid, 0)
            os.close(self.handover)
        kernel.mount("proc", restorer.FULL_PROC, "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
        read_end, write_end = os.pipe()
        entered_read, entered_write = os.pipe()
        mapped_read, mapped_write = os.pipe()
        outside, inside = socket.socketpair()

        def entered() -> None:
            os.write(entered_write, b"x")
            os.read(mapped_read, 1)

        pid = os.fork()
        if pid == 0:
            self._leave()
            outside.detach()
            keep = [read_end, self.output, self.frames, inside.fileno(), entered_write, mapped_read]
            listener = template.confine(self.options, keep, entered)
            channel.send(inside, {"event": "confined"}, [listener])
            for number in (entered_write, mapped_read, listener):
                os.close(number)
            runtime.become(self.options, read_end, self.output, self.frames)
            self.restore = template.Template(self.options, inside, self.frames).serve
            return True
        if self.options["mode"] == "root":
            os.read(entered_read, 1)
            template.write_maps(pid)
            os.write(mapped_write, b"x")
        for number in (read_end, entered_read, entered_write, mapped_read, mapped_write):
            os.close(number)
        inside.close()
        restorer.Restorer(self, pid, control, outside)
        self.runtime_pid = pid
        self.handover = write_end
        self._start()
        return False

    def _obey(self, order: Dict[str, Any], descriptors: List[int]) -> bool:
        """Carry an order out; true only in a child that has become the runtime."""
        name = order["order"]
        if name == "bind":
            self.binding = order
            self._mount_function(order)
            if order.get("template"):
                return self._become_template(descriptors.pop(0))
            if descriptors:
                self.extension_output = descriptors.pop(0)
            return self._launch()
        if name == "restart":
            self._clear()
            channel.send(self.control, {"event": "cleared"})
            return self._fork_runtime() or self._launch()
        if name == "start":
            self._start()
        elif name == "clear":
            self._clear()
            channel.send(self.control, {"event": "cleared"})
        elif name == "signal":
            self._signal(order["number"], order.get("extension"))
        elif name == "socket":
            self._make_socket()
        elif name in ("stop", "continue") and self.stopped is (name == "continue"):
            self.stopped = not self.stopped
            # The runtime may have been served, and have ended, before this order was read.
            with contextlib.suppress(ProcessLookupError):
                self._signal_all(signal.SIGSTOP if self.stopped else signal.SIGCONT)
        return False

    def _launch(self) -> bool:
        """Start the extensions; without any the runtime starts now, otherwise when the server says so."""
        names = self.binding.get("extensions", [])
        for name in names:
            keep = [self.extension_output] if self.extension_output is not None else []
            pid, problem = extension.start(self.options, name, self.binding["extension_environment"], keep, self._leave)
            if problem is not None:
                channel.send(self.control, {"event": "extension_failed", "name": name, "reason": problem})
            else:
                self.extensions[pid] = name
        if not names:
            self._start()
        return False

    def _leave(self) -> None:
        """In a child: let go of what belongs to pid 1."""
        for inherited in (self.control, *self.listeners):
            inherited.detach()  # or its destructor would close whatever gets the number next
        _weigh_when_out_of_memory(_ENDED_FIRST)

    def _signal(self, number: int, name: Optional[str]) -> None:
        """Signal the runtime, or the extension of that name."""
        if name is None:
            pids = [self.runtime_pid] if self.runtime_pid is not None else []
        else:
            pids = [pid for pid, known in self.extensions.items() if known == name]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                kernel.signal_process(pid, number)

    def _make_socket(self) -> None:
        """A socket of this network namespace for the server, which connects it."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as made:
            channel.send(self.control, {"event": "socket"}, [made.fileno()])

    def _mount_function(self, order: Dict[str, Any]) -> None:
        if not self.isolated:
            return
        try:
            for source, target in order["mounts"]:
                kernel.bind(root.HIDDEN + "/" + source, target)
            options = "mode=1777,size={}m,nr_inodes={}".format(order["tmp_mb"], order["tmp_mb"] * _INODES_PER_MB)
            kernel.mount("tmpfs", "/tmp", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, options)
            for folder in ("/code", "/opt", "/firefork/engine/guest"):
                kernel.unmount(root.HIDDEN + folder)
            for folder in order.get("hide", ()):
                self._hide(folder)
        except OSError as error:
            channel.send(self.control, {"event": "failed", "reason": f"{error.filename}: {error.strerror}"})

    @staticmethod
    def _hide(folder: str) -> None:
        """Let go of everything mounted at or below a folder; what is open or mapped stays usable to its holders."""
        for target in kernel.mounts_below(folder):
            kernel.unmount(target)

    def _start(self) -> None:
        """Hand the waiting runtime its function."""
        if self.handover is None:
            return
        data = self.binding["runtime"].encode()
        with contextlib.suppress(BrokenPipeError):  # it died while it waited: its end is reported like any other
            view = memoryview(data)
            while view:
                view = view[os.write(self.handover, view) :]
        os.close(self.handover)
        self.handover = None

    def _bury(self) -> None:
        """Report the runtime's end; adopt and bury everything else."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.runtime_pid:
                self.runtime_pid = None
                channel.send(self.control, {"event": "exited", "status": status})
            elif pid in self.extensions:
                name = self.extensions.pop(pid)
                channel.send(self.control, {"event": "extension_exited", "name": name, "status": status})
            elif pid in self.adopted:
                told = self.adopted.pop(pid)
                if told >= 0:
                    with contextlib.suppress(BrokenPipeError):  # its environment ended with it
                        os.write(told, STATUS.pack(status))
                    os.close(told)

    def _clear(self) -> None:
        """End every process but this one, and wait until they are gone."""
        self.runtime_pid = None
        self.extensions.clear()
        self.stopped = False
        if self.handover is not None:
            os.close(self.handover)
            self.handover = None
        while True:
            try:
                self._signal_all(signal.SIGKILL)
                os.waitpid(-1, 0)
            except (ChildProcessError, ProcessLookupError):
                return

    def _signal_all(self, number: int) -> None:
        """Signal every process but this one. Raises ProcessLookupError when there is none."""
        if self.isolated:
            os.kill(-1, number)
        elif os.path.isdir("/proc"):
            runtime.signal_below(os.getpid(), number)
        else:
            os.killpg(self.session, number)

    def _end(self) -> NoReturn:
        if not self.isolated:
            with contextlib.suppress(OSError):
                self._clear()
        os._exit(0)


def _weigh_when_out_of_memory(weight: str) -> None:
    """Have the kernel choose this process sooner or later than others; children inherit it. See proc(5)."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write(weight)
    except OSError:
        pass  # to lower it takes CAP_SYS_RESOURCE of the host's; some systems have none of it


def run(options: Dict[str, Any], control: socket.socket, output: int, frames: int) -> Optional[Callable[[], None]]:
    """Be pid 1 of an environment; returns only in the runtime process that a function is bound to (see Init.run)."""
    return Init(options, control, output, frames).run()
