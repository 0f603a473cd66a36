"""The process that a function's code runs in, from fork to the runtime client's first line."""

import base64
import contextlib
import errno
import json
import os
import resource
import signal
import sys
import time
from typing import Any, Dict, List, NoReturn

from . import kernel, root

_DESCRIPTOR_LIMIT = 1024
_PROCESS_LIMIT = 1024
_BESIDES_MEMORY = 512 * 1024 * 1024
"""Bytes of address space, beyond the function's memory, for what is set aside and never used: stacks of threads."""
_EXEC_ONLY = (
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "GLIBC_TUNABLES",
    "AWS_LAMBDA_EXEC_WRAPPER",
)
_EXEC_ONLY_PREFIXES = ("PYTHON", "MALLOC_")


def shed(keep: List[int]) -> None:
    """Leave pid 1's session, signals and descriptors behind, all but ``keep``; a runtime's limits on resources."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    close_all_but(keep)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_DESCRIPTOR_LIMIT, _DESCRIPTOR_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def prepare(options: Dict[str, Any], keep: List[int]) -> None:
    """Give up everything that a function may not have, before it is known which function it will be."""
    shed(keep)
    if options["mode"] == "process":
        return
    kernel.drop_capability_bounds()
    if options["mode"] == "root":
        os.setgroups([])
        os.setresgid(root.GROUP_ID, root.GROUP_ID, root.GROUP_ID)
        os.setresuid(root.USER_ID, root.USER_ID, root.USER_ID)
    else:
        enter_own_user_namespace(options)
        kernel.clear_capabilities()
    # Changing the user made the process undumpable, which would hide its own /proc/self from it.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    if options.get("filter"):
        kernel.install_filter(base64.b64decode(options["filter"]))


def enter_own_user_namespace(options: Dict[str, Any]) -> None:
    """Without root: become the functions' user in a namespace below the zygote's, and one with few processes."""
    kernel.unshare(kernel.CLONE_NEWUSER)
    lines = (("setgroups", "deny"), ("uid_map", f"{root.USER_ID} 0 1"), ("gid_map", f"{root.GROUP_ID} 0 1"))
    for name, text in lines:
        with open("/proc/self/" + name, "w") as file:
            file.write(text)
    kernel.drop_capability_bounds()  # a new user namespace begins with all of them
    # Since Linux 5.14 a namespace's processes are counted for it. Before, they are all that the server's user has, on
    # which no limit of a function's can be set. Source: user_namespaces(7), getrlimit(2).
    if "pids" in options["unlimited"] and kernel.version() >= (5, 14):
        resource.setrlimit(resource.RLIMIT_NPROC, (_PROCESS_LIMIT, _PROCESS_LIMIT))


def limit_memory(options: Dict[str, Any], environment: Dict[str, str]) -> None:
    """Where no control group does: let no process have much more than the function's memory (getrlimit(2), DATA)."""
    if "memory" in options["unlimited"]:
        limit = int(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) * 1024 * 1024 + _BESIDES_MEMORY
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def close_all_but(keep: List[int]) -> None:
    """Close every inherited descriptor from 3 on except ``keep``."""
    low = 3
    for number in sorted(keep):
        os.closerange(low, number)
        low = number + 1
    os.closerange(low, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def read_order(handover: int) -> Dict[str, Any]:
    """Wait for the one JSON object that a waiting runtime is handed; ends the process when there will be none."""
    data = b""
    while True:
        chunk = os.read(handover, 65536)
        if not chunk:
            break
        data += chunk
    os.close(handover)
    if not data:
        os._exit(0)
    order: Dict[str, Any] = json.loads(data)
    return order


def resident_kb() -> int:
    """Resident memory now, in KiB; what a fresh interpreter would have cost the function itself."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize() // 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)


def become(options: Dict[str, Any], handover: int, output: int, frames: int) -> None:
    """Wait for the function, then turn this process into its runtime; returns so that the client can start.

    ``handover`` carries one JSON object and ends: ``environment`` (all variables), ``task_root``, ``entry``
    (``None`` to run the client here, or the candidates for an executable to run instead).
    """
    order = read_order(handover)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    environment = order["environment"]
    limit_memory(options, environment)
    if order["entry"] is None:
        os.set_inheritable(frames, False)
        environment["_LAMBDA_TELEMETRY_LOG_FD"] = str(frames)
    else:
        os.close(frames)
    try:
        os.chdir(order["task_root"])
    except OSError as error:
        sys.stderr.write(f"the working directory cannot be entered: {error}\n")
        os._exit(1)
    if order["entry"] is not None:
        _execute(order["entry"], [], environment)
    command = [options["interpreter"], options["bootstrap"]]
    wrapper = order["user_environment"].get("AWS_LAMBDA_EXEC_WRAPPER")
    if any(name in _EXEC_ONLY or name.startswith(_EXEC_ONLY_PREFIXES) for name in order["user_environment"]):
        os.set_inheritable(frames, True)
        _execute([wrapper] if wrapper else [command[0]], command if wrapper else command[1:], environment)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    _forget_zygote()


def _execute(candidates: List[str], arguments: List[str], environment: Dict[str, str]) -> NoReturn:
    """Run the first candidate that exists, as a shell would: 127 when there is none, 126 when it may not run."""
    code = 127
    for path in candidates:
        try:
            os.execve(path, [path, *arguments], environment)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                sys.stderr.write(f"{path}: {error.strerror}\n")
                code = 126
                break
    sys.stderr.flush()
    os._exit(code)


def _forget_zygote() -> None:
    """Undo what the client read from the zygote's environment instead of the function's."""
    import awslambdaric.bootstrap as bootstrap

    for name in ("AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL"):
        if name in os.environ:
            # Read once at import by the client, so it must read them again.
            import importlib

            importlib.reload(bootstrap)
            break
    sys.argv[:] = [sys.argv[0]]


def signal_below(ancestor: int, number: int) -> None:
    """Without a pid namespace: signal every process that descends from one. Raises ProcessLookupError if none does.

    The ancestor has to be a child subreaper, so that whose parent has ended is still found below it (prctl(2)).
    """
    children: Dict[int, List[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as file:  # bytes: a process may bear any name
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            if len(fields) > 1:
                children.setdefault(int(fields[1]), []).append(int(entry))
    waiting = list(children.get(ancestor, ()))
    if not waiting:
        raise ProcessLookupError
    while waiting:
        pid = waiting.pop()
        waiting.extend(children.get(pid, ()))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
