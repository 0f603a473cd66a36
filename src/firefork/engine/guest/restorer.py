"""Restoring environments from a template: all of it that takes privileges, in processes that never ran user code.

Pid 1 of the template's sandbox forks pid 1 of an environment, which takes namespaces of its own inside a user namespace
whose owner is the functions' user; so the kernel lets a process of that user in that holds no capability
(user_namespaces(7)). A fork of the template asks with setns(2). Its system call filter hands the call over to here, and
it is let in if it is expected, alone, and asks for that environment and no other (seccomp_unotify(2)).

Between that moment and the drop of the capabilities that the kernel gives to who enters, code of a hostile template
could run with them. They are of no use: the filter of every runtime denies what they would allow to mounts, names and
processes, the network belongs to yet another user namespace, and pid 1 cannot be looked into. The network is made, and
the server hears of the environment, when nobody in it has a capability any more.
"""

import base64
import contextlib
import os
import select
import shutil
import signal
import socket
import struct
import time
from typing import Any, Dict, List, NoReturn, Optional, Tuple

from . import channel, init, kernel, network, root, runtime, template

FULL_PROC = root.HIDDEN + "/proc"
"""A whole /proc out of everybody's reach: the kernel lets a namespace mount one only where one can be seen already."""
_LIMIT_S = 5.0
"""For the template to fork and the fork to move."""
_PIDS = struct.Struct("=ii")
_HELPER = -1
"""Nobody is told the end of a process of this kind."""
_NO_CAPABILITY = "0000000000000000"


