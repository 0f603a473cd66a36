"""Which network environments get: ``nat``, ``none`` or ``host``; chosen once, when a server starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final

from firefork.engine.guest.network import HOST_ADDRESS
from firefork.engine.guest.root import API_ADDRESS
from firefork.engine.sandbox.firewall import let_pass
from firefork.engine.sandbox.nat import Nat, NatFailed

MODES: Final = ("nat", "none", "host")
_HOST_NAME_SETTINGS: Final = Path("/etc/resolv.conf")


class NetworkFailed(Exception):
    """The network that was asked for cannot be had; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The network of a server's environments."""

    mode: str
    nat: Nat | None = None
    why_not: str | None = None
    """Why it is no better, where nobody asked for this mode."""

    @classmethod
    async def open(
        cls,
        wanted: str | None,
        *,
        sandbox_mode: str,
        data_dir: Path,
        address_range: IPv4Network,
        allowed: Sequence[IPv4Network],
    ) -> Network:
        """``wanted``: one of ``MODES``, or ``None`` for the best one that works. Raises NetworkFailed."""
        if wanted == "host":
            return cls(mode="host")
        if wanted == "none":
            if sandbox_mode == "process":
                raise NetworkFailed("--network none needs namespaces, which cannot be used here")
            return cls(mode="none")
        reason = nat_impossible(sandbox_mode)
        if reason is None:
            nat = Nat(data_dir, address_range=address_range, allowed=allowed)
            try:
                await nat.start()
            except NatFailed as error:
                reason = str(error)
            else:
                return cls(mode="nat", nat=nat)
        if wanted == "nat":
            raise NetworkFailed(f"--network nat cannot be had here: {reason}")
        return cls(mode="host", why_not=reason)

    async def close(self) -> None:
        """Remove what was set up for it. Raises NetworkFailed."""
        if self.nat is not None:
            try:
                await self.nat.stop()
            except NatFailed as error:
                raise NetworkFailed(f"the network could not be cleared up: {error}") from error

    @property
    def api_address(self) -> str:
        """Where environments find their Runtime API."""
        return HOST_ADDRESS if self.mode == "host" else API_ADDRESS

    def name_settings(self) -> str:
        """What environments find in ``/etc/resolv.conf``."""
        if self.mode == "nat":
            return f"nameserver {API_ADDRESS}\noptions timeout:5 attempts:2\n"
        if self.mode == "host":
            try:
                return _HOST_NAME_SETTINGS.read_text(errors="replace")
            except OSError:
                return ""
        return "options timeout:1 attempts:1\n"

    def describe(self) -> str:
        """One line for people."""
        if self.mode == "host":
            why = f"; no better, because {self.why_not}" if self.why_not else ""
            return f"host: functions share this machine's network{why}"
        if self.nat is None:
            return "none: functions reach nothing but this server"
        text = f"nat: functions have addresses of {self.nat.block} and reach the internet"
        if self.nat.forward_refused_by is not None:
            text += (
                f"; another program's chain {self.nat.forward_refused_by} is in the way, let them pass with: "
                f"{let_pass(self.nat.forward_refused_by)}"
            )
        return text


def nat_impossible(sandbox_mode: str) -> str | None:
    """Why not, as far as it shows without trying."""
    if sandbox_mode == "process":
        return "functions run without namespaces"
    if sandbox_mode == "user":
        return "only root may set up a network"
    return None
