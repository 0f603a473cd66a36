"""One sandbox as the server holds it: its control socket, its pipes and listening sockets, its cgroup, its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from firefork.engine.guest.root import API_ADDRESS
from firefork.engine.sandbox.cgroups import Cgroup
from firefork.engine.sandbox.channel import Channel, Message


class SandboxLost(Exception):
    """The sandbox ended before it was ready, or refused an order; the message says why."""


class Sandbox:
    """A forked sandbox: a spare until ``bind``, then one function's, until ``kill``.

    ``output`` and ``frames`` are the read ends of its stdout/stderr and telemetry pipes (non-blocking);
    ``runtime_listener`` and ``endpoint_listener`` are sockets that listen inside its network namespace.
    """

    def __init__(self, *, cgroup: Cgroup | None, isolated: bool, baseline_bytes: int) -> None:
        self._loop = asyncio.get_running_loop()
        self.channel = Channel()
        self.cgroup = cgroup
        self.isolated = isolated
        self.baseline_bytes = baseline_bytes
        """Memory that is shared with the zygote, which a process of its own would have had to pay for."""
        self.output, self._output_writer = os.pipe2(os.O_CLOEXEC)
        self.frames, self._frames_writer = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.output, False)
        os.set_blocking(self.frames, False)
        self.runtime_listener: socket.socket | None = None
        self.more_listeners: list[socket.socket] = []
        """Further ones for the Runtime API."""
        self.endpoint_listener: socket.socket | None = None
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.gone = asyncio.Event()
        """Set when no process of it is left."""
        self.on_exit: Callable[[int], None] = lambda status: None
        """Called with the wait status when the runtime process ended."""
        self.on_extension_exit: Callable[[str, int | None, str], None] = lambda name, status, reason: None
        """Called with name and wait status when an extension ended, or with ``None`` and why it could not start."""
        self.extension_output: int | None = None
        """Read end of what extensions print, once ``bind`` was told of some."""
        self._sockets: deque[asyncio.Future[socket.socket]] = deque()
        self.on_gone: Callable[[], None] = lambda: None
        self._cleared: asyncio.Future[None] | None = None
        self._pidfd: int | None = None
        self._pid: int | None = None
        self._closed = False
        self._stopped = False
        self.channel.on_message = self._on_message
        self.channel.on_end = self._on_end

    @property
    def address(self) -> str:
        """Where its own listeners are, for whoever is inside."""
        return API_ADDRESS if self.isolated else "127.0.0.1"

    def guest_descriptors(self) -> list[int]:
        """What the zygote hands to the new sandbox: control, output, frames, then the cgroup's join files."""
        groups = self.cgroup.join_descriptors() if self.cgroup else []
        return [self.channel.guest_end().fileno(), self._output_writer, self._frames_writer, *groups]

    def handed_over(self, descriptors: Sequence[int]) -> None:
        """Close this side's copies of what ``guest_descriptors`` gave."""
        self.channel.guest_end().close()
        for number in descriptors[1:]:
            os.close(number)

    def bind(
        self,
        *,
        mounts: Sequence[tuple[str, str]],
        tmp_mb: int,
        runtime: str,
        hide: Sequence[str] = (),
        extensions: Sequence[str] = (),
        extension_environment: Mapping[str, str] | None = None,
        template: int | None = None,
    ) -> None:
        """Give the sandbox its function. ``runtime`` is the JSON that ``guest/runtime.py`` reads.

        With ``extensions`` (file names in ``/opt/extensions``) those are started, and the runtime only by ``start``.
        With ``template``, a descriptor, the runtime forks environments for whoever holds the other end.
        """
        order: dict[str, object] = {
            "order": "bind",
            "mounts": list(mounts),
            "tmp_mb": tmp_mb,
            "runtime": runtime,
            "hide": list(hide),
        }
        if template is not None:
            self.channel.send(order | {"template": True}, [template])
            return
        if not extensions:
            self.channel.send(order)
            return
        self.extension_output, writer = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.extension_output, False)
        try:
            order |= {"extensions": list(extensions), "extension_environment": dict(extension_environment or {})}
            self.channel.send(order, [writer])
        finally:
            os.close(writer)

    def start(self) -> None:
        """Start the runtime after its extensions."""
        self.channel.send({"order": "start"})

    def signal(self, number: int, *, extension: str | None = None) -> None:
        """Signal the runtime process, or an extension's; nothing happens when it is gone."""
        self._send_quietly({"order": "signal", "number": number, "extension": extension})

    async def open_socket(self) -> socket.socket:
        """A TCP socket of the sandbox's network, not connected. Raises OSError when the sandbox is gone."""
        if not self.isolated:
            return socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made: asyncio.Future[socket.socket] = self._loop.create_future()
        self._sockets.append(made)
        self.channel.send({"order": "socket"})
        return await made

    def restart(self) -> None:
        """End all processes and start the runtime again in the same sandbox: ``/tmp`` stays."""
        self.channel.send({"order": "restart"})

    async def clear(self, *, patience_s: float = 2.0) -> None:
        """End every process of the function and wait for it; raises SandboxLost if they do not go."""
        if self.gone.is_set():
            return
        self.thaw()
        self._cleared = self._loop.create_future()
        try:
            self.channel.send({"order": "clear"})
            await asyncio.wait_for(self._cleared, patience_s)
        except (OSError, TimeoutError) as error:
            self.kill()
            raise SandboxLost("its processes did not end") from error
        finally:
            self._cleared = None

    def kill(self) -> None:
        """End the sandbox at once: killing pid 1 of a pid namespace kills all of it (pid_namespaces(7))."""
        self.thaw()
        if not self.isolated:
            self.channel.finish()  # without a namespace only init can find its processes: it clears up and leaves
        elif self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        elif self._pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        else:
            self.channel.finish()  # not ready yet: it reads the end of its stream first thing

    def freeze(self) -> None:
        """Let everything in it stand still: by the freezer, or by signals where there is none."""
        if self.cgroup is None or not self.cgroup.freeze():
            self._stopped = True
            self._send_quietly({"order": "stop"})

    def thaw(self) -> None:
        if self._stopped:
            self._stopped = False
            self._send_quietly({"order": "continue"})
        elif self.cgroup is not None:
            with contextlib.suppress(OSError):
                self.cgroup.thaw()

    def _send_quietly(self, order: Mapping[str, object]) -> None:
        with contextlib.suppress(OSError):  # it is gone, which is told elsewhere
            self.channel.send(order)

    async def close(self) -> None:
        """Kill what is left and release everything; returns when nothing of the sandbox remains."""
        if self._closed:
            return
        self._closed = True
        if not self.gone.is_set():
            self.kill()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.gone.wait(), 5)
        self.channel.close()
        for listener in (self.runtime_listener, self.endpoint_listener, *self.more_listeners):
            if listener is not None:
                listener.close()
        os.close(self.output)
        os.close(self.frames)
        if self.extension_output is not None:
            os.close(self.extension_output)
        if self._pidfd is not None:
            os.close(self._pidfd)
        if self.cgroup is not None:
            await asyncio.to_thread(self.cgroup.remove)

    def _on_message(self, message: Message, descriptors: list[int]) -> None:
        event = message["event"]
        if event == "ready":
            listeners = [socket.socket(fileno=number) for number in descriptors]
            self.runtime_listener, self.endpoint_listener, *self.more_listeners = listeners
            self._pid = message["host_pid"] or message["pid"]
            if hasattr(os, "pidfd_open"):
                with contextlib.suppress(OSError):
                    self._pidfd = os.pidfd_open(self._pid)
            if not self.ready.done():
                self.ready.set_result(None)
        elif event == "exited":
            self.on_exit(message["status"])
        elif event == "extension_exited":
            self.on_extension_exit(message["name"], message["status"], "")
        elif event == "extension_failed":
            self.on_extension_exit(message["name"], None, message["reason"])
        elif event == "socket":
            made = socket.socket(fileno=descriptors[0])
            wanted = self._sockets.popleft()
            if wanted.done():
                made.close()
            else:
                wanted.set_result(made)
        elif event == "cleared":
            if self._cleared is not None and not self._cleared.done():
                self._cleared.set_result(None)
        elif event == "failed":
            self.lost_reason = message["reason"]
            self.kill()

    lost_reason: str = "its first process ended"

    def _on_end(self) -> None:
        if self.gone.is_set():
            return
        self.gone.set()
        if not self.ready.done():
            self.ready.set_exception(SandboxLost(self.lost_reason))
            self.ready.exception()  # whoever awaits it sees it; nobody has to
        if self._cleared is not None and not self._cleared.done():
            self._cleared.set_result(None)
        while self._sockets:
            wanted = self._sockets.popleft()
            if not wanted.done():
                wanted.set_exception(OSError("the sandbox is gone"))
        self.on_gone()
