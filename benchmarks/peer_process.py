"""The plainest peer: ``python -m awslambdaric`` started for one event, against a minimal Runtime API.

Same interpreter and same runtime client as Firefork's functions have; no isolation, no limits, no API in front.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from firefork_server import installation

_NEXT = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    b"Lambda-Runtime-Aws-Request-Id: 00000000-0000-4000-8000-000000000000\r\n"
    b"Lambda-Runtime-Deadline-Ms: 4102444800000\r\n"
    b"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:peer\r\n\r\n{}"
)
_ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


def environment(task_root: Path) -> dict[str, str]:
    """What a function's process gets from every peer here."""
    installed = installation()
    return {
        "PATH": os.defpath,
        "PYTHONPATH": f"{installed.site_packages_dir}:{installed.runtime_dir}",
        "LAMBDA_TASK_ROOT": str(task_root),
        "LAMBDA_RUNTIME_DIR": str(installed.runtime_dir),
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_LAMBDA_FUNCTION_NAME": "peer",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_LAMBDA_LOG_GROUP_NAME": "peer",
        "AWS_LAMBDA_LOG_STREAM_NAME": "peer",
        "LANG": "en_US.UTF-8",
    }


def command() -> list[str]:
    return [str(installation().interpreter.executable), "-m", "awslambdaric", "app.handler"]


def first_answer_ms(source: str) -> float:
    """From starting the process to its whole answer. Raises RuntimeError when it is an error."""
    with tempfile.TemporaryDirectory(prefix="firefork-peer-") as folder, socket.create_server(("127.0.0.1", 0)) as api:
        Path(folder, "app.py").write_text(source)
        host, port = api.getsockname()
        values = environment(Path(folder)) | {"AWS_LAMBDA_RUNTIME_API": f"{host}:{port}"}
        arguments = command()
        started = time.perf_counter()
        process = subprocess.Popen(arguments, cwd=folder, env=values, stdout=subprocess.DEVNULL)
        try:
            path = _serve_one_event(api)
            elapsed = (time.perf_counter() - started) * 1000
        finally:
            process.kill()
            process.wait()
    if not path.endswith("/response"):
        raise RuntimeError(f"the function failed: {path}")
    return elapsed


def _serve_one_event(api: socket.socket) -> str:
    """Hand over an event and take the answer; the path that it was posted to."""
    api.settimeout(60)
    while True:
        connection, _ = api.accept()
        with connection:
            data = b""
            while chunk := connection.recv(65536):
                data += chunk
                head, found, body = data.partition(b"\r\n\r\n")
                if not found or len(body) < _length(head):
                    continue
                method, path, _ = head.split(b"\r\n", 1)[0].decode().split()
                data = b""
                if method == "GET":
                    connection.sendall(_NEXT)
                else:
                    connection.sendall(_ACCEPTED)
                    return path


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
