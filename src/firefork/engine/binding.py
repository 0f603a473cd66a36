"""What of a function is shown and started in a sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firefork.engine.sandbox.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """How a sandbox becomes this function's."""

    mounts: Sequence[tuple[str, str]] = ()
    """Source below the sandbox's hidden folder, target."""
    hide: Sequence[str] = ()
    """Folders that are taken away."""
    entry: Sequence[str] | None = None
    """For custom runtimes: candidates for the executable; ``None`` runs the managed client."""
    has_entry: bool = True
    """Whether one of the candidates exists."""
    extensions: Sequence[str] = ()
    """File names in ``/opt/extensions``."""
    template: Snapshot | None = None
    """Set for the environment whose runtime becomes the version's snapshot."""
    restored: bool = False
    """Whether the sandbox was forked from a snapshot: the runtime in it is initialised."""


def extension_names(opt: Path | None) -> list[str]:
    """The external extensions of merged layers: every regular file in ``extensions``, by name.

    AWS's own switch for troubleshooting, a file ``disable-extensions-jwigqn8j``, turns them all off.
    """
    if opt is None or (opt / "disable-extensions-jwigqn8j").exists():
        return []
    folder = opt / "extensions"
    return sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
