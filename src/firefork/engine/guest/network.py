"""The network inside an environment: its interface, and the sockets that the server listens on there.

``nat``: an own namespace with ``lo`` and ``eth0``, whose other end is the server's; ``none``: an own namespace with
``lo``; ``host``: the machine's own network, where nothing is configured and the listeners take free loopback ports.
"""

import os
import socket
from typing import Any, Dict, List

from . import channel, kernel, netlink, root

API_PORT = 9001
ENDPOINT_PORT = 4566
NAME_PORT = 53
HOST_ADDRESS = "127.0.0.1"
INTERFACE = "eth0"
_GATEWAY = "192.0.0.8"
"""The other end of ``eth0``: IPv4's dummy address (RFC 7600). Nobody is asked for it, so nobody has to have it."""


def ask_for_link(options: Dict[str, Any], control: socket.socket) -> None:
    """Ask the server for ``eth0`` as early as possible: it makes it while this process goes on with its mounts."""
    if options["network"] == "nat":
        namespace = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        channel.send(control, {"event": "connect"}, [namespace])
        os.close(namespace)


def listeners(options: Dict[str, Any], control: socket.socket) -> List[socket.socket]:
    """Configure the network and listen: Runtime API, endpoint, in an own namespace Runtime API on loopback, too.

    With ``nat`` the name service's two are the last: datagrams, streams. Raises OSError.
    """
    if options["network"] == "host":
        return [_listen(HOST_ADDRESS, 0), _listen(HOST_ADDRESS, 0)]
    kernel.bring_up_loopback(root.API_ADDRESS)
    found = [
        _listen(root.API_ADDRESS, API_PORT),
        _listen(root.API_ADDRESS, ENDPOINT_PORT),
        _listen("127.0.0.1", API_PORT),  # SDKs take credentials over plain HTTP from a loopback address only
    ]
    if options["network"] == "nat":
        names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        names.bind((root.API_ADDRESS, NAME_PORT))
        found += [names, _listen(root.API_ADDRESS, NAME_PORT)]
        _configure_link(control)
    return found


def _configure_link(control: socket.socket) -> None:
    order, _ = channel.receive(control)
    if order is None:
        os._exit(0)  # the server gave this sandbox up
    index = socket.if_nametoindex(INTERFACE)
    kernel_socket = netlink.Netlink()
    kernel_socket.perform(
        INTERFACE,
        netlink.refuse_ipv6(index),
        netlink.bring_up(index),
        netlink.add_address(index, order["address"]),
        netlink.add_route(index, gateway=_GATEWAY),
    )
    kernel_socket.close()


def _listen(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(128)
    return listener
