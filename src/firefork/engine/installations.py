"""Which interpreters this machine has, and which of them have a runtime client and an SDK installed for them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firefork.catalog.runtimes import RUNTIMES

_NAME: Final = re.compile(r"python3\.\d+")
_PROBE: Final = (
    "import ctypes, json, platform, sys, sysconfig; "
    "print(json.dumps([platform.python_version(), '%d.%d' % sys.version_info[:2], sys.executable, "
    "platform.python_implementation(), bool(sysconfig.get_config_var('Py_GIL_DISABLED')), "
    "sys.base_prefix, sysconfig.get_config_var('SOABI') or '']))"
)
_KEPT: Final = ("PATH", "HOME", "PYENV_ROOT", "PYENV_VERSION")
"""What a shim needs to find the interpreter that it stands for."""


class RuntimeNotInstalled(Exception):
    """A known runtime that this machine cannot run yet; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A CPython that was asked for its version."""

    identifier: str
    executable: Path
    version: str
    source: str
    """``path``, ``pyenv``, ``uv`` or ``option``."""
    prefix: Path = Path("/")
    """Where its standard library lives: ``sys.base_prefix``."""
    abi: str = ""
    """Tag of the extension modules that it loads, such as ``cpython-312-x86_64-linux-gnu``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An interpreter with what AWS's runtime has beside it."""

    identifier: str
    interpreter: Interpreter
    runtime_dir: Path
    """What a function sees at ``/var/runtime``."""
    site_packages_dir: Path
    """What it sees at ``/var/lang/lib/python3.X/site-packages``."""
    awslambdaric_version: str
    sdk_version: str


class Installations:
    """Looks interpreters up once; ``refresh`` looks again."""

    def __init__(self, runtimes_dir: Path, interpreter_paths: Sequence[Path] = ()) -> None:
        self.runtimes_dir = runtimes_dir
        self._paths = tuple(interpreter_paths)
        self._interpreters: dict[str, Interpreter] | None = None
        self._found: dict[str, Installation] = {}

    def interpreters(self) -> list[Interpreter]:
        """The newest of each Python version, by version."""
        if self._interpreters is None:
            self._interpreters = self._search()
        return sorted(self._interpreters.values(), key=lambda found: RUNTIMES[found.identifier].python or (0, 0))

    def refresh(self) -> None:
        self._interpreters = None
        self._found.clear()

    def find(self, identifier: str) -> Installation:
        """The installation behind a ``python3.X`` identifier. Raises RuntimeNotInstalled."""
        known = self._found.get(identifier)
        if known is None:
            known = self._found[identifier] = self._find(identifier)
        return known

    def all(self) -> list[Installation]:
        """Every runtime that can run now."""
        found = []
        for interpreter in self.interpreters():
            try:
                found.append(self.find(interpreter.identifier))
            except RuntimeNotInstalled:
                continue
        return found

    def host_of_custom(self) -> Installation:
        """The interpreter whose zygote forks the sandboxes of custom runtimes. Raises RuntimeNotInstalled."""
        every = self.all()
        if not every:
            raise RuntimeNotInstalled("No runtime is installed: run `firefork runtimes install --all`.")
        return every[-1]

    def missing(self, identifier: str) -> str | None:
        """How to install a runtime that is not there, ``None`` when it is."""
        try:
            if identifier.startswith("provided"):
                self.host_of_custom()
            else:
                self.find(identifier)
        except RuntimeNotInstalled as error:
            return str(error)
        return None

    def _find(self, identifier: str) -> Installation:
        self.interpreters()
        assert self._interpreters is not None
        interpreter = self._interpreters.get(identifier)
        if interpreter is None:
            raise RuntimeNotInstalled(
                f"There is no interpreter for {identifier}: run `firefork runtimes install {identifier}`, or name one "
                "with --interpreter."
            )
        folder = self.runtimes_dir / identifier
        try:
            versions = json.loads((folder / "versions.json").read_text())
        except (OSError, ValueError):
            raise RuntimeNotInstalled(
                f"{identifier} has no runtime client yet: run `firefork runtimes install {identifier}`."
            ) from None
        return Installation(
            identifier=identifier,
            interpreter=interpreter,
            runtime_dir=folder / "runtime",
            site_packages_dir=folder / "site-packages",
            awslambdaric_version=versions["awslambdaric"],
            sdk_version=versions["boto3"],
        )

    def _search(self) -> dict[str, Interpreter]:
        cache = _ProbeCache(self.runtimes_dir / "interpreters.json")
        found: dict[str, Interpreter] = {}
        for source, path in self._candidates():
            interpreter = cache.probe(path, source)
            if interpreter is None or interpreter.identifier not in RUNTIMES:
                continue
            known = found.get(interpreter.identifier)
            if known is None or (source == "option", _order(interpreter)) > (
                known.source == "option",
                _order(known),
            ):
                found[interpreter.identifier] = interpreter
        cache.save()
        return found

    def _candidates(self) -> Iterator[tuple[str, Path]]:
        for option in self._paths:
            if option.is_dir():
                yield from (("option", path) for path in _pythons(option))
                yield from (("option", path) for path in _pythons(option / "bin"))
            else:
                yield "option", option
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            # A shim is a script that picks an interpreter by the working folder: not one itself.
            if folder and Path(folder).name != "shims":
                yield from (("path", path) for path in _pythons(Path(folder)))
        pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
        for version in sorted((pyenv / "versions").glob("*/bin")):
            yield from (("pyenv", path) for path in _pythons(version))
        data_home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
        uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data_home / "uv" / "python")
        for version in sorted(uv.glob("*/bin")):
            yield from (("uv", path) for path in _pythons(version))


