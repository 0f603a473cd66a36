"""Role credentials by way of the container credentials' path, for environments that share one init (SnapStart).

AWS: Lambda developer guide, "Security model for Lambda SnapStart"; fact sheet sections 2.1 and 4.1. The answer has the
form of "Container credential provider" in the AWS SDKs and Tools reference guide.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import orjson

from firefork.engine.guest_reply import NOT_FOUND, Reply
from firefork.engine.guests import CREDENTIALS_PATH


class ContainerCredentials:
    """Keys for whoever knows the token, which only the processes of one version do."""

    def __init__(self, issue: Callable[[], Mapping[str, str]], duration_s: int) -> None:
        """``issue`` makes role credentials, as environment variables."""
        self._issue = issue
        self._duration_s = duration_s
        self._token = secrets.token_urlsafe(24)

    @property
    def variables(self) -> dict[str, str]:
        """In place of the three key variables. SDKs accept this path on a loopback address only."""
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:9001{CREDENTIALS_PATH}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": self._token,
        }

    def answer(self, token: str) -> Reply:
        """The reply to a request with this ``Authorization``."""
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return NOT_FOUND
        keys = self._issue()
        expires = datetime.fromtimestamp(time.time() + self._duration_s, UTC)
        body = {
            "AccessKeyId": keys["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": keys["AWS_SECRET_ACCESS_KEY"],
            "Token": keys["AWS_SESSION_TOKEN"],
            "Expiration": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
        }
        return Reply(status=200, body=orjson.dumps(body))
