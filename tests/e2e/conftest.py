"""Clients of other makers, each in an environment of its own: both pin versions of what Firefork uses too."""

import os
import shutil
import subprocess
import sys

import pytest

from firefork.engine.installations import uv_binary

SAM = "aws-sam-cli==1.170.0"


@pytest.fixture(scope="session")
def sam_program(runtimes_dir):
    """The SAM CLI, made at the first run and kept beside the runtimes."""
    home = runtimes_dir / ".test-packages" / SAM.replace("==", "-")
    if not (home / "bin").exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        # Relocatable: it moves to its place when it is whole, for other test processes may be at the same.
        made = home.with_name(f"{home.name}.{os.getpid()}")
        venv = [uv_binary(), "venv", "--quiet", "--relocatable", "--python", sys.executable, made]
        subprocess.run(venv, check=True)
        install = [uv_binary(), "pip", "install", "--quiet", "--python", made / "bin" / "python", SAM]
        subprocess.run(install, check=True)
        try:
            made.rename(home)
        except OSError:  # another process was first
            shutil.rmtree(made)
    return home / "bin" / "sam"


@pytest.fixture
def sam(sam_program, server, tmp_path):
    """Runs a command of the SAM CLI against the server, in an empty home; its output."""
    key, secret = server.keys()
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server.endpoint,
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
