"""The built console as static files: what may be asked for is listed once, when the server starts.

Nothing is looked up by a path that a client sends, so there is no path to climb out of.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firefork.aws.protocols.message import HttpAnswer

_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
"""By preference: the name in Accept-Encoding, and the suffix that the build gives the compressed file."""

_ASSETS: Final = "assets/"
"""Files below it carry a hash of their content in their names."""

_NONCE: Final = b"__CSP_NONCE__"
"""What the build leaves in index.html where an answer's own nonce has to stand."""

_NOT_BUILT: Final = b"The console has not been built: run `make console` and start the server again.\n"

_CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""No inline script, no host but ours. The nonce is for the style sheet that the editor makes while it runs."""

SECURITY_HEADERS: Final = (
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
)


@dataclass(frozen=True, slots=True)
class _File:
    content_type: str
    etag: str
    forms: Mapping[str, bytes]
    """Content by encoding; ``identity`` is always there."""


class ConsoleFiles:
    """The files of one build, in memory: a few megabytes, read once."""

    def __init__(self, folder: Path) -> None:
        """``folder`` may be missing or empty; the console then says how to build it."""
        self._files = {
            path.relative_to(folder).as_posix(): _read(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix in _TYPES
        }

    @property
    def built(self) -> bool:
        return "index.html" in self._files

    def answer(self, name: str, headers: Mapping[str, str]) -> HttpAnswer:
        """The file ``name``, relative to the console's root; the page itself for every name that is no file.

        The page reads the address and shows what it names: so a link to a function can be opened and reloaded.
        """
        file = self._files.get(name)
        if file is not None and name != "index.html":
            return _static(file, headers, hashed=name.startswith(_ASSETS))
        if name.startswith(_ASSETS):
            return _text(404, b"There is no such file in this build of the console.\n")
        if not self.built:
            return _text(503, _NOT_BUILT)
        return _page(self._files["index.html"])


def _read(path: Path) -> _File:
    content = path.read_bytes()
    forms = {"identity": content}
    for encoding, suffix in _ENCODINGS:
        compressed = path.with_name(path.name + suffix)
        if compressed.exists():
            forms[encoding] = compressed.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:32]
    return _File(_TYPES[path.suffix], digest, forms)


def _static(file: _File, headers: Mapping[str, str], *, hashed: bool) -> HttpAnswer:
    encoding = _encoding(file, headers.get("accept-encoding", ""))
    etag = f'"{file.etag}-{encoding}"'
    told = [
        *SECURITY_HEADERS,
        ("cache-control", "public, max-age=31536000, immutable" if hashed else "no-cache"),
        ("etag", etag),
        ("vary", "accept-encoding"),
    ]
    if etag in headers.get("if-none-match", ""):
        return HttpAnswer(status=304, headers=told, body=b"")
    told.append(("content-type", file.content_type))
    if encoding != "identity":
        told.append(("content-encoding", encoding))
    return HttpAnswer(status=200, headers=told, body=file.forms[encoding])


def _encoding(file: _File, accepted: str) -> str:
    """The best form that the client takes. RFC 9110 section 12.5.3; a weight of 0 refuses."""
    weights = {}
    for part in accepted.lower().split(","):
        name, _, parameters = part.partition(";")
        weights[name.strip()] = parameters.replace(" ", "")
    for encoding, _ in _ENCODINGS:
        weight = weights.get(encoding)
        if encoding in file.forms and weight is not None and weight.rstrip("0.") != "q=":
            return encoding
    return "identity"


def _page(file: _File) -> HttpAnswer:
    nonce = secrets.token_urlsafe(16)
    return HttpAnswer(
        status=200,
        headers=[
            *SECURITY_HEADERS,
            ("content-security-policy", _CONTENT_POLICY.format(nonce=nonce)),
            ("content-type", file.content_type),
            ("cache-control", "no-cache"),
        ],
        body=file.forms["identity"].replace(_NONCE, nonce.encode()),
    )


def _text(status: int, body: bytes) -> HttpAnswer:
    headers = [*SECURITY_HEADERS, ("content-type", _TYPES[".txt"]), ("cache-control", "no-store")]
    return HttpAnswer(status=status, headers=headers, body=body)
