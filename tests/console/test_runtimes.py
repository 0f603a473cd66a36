"""The console's table of runtimes says what the server says."""

import json
from pathlib import Path

from firefork.catalog.runtimes import RUNTIMES

REPOSITORY = Path(__file__).resolve().parents[2]
TABLE = json.loads((REPOSITORY / "console/src/runtimes/runtimes.json").read_text())
LOCKS = REPOSITORY / "src/firefork/engine/runtime_locks"


def test_dates_and_systems():
    dates = ("deprecated", "blockCreate", "blockUpdate")
    shown = {row["id"]: (row["system"], *(row.get(name) for name in dates)) for row in TABLE}
    assert shown == {
        runtime.identifier: (
            runtime.operating_system,
            *(
                moment and moment.isoformat()
                for moment in (runtime.deprecated_on, runtime.block_create_on, runtime.block_update_on)
            ),
        )
        for runtime in RUNTIMES.values()
    }


def test_sdk_versions():
    locked = {
        lock.name.removesuffix(".sdk.txt"): lock.read_text().split("boto3==")[1].split()[0]
        for lock in LOCKS.glob("*.sdk.txt")
    }
    assert {row["id"]: row["sdk"] for row in TABLE if "sdk" in row} == locked
