"""An own address and a way out for every environment: a veth pair, a route and a share of one table of rules.

Each environment's pair is a network of two: the server's end and ``eth0`` inside. The machine routes between them and
the world; there is no bridge, so no environment shares a link with another one (docs/network.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Final

from firefork.engine.guest import netlink, network
from firefork.engine.sandbox import firewall
from firefork.engine.sandbox.firewall import INTERFACE_PREFIX, Firewall, FirewallFailed
from firefork.engine.sandbox.name_service import NameService
from firefork.engine.sandbox.ownership import folder_mark

BLOCK_PREFIX: Final = 21
"""A server takes 2,048 addresses, or the whole range where that is smaller."""

_HARDWARE_ADDRESS: Final = bytes.fromhex("02666b000001")
"""Of both ends of every pair: no two pairs share a link."""
_FORWARDING: Final = Path("/proc/sys/net/ipv4/ip_forward")
_ROUTES: Final = Path("/proc/net/route")
_LOCKS: Final = Path("/run/firefork")
"""Only root sets up networks, and only root may write there."""
_EXCLUSIVE_PATIENCE_S: Final = 10.0
_STOP_PATIENCE_S: Final = 5.0
_LEFTOVER_PATIENCE_S: Final = 0.5


class NatFailed(Exception):
    """Why environments cannot have a network of their own, in one line."""


class Connection:
    """One environment's link, from ``Nat.connect`` to ``close``. The kernel removes it with its namespace."""

    def __init__(self, address: IPv4Address, *, names: NameService, release: Callable[[IPv4Address], None]) -> None:
        self.address = address
        self._names = names
        self._release = release
        self._end_names: Callable[[], None] | None = None

    def serve_names(self, datagrams: socket.socket, streams: socket.socket) -> None:
        """Answer the environment's name queries, which arrive on these sockets in its namespace."""
        self._end_names = self._names.attach(datagrams, streams)

    def close(self) -> None:
        if self._end_names is not None:
            self._end_names()
        self._release(self.address)


class Nat:
    """The links of one server. ``start`` before use and ``stop`` at the end; both on the event loop.

    All that asks the kernel for network changes runs in one thread of its own: the kernel makes such changes one at
    a time, and a caller may have to wait for those of the whole machine.
    """

    def __init__(self, data_dir: Path, *, address_range: IPv4Network, allowed: Iterable[IPv4Network]) -> None:
        self._mark = folder_mark(data_dir)
        self._interfaces = INTERFACE_PREFIX + self._mark[:6]
        self._range = address_range
        self._allowed = tuple(allowed)
        self._names = NameService()
        self._numbers = itertools.count()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="network")
        self._free: deque[IPv4Address] = deque()

    async def start(self) -> None:
        """Take a block of addresses, write the rules, let packets through. Raises NatFailed, and nothing is left."""
        try:
            await self._in_thread(self._set_up)
        except BaseException:
            self._thread.shutdown()
            raise
        # The first and the last are not special on links of two, but programs think so.
        self._free.extend(self.block.hosts())

    async def stop(self) -> None:
        """Remove what ``start`` made; environments are gone by then. Raises NatFailed."""
        try:
            await self._in_thread(self._take_down)
        finally:
            self._thread.shutdown()

    async def connect(self, namespace: int) -> Connection:
        """Give the network namespace behind the descriptor an ``eth0``, not yet configured. Raises NatFailed."""
        if not self._free:
            raise NatFailed(f"all addresses of {self.block} are in use; widen it with --network-range")
        # The one that was given back longest ago: by now nobody remembers the environment that had it.
        address = self._free.popleft()
        try:
            await self._in_thread(self._link, namespace, address)
        except BaseException:
            self._free.append(address)
            raise
        return Connection(address, names=self._names, release=self._free.append)

    async def _in_thread(self, work: Callable[..., None], *arguments: object) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        except OSError as error:
            raise NatFailed(f"{error.filename or 'network'}: {error.strerror}") from error
        except FirewallFailed as error:
            raise NatFailed(str(error)) from error

    # ---- in the thread

    def _set_up(self) -> None:
        with _exclusive():
            self._reservation = _Reservation(self._range, self._mark)
            self.block = self._reservation.block
            try:
                self._netlink = netlink.Netlink()
                self._remove_links(_LEFTOVER_PATIENCE_S)
                found = firewall.tables()
                forwards = _FORWARDING.read_text().strip() == "1"
                was_off = not forwards or found.forwarding_was_off
                for mark in _marks_of_the_dead(except_for=self._mark):
                    firewall.remove_table(mark)
                self.forward_refused_by = found.forward_refused_by
                self._firewall = Firewall(
                    mark=self._mark,
                    interfaces=self._interfaces,
                    block=self.block,
                    allowed=self._allowed,
                    guarded=_other_interfaces() if was_off else None,
                )
                self._firewall.apply()
                try:
                    self._try_link()
                    if not forwards:
                        _FORWARDING.write_text("1\n")
                except OSError:
                    self._firewall.remove()
                    raise
            except BaseException:
                self._reservation.release()
                raise

    def _take_down(self) -> None:
        self._remove_links(_STOP_PATIENCE_S)
        with _exclusive():
            self._netlink.close()
            self._firewall.remove()
            # The last of the servers that forwarding was turned on for turns it off.
            if self._firewall.guarded is not None and not firewall.tables().servers:
                _FORWARDING.write_text("0\n")
            self._reservation.release()

    def _link(self, namespace: int, address: IPv4Address) -> None:
        name = f"{self._interfaces}{_base36(next(self._numbers))}"
        self._netlink.perform(name, netlink.add_pair(name, network.INTERFACE, namespace, _HARDWARE_ADDRESS))
        index = socket.if_nametoindex(name)
        self._netlink.perform(
            name, netlink.refuse_ipv6(index), netlink.bring_up(index), netlink.add_route(index, str(address))
        )

    def _try_link(self) -> None:
        """Make a pair and delete it: the kernel may lack veth, or this process the right."""
        name, peer = f"{self._interfaces}-try0", f"{self._interfaces}-try1"
        namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._netlink.perform(
                name, netlink.add_pair(name, peer, namespace, _HARDWARE_ADDRESS), netlink.delete_link(name)
            )
        finally:
            os.close(namespace)

    def _remove_links(self, patience_s: float) -> None:
        """See to it that none is left. They go with their namespaces, many at a time; deleting one takes far longer."""
        deadline = time.monotonic() + patience_s
        while (names := self._links()) and time.monotonic() < deadline:
            time.sleep(0.01)
        for name in names:
            with contextlib.suppress(OSError):  # it went by itself
                self._netlink.perform(name, netlink.delete_link(name))

    def _links(self) -> list[str]:
        return [name for _, name in socket.if_nameindex() if name.startswith(self._interfaces)]