class Restorer:
    """What pid 1 of a template's sandbox does besides: between the server, the template and the environments."""

    def __init__(self, first: init.Init, pid: int, control: int, inner: socket.socket) -> None:
        """``pid`` is the template's, ``control`` the server's socket for orders, ``inner`` one to the template.

        Called before any code of the function runs.
        """
        self.first = first
        self.pid = pid
        self.control = socket.socket(fileno=control)
        self.control.setblocking(True)
        self.inner = inner
        _, (self.listener,) = channel.receive(inner)
        inner.settimeout(_LIMIT_S)  # from now on nobody knows what is at its other end
        first.watched = {
            control: self._obey,
            inner.fileno(): self._hear_template,
            self.listener: self._refuse,
        }

    def _hear_template(self) -> None:
        """Pass on what the template says of itself, as far as it is true."""
        event, told = "unusable", {"reason": "init left a process that cannot be forked"}  # type: str, Dict[str, Any]
        try:
            message, descriptors = channel.receive(self.inner)
            for number in descriptors:
                os.close(number)
            if message is None:
                self._let_go()  # it executed another interpreter, or is about to be buried
                return
            if message["event"] == "ready":
                others = len(_processes("self")) - 2
                if others:
                    told = {"reason": f"init left {others} processes running"}
                else:
                    event, told = "ready", {"pid": self.pid, "baseline_kb": int(message["baseline_kb"])}
            else:
                told = {"reason": str(message["reason"])}
        except (OSError, ValueError, KeyError, TypeError):
            pass  # the function's code holds the other end and says what it likes
        with contextlib.suppress(OSError):  # the server is gone, which ends everything soon
            channel.send(self.control, {"event": event, **told})
        if event == "unusable":
            self._end()

    def _end(self) -> None:
        """No environment will come of this template any more, and nothing else either."""
        self._let_go()
        if self.first.runtime_pid == self.pid:
            os.kill(self.pid, signal.SIGKILL)

    def _let_go(self) -> None:
        for number in (self.control.fileno(), self.inner.fileno()):
            self.first.watched.pop(number, None)
        self.control.close()
        self.inner.close()

    def _refuse(self) -> None:
        """A call of setns that nobody waits for."""
        try:
            kernel.answer_call(self.listener, kernel.receive_call(self.listener), proceed=False)
        except OSError:  # its process ended
            if kernel.is_without_callers(self.listener):
                self.first.watched.pop(self.listener, None)  # it would be ready, with nothing to say, for ever

    def _obey(self) -> None:
        order, descriptors = channel.receive(self.control)
        if order is None:
            self._end()
            return
        self._restore(descriptors)
        for number in descriptors:
            os.close(number)

    def _restore(self, descriptors: List[int]) -> None:
        """One environment: its pid 1 from here, its runtime from the template."""
        control, output, frames, *groups = descriptors
        handover_read, handover_write = os.pipe()
        told_read, told_write = os.pipe()
        pid_read, pid_write = os.pipe()
        opened_read, opened_write = os.pipe()
        entrance, its_end = socket.socketpair()
        with contextlib.suppress(OSError):  # it ended: nobody will come
            # It forks while the environment is made: joining control groups takes both of them long.
            channel.send(self.inner, {"order": "restore"}, [its_end.fileno(), output, frames, handover_read, *groups])
        its_end.close()
        maker = os.fork()
        if maker == 0:
            entrance.detach()
            self._become_environment(control, groups, handover_write, told_read, pid_write, opened_write)
        for number in (handover_read, handover_write, told_read, pid_write, opened_write):
            os.close(number)
        made = os.read(pid_read, _PIDS.size)
        os.waitpid(maker, 0)
        runtime_pid = None
        if made:
            environment, helper = _PIDS.unpack(made)
            self.first.adopted[helper] = _HELPER
            if os.read(opened_read, 1):
                with contextlib.suppress(OSError):  # told below: nobody came
                    runtime_pid = self._fetch_runtime(environment, entrance)
            if runtime_pid is None:
                os.kill(environment, signal.SIGKILL)
        os.close(pid_read)
        os.close(opened_read)
        entrance.close()
        if runtime_pid is None:
            os.close(told_write)
        else:
            self.first.adopted[runtime_pid] = told_write
            with contextlib.suppress(BrokenPipeError):  # the server ended it
                os.write(told_write, init.STATUS.pack(0))

    def _fetch_runtime(self, environment: int, entrance: socket.socket) -> Optional[int]:
        """Have a fork of the template move into an environment; the pid of the runtime there, if one came."""
        others = _processes(environment) - {environment}
        if len(others) != 1:
            return None  # the server ended it
        door = others.pop()
        descriptor = os.pidfd_open(door)
        try:
            channel.send(entrance, {"order": "enter"}, [descriptor])
        finally:
            os.close(descriptor)
        deadline = time.monotonic() + _LIMIT_S
        try:
            mover = self._let_in(door, deadline)
            if mover is None:
                return None
            # It has forked the runtime when it is gone; nobody outside of the environment has its capabilities then.
            self._await_end(mover, deadline)
            os.close(mover)
        finally:
            os.kill(self.pid, signal.SIGCONT)
        arrived = _processes(environment) - {environment, door}
        return arrived.pop() if len(arrived) == 1 else None

    def _await_end(self, mover: int, deadline: float) -> None:
        """Wait for the end of a process, which comes at ``deadline`` at the latest; it may enter nothing else."""
        while True:
            told, _, _ = select.select([mover, self.listener], [], [], max(0.0, deadline - time.monotonic()))
            if mover in told:
                return
            if told:
                self._refuse()
            else:
                signal.pidfd_send_signal(mover, signal.SIGKILL)
                select.select([mover], [], [])
                return

    def _let_in(self, door: int, deadline: float) -> Optional[int]:
        """Let a fork of the template enter; a pidfd of it. Who asks for anything else spoils it for all."""
        sources = [self.listener, self.inner.fileno()]
        told, _, _ = select.select(sources, [], [], max(0.0, deadline - time.monotonic()))
        if told != [self.listener]:
            return None  # it takes too long, or the template says something instead, or ended
        call = kernel.receive_call(self.listener)
        if not self._may_enter(call, door):
            kernel.answer_call(self.listener, call, proceed=False)
            return None
        mover = os.pidfd_open(call.pid)
        kernel.answer_call(self.listener, call, proceed=True)
        return mover

    def _may_enter(self, call: kernel.HandedOver, door: int) -> bool:
        """Whether it asks for the namespaces of that process, and nobody can change what it asks for.

        All others stand still: the template is stopped, and there is nobody else.
        """
        descriptor, kinds = call.arguments[:2]
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        own = {os.getpid()} | {pid for pid, told in self.first.adopted.items() if told == _HELPER}
        if _processes("self") - own != {self.pid, call.pid} or call.pid == self.pid:
            return False
        try:
            if len(os.listdir(f"/proc/{call.pid}/task")) != 1:
                return False
            with open(f"/proc/{call.pid}/fdinfo/{descriptor}") as file:
                target = [line.split()[1] for line in file if line.startswith("Pid:")]
        except OSError:
            return False
        namespaces = kernel.ENVIRONMENT_NAMESPACES
        namespaces |= kernel.CLONE_NEWCGROUP if self.first.options["cgroup_namespace"] else 0
        return target == [str(door)] and kinds == namespaces

    def _become_environment(
        self, control: int, groups: List[int], handover: int, told: int, pid_write: int, opened: int
    ) -> NoReturn:
        """Take namespaces that the template's user owns, and be pid 1 in them."""
        try:
            signal.set_wakeup_fd(-1)
            for group in groups:
                os.write(group, b"0")
            owners = os.open(f"/proc/{self.pid}/ns/user", os.O_RDONLY)
            self.first._leave()
            for mine in (self.control, self.inner):
                mine.detach()
            runtime.close_all_but([control, handover, told, pid_write, opened, owners])
            options = self.first.options
            if options["mode"] == "root":
                os.setgroups([])
            kernel.set_namespace(owners, kernel.CLONE_NEWUSER)
            os.close(owners)
            os.setresgid(root.GROUP_ID, root.GROUP_ID, root.GROUP_ID)
            os.setresuid(root.USER_ID, root.USER_ID, root.USER_ID)
            kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
            kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
            server = socket.socket(fileno=control)
            helper, to_helper = _fork_helper(options, server, [handover, told, pid_write, opened])
            kernel.unshare(kernel.CLONE_NEWUSER)
            template.write_maps(os.getpid())
            own = kernel.ENVIRONMENT_NAMESPACES & ~kernel.CLONE_NEWUSER & ~kernel.CLONE_NEWNET
            kernel.unshare(own | (kernel.CLONE_NEWCGROUP if options["cgroup_namespace"] else 0))
            # Who enters the user namespace has its capabilities for a moment, and could change this process with them.
            kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
            pid = os.fork()
            if pid:
                os.write(pid_write, _PIDS.pack(pid, helper))
                os._exit(0)
            os.close(pid_write)
            Restored(options, server, handover, told, to_helper, opened).run()
        except OSError:
            pass  # the server reads the end of its socket
        finally:
            os._exit(1)


