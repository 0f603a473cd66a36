"""One-time links that sign a browser in to the console without showing it a secret key.

A link is sealed with the data folder's key, so whoever may read that folder can make one for the server that runs
on it, and it is bound to one run of the server, so a used link stays used after a restart.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

LIFE_S: Final = 15 * 60
"""Long enough to find the terminal's line again, short enough for a terminal's history to be harmless."""


class SignInLinks:
    """Makes the tokens of links, and takes each of them once."""

    def __init__(self, seal: Callable[[str], str], run_id: str, *, now: Callable[[], float] = time.time) -> None:
        """``seal`` is the data folder's (``Keys.seal_link``); ``run_id`` names one run of the server."""
        self._seal = seal
        self._run_id = run_id
        self._now = now
        self._used: dict[str, int] = {}

    def issue(self) -> str:
        """A new token, which is good for one sign-in within ``LIFE_S`` seconds."""
        stem = f"{int(self._now()) + LIFE_S}.{secrets.token_urlsafe(12)}"
        return f"{stem}.{self._sealed(stem)}"

    def redeem(self, token: str) -> bool:
        """Whether the token is ours, still good, and was never used; it is used afterwards."""
        stem, _, seal = token.rpartition(".")
        expires = stem.partition(".")[0]
        # Compared as bytes: hmac refuses text that is not ASCII.
        if not hmac.compare_digest(seal.encode(), self._sealed(stem).encode()) or int(expires) < self._now():
            return False
        self._used = {known: until for known, until in self._used.items() if until >= self._now()}
        if stem in self._used:
            return False
        self._used[stem] = int(expires)
        return True

    def _sealed(self, stem: str) -> str:
        return self._seal(f"console sign-in {self._run_id} {stem}")


def sign_in_link(endpoint: str, token: str) -> str:
    """The address to open. The token stands behind ``#``, which browsers send to nobody."""
    return f"{endpoint}/_firefork/console/sign-in#token={token}"
