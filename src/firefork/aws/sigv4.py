"""Signature Version 4, the verifying side, without I/O: header-signed and presigned requests.

Source: AWS General Reference, "Create a signed AWS API request" and "Signature Version 4 for authenticating requests";
error texts are the services' own.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote, unquote

from firefork.aws.errors import (
    AccessDenied,
    ExpiredToken,
    IncompleteSignature,
    InvalidSignature,
    MissingAuthenticationToken,
    ServiceError,
    UnrecognizedClient,
)
from firefork.aws.principal import SigningKey
from firefork.aws.protocols.message import HttpRequest
from firefork.aws.record import record

ALGORITHM: Final = "AWS4-HMAC-SHA256"
SKEW_S: Final = 300
"""How far a request's date may be from this clock."""
_MAXIMUM_EXPIRY_S: Final = 604_800
_UNSIGNED: Final = "UNSIGNED-PAYLOAD"
_EMPTY_HASH: Final = hashlib.sha256(b"").hexdigest()
_DATE: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_PLAIN_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)+/?")
"""Paths that are their own canonical form, as nearly all are."""
_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)

KeyLookup = Callable[[str, "str | None"], "SigningKey | None"]


@record
class Authorization:
    """What a request claims about who signed it, and how."""

    access_key_id: str
    date: str
    """``YYYYMMDD`` of the credential scope."""
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    """``YYYYMMDDTHHMMSSZ``."""
    session_token: str | None
    expires_s: int | None
    """Seconds of validity of a presigned request, ``None`` for one signed in its headers."""


def read_authorization(headers: Mapping[str, str], query: str) -> Authorization | None:
    """The request's authorization, ``None`` if it has none. Raises IncompleteSignature."""
    text = headers.get("authorization")
    if text is not None:
        return _from_header(text, headers)
    if "X-Amz-Signature" in query or "X-Amz-Credential" in query:
        return _from_query(query)
    return None


def _from_header(text: str, headers: Mapping[str, str]) -> Authorization:
    algorithm, _, rest = text.partition(" ")
    if algorithm != ALGORITHM:
        raise IncompleteSignature(f"Unsupported AWS 'algorithm': '{algorithm}' , must be {ALGORITHM}.")
    fields = {}
    for part in rest.split(","):
        name, separator, value = part.strip().partition("=")
        if not separator:
            raise IncompleteSignature(f"'{part.strip()}' not a valid key=value pair (missing equal-sign) in {text!r}.")
        fields[name] = value
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if not fields.get(name)]
    timestamp = headers.get("x-amz-date") or _basic_format(headers.get("date", ""))
    problems = [f"Authorization header requires '{name}' parameter." for name in missing]
    if not timestamp:
        problems.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if problems:
        raise IncompleteSignature(" ".join([*problems, f"Authorization={text.split('Signature=')[0].strip()}"]))
    return _authorization(fields, timestamp, headers.get("x-amz-security-token"), None)


def _basic_format(date: str) -> str:
    """A ``Date`` header in HTTP's form (RFC 9110) as SigV4 has it; what is not of that form is left as it is."""
    try:
        return parsedate_to_datetime(date).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    except ValueError:
        return date


def _from_query(query: str) -> Authorization:
    values = dict(_pairs(query))
    missing = [
        f"'{name}'"
        for name in (
            "X-Amz-Algorithm",
            "X-Amz-Credential",
            "X-Amz-Date",
            "X-Amz-SignedHeaders",
            "X-Amz-Signature",
        )
        if not values.get(name)
    ]
    if missing:
        raise IncompleteSignature(f"AWS query-string parameters must include {', '.join(missing)}.")
    if values["X-Amz-Algorithm"] != ALGORITHM:
        raise IncompleteSignature(f"Unsupported AWS 'algorithm': '{values['X-Amz-Algorithm']}' , must be {ALGORITHM}.")
    expires = values.get("X-Amz-Expires", "3600")
    if not expires.isdigit() or not 0 < int(expires) <= _MAXIMUM_EXPIRY_S:
        raise IncompleteSignature("X-Amz-Expires must be a number of seconds between 1 and 604800.")
    fields = {name: values[f"X-Amz-{name}"] for name in ("Credential", "SignedHeaders", "Signature")}
    return _authorization(fields, values["X-Amz-Date"], values.get("X-Amz-Security-Token"), int(expires))


def _authorization(
    fields: Mapping[str, str], timestamp: str, token: str | None, expires_s: int | None
) -> Authorization:
    parts = fields["Credential"].split("/")
    if len(parts) != 5 or parts[4] != "aws4_request":
        raise IncompleteSignature(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got '{fields['Credential']}'"
        )
    if not _DATE.fullmatch(timestamp):
        raise IncompleteSignature(f"Date must be in ISO-8601 'basic format'. Got '{timestamp}'.")
    return Authorization(
        access_key_id=parts[0],
        date=parts[1],
        region=parts[2],
        service=parts[3],
        signed_headers=tuple(fields["SignedHeaders"].split(";")),
        signature=fields["Signature"],
        timestamp=timestamp,
        session_token=token,
        expires_s=expires_s,
    )


