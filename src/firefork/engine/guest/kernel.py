"""Linux calls that the standard library lacks on the oldest supported Python, through ctypes.

Every failed call raises ``OSError`` with the kernel's errno and the call's subject. Sources: the manual pages
mount(2), umount2(2), pivot_root(2), unshare(2), setns(2), prctl(2), netdevice(7), seccomp(2), capabilities(7).
"""

import ctypes
import errno
import fcntl
import os
import re
import select
import socket
import struct
from typing import List, NamedTuple, Optional, Tuple

_libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

ENVIRONMENT_NAMESPACES = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET
"""Which an environment that is restored has of its own, besides that of control groups."""

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_MOVE = 8192
MS_REC = 16384
MS_PRIVATE = 1 << 18

MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

SIOCSIFADDR = 0x8916
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 1

_LAST_CAPABILITY = 63
_SECCOMP = {"x86_64": 317, "aarch64": 277}
"""The number of seccomp(2), for which libc has no function."""
_NOTIFICATION = struct.Struct("=QIIiIQ6Q")
_NOTIFICATION_ANSWER = struct.Struct("=QqiI")
_NOTIFICATION_RECEIVE = 0xC0502100
_NOTIFICATION_SEND = 0xC0182101


def _check(result: int, subject: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), subject)
    return result


def version() -> Tuple[int, int]:
    """Of the running kernel, such as ``(6, 1)`` (uname(2))."""
    major, minor = re.split(r"\D", os.uname().release, maxsplit=2)[:2]
    return int(major), int(minor)


def _bytes(text: Optional[str]) -> Optional[bytes]:
    return None if text is None else os.fsencode(text)


def mount(
    source: Optional[str], target: str, kind: Optional[str] = None, flags: int = 0, options: Optional[str] = None
) -> None:
    _check(
        _libc.mount(_bytes(source), _bytes(target), _bytes(kind), ctypes.c_ulong(flags), _bytes(options)),
        target,
    )


def unmount(target: str, flags: int = MNT_DETACH) -> None:
    _check(_libc.umount2(_bytes(target), flags), target)


def bind(source: str, target: str, read_only: bool = True, flags: int = MS_NOSUID | MS_NODEV) -> None:
    """Show ``source`` at ``target`` without set-uid bits and devices, read-only unless told otherwise.

    A bind keeps the source mount's own restrictions: inside a user namespace the kernel refuses to clear them.
    """
    try:
        mount(source, target, flags=MS_BIND)
        shown = [target]
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        # Inside a user namespace a folder is shown with the mounts in it or not at all: what they cover stays covered
        # (mount_namespaces(7)).
        mount(source, target, flags=MS_BIND | MS_REC)
        shown = mounts_below(target)
    for place in shown:
        inherited = os.statvfs(place).f_flag & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
        mount(None, place, flags=MS_REMOUNT | MS_BIND | flags | inherited | (MS_RDONLY if read_only else 0))


def mounts_below(folder: str) -> List[str]:
    """Where something is mounted at or below a folder, the innermost first (proc(5), mounts)."""
    with open("/proc/self/mounts", "rb") as file:
        escaped = [line.split()[1] for line in file]
    targets = [re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), target) for target in escaped]
    below = [os.fsdecode(target) for target in targets]
    return sorted((name for name in below if name == folder or name.startswith(folder + "/")), key=len, reverse=True)


def bind_device(name: str, target: str) -> None:
    """Show a host device node: mknod(2) is refused inside a user namespace."""
    with open(target, "wb"):
        pass
    mount(name, target, flags=MS_BIND)


def pivot_root(new_root: str, put_old: str) -> None:
    _check(_libc.pivot_root(_bytes(new_root), _bytes(put_old)), new_root)


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags), "unshare")


def set_namespace(descriptor: int, kind: int) -> None:
    """Enter a namespace, or with ``CLONE_NEWPID`` let the children to come begin in it (setns(2))."""
    _check(_libc.setns(descriptor, kind), "setns")


def prctl(option: int, argument: int = 0, more: int = 0) -> None:
    _check(
        _libc.prctl(option, ctypes.c_ulong(argument), ctypes.c_ulong(more), ctypes.c_ulong(0), ctypes.c_ulong(0)),
        "prctl",
    )


