"""Links that download a stored package for ten minutes, without credentials."""

from __future__ import annotations

import hmac
import re
import time
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from firefork.catalog.keys import Keys
from firefork.store.blobs import Blobs

_LIFE_S: Final = 600
_PATH: Final = re.compile(r"/_firefork/code/([0-9a-f]{64})\.zip")


class Downloads:
    """Makes links and finds the file behind one."""

    def __init__(self, blobs: Blobs, keys: Keys) -> None:
        self._blobs = blobs
        self._keys = keys

    def link(self, endpoint: str, digest: str) -> str:
        expires = int(time.time()) + _LIFE_S
        seal = self._keys.seal_link(f"{digest}{expires}")
        return f"{endpoint}/_firefork/code/{digest}.zip?expires={expires}&signature={seal}"

    def find(self, path: str, query: str) -> Path | None:
        """The stored zip, ``None`` unless the link is ours and has not expired. May block."""
        found = _PATH.fullmatch(path)
        values = {name: value[-1] for name, value in parse_qs(query).items()}
        expires = values.get("expires", "")
        if found is None or not expires.isdecimal() or int(expires) < time.time():
            return None
        if not hmac.compare_digest(values.get("signature", ""), self._keys.seal_link(f"{found[1]}{expires}")):
            return None
        try:
            return self._blobs.path(found[1])
        except FileNotFoundError:
            return None
