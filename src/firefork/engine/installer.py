"""Installs runtimes: an interpreter where it is missing, the client and the SDK in a folder of their own.

uv does the work, because it installs for any interpreter without needing pip beside it, and because it can fetch
interpreters. What is installed is pinned in ``runtime_locks/``, with versions that each Python still supports.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from firefork.engine.installations import Installation, Installations, Interpreter, uv_binary

_LOCKS: Final = Path(__file__).with_name("runtime_locks")
_SDK_BESIDE_CLIENT: Final = ("python3.8", "python3.9", "python3.10")
"""Where AWS keeps the SDK in /var/runtime; newer ones have it in site-packages."""

OLDEST_PYTHON: Final = (3, 8)
"""The oldest that the guest's code and the runtime client run on."""
Progress = Callable[[str], None]
STEPS: Final = 5
"""How often ``install`` tells its progress at most."""


class InstallFailed(Exception):
    """What went wrong, for people."""


def is_current(installations: Installations, identifier: str) -> bool:
    """Whether what is installed is what the locks say."""
    try:
        stored = json.loads((installations.runtimes_dir / identifier / "versions.json").read_text())
    except (OSError, ValueError):
        return False
    return bool(stored.get("lock") == _lock_text(identifier))


def _lock_text(identifier: str) -> str:
    return "".join((_LOCKS / f"{identifier}.{part}.txt").read_text() for part in ("client", "sdk"))


def install(installations: Installations, identifier: str, progress: Progress = lambda text: None) -> Installation:
    """Install what ``identifier`` lacks. Safe to run in parallel, and again after a failure. Raises InstallFailed."""
    try:
        installations.runtimes_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InstallFailed(f"the folder {installations.runtimes_dir} cannot be made: {error.strerror}") from None
    with _lock(installations.runtimes_dir / f".{identifier}.lock"):
        interpreter = next((one for one in installations.interpreters() if one.identifier == identifier), None)
        if interpreter is None:
            progress("fetching the interpreter")
            _fetch_interpreter(identifier)
            installations.refresh()
            interpreter = next((one for one in installations.interpreters() if one.identifier == identifier), None)
            if interpreter is None:
                raise InstallFailed(f"uv installed {identifier}, but it cannot be found or does not run.")
        if not is_current(installations, identifier):
            _remove_leftovers(installations.runtimes_dir, identifier)
            _install_packages(installations.runtimes_dir, interpreter, progress)
            installations.refresh()
        return installations.find(identifier)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    try:
        file = path.open("w")
    except OSError as error:
        raise InstallFailed(f"the folder {path.parent} cannot be written: {error.strerror}") from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove_leftovers(runtimes_dir: Path, identifier: str) -> None:
    """What an install left that was killed. The caller holds the identifier's lock, so nobody works on it now."""
    for folder in runtimes_dir.glob(f".{identifier}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _fetch_interpreter(identifier: str) -> None:
    result = _uv("python", "install", identifier.removeprefix("python"))
    if result.returncode != 0:
        raise InstallFailed(
            f"the interpreter is not on this machine and could not be fetched ({_last_line(result.stderr)}). Install "
            "it with your system's package manager or pyenv, or copy one here and name it with --interpreter."
        )


def _install_packages(runtimes_dir: Path, interpreter: Interpreter, progress: Progress) -> None:
    identifier = interpreter.identifier
    work = Path(tempfile.mkdtemp(dir=runtimes_dir, prefix=f".{identifier}-"))
    try:
        runtime, packages = work / "runtime", work / "site-packages"
        packages.mkdir()
        progress("installing the runtime client")
        _install_lock(interpreter, f"{identifier}.client.txt", runtime)
        progress("installing the SDK")
        beside = identifier in _SDK_BESIDE_CLIENT
        _install_lock(interpreter, f"{identifier}.sdk.txt", runtime if beside else packages)
        for folder in (runtime, packages):
            shutil.rmtree(folder / "bin", ignore_errors=True)
            (folder / ".lock").unlink(missing_ok=True)
        progress("compiling")
        # Functions cannot write bytecode there, so it has to be complete.
        _run([interpreter.executable, "-I", "-m", "compileall", "-q", "-j", "0", runtime, packages])
        progress("checking")
        _run(
            [
                interpreter.executable,
                "-I",
                "-c",
                f"import sys; sys.path[:0] = [{str(packages)!r}, {str(runtime)!r}]; "
                "import awslambdaric.bootstrap, runtime_client, boto3",
            ]
        )
        versions = _pins(f"{identifier}.client.txt") | _pins(f"{identifier}.sdk.txt")
        (work / "versions.json").write_text(json.dumps(versions | {"lock": _lock_text(identifier)}))
        work.chmod(0o755)
        target = runtimes_dir / identifier
        if target.exists():
            old = Path(tempfile.mkdtemp(dir=runtimes_dir, prefix=f".{identifier}-old-"))
            os.rename(target, old / "it")
            os.rename(work, target)
            # Zygotes that run now keep what they have mounted; files vanish with the last of them.
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _install_lock(interpreter: Interpreter, lock: str, target: Path) -> None:
    result = _uv(
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--python",
        str(interpreter.executable),
        "--target",
        str(target),
        "--requirements",
        str(_LOCKS / lock),
    )
    if result.returncode != 0:
        raise InstallFailed(f"{lock}: {_last_line(result.stderr)}")


def _uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    binary = uv_binary()
    if binary is None:
        raise InstallFailed("uv is needed to install runtimes: `pip install uv`.")
    return subprocess.run([binary, *arguments], capture_output=True, text=True, check=False)


def _run(command: list[str | Path]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    if result.returncode != 0:
        raise InstallFailed(_last_line(result.stderr or result.stdout))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def _pins(lock: str) -> dict[str, str]:
    lines = (_LOCKS / lock).read_text().splitlines()
    return dict(line.split("==", 1) for line in lines if "==" in line)
