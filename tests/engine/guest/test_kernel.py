"""Calls of the kernel that guests make, on processes of this test's own."""

import signal
import subprocess
import sys

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
