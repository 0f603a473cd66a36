"""What a benchmark found: rows with our figure, a peer's of the same run, and their ratio."""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

median = statistics.median


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table."""

    claim: str
    ours: float
    peer: float
    unit: str
    peer_name: str
    higher_is_better: bool = False
    reach: str = ""
    """What the project set out to reach, in words."""

    @property
    def times_better(self) -> float:
        """Above 1 we are better, below 1 the peer is."""
        return self.ours / self.peer if self.higher_is_better else self.peer / self.ours

    def as_json(self) -> dict[str, object]:
        return {
            "claim": self.claim,
            "ours": round(self.ours, 3),
            "peer": round(self.peer, 3),
            "unit": self.unit,
            "peer_name": self.peer_name,
            "times_better": round(self.times_better, 3),
            "reach": self.reach,
        }


def show(figures: Sequence[Figure], *, as_json: bool) -> None:
    """Print a table for people or JSON for programs."""
    if as_json:
        print(json.dumps([figure.as_json() for figure in figures], indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("figure", "Firefork", "peer", "times better", "peer is", "to reach"):
        table.add_column(heading, justify="right" if heading in ("Firefork", "peer", "times better") else "left")
    for figure in figures:
        table.add_row(
            figure.claim,
            f"{_short(figure.ours)} {figure.unit}",
            f"{_short(figure.peer)} {figure.unit}",
            f"{figure.times_better:.2f}",
            figure.peer_name,
            figure.reach,
        )
    Console(width=160).print(table)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def load_average() -> str:
    """The machine's load, which every figure should be read beside."""
    return "load average {:.2f} {:.2f} {:.2f}, {} processors".format(*os.getloadavg(), os.cpu_count() or 0)


def conclude(
    figures: Mapping[str, Any], wrong: Sequence[str], *, as_json: bool, show: Callable[[Mapping[str, Any]], None]
) -> None:
    """Print what an endurance run found, by ``show`` for people, and exit with 1 if something was wrong."""
    if as_json:
        print(json.dumps({**figures, "wrong": list(wrong)}, indent=2))
    else:
        show(figures)
    for text in wrong:
        print(f"wrong: {text}", file=sys.stderr)
    if wrong:
        sys.exit(1)


def end_tidily() -> None:
    """Let SIGTERM end a benchmark as Ctrl-C does: servers and peers are stopped on the way out."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def main(measure: Callable[[int], list[Figure]], *, rounds: int, what: str) -> None:
    """The command line that every script has: ``--rounds N`` (``what`` says of what) and ``--json``."""
    end_tidily()
    parser = argparse.ArgumentParser(description=(sys.modules["__main__"].__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=rounds, help=f"{what}; {rounds} without this option")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if not arguments.json:
        print(load_average(), flush=True)
    show(measure(arguments.rounds), as_json=arguments.json)
