"""The zygote: a warm interpreter that forks sandboxes and never runs a function's code.

It imports the runtime client (and the SDK in the second flavour), tells the server that it is ready, and then
forks one spare for every order. A spare is two processes in namespaces of their own: ``init`` (pid 1) and a
runtime that waits to be bound to a function.
"""

import gc
import importlib
import os
import signal
import socket
import sys
from typing import Any, Callable, Dict, List, Optional

from . import channel, init, kernel, runtime, sdk

_NAMESPACES = kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
"""Which a spare makes for itself; its pid namespace is made by the zygote, for it to be the first process there."""


_PRELOADED = (
    "firefork.engine.guest.restorer",  # out of reach once a function is bound
    "awslambdaric.__main__",
    "awslambdaric.bootstrap",
    "awslambdaric.lambda_literals",
    # What the client imports late, and what many handlers import first.
    "base64",
    "concurrent.futures.thread",
    "datetime",
    "decimal",
    "encodings.idna",
    "hashlib",
    "http.client",
    "logging.config",
    "random",
    "ssl",
    "urllib.request",
    "uuid",
)


def serve(descriptor: int, prepare_client: Callable[[], None]) -> Optional[Callable[[], None]]:
    """Fork spares until the server goes away; returns only in a runtime that was bound to a function.

    ``prepare_client`` imports and fits the runtime client. The answer is ``None``, or for a template what has to be
    called where the client waits to be restored.
    """
    control = socket.socket(fileno=descriptor)
    control.setblocking(True)
    os.set_inheritable(descriptor, False)
    options, _ = channel.receive(control)
    if options is None:
        os._exit(0)
    _preload(options, prepare_client)
    # Ended children need no burial: init reports its own children, and nobody waits for the zygote's.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    baseline_kb = runtime.resident_kb()
    if options["sdk"]:
        sdk.warm()  # beyond what a function would have had to load itself, so not in its account
    gc.collect()
    gc.freeze()  # keep the collector from touching, and so copying, every inherited page
    channel.send(control, {"event": "ready", "pid": os.getpid(), "baseline_kb": baseline_kb})
    isolated = options["mode"] != "process"
    own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC) if isolated else -1
    while True:
        order, descriptors = channel.receive(control)
        if order is None:
            os._exit(0)
        if _fork_spare(own_pids) == 0:
            control.close()
            return _become_spare(options, descriptors)
        for number in descriptors:
            os.close(number)


def _fork_spare(own_pids: int) -> Optional[int]:
    """Fork; the child is the first process of a new pid namespace, unless ``own_pids``, the zygote's, is -1.

    One fork instead of two: unshare(2) counts for children only, and setns(2) takes it back for the next ones. ``None``
    when there is no namespace to be had: the server then reads the end of that spare's stream.
    """
    if own_pids < 0:
        return os.fork()
    try:
        kernel.unshare(kernel.CLONE_NEWPID)
    except OSError:
        return None
    pid = os.fork()
    if pid == 0:
        os.close(own_pids)
    else:
        kernel.set_namespace(own_pids, kernel.CLONE_NEWPID)
    return pid


def _preload(options: Dict[str, Any], prepare_client: Callable[[], None]) -> None:
    sys.path.insert(0, options["runtime_dir"])
    if options["site_packages_dir"] not in sys.path:
        sys.path.insert(0, options["site_packages_dir"])
    prepare_client()
    for name in _PRELOADED:
        importlib.import_module(name)
    if options["sdk"]:
        sdk.preload()


def _become_spare(options: Dict[str, Any], descriptors: List[int]) -> Optional[Callable[[], None]]:
    """Turn a fresh child into init, which forks the runtime; returns only in the bound runtime."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    control, output, frames, *groups = descriptors
    for group in groups:
        os.write(group, b"0")  # this process, and with it all its children, joins the environment's cgroup
        os.close(group)
    if options["mode"] != "process":
        flags = _NAMESPACES | (kernel.CLONE_NEWCGROUP if options["cgroup_namespace"] else 0)
        flags |= kernel.CLONE_NEWNET if options["network"] != "host" else 0
        kernel.unshare(flags)
    else:
        os.setsid()
    return init.run(options, socket.socket(fileno=control), output, frames)
