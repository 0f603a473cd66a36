"""What answers below ``/_firefork/console``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from firefork.api.web_console.files import ConsoleFiles
from firefork.api.web_console.sign_in import SignIn
from firefork.aws.protocols.message import HttpAnswer, HttpRequest

PREFIX: Final = "/_firefork/console"
ROOT: Final = PREFIX + "/"
_SESSION: Final = "session"


class WebConsole:
    """The console's files, and its sign-in. Knows no sockets."""

    def __init__(self, files: ConsoleFiles, sign_in: SignIn) -> None:
        self._files = files
        self._sign_in = sign_in

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """The answer to a request whose path begins with ``ROOT``; the body is empty unless it is a POST."""
        name = request.path.removeprefix(ROOT)
        if name == _SESSION:
            if request.method != "POST":
                return _method_not_allowed("POST")
            return self._sign_in.answer(request.headers, request.body)
        if request.method not in ("GET", "HEAD"):
            return _method_not_allowed("GET, HEAD")
        answer = self._files.answer(name, request.headers)
        if request.method == "HEAD":
            return HttpAnswer(status=answer.status, headers=answer.headers, body=b"", length=len(answer.body))
        return answer


def wants_page(method: str, path: str, headers: Mapping[str, str]) -> bool:
    """Whether somebody typed the server's bare address into a browser: they are sent to the console."""
    return (
        method == "GET" and path == "/" and "authorization" not in headers and "text/html" in headers.get("accept", "")
    )


def to_console() -> HttpAnswer:
    return HttpAnswer(status=302, headers=[("location", ROOT), ("cache-control", "no-store")], body=b"")


def _method_not_allowed(allowed: str) -> HttpAnswer:
    return HttpAnswer(status=405, headers=[("allow", allowed)], body=b"")