@contextlib.contextmanager
def _exclusive() -> Iterator[None]:
    """One server of the machine at a time: forwarding and free blocks are everybody's."""
    deadline = time.monotonic() + _EXCLUSIVE_PATIENCE_S
    while (lock := _hold("network.lock")) is None:
        if time.monotonic() > deadline:
            raise NatFailed("another server has been setting up its network for too long")
        time.sleep(0.01)
    try:
        yield
    finally:
        os.close(lock)


def _hold(name: str) -> int | None:
    """Lock a file of this name until the descriptor is closed or the process ends; ``None`` if another one does.

    Not an abstract socket, though those come and go with the network namespace: every user could hold one, and so
    keep root's server from its network.
    """
    _LOCKS.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(_LOCKS / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


class _Reservation:
    """A block of addresses in this network namespace, for as long as the process lives. Use it in ``_exclusive``."""

    def __init__(self, address_range: IPv4Network, mark: str) -> None:
        """The first block, in this data folder's order, that no route and no other server uses. Raises NatFailed."""
        routed = routed_networks(_ROUTES.read_text())
        namespace = os.stat("/proc/self/ns/net").st_ino
        for block in blocks(address_range, mark):
            if any(block.overlaps(other) for other in routed):
                continue
            name = f"{namespace}-{block.network_address}-{block.prefixlen}"
            descriptor = _hold(name)
            if descriptor is not None:
                os.ftruncate(descriptor, 0)
                os.write(descriptor, mark.encode())  # whose rules are to go when nobody holds it any more
                self.block = block
                self._name = name
                self._descriptor = descriptor
                return
        raise NatFailed(f"no block of {address_range} is free: choose another range with --network-range")

    def release(self) -> None:
        (_LOCKS / self._name).unlink()
        os.close(self._descriptor)


def _marks_of_the_dead(*, except_for: str) -> list[str]:
    """The data folders of servers that were killed in this network namespace and gave nothing back. Forgets them.

    Use it in ``_exclusive``.
    """
    alive, dead = {except_for}, set()
    for path in _LOCKS.glob(f"{os.stat('/proc/self/ns/net').st_ino}-*"):
        mark = path.read_text()
        descriptor = _hold(path.name)
        if descriptor is None:
            alive.add(mark)
        else:
            path.unlink()
            os.close(descriptor)
            dead.add(mark)
    return sorted(dead - alive)


def blocks(address_range: IPv4Network, mark: str) -> Iterator[IPv4Network]:
    """All blocks of a range. Each data folder begins elsewhere, so that it finds its old one again, most likely."""
    prefix = max(BLOCK_PREFIX, address_range.prefixlen)
    count = 1 << (prefix - address_range.prefixlen)
    size = 1 << (32 - prefix)
    first = int(mark, 16) % count
    for number in range(count):
        start = int(address_range.network_address) + (first + number) % count * size
        yield IPv4Network((start, prefix))


def routed_networks(table: str) -> list[IPv4Network]:
    """Networks, other than everything, in the text of /proc/net/route, whose numbers are in the machine's byte order.

    Routes of Firefork's own interfaces are left out: what a server uses it holds, and the dead use nothing.
    """
    found = []
    for line in table.splitlines()[1:]:
        interface, destination, *_ = fields = line.split()
        prefix = int(fields[7], 16).bit_count()
        if prefix and not interface.startswith(INTERFACE_PREFIX):
            found.append(IPv4Network((int(destination, 16).to_bytes(4, sys.byteorder), prefix)))
    return found


def _other_interfaces() -> list[str]:
    return [name for _, name in socket.if_nameindex() if name != "lo" and not name.startswith(INTERFACE_PREFIX)]


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = digits[number % 36]
    while number := number // 36:
        text = digits[number % 36] + text
    return text
