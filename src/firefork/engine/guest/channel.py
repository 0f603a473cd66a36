"""Messages with file descriptors between the server and its guests.

A message is a JSON object behind a four-byte big-endian length on a stream socket; descriptors travel as
SCM_RIGHTS with its first byte (unix(7)). Streams and not packets, because macOS has no AF_UNIX packets.
"""

import array
import json
import os
import socket
import struct
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

_LENGTH = struct.Struct("!I")
_MAXIMUM_DESCRIPTORS = 16


def send(connection: socket.socket, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send one message; blocks until the kernel has all of it. It says itself how many descriptors belong to it."""
    if descriptors:
        message = dict(message, descriptors=len(descriptors))
    payload = json.dumps(message).encode()
    data = _LENGTH.pack(len(payload)) + payload
    if descriptors:
        rights = array.array("i", descriptors)
        sent = connection.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        data = data[sent:]
    if data:
        connection.sendall(data)


def receive(connection: socket.socket) -> Tuple[Optional[Dict[str, Any]], List[int]]:
    """The next ``(message, descriptors)``, or ``(None, [])`` when the other side is gone."""
    ancillary_size = socket.CMSG_SPACE(_MAXIMUM_DESCRIPTORS * array.array("i").itemsize)
    descriptors = []
    head, ancillary, _, _ = connection.recvmsg(_LENGTH.size, ancillary_size)
    descriptors.extend(descriptors_in(ancillary))
    while 0 < len(head) < _LENGTH.size:
        more = connection.recv(_LENGTH.size - len(head))
        if not more:
            return None, descriptors
        head += more
    if not head:
        return None, descriptors
    (size,) = _LENGTH.unpack(head)
    body = bytearray()
    while len(body) < size:
        chunk = connection.recv(size - len(body))
        if not chunk:
            return None, descriptors
        body += chunk
    return json.loads(bytes(body)), descriptors


def descriptors_in(ancillary: Iterable[Tuple[int, int, bytes]]) -> List[int]:
    """Descriptors out of recvmsg's ancillary data; they are not inherited by exec."""
    numbers = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    for number in numbers:
        os.set_inheritable(number, False)
    return list(numbers)
