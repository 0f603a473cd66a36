"""Starting an external extension: an executable of ``/opt/extensions`` beside the runtime.

AWS: Lambda developer guide, "Using the Lambda Extensions API to create extensions".
"""

import os
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import runtime

FOLDER = "/extensions/"


def start(
    options: Dict[str, Any], name: str, environment: Dict[str, str], output: List[int], leave: Callable[[], None]
) -> Tuple[int, Optional[str]]:
    """Start one; its pid, and the kernel's word if it could not be executed. ``output`` takes what it prints."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            leave()
            _become(options, name, environment, output, write_end)
        except OSError as error:
            os.write(write_end, (error.strerror or "cannot be started").lower().encode())
        finally:
            os._exit(1)
    os.close(write_end)
    problem = b""
    while True:
        chunk = os.read(read_end, 4096)  # ends when exec closes the other end
        if not chunk:
            break
        problem += chunk
    os.close(read_end)
    if problem:
        os.waitpid(pid, 0)
        return pid, problem.decode()
    return pid, None


def _become(options: Dict[str, Any], name: str, environment: Dict[str, str], output: List[int], report: int) -> None:
    runtime.prepare(options, [*output, report])
    runtime.limit_memory(options, environment)
    for number in output:
        os.dup2(number, 1)
        os.dup2(number, 2)
    os.chdir("/" if options["mode"] != "process" else environment.get("_FIREFORK_OPT", "/"))
    path = environment.get("_FIREFORK_OPT", "/opt") + FOLDER + name
    os.execve(path, [path], {key: value for key, value in environment.items() if key != "_FIREFORK_OPT"})
