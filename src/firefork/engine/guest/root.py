"""The minimal root that a runtime's zygote and all of its environments see.

It is a tmpfs that exists only in the zygote's mount namespace. It holds the interpreter at ``/var/lang``, the
runtime client at ``/var/runtime``, the host's shared libraries and tools read-only, a handful of devices, and
names for one unprivileged user. AWS: Lambda developer guide, "Execution environment"; users and paths as observed
there.
"""

import os
import sys
import sysconfig

from . import kernel

USER_NAME = "sbx_user1051"
USER_ID = 993
GROUP_ID = 990
API_ADDRESS = "169.254.100.1"

HIDDEN = "/run/firefork"
"""Where zygotes find guest code, function code and merged layers; gone before any user code runs."""

_SYSTEM_FOLDERS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_USR_FOLDERS = (
    "bin",
    "sbin",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "libexec",
    "share/zoneinfo",
    "share/ca-certificates",
)
_SETTINGS = (
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/protocols",
    "/etc/services",
    "/etc/mime.types",
)
_DEVICES = ("null", "zero", "full", "random", "urandom")

_FILES = {
    "etc/passwd": (
        "root:x:0:0:root:/root:/sbin/nologin\n"
        f"{USER_NAME}:x:{USER_ID}:{GROUP_ID}::/home/{USER_NAME}:/sbin/nologin\n"
        "nobody:x:65534:65534:nobody:/:/sbin/nologin\n"
    ),
    "etc/group": f"root:x:0:\n{USER_NAME}:x:{GROUP_ID}:\nnogroup:x:65534:\n",
    "etc/hosts": f"127.0.0.1 localhost\n{API_ADDRESS} sandbox.localdomain sandbox\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "etc/resolv.conf": "options timeout:1 attempts:1\n",
    "etc/os-release": 'NAME="Firefork"\nID=firefork\nPRETTY_NAME="Firefork execution environment"\n',
    "lambda-entrypoint.sh": '#!/bin/sh\nexec /var/runtime/bootstrap "$@"\n',
}

BOOTSTRAP = """#!/bin/sh
# Starts the runtime in a fresh interpreter: the way of wrappers and of environment variables that only exec applies.
exec {interpreter} /var/runtime/bootstrap.py
"""


def interpreter_path() -> str:
    return "/var/lang/bin/python{}.{}".format(*sys.version_info[:2])


def build(new_root: str, runtime_dir: str, site_packages_dir: str, guest_dir: str, code_dir: str, opt_dir: str) -> None:
    """Mount the root at ``new_root`` (an empty folder); the caller owns the mount namespace. Raises OSError."""
    kernel.mount("tmpfs", new_root, "tmpfs", kernel.MS_NOSUID, "mode=755,size=16m")
    for folder in [
        "bin",
        "sbin",
        "dev",
        "etc",
        "home",
        "opt/lib",
        "opt/python",
        "proc",
        "root",
        "run",
        "tmp",
        "usr/local/bin",
        "usr/share",
        "var/lang/bin",
        "var/lang/lib",
        "var/runtime",
        "var/task/lib",
    ]:
        os.makedirs(os.path.join(new_root, folder), 0o755, exist_ok=True)
    for folder in ("code", "opt", "proc", "firefork/engine/guest"):
        os.makedirs(new_root + HIDDEN + "/" + folder, 0o755)
    os.chmod(new_root + HIDDEN, 0o700)
    for package in ("firefork", "firefork/engine"):
        _write(new_root + HIDDEN + "/" + package + "/__init__.py", "")
    for name, text in _FILES.items():
        _write(os.path.join(new_root, name), text)
    os.chmod(new_root + "/lambda-entrypoint.sh", 0o755)
    _show_system(new_root)
    _show_runtime(new_root, runtime_dir)
    _show_interpreter(new_root, site_packages_dir)
    kernel.bind(guest_dir, new_root + HIDDEN + "/firefork/engine/guest")
    kernel.bind(code_dir, new_root + HIDDEN + "/code")
    kernel.bind(opt_dir, new_root + HIDDEN + "/opt")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _show(source: str, target: str) -> None:
    if os.path.isdir(source):
        os.makedirs(target, 0o755, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)
        with open(target, "ab"):
            pass
    kernel.bind(source, target)


def _show_system(new_root: str) -> None:
    for folder in _SYSTEM_FOLDERS:
        if os.path.islink(folder):
            target = new_root + folder
            if os.path.isdir(target):
                os.rmdir(target)
            os.symlink(os.readlink(folder), target)
        elif os.path.isdir(folder):
            _show(folder, new_root + folder)
    for folder in _USR_FOLDERS:
        source = "/usr/" + folder
        if os.path.isdir(source) and not os.path.islink(source):
            _show(source, new_root + source)
        elif os.path.islink(source):
            os.symlink(os.readlink(source), new_root + source)
    for path in _SETTINGS:
        if os.path.exists(path):
            _show(os.path.realpath(path), new_root + path)
    zone = os.path.join(new_root, "etc/localtime")
    if os.path.exists("/usr/share/zoneinfo/UTC"):
        os.symlink("/usr/share/zoneinfo/UTC", zone)
    for device in _DEVICES:
        kernel.bind_device("/dev/" + device, new_root + "/dev/" + device)
    for link, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink("/proc/self/" + target, new_root + "/dev/" + link)


def _show_interpreter(new_root: str, site_packages_dir: str) -> None:
    """Bring the interpreter from wherever it lives to AWS's layout: ``bin/python3.X`` and ``lib/python3.X``."""
    name = "python{}.{}".format(*sys.version_info[:2])
    lang = new_root + "/var/lang"
    _show(os.path.realpath(sys.executable), lang + "/bin/" + name)
    for alias in ("python3", "python"):
        os.symlink(name, lang + "/bin/" + alias)
    library = sysconfig.get_config_var("INSTSONAME")
    folder = sysconfig.get_config_var("LIBDIR") or ""
    if library and library.endswith(".so.1.0"):
        _show(os.path.join(folder, library), lang + "/lib/" + library)
    standard = sysconfig.get_path("stdlib")
    _show(standard, lang + "/lib/" + name)
    packages = lang + "/lib/" + name + "/site-packages"
    if os.path.isdir(packages):
        kernel.bind(site_packages_dir, packages)


def _show_runtime(new_root: str, runtime_dir: str) -> None:
    """``/var/runtime`` is ours with the client's entries bound in, since two files are made here."""
    target = new_root + "/var/runtime"
    for entry in sorted(os.listdir(runtime_dir)):
        _show(os.path.join(runtime_dir, entry), target + "/" + entry)
    _write(target + "/bootstrap", BOOTSTRAP.format(interpreter=interpreter_path()))
    os.chmod(target + "/bootstrap", 0o755)
    for name in ("bootstrap.py", "firefork_transport.py"):
        _show(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), target + "/" + name)


def enter(new_root: str) -> None:
    """Make ``new_root`` the root and let go of the old one."""
    old = new_root + "/.old"
    os.mkdir(old)
    kernel.pivot_root(new_root, old)
    os.chdir("/")
    kernel.unmount("/.old")
    os.rmdir("/.old")


def seal() -> None:
    """Make the root read-only. Everything below has its own mount and keeps its own flags."""
    kernel.mount(None, "/", flags=kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | kernel.MS_NOSUID)
