"""The system call filter of environments, compiled once by libseccomp and handed over as BPF bytes.

It denies what containers' default profiles deny, and every way to new privileges, namespaces and kernel interfaces
that a function has no use for. A denied call fails with EPERM; calls the filter does not know pass, as the kernel's
own checks still apply to a process without capabilities.
"""

from __future__ import annotations

import functools
import os
import tempfile
from typing import Final

DENIED: Final = [
    "acct",
    "add_key",
    "bpf",
    "clock_adjtime",
    "clock_settime",
    "create_module",
    "delete_module",
    "fanotify_init",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "get_kernel_syms",
    "get_mempolicy",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "ioperm",
    "iopl",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "landlock_restrict_self",
    "lookup_dcookie",
    "mbind",
    "migrate_pages",
    "mount",
    "mount_setattr",
    "move_mount",
    "move_pages",
    "name_to_handle_at",
    "nfsservctl",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pivot_root",
    "process_madvise",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "query_module",
    "quotactl",
    "quotactl_fd",
    "reboot",
    "request_key",
    "set_mempolicy",
    "setdomainname",
    "sethostname",
    "setns",
    "settimeofday",
    "stime",
    "swapoff",
    "swapon",
    "sysfs",
    "syslog",
    "umount",
    "umount2",
    "unshare",
    "uselib",
    "userfaultfd",
    "ustat",
    "vhangup",
    "vm86",
    "vm86old",
    "chroot",
]

_CLONE_NEW: Final = 0x7E020080
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET and NEWTIME together."""
_NAMESPACE_FLAGS: Final = [1 << bit for bit in range(32) if _CLONE_NEW >> bit & 1]
_DENIED_FAMILIES: Final = {"AF_PACKET": 17, "AF_ALG": 38, "AF_VSOCK": 40}


TEMPLATE_ASKS: Final = "setns"
"""How a fork of a template (SnapStart) enters its environment, if ``guest/restorer.py`` lets it."""


@functools.cache
def program(*, template: bool = False) -> bytes | None:
    """The filter's BPF instructions, or ``None`` where libseccomp is missing.

    ``template``: for a runtime that others are forked from: one call is handed over instead of denied.
    """
    try:
        import pyseccomp
    except (ImportError, RuntimeError, OSError):
        return None
    import errno

    refuse = pyseccomp.ERRNO(errno.EPERM)
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in DENIED:
        try:
            number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
            if number >= 0:
                rules.add_rule(pyseccomp.NOTIFY if template and name == TEMPLATE_ASKS else refuse, name)
        except (ValueError, OSError, RuntimeError):
            continue  # unknown to this libseccomp or this architecture
    for flag in _NAMESPACE_FLAGS:
        rules.add_rule(refuse, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    # clone3 passes its flags in memory, where a filter cannot look: libc falls back to clone on ENOSYS.
    rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    for family in _DENIED_FAMILIES.values():
        rules.add_rule(refuse, "socket", pyseccomp.Arg(0, pyseccomp.EQ, family))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.flush()
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        return os.read(file.fileno(), 1 << 20)
