"""Requests for services that live elsewhere: passed on as they came, and their answers passed back.

Neither signature nor policy is looked at here: that is for the endpoint that serves the request. RFC 9110 section 7.6
says what belongs to a connection, and not to the message, and stays behind.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

import httpcore

from firefork.api.request import AnswerCut, Request
from firefork.aws.errors import RequestTimeout, UpstreamFailed
from firefork.aws.protocols.message import HttpAnswer

logger = logging.getLogger(__name__)

_OF_A_CONNECTION: Final = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer")
)
_NOT_ASKED: Final = _OF_A_CONNECTION | {"expect", "upgrade", "via"}
_NOT_ANSWERED: Final = _OF_A_CONNECTION | {"content-length", "date", "transfer-encoding", "upgrade"}
_BODILESS: Final = (204, 304)
_KEPT_OPEN: Final = 32
"""Idle connections to the endpoint."""


class Upstream:
    """One endpoint that serves what this server does not. Belongs to the event loop."""

    def __init__(
        self, url: str, node: str, *, connect_s: float = 5.0, answer_s: float = 300.0, body_patience_s: float = 60.0
    ) -> None:
        """``node`` names this server to itself, should a request come back. The rest are seconds to wait for a
        connection, for the next part of an answer, and for the next part of a client's body.
        """
        parts = urlsplit(url)
        self.url = url
        self._base = parts.path.rstrip("/")
        self._scheme, self._host = parts.scheme, parts.hostname or ""
        self._port = parts.port
        self._via = f"1.1 firefork-{node}"
        self._timeout = {"connect": connect_s, "read": answer_s, "write": answer_s, "pool": connect_s}
        self._body_patience_s = body_patience_s
        context = ssl.create_default_context() if parts.scheme == "https" else None
        # Functions may wait for messages in large numbers: there is no limit but that of descriptors.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context, max_connections=None, max_keepalive_connections=_KEPT_OPEN, keepalive_expiry=20.0
        )

    async def close(self) -> None:
        await self._pool.aclose()

    async def forward(self, request: Request) -> HttpAnswer:
        """Have the endpoint answer. Raises UpstreamFailed, RequestTimeout, ClientGone."""
        head = request.head
        via = [*filter(None, head.headers.get("via", "").split(", ")), self._via]
        if self._via in via[:-1]:
            raise UpstreamFailed(f"The upstream endpoint {self.url} leads back to this server.")
        headers = [(name, value) for name, value in head.headers.items() if name not in _NOT_ASKED]
        target = f"{self._base}{head.path}" + (f"?{head.query}" if head.query else "")
        has_body = "content-length" in head.headers or "transfer-encoding" in head.headers
        try:
            response = await self._pool.handle_async_request(
                httpcore.Request(
                    head.method,
                    httpcore.URL(
                        scheme=self._scheme, host=self._host, port=self._port, target=target.encode("latin-1")
                    ),
                    headers=[
                        (name.encode("latin-1"), value.encode("latin-1"))
                        for name, value in [*headers, ("via", ", ".join(via))]
                    ],
                    content=self._body(request) if has_body else None,
                    extensions={"timeout": self._timeout},
                )
            )
        except httpcore.ConnectError as error:
            raise self._failed(f"cannot be reached: {_reason(error)}") from None
        except httpcore.TimeoutException:
            raise self._failed("did not answer in time") from None
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise self._failed(f"broke off before it answered: {_reason(error)}") from None
        except TimeoutError:
            raise RequestTimeout("The request's body did not arrive in time.") from None
        return await self._answer(head.method, response)

    async def _answer(self, method: str, response: httpcore.Response) -> HttpAnswer:
        told = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers]
        lengths = [value for name, value in told if name.lower() == "content-length"]
        length = int(lengths[0]) if lengths else None
        headers = [(name, value) for name, value in told if name.lower() not in _NOT_ANSWERED]
        if method == "HEAD" or response.status in _BODILESS:
            await response.aclose()
            return HttpAnswer(status=response.status, headers=headers, body=b"", length=length)
        left = asyncio.Event()
        return HttpAnswer(
            status=response.status,
            headers=headers,
            body=b"",
            stream=self._parts(response, left),
            length=length,
            abandon=left.set,
        )

    async def _body(self, request: Request) -> AsyncIterator[bytes]:
        while part := await request.body.read(self._body_patience_s):
            yield part

    async def _parts(self, response: httpcore.Response, left: asyncio.Event) -> AsyncIterator[bytes]:
        """Ends early, and the endpoint's connection with it, when the client ``left``.

        Raises AnswerCut: status and headers have been sent, so breaking off is all that is left.
        """
        parts = aiter(response.aiter_stream())
        leaving = asyncio.ensure_future(left.wait())
        try:
            while not left.is_set():
                reading = asyncio.ensure_future(anext(parts, None))
                try:
                    await asyncio.wait((reading, leaving), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not reading.done():
                        reading.cancel()
                        await asyncio.wait((reading,))
                if left.is_set() or (part := reading.result()) is None:
                    return
                yield part
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            logger.warning("the upstream endpoint %s broke off within an answer: %s", self.url, _reason(error))
            raise AnswerCut from error
        finally:
            leaving.cancel()
            await response.aclose()

    def _failed(self, what: str) -> UpstreamFailed:
        logger.warning("the upstream endpoint %s %s", self.url, what)
        return UpstreamFailed(f"The upstream endpoint {self.url} {what}.")


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
