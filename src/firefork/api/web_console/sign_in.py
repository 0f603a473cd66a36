"""A one-time link for short-lived credentials: the only thing that the console asks outside the AWS APIs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import orjson

from firefork.aws.protocols.message import HttpAnswer
from firefork.catalog.keys import SessionCredentials
from firefork.catalog.sign_in_links import SignInLinks

SESSION_S: Final = 12 * 3600
BODY_LIMIT: Final = 4096


class SignIn:
    """Answers ``POST session`` with ``{"token": …}``: credentials once, a refusal ever after."""

    def __init__(self, links: SignInLinks, issue: Callable[[int], SessionCredentials], region: str) -> None:
        """``issue`` makes credentials of the account's root for some seconds; ``region`` is shown first."""
        self._links = links
        self._issue = issue
        self._region = region

    def answer(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """200 with the credentials, 400 for another body than ours, 403 for a used link or another site's page."""
        if not _same_origin(headers):
            return _refuse(403, "Only the console's own page may sign in here.")
        if headers.get("content-type", "").partition(";")[0] != "application/json":
            return _refuse(400, "Send the token as application/json.")
        try:
            token = orjson.loads(body)["token"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return _refuse(400, 'Send {"token": "…"}.')
        if not isinstance(token, str) or not self._links.redeem(token):
            return _refuse(403, "This sign-in link was used or has expired.")
        credentials = self._issue(SESSION_S)
        return _json(
            200,
            {
                "accessKeyId": credentials.access_key_id,
                "secretAccessKey": credentials.secret_access_key,
                "sessionToken": credentials.session_token,
                "expiration": datetime.fromtimestamp(credentials.expires_at_s, UTC),
                "region": self._region,
            },
        )


def _same_origin(headers: Mapping[str, str]) -> bool:
    """Whether a page of ours asks, or a client that is no browser. Fetch Metadata Request Headers (W3C)."""
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")


def _refuse(status: int, message: str) -> HttpAnswer:
    return _json(status, {"message": message})


def _json(status: int, content: Mapping[str, object]) -> HttpAnswer:
    headers = [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ]
    return HttpAnswer(status=status, headers=headers, body=orjson.dumps(content))