def _pythons(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for path in sorted(folder.glob("python3.*")):
            if _NAME.fullmatch(path.name) and os.access(path, os.X_OK):
                yield path


def _order(interpreter: Interpreter) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", interpreter.version)[:3])


class _ProbeCache:
    """Asking an interpreter costs its start; the answer holds until the file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = False
        try:
            self._known: dict[str, dict[str, str]] = json.loads(path.read_text())
        except (OSError, ValueError):
            self._known = {}

    def probe(self, path: Path, source: str) -> Interpreter | None:
        try:
            real = path.resolve(strict=True)
            status = real.stat()
        except OSError:
            return None
        key = f"{real}:{status.st_mtime_ns}:{status.st_size}"
        answer = self._known.get(key)
        if answer is None or answer.keys() != _ANSWERS:
            answer = _ask(real)
            if answer is None:
                return None
            # Which interpreter a shim stands for changes without the shim.
            if answer["executable"] == str(real):
                self._known[key] = answer
                self._changed = True
        return Interpreter(
            identifier=f"python{answer['language']}",
            executable=Path(answer["executable"]),
            version=answer["version"],
            source=source,
            prefix=Path(answer["prefix"]),
            abi=answer["abi"],
        )

    def save(self) -> None:
        if not self._changed:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            work = self._path.with_suffix(f".{os.getpid()}.tmp")
            work.write_text(json.dumps(self._known))
            os.replace(work, self._path)
        except OSError:
            pass  # only slower next time


_ANSWERS: Final = {"version", "language", "executable", "prefix", "abi"}


def _ask(executable: Path) -> dict[str, str] | None:
    """Run it once; ``None`` for whatever is no CPython with ctypes and a global lock."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    try:
        answer = subprocess.run(
            [executable, "-I", "-S", "-c", _PROBE], capture_output=True, timeout=30, check=True, env=environment
        )
        version, language, real, implementation, free_threaded, prefix, abi = json.loads(answer.stdout)
        real = str(Path(real).resolve(strict=True))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if implementation != "CPython" or free_threaded:
        return None
    return {"version": version, "language": language, "executable": real, "prefix": prefix, "abi": abi}


def uv_binary() -> str | None:
    """The uv that came with the package, or the one on PATH."""
    try:
        import uv
    except ImportError:
        return shutil.which("uv")
    try:
        return str(uv.find_uv_bin())
    except FileNotFoundError:
        return shutil.which("uv")
