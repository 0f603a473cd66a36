"""All benchmarks one after the other, and one table at the end."""

from __future__ import annotations

import argparse
import sys
import time
import traceback

import api_cost
import burst
import catalog_size
import cold_start
import idle_memory
import live_environments
import metrics_cost
import snapstart
import throughput
import warm_invoke
from measurement import Figure, end_tidily, load_average, show

_ALL = (
    ("first invokes", cold_start.measure, 15),
    ("SnapStart", snapstart.measure, 7),
    ("burst", burst.measure, 3),
    ("warm invokes", warm_invoke.measure, 10),
    ("throughput", throughput.measure, 3),
    ("cost of metrics", metrics_cost.measure, 8),
    ("idle memory", idle_memory.measure, 16),
    ("live environments", live_environments.measure, 500),
    ("size of the catalog", catalog_size.measure, 10_000),
    ("cost of the API", api_cost.measure, 10_000),
)


def run() -> None:
    end_tidily()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    figures: list[Figure] = []
    failed: list[str] = []
    for name, measure, rounds in _ALL:
        started = time.monotonic()
        before = load_average()
        try:
            figures += measure(rounds)
        except Exception:  # one that fails must not cost the figures of the others
            traceback.print_exc()
            failed.append(name)
        print(f"{name}: {time.monotonic() - started:.0f} s   ({before})", file=sys.stderr, flush=True)
    show(figures, as_json=arguments.json)
    if failed:
        sys.exit(f"without figures: {', '.join(failed)}")


if __name__ == "__main__":
    run()
