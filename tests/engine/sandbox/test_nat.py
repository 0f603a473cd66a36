"""Choosing addresses that nobody else uses."""

import sys
from ipaddress import IPv4Network

import pytest

from firefork.engine.sandbox.nat import blocks, routed_networks

RANGE = IPv4Network("198.18.0.0/15")


def route(interface, network):
    """A line of /proc/net/route, as the kernel of a machine of this byte order writes it."""
    network = IPv4Network(network)
    address, mask = (int.from_bytes(part.packed, sys.byteorder) for part in (network.network_address, network.netmask))
    return f"{interface}\t{address:08X}\t00000000\t0001\t0\t0\t0\t{mask:08X}\t0\t0\t0\n"


HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"


class TestBlocks:
    def test_cover_the_range_without_overlapping(self):
        """A server that finds blocks taken tries every other one of the range, each once."""
        found = list(blocks(RANGE, "0123456789ab"))
        assert len(set(found)) == len(found) == 64
        assert sum(block.num_addresses for block in found) == RANGE.num_addresses
        assert all(block.subnet_of(RANGE) for block in found)

    def test_begin_at_a_place_of_the_data_folders_own(self):
        first = next(blocks(RANGE, "0123456789ab"))
        assert next(blocks(RANGE, "0123456789ab")) == first
        assert len({next(blocks(RANGE, f"{number:012x}")) for number in range(64)}) == 64

    @pytest.mark.parametrize("text", ["10.99.0.0/21", "10.99.0.0/28", "10.99.0.7/32"])
    def test_are_the_whole_of_a_small_range(self, text):
        assert list(blocks(IPv4Network(text), "0123456789ab")) == [IPv4Network(text)]


class TestRoutedNetworks:
    def test_are_all_but_the_default_route_and_our_own(self):
        text = (
            HEAD + route("eth0", "0.0.0.0/0") + route("eth0", "192.168.7.0/24") + route("ffk0123450", "198.18.0.1/32")
        )
        assert routed_networks(text) == [IPv4Network("192.168.7.0/24")]

    def test_none_without_routes(self):
        assert routed_networks(HEAD) == []
