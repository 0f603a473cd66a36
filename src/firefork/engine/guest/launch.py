"""Start of a zygote: make its namespaces and its root, then run the interpreter anew inside them.

Runs on the runtime's own interpreter outside of any sandbox, as a child of the server. It executes nothing of the
function's. What it makes disappears with the zygote: all mounts are in the zygote's mount namespace.
"""

import os
import resource
import signal
import socket
import sys
from typing import Any, Dict, NoReturn

from . import channel, kernel, root


def main(control: int) -> None:
    """Become the zygote that the first message on ``control`` describes. Keys: see ``sandbox/zygote.py``."""
    # The server's own limit is higher; a zygote holds few, and its children close all that there may be, one by one.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, most), most))
    connection = socket.socket(fileno=control)
    connection.setblocking(True)
    options, _ = channel.receive(connection)
    connection.detach()
    if options is None:
        sys.exit("the server is gone")
    if options["mode"] == "process":
        _execute(options, control, sys.executable, os.path.join(os.path.dirname(__file__), "bootstrap.py"))
    try:
        if options["mode"] == "user":
            enter_user_namespace()
        network = kernel.CLONE_NEWNET if options["network"] != "host" else 0
        kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWIPC | network)
        kernel.mount(None, "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        root.build(
            options["root"],
            options["runtime_dir"],
            options["site_packages_dir"],
            os.path.dirname(os.path.abspath(__file__)),
            options["code_dir"],
            options["opt_dir"],
            options["api_address"],
            options["name_settings"],
        )
    except OSError as error:
        sys.exit(f"the sandbox cannot be made: {error.filename}: {error.strerror}")
    if os.fork():
        # The zygote has to be a child to be the first process of its namespace; this process is done.
        os._exit(0)
    os.setsid()
    # Before the old root goes: in a user namespace the kernel shows a new /proc only to who sees one already.
    kernel.mount("proc", options["root"] + "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    root.enter(options["root"])
    root.seal()
    _execute(options, control, root.interpreter_path(), "/var/runtime/bootstrap.py")


def _execute(options: Dict[str, Any], control: int, interpreter: str, bootstrap: str) -> NoReturn:
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.set_inheritable(control, True)
    environment = dict(options["environment"])
    environment["_FIREFORK_CONTROL"] = str(control)
    environment["_FIREFORK_GUEST"] = root.HIDDEN if options["mode"] != "process" else options["guest_path"]
    os.execve(interpreter, [interpreter, bootstrap], environment)


def enter_user_namespace() -> None:
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(kernel.CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        with open("/proc/self/" + name, "w") as file:
            file.write(text)
