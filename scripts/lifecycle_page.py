"""Writes docs/lifecycle.md: the state machines of an environment, drawn from the tables that the engine runs on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from firefork.engine import environment_state, extensions_api, runtime_api

PAGE = Path(__file__).resolve().parent.parent / "docs" / "lifecycle.md"

HEAD = """# The life of an environment
[Contents](README.md)

This page is written by `scripts/lifecycle_page.py` from the tables in `src/firefork/engine`; a test checks that it is
current. An arrow that is not drawn is refused: calls inside an environment are answered 403 with AWS's error type.

Init starts the extensions, then the runtime when all of them have registered, and ends when all have asked for an
event. An invoke ends when the runtime and every extension that hears of invokes asked for the next one; the caller
has its answer as soon as the runtime gave it, unless it asked for the log tail, which ends with REPORT. A shutdown
takes 0 ms without extensions, 500 ms with internal ones, 2 s with external ones: SIGTERM to the runtime (from
python3.12 on), SHUTDOWN to the extensions, SIGKILL.

"""


def diagram(arrows: Iterable[tuple[str, str, str]]) -> str:
    lines = [f"    {before} --> {after}" + (f": {label}" if label else "") for before, after, label in arrows]
    return "```mermaid\nstateDiagram-v2\n" + "\n".join(lines) + "\n```\n"


def page() -> str:
    """The whole page."""
    states = sorted(
        (before.name, after.name, "")
        for before, following in environment_state.TRANSITIONS.items()
        for after in following
    )
    runtime = ((before.name, after.name, call.name) for (before, call), after in runtime_api.TRANSITIONS.items())
    extension = ((before.name, after.name, call.name) for (before, call), after in extensions_api.TRANSITIONS.items())
    return (
        HEAD
        + "## The environment\n\n"
        + diagram(states)
        + "\n## The runtime, by its calls of the Runtime API\n\n"
        + diagram(runtime)
        + "\n## An extension, by its calls of the Extensions API\n\n"
        + diagram(extension)
    )


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote docs/{PAGE.name}")
