"""Calls of the kernel that guests make, on processes of this test's own."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from firefork.engine.guest import kernel

BEGIN = """
import os, signal, threading
def told(number, frame):
    print("main thread" if threading.current_thread() is threading.main_thread() else "another", flush=True)
    os._exit(0)
"""
MAIN_WAITS = """
signal.signal(signal.SIGTERM, told)
for _ in range(4):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
print("ready", flush=True)
os.read(os.pipe()[0], 1)
"""
ANOTHER_TAKES_IT = """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
def wait():
    print("ready", flush=True)
    print("taken", signal.sigwait([signal.SIGTERM]), flush=True)
    os._exit(0)
threading.Thread(target=wait).start()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="signals to threads are Linux's")
class TestSignalProcess:
    @pytest.mark.parametrize(
        ("code", "heard"), [(MAIN_WAITS, "main thread\n"), (ANOTHER_TAKES_IT, f"taken {int(signal.SIGTERM)}\n")]
    )
    def test_who_waits_for_it_hears_it(self, code, heard):
        """A call of the main thread is interrupted; where it blocks the signal, the thread that waits has it."""
        with subprocess.Popen([sys.executable, "-c", BEGIN + code], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "ready\n"
            kernel.signal_process(process.pid, signal.SIGTERM)
            assert process.stdout.readline() == heard

    def test_one_that_is_gone_is_no_process(self):
        with subprocess.Popen([sys.executable, "-c", ""]) as process:
            process.wait()
            with pytest.raises(ProcessLookupError):
                kernel.signal_process(process.pid, signal.SIGTERM)


FILTERED = """
import os, socket, struct
from firefork.engine.guest import kernel
allow = struct.pack("=HBBI", 6, 0, 0, 0x7FFF0000)  # BPF_RET | BPF_K, SECCOMP_RET_ALLOW
kernel.prctl(38, 1)  # PR_SET_NO_NEW_PRIVS
with socket.socket(fileno=0) as tester:
    socket.send_fds(tester, [b"!"], [kernel.install_listening_filter(allow)])
    tester.recv(1)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
class TestIsWithoutCallers:
    def test_when_the_last_process_with_the_filter_ended(self):
        """Its descriptor is readable from then on: whoever waits for calls must know, or never waits again."""
        ours, its_end = socket.socketpair()
        source = str(Path(kernel.__file__).parents[3])
        with (
            ours,
            subprocess.Popen(
                [sys.executable, "-c", FILTERED], stdin=its_end, env={**os.environ, "PYTHONPATH": source}
            ) as process,
        ):
            its_end.close()
            _, (listener,), _, _ = socket.recv_fds(ours, 1, 1)
            try:
                assert not kernel.is_without_callers(listener)
                ours.send(b"!")
                assert process.wait() == 0
                assert kernel.is_without_callers(listener)
            finally:
                os.close(listener)