def verify(authorization: Authorization | None, request: HttpRequest, lookup: KeyLookup, now_s: float) -> SigningKey:
    """The key that signed the request. Raises the AWS error that says what is wrong with it."""
    if authorization is None:
        raise MissingAuthenticationToken("Missing Authentication Token")
    key = lookup(authorization.access_key_id, authorization.session_token)
    if key is None or key.session_token != authorization.session_token:
        raise UnrecognizedClient("The security token included in the request is invalid.")
    if authorization.timestamp[:8] != authorization.date:
        raise InvalidSignature(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{authorization.date}' != '{authorization.timestamp[:8]}', from '{authorization.timestamp}'."
        )
    if "host" not in authorization.signed_headers:
        raise InvalidSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    _check_time(authorization, now_s)
    payload_hash = _payload_hash(authorization, request)
    canonical = canonical_request(request, authorization, payload_hash)
    scope = f"{authorization.date}/{authorization.region}/{authorization.service}/aws4_request"
    text = f"{ALGORITHM}\n{authorization.timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    expected = signer(key.secret, authorization.date, authorization.region, authorization.service).copy()
    expected.update(text.encode())
    if not hmac.compare_digest(expected.hexdigest().encode(), authorization.signature.encode()):
        raise InvalidSignature(_MISMATCH)
    if key.expires_at_s is not None and now_s > key.expires_at_s:
        raise ExpiredToken("The security token included in the request is expired")
    return key


def _check_time(authorization: Authorization, now_s: float) -> None:
    try:
        signed_s = datetime.fromisoformat(authorization.timestamp).timestamp()
    except ValueError:
        raise IncompleteSignature(
            f"Date must be in ISO-8601 'basic format'. Got '{authorization.timestamp}'."
        ) from None
    life_s = SKEW_S if authorization.expires_s is None else authorization.expires_s
    if now_s > signed_s + life_s:
        if authorization.expires_s is not None:
            raise InvalidSignature(f"Signature expired: {authorization.timestamp} is now earlier than {_format(now_s)}")
        limit = f"{_format(now_s - SKEW_S)} ({_format(now_s)} - 5 min.)"
        raise InvalidSignature(f"Signature expired: {authorization.timestamp} is now earlier than {limit}")
    if signed_s > now_s + SKEW_S:
        limit = f"{_format(now_s + SKEW_S)} ({_format(now_s)} + 5 min.)"
        raise InvalidSignature(f"Signature not yet current: {authorization.timestamp} is still later than {limit}")


def _format(moment_s: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment_s))


def _payload_hash(authorization: Authorization, request: HttpRequest) -> str:
    declared = request.headers.get("x-amz-content-sha256")
    if declared is None:
        return hashlib.sha256(request.body).hexdigest() if request.body else _EMPTY_HASH
    if declared == _UNSIGNED:
        return declared
    if declared.startswith("STREAMING-"):
        # Bodies in signed chunks or with trailers are S3's; no SDK sends them to a service that is served here.
        raise InvalidSignature(f"The payload form {declared} is not accepted: sign the whole body.")
    if not hmac.compare_digest(declared.encode(), hashlib.sha256(request.body).hexdigest().encode()):
        raise InvalidSignature(_MISMATCH)
    return declared


def canonical_request(request: HttpRequest, authorization: Authorization, payload_hash: str) -> str:
    """The text whose hash is signed."""
    headers = request.headers
    names = authorization.signed_headers
    lines = "".join([f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names])
    path = request.path
    if not _PLAIN_PATH.fullmatch(path):
        path = quote(_remove_dots(path), safe="/~") or "/"
    query = _canonical_query(request.query, presigned=authorization.expires_s is not None)
    return f"{request.method}\n{path}\n{query}\n{lines}\n{';'.join(names)}\n{payload_hash}"


def _remove_dots(path: str) -> str:
    if "/." not in path and "//" not in path:
        return path
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if kept:
                kept.pop()
        elif part and part != ".":
            kept.append(part)
    return f"/{'/'.join(kept)}{'/' if path.endswith('/') and kept else ''}"


def _pairs(query: str) -> Iterable[tuple[str, str]]:
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            yield unquote(name), unquote(value)


def _canonical_query(query: str, *, presigned: bool) -> str:
    if not query:
        return ""
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in _pairs(query)
        if not (presigned and name == "X-Amz-Signature")
    )
    return "&".join(f"{name}={value}" for name, value in pairs)


@functools.lru_cache(maxsize=4096)
def signer(secret: str, date: str, region: str, service: str) -> hmac.HMAC:
    """An HMAC with the derived key, to be copied; the same for a whole day, so it is kept."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, digestmod="sha256")


QUERY_CODES: Final[Mapping[type[ServiceError], str]] = {
    UnrecognizedClient: "InvalidClientTokenId",
    InvalidSignature: "SignatureDoesNotMatch",
    MissingAuthenticationToken: "MissingAuthenticationToken",
    IncompleteSignature: "IncompleteSignature",
    ExpiredToken: "ExpiredToken",
    AccessDenied: "AccessDenied",
}
"""Services of the query protocol have names of their own for the same errors."""
