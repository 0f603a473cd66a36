"""The server's end of a guest's control socket, on the event loop. The message form is ``guest/channel.py``'s."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from firefork.engine.guest.channel import descriptors_in, send

_LENGTH: Final = struct.Struct("!I")
_ANCILLARY_SIZE: Final = socket.CMSG_SPACE(16 * 4) + socket.CMSG_SPACE(struct.calcsize("3i"))
_SCM_CREDENTIALS: Final = getattr(socket, "SCM_CREDENTIALS", 2)

Message = dict[str, Any]


class Channel:
    """Calls ``on_message(message, descriptors)`` for each message and ``on_end()`` once, when the guest is gone.

    A message gets the member ``host_pid``: the sender's process id as this process sees it, where the kernel tells
    (unix(7), SCM_CREDENTIALS). Descriptors belong to the receiver.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket, self._guest = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        passcred = getattr(socket, "SO_PASSCRED", None)
        if passcred is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, passcred, 1)
        self._data = bytearray()
        self._descriptors: list[int] = []
        self._host_pid: int | None = None
        self.on_message: Callable[[Message, list[int]], None] = lambda message, descriptors: None
        self.on_end: Callable[[], None] = lambda: None
        self._loop.add_reader(self._socket.fileno(), self._readable)

    def guest_end(self) -> socket.socket:
        """The end to pass to the guest; close it here afterwards."""
        return self._guest

    def send(self, message: Mapping[str, object], descriptors: Sequence[int] = ()) -> None:
        """Send one message. Raises OSError when the guest is gone; the socket's buffer holds any message of ours."""
        send(self._socket, message, descriptors)

    def finish(self) -> None:
        """Let the guest read the end of the stream; what it still says is heard, and ``on_end`` when it is gone."""
        with contextlib.suppress(OSError):  # it is gone already
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Stop listening; the guest reads the end of the stream. ``on_end`` is not called any more."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
        self._guest.close()
        for number in self._descriptors:
            os.close(number)
        self._descriptors.clear()

    def _readable(self) -> None:
        while True:
            try:
                data, ancillary, _, _ = self._socket.recvmsg(65536, _ANCILLARY_SIZE)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                data, ancillary = b"", []
            self._descriptors.extend(descriptors_in(ancillary))
            for level, kind, content in ancillary:
                if level == socket.SOL_SOCKET and kind == _SCM_CREDENTIALS:
                    self._host_pid = struct.unpack_from("i", content)[0]
            if not data:
                self.close()
                self.on_end()
                return
            self._data += data
            self._deliver()
            if self._socket.fileno() < 0:
                return

    def _deliver(self) -> None:
        while len(self._data) >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(self._data)
            end = _LENGTH.size + size
            if len(self._data) < end:
                return
            message: Message = json.loads(bytes(self._data[_LENGTH.size : end]))
            del self._data[:end]
            message["host_pid"] = self._host_pid
            # Not all that have come: the kernel may join a message in front of it to the one with descriptors.
            count = message.get("descriptors", 0)
            descriptors, self._descriptors = self._descriptors[:count], self._descriptors[count:]
            self.on_message(message, descriptors)
