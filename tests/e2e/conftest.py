"""Clients of other makers, each in an environment of its own."""

import fcntl
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LOCK = REPOSITORY / "requirements" / "sam.lock"


@pytest.fixture(scope="session")
def sam_program(runtimes_dir):
    """The SAM CLI: FIREFORK_SAM, or one that is installed beside the runtimes in the versions of requirements/sam.lock.

    Its dependencies are not ours, so it cannot share our environment.
    """
    if given := os.environ.get("FIREFORK_SAM"):
        return Path(given)
    folder = runtimes_dir.parent / ".sam"
    program, installed = folder / "bin" / "sam", folder / "installed"
    with (runtimes_dir.parent / ".sam.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes of one test run may want it at once
        if not installed.exists() or installed.read_text() != LOCK.read_text():
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=False)
            uv = Path(sys.executable).with_name("uv")
            command = [uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python", "-r", LOCK]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            if result.returncode != 0:
                pytest.skip(f"the SAM CLI cannot be installed: {result.stderr.strip()[-300:]}")
            installed.write_text(LOCK.read_text())
    return program


@pytest.fixture
def sam(sam_program, server, tmp_path):
    """Runs a command of the SAM CLI against the server; its output."""
    key, secret = server.keys()
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_", "PYTHON"))},
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
    }

    def run(*arguments, stdin=""):
        result = subprocess.run(
            [sam_program, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=tmp_path,
            env=variables,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return run
