"""How a server marks what it makes on the machine, so that the next server of its data folder finds it again."""

from __future__ import annotations

import hashlib
from pathlib import Path


def folder_mark(data_dir: Path) -> str:
    """12 hex digits that stand for one data folder."""
    return hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]