def _fork_helper(options: Dict[str, Any], server: socket.socket, not_its: List[int]) -> Tuple[int, socket.socket]:
    """Enter a network namespace that is somebody else's; its process, which makes the network, and a socket to it.

    It waits for a message, talks to the server, answers with the listeners, and ends.
    """
    ours, its = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            for number in not_its:
                os.close(number)
            kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNET)
            channel.send(its, {"event": "made"})
            order, _ = channel.receive(its)
            if order is not None:
                network.ask_for_link(options, server)
                listeners = network.listeners(options, server)
                channel.send(its, {"event": "listening"}, [listener.fileno() for listener in listeners])
        finally:
            os._exit(0)
    its.close()
    channel.receive(ours)
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    kernel.set_namespace(namespace, kernel.CLONE_NEWNET)
    os.close(namespace)
    return pid, ours


class Restored(init.Init):
    """Pid 1 of an environment whose runtime comes from a template; that is the child of another, who tells its end."""

    def __init__(
        self,
        options: Dict[str, Any],
        control: socket.socket,
        handover: int,
        told: int,
        helper: socket.socket,
        opened: int,
    ) -> None:
        super().__init__(options, control, output=-1, frames=-1)
        self.handover = handover
        self.told = told
        self.helper = helper
        self.door = self._open_door(opened)

    def _open_door(self, opened: int) -> int:
        """A process without privileges, through whose pidfd the namespaces are entered; ``opened`` hears of it.

        The kernel lets nobody in through a process that may not be looked into, as this one.
        """
        ready_read, ready_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                runtime.close_all_but([ready_write])
                kernel.drop_capability_bounds()
                kernel.clear_capabilities()
                kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
                kernel.install_filter(base64.b64decode(self.options["filter"]))
                os.write(ready_write, b"x")
                signal.pause()
            finally:
                os._exit(0)
        os.close(ready_write)
        os.read(ready_read, 1)
        os.close(ready_read)
        os.write(opened, b"x")
        os.close(opened)
        return pid

    def _make_inside(self) -> None:
        kernel.mount(None, "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
        self._mask_proc()
        self._copy_tmp()
        kernel.set_host_name(root.API_ADDRESS)
        self._catch_signals()

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
        """Wait for the runtime instead; the network is made once nothing in the environment has a capability."""
        if not os.read(self.told, init.STATUS.size):
            os._exit(0)
        os.kill(self.door, signal.SIGKILL)
        os.waitpid(self.door, 0)
        self.runtime_pid = _without_capabilities()
        if self.runtime_pid is None:
            os._exit(1)
        self.watched[self.told] = self._hear_of_end
        channel.send(self.helper, {"order": "network"})
        _, descriptors = channel.receive(self.helper)
        self.helper.close()
        if not descriptors:
            os._exit(1)
        self.listeners = [socket.socket(fileno=number) for number in descriptors]
        return False

    def _hear_of_end(self) -> None:
        data = os.read(self.told, init.STATUS.size)
        del self.watched[self.told]
        os.close(self.told)
        if data and self.runtime_pid is not None:
            self.runtime_pid = None
            channel.send(self.control, {"event": "exited", "status": init.STATUS.unpack(data)[0]})

    def _mount_function(self, order: Dict[str, Any]) -> None:
        """Nothing: the template's mounts came along."""


def _without_capabilities() -> Optional[int]:
    """The one process beside this one, if there is one and it holds no capability.

    First its capabilities, then who else there is: what it made while it had some is there to be seen, and what it
    makes afterwards has none.
    """
    others = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
    if len(others) != 1:
        return None
    pid = others[0]
    with open(f"/proc/{pid}/status") as file:
        held = {line.split()[1] for line in file if line.startswith(("CapInh", "CapPrm", "CapEff", "CapAmb"))}
    now = {int(name) for name in os.listdir("/proc") if name.isdigit()}
    alone = now == {os.getpid(), pid} and len(os.listdir(f"/proc/{pid}/task")) == 1
    return pid if held == {_NO_CAPABILITY} and alone else None


def _processes(like: Any) -> "set[int]":
    """The processes of the process namespace that ``like`` is in: a pid, or ``self``."""
    wanted = os.stat(f"/proc/{like}/ns/pid").st_ino
    found = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):  # it ended
                if os.stat(f"/proc/{name}/ns/pid").st_ino == wanted:
                    found.add(int(name))
    return found
