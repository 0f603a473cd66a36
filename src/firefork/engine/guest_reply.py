"""What every API inside an environment answers with: replies, and errors in the shape that AWS gives them.

Shape and statuses: AWS's runtime interface emulator (fact sheet sections 4.1 and 4.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

import orjson

from firefork.aws.record import record


@record
class Reply:
    """An HTTP answer to a process inside the environment."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


class IllegalTransition(Exception):
    """A call that the state does not allow; nothing changed."""


def error_reply(status: int, error_type: str, message: str) -> Reply:
    """``{"errorMessage": …, "errorType": …}``, in this order."""
    return Reply(status=status, body=orjson.dumps({"errorMessage": message, "errorType": error_type}) + b"\n")


ACCEPTED: Final = Reply(status=202, body=b'{"status":"OK"}\n')
NOT_FOUND: Final = Reply(status=404, body=b"404 page not found\n", content_type="text/plain; charset=utf-8")
