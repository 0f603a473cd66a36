"""What environments may reach: one nftables table a server, written once when it starts. See nft(8).

Rules name interfaces by prefix and addresses by set, so nothing is added or removed for an environment.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

TABLE_PREFIX: Final = "firefork_"
INTERFACE_PREFIX: Final = "ffk"
"""Every interface of every Firefork server on the machine begins with it."""

REFUSED: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
"""Addresses that are not the public internet (IANA IPv4 Special-Purpose Address Registry, RFC 6890)."""

CONNECTION_LIMIT: Final = 2048
"""Tracked connections of one environment: the kernel's table is the whole machine's, and can be filled."""

_SBIN: Final = "/usr/sbin:/sbin"
_PATIENCE_S: Final = 30
_WAS_OFF: Final = "forwarding_was_off"


class FirewallFailed(Exception):
    """nft is missing or refused; the message is its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firewall:
    """One server's table."""

    mark: str
    """The data folder's: names the table."""
    interfaces: str
    """Prefix of this server's interfaces."""
    block: IPv4Network
    allowed: Sequence[IPv4Network] = ()
    guarded: Sequence[str] | None = None
    """``None`` if the machine forwarded packets before any server asked it to. Else its interfaces then: what arrives
    there for others is dropped, as it was before. An empty chain remembers it, also past the server's death."""

    @property
    def table(self) -> str:
        return _table(self.mark)

    def rules(self) -> str:
        """The table as nft reads it; it replaces an older one in the same transaction."""
        mine = f'"{self.interfaces}*"'
        everyones = f'"{INTERFACE_PREFIX}*"'
        refuse = "reject with icmp type admin-prohibited"
        refused = _elements(ipaddress.collapse_addresses((*REFUSED, self.block)))
        allowed = _elements(ipaddress.collapse_addresses(self.allowed))
        guard = ""
        if self.guarded:
            names = ", ".join(f'"{name}"' for name in self.guarded)
            guard = f"ct state established,related accept; ct status dnat accept; iifname {{ {names} }} drop"
        return f"""
add table inet {self.table}
delete table inet {self.table}
table inet {self.table} {{
    set refused {{ type ipv4_addr; flags interval; {refused} }}
    set allowed {{ type ipv4_addr; flags interval; {allowed} }}
    set connections {{ type ipv4_addr; flags dynamic; size {self.block.num_addresses}; }}
    {f"chain {_WAS_OFF} {{ }}" if self.guarded is not None else ""}
    chain genuine {{
        meta nfproto != ipv4 drop
        fib saddr . iif oif missing drop
    }}
    chain outbound {{
        jump genuine
        oifname {everyones} {refuse}
        tcp flags syn tcp option maxseg size set rt mtu
        ct state established,related accept
        ip daddr @refused ip daddr != @allowed {refuse}
        ct state new add @connections {{ ip saddr ct count over {CONNECTION_LIMIT} }} {refuse}
        accept
    }}
    chain inbound {{
        tcp flags syn tcp option maxseg size set rt mtu
        ct state established,related accept
        drop
    }}
    chain forward {{
        type filter hook forward priority filter; policy accept;
        iifname {mine} goto outbound
        oifname {mine} goto inbound
        {guard}
    }}
    chain input {{
        type filter hook input priority filter; policy accept;
        iifname != {mine} accept
        jump genuine
        ip daddr @allowed accept
        {refuse}
    }}
    chain output {{
        type filter hook output priority filter; policy accept;
        oifname != {mine} accept
        ct state established,related accept
        meta l4proto icmp accept
        drop
    }}
    chain translate {{
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr {self.block} oifname != {everyones} masquerade
    }}
}}
"""

    def apply(self) -> None:
        """Raises FirewallFailed."""
        _nft("-f", "-", rules=self.rules())

    def remove(self) -> None:
        """Raises FirewallFailed."""
        remove_table(self.mark)


def remove_table(mark: str) -> None:
    """Remove a data folder's table, if there is one. Raises FirewallFailed."""
    _nft("-f", "-", rules=f"add table inet {_table(mark)}\ndelete table inet {_table(mark)}\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What other programs and other servers have set up."""

    servers: frozenset[str]
    """Tables of Firefork servers, alive or dead."""
    forwarding_was_off: bool
    """One of them remembers that the machine forwarded nothing before."""
    forward_refused_by: str | None
    """Somebody else's chain that drops what it does not know of all forwarded packets, like Docker's: family, table
    and chain as nft takes them."""


def tables() -> Tables:
    """Raises FirewallFailed."""
    listed = json.loads(_nft("-j", "list", "chains"))
    chains = [entry["chain"] for entry in listed["nftables"] if "chain" in entry]
    servers = frozenset(chain["table"] for chain in chains if chain["table"].startswith(TABLE_PREFIX))
    refusing = [
        f"{chain['family']} {chain['table']} {chain['name']}"
        for chain in chains
        if chain["table"] not in servers and chain.get("hook") == "forward" and chain.get("policy") == "drop"
    ]
    return Tables(
        servers=servers,
        forwarding_was_off=any(chain["table"] in servers and chain["name"] == _WAS_OFF for chain in chains),
        forward_refused_by=refusing[0] if refusing else None,
    )


def let_pass(chain: str) -> str:
    """The command that makes another program's chain let environments' packets through to these rules."""
    return f'nft \'insert rule {chain} iifname "{INTERFACE_PREFIX}*" accept; ' + (
        f'insert rule {chain} oifname "{INTERFACE_PREFIX}*" accept\''
    )


def nft_binary() -> str | None:
    """Where nft is, also for users whose PATH lacks the folders for administrators."""
    return shutil.which("nft", path=f"{os.environ.get('PATH', '')}:{_SBIN}")


def _table(mark: str) -> str:
    return TABLE_PREFIX + mark


def _elements(networks: Iterable[IPv4Network]) -> str:
    text = ", ".join(str(network) for network in networks)
    return f"elements = {{ {text} }}" if text else ""


def _nft(*arguments: str, rules: str | None = None) -> str:
    binary = nft_binary()
    if binary is None:
        raise FirewallFailed("nft was not found (Debian package nftables)")
    try:
        done = subprocess.run(
            [binary, *arguments], input=rules, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise FirewallFailed(f"nft did not answer within {_PATIENCE_S} s") from None
    if done.returncode:
        words = done.stderr.strip().splitlines()
        raise FirewallFailed(f"nft refused: {words[0] if words else f'status {done.returncode}'}")
    return done.stdout
