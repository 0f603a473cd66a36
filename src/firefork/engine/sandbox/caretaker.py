"""A small process beside the server that ends what a killed server leaves frozen.

A zygote ends with its server, and all of its sandboxes with it: the kernel sees to that. Except for what is frozen:
version 1 control groups hold even SIGKILL back until they are thawed (kernel documentation,
``admin-guide/cgroup-v1/freezer-subsystem``), and nobody removes the groups. This process does both, when the pipe
from its server ends. It is in a session of its own, so that Ctrl-C and a terminal's end do not reach it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from firefork.engine.sandbox.cgroups import Hierarchies, remove_leftovers

_SOURCE: Final = Path(__file__).resolve().parents[3]


class Caretaker:
    """Watches over the groups whose names begin with ``prefix``, from construction to ``stop``."""

    def __init__(self, hierarchies: Hierarchies, prefix: str) -> None:
        """Start the process; blocks for its start. Raises OSError."""
        told = {
            "version": hierarchies.version,
            "parents": {controller: str(parent) for controller, parent in hierarchies.parents.items()},
            "prefix": prefix,
        }
        command = (
            f"import sys; sys.dont_write_bytecode = True; sys.path.insert(0, {str(_SOURCE)!r}); "
            "from firefork.engine.sandbox import caretaker; caretaker.main()"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", command, json.dumps(told)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self) -> None:
        """The server ends in order: there is nothing left to do. Blocks until the process is gone."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    """Wait for the end of standard input, then clear up. The argument is what ``Caretaker`` tells, as JSON."""
    told = json.loads(sys.argv[1])
    hierarchies = Hierarchies(
        version=told["version"],
        parents={controller: Path(parent) for controller, parent in told["parents"].items()},
    )
    while os.read(0, 64):
        pass
    remove_leftovers(hierarchies, told["prefix"])
