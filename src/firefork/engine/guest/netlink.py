"""Requests to the kernel's network configuration, as bytes: rtnetlink(7), netlink(7), veth(4).

Only the handful that environments need. The server speaks through it, too: composing the same two messages with a
general library costs five times what the kernel takes to obey them (docs/decisions).
"""

import os
import socket
import struct
from typing import NamedTuple, Optional

_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ROUTE = struct.Struct("=BBBBBBBBI")
_ADDRESS = struct.Struct("=BBBBI")

_NLMSG_ERROR = 2
_NLM_F_REQUEST = 0x1
_NLM_F_ACK = 0x4
_NLM_F_REPLACE = 0x100
_NLM_F_EXCL = 0x200
_NLM_F_CREATE = 0x400
_NESTED = 0x8000

_RTM_NEWLINK = 16
_RTM_DELLINK = 17
_RTM_SETLINK = 19
_RTM_NEWADDR = 20
_RTM_NEWROUTE = 24

_IFLA_ADDRESS = 1
_IFLA_IFNAME = 3
_IFLA_LINKINFO = 18
_IFLA_AF_SPEC = 26
_IFLA_NET_NS_FD = 28
_IFLA_INFO_KIND = 1
_IFLA_INFO_DATA = 2
_VETH_INFO_PEER = 1
_IFLA_INET6_ADDR_GEN_MODE = 8
_ADDR_GEN_MODE_NONE = b"\1"
_IFA_LOCAL = 2
_RTA_DST = 1
_RTA_OIF = 4
_RTA_GATEWAY = 5

_IFF_UP = 0x1
_IFF_NOARP = 0x80
_RT_TABLE_MAIN = 254
_RTPROT_STATIC = 4
_RT_SCOPE_UNIVERSE = 0
_RT_SCOPE_LINK = 253
_RTN_UNICAST = 1
_RTNH_F_ONLINK = 4


class Request(NamedTuple):
    """A message without its header."""

    kind: int
    flags: int
    body: bytes


class Netlink:
    """A socket to the network namespace of the thread that made it. Calls block while the kernel works."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))
        self._sequence = 0

    def perform(self, subject: str, *requests: Request) -> None:
        """Do all in order, in one system call. Raises OSError with the first refusal; later ones are done anyway."""
        first = self._sequence + 1
        parts = []
        for request in requests:
            self._sequence += 1
            flags = request.flags | _NLM_F_REQUEST | _NLM_F_ACK
            size = _HEADER.size + len(request.body)
            parts.append(_HEADER.pack(size, request.kind, flags, self._sequence, 0) + request.body)
        self._socket.send(b"".join(parts))
        refusal = 0
        acknowledged = first - 1
        while acknowledged < self._sequence:
            data = self._socket.recv(65536)
            while data:
                size, kind, _, sequence, _ = _HEADER.unpack_from(data)
                if kind == _NLMSG_ERROR and sequence >= first:
                    acknowledged = sequence
                    (number,) = struct.unpack_from("=i", data, _HEADER.size)
                    refusal = refusal or -number
                data = data[(size + 3) & ~3 :]
        if refusal:
            raise OSError(refusal, os.strerror(refusal), subject)

    def close(self) -> None:
        self._socket.close()


def add_pair(name: str, peer: str, namespace: int, hardware_address: bytes) -> Request:
    """Make a veth pair: ``name`` here, ``peer`` in the network namespace that the descriptor refers to; both down.

    Both ends get the same hardware address and do without ARP: a neighbour's address is then the device's own
    (arp_constructor in net/ipv4/arp.c), so nothing has to be asked, answered or stored.
    """
    ends = _LINK.pack(0, 0, 0, _IFF_NOARP, _IFF_NOARP) + _attribute(_IFLA_ADDRESS, hardware_address)
    inside = ends + _name(peer) + _attribute(_IFLA_NET_NS_FD, struct.pack("=I", namespace))
    data = _attribute(_IFLA_INFO_DATA, _attribute(_VETH_INFO_PEER, inside))
    information = _attribute(_IFLA_LINKINFO, _attribute(_IFLA_INFO_KIND, b"veth") + data)
    return Request(_RTM_NEWLINK, _NLM_F_CREATE | _NLM_F_EXCL, ends + _name(name) + information)


def delete_link(name: str) -> Request:
    """Delete a device; of a veth pair both ends go."""
    return Request(_RTM_DELLINK, 0, _LINK.pack(0, 0, 0, 0, 0) + _name(name))


def bring_up(index: int) -> Request:
    """Set a device up."""
    return Request(_RTM_SETLINK, 0, _LINK.pack(0, 0, index, _IFF_UP, _IFF_UP))


def refuse_ipv6(index: int) -> Request:
    """Let a device that is still down have no IPv6 address of its own making once it is up."""
    mode = _attribute(_IFLA_INET6_ADDR_GEN_MODE, _ADDR_GEN_MODE_NONE)
    families = _attribute(_IFLA_AF_SPEC | _NESTED, _attribute(socket.AF_INET6 | _NESTED, mode))
    return Request(_RTM_SETLINK, 0, _LINK.pack(0, 0, index, 0, 0) + families)


def add_address(index: int, address: str) -> Request:
    """Give a device one IPv4 address, with no network around it."""
    head = _ADDRESS.pack(socket.AF_INET, 32, 0, _RT_SCOPE_UNIVERSE, index)
    return Request(_RTM_NEWADDR, _NLM_F_CREATE | _NLM_F_EXCL, head + _attribute(_IFA_LOCAL, socket.inet_aton(address)))


def add_route(index: int, destination: Optional[str] = None, gateway: Optional[str] = None) -> Request:
    """Route one IPv4 address, or everything when there is none, to a device; an older route of its kind gives way.

    ``gateway`` is taken to be at the other end of the device, whatever its address.
    """
    length = 0 if destination is None else 32
    scope, flags = (_RT_SCOPE_LINK, 0) if gateway is None else (_RT_SCOPE_UNIVERSE, _RTNH_F_ONLINK)
    body = _ROUTE.pack(
        socket.AF_INET, length, 0, 0, _RT_TABLE_MAIN, _RTPROT_STATIC, scope, _RTN_UNICAST, flags
    ) + _attribute(_RTA_OIF, struct.pack("=I", index))
    if destination is not None:
        body += _attribute(_RTA_DST, socket.inet_aton(destination))
    if gateway is not None:
        body += _attribute(_RTA_GATEWAY, socket.inet_aton(gateway))
    return Request(_RTM_NEWROUTE, _NLM_F_CREATE | _NLM_F_REPLACE, body)


def _name(text: str) -> bytes:
    return _attribute(_IFLA_IFNAME, text.encode("ascii") + b"\0")


def _attribute(kind: int, data: bytes) -> bytes:
    size = 4 + len(data)
    return struct.pack("=HH", size, kind) + data + b"\0" * (-size % 4)