def signal_process(pid: int, number: int) -> None:
    """Signal a process, its main thread if that lets signals of this number in. Raises ProcessLookupError.

    The kernel, too, gives a process's signal to the main thread first, but to another one while the main thread has
    not run yet since it was thawed: its call would not be interrupted then, and Python's handlers run in no other
    thread. Sources: signal(7), tgkill(2), proc(5), status.
    """
    blocked = 0
    try:
        with open(f"/proc/{pid}/status") as file:
            blocked = next(int(line.split()[1], 16) for line in file if line.startswith("SigBlk:"))
    except (OSError, StopIteration):
        pass  # it is gone, which kill says, or this is no Linux
    lets_in = hasattr(_libc, "tgkill") and not blocked >> (number - 1) & 1
    if not lets_in or _libc.tgkill(pid, pid, number) < 0:
        os.kill(pid, number)


def set_host_name(name: str) -> None:
    _check(_libc.sethostname(_bytes(name), len(name)), "sethostname")


def drop_capability_bounds() -> None:
    """Empty the bounding set, so that no later exec can gain a capability."""
    for capability in range(_LAST_CAPABILITY + 1):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # past the last capability this kernel knows
            return


def clear_capabilities() -> None:
    """Give up every permitted, effective and inheritable capability (capset(2), version 3)."""
    header = struct.pack("=Ii", 0x20080522, 0)
    data = struct.pack("=6I", 0, 0, 0, 0, 0, 0)
    _check(_libc.capset(header, data), "capset")


def install_filter(program: bytes) -> None:
    """Install a seccomp program given as the bytes of its BPF instructions (8 bytes each)."""
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    buffer = ctypes.create_string_buffer(header, len(header))
    prctl(PR_SET_SECCOMP, 2, ctypes.addressof(buffer))


def install_listening_filter(program: bytes) -> int:
    """The same; the descriptor hears of the calls that the program hands over (seccomp_unotify(2), Linux 5.5)."""
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    buffer = ctypes.create_string_buffer(header, len(header))
    number = _SECCOMP[os.uname().machine]
    set_filter, new_listener = ctypes.c_ulong(1), ctypes.c_ulong(8)
    return _check(_libc.syscall(ctypes.c_long(number), set_filter, new_listener, ctypes.byref(buffer)), "seccomp")


class HandedOver(NamedTuple):
    """A system call that waits for whoever holds the descriptor of its filter."""

    identifier: int
    pid: int
    """As the holder's namespace has it."""
    arguments: Tuple[int, ...]


def receive_call(listener: int) -> HandedOver:
    """The next call that was handed over. Raises OSError when its process ended meanwhile."""
    buffer = bytearray(_NOTIFICATION.size)
    fcntl.ioctl(listener, _NOTIFICATION_RECEIVE, buffer)
    identifier, pid, _, _, _, _, *arguments = _NOTIFICATION.unpack(buffer)
    return HandedOver(identifier, pid, tuple(arguments))


def answer_call(listener: int, call: HandedOver, proceed: bool) -> None:
    """Let it be made, or fail with EPERM. Raises OSError when its process ended meanwhile."""
    error, flags = (0, 1) if proceed else (-errno.EPERM, 0)
    answer = bytearray(_NOTIFICATION_ANSWER.pack(call.identifier, 0, error, flags))
    fcntl.ioctl(listener, _NOTIFICATION_SEND, answer)


def is_without_callers(listener: int) -> bool:
    """Whether every process with the filter has ended: the kernel calls the descriptor readable from then on."""
    poll = select.poll()
    poll.register(listener, 0)  # a hang-up is told unasked
    return any(events & select.POLLHUP for _, events in poll.poll(0))


def bring_up_loopback(address: str) -> None:
    """Set ``lo`` up and give it a second address, with the ioctls of netdevice(7)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        flags = fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        (value,) = struct.unpack_from("h", flags, 16)
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", value | IFF_UP))
        fcntl.ioctl(
            control,
            SIOCSIFADDR,
            struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(address)),
        )
