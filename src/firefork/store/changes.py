"""What one node changes, the others hear of: what they remember of it is read anew.

A change is told in the transaction that makes it, so it is heard if and only if it counts. SQLite has one node and
nobody to tell. PostgreSQL manual: NOTIFY, LISTEN.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from firefork.aws.scope import Scope

logger = logging.getLogger(__name__)

CHANNEL: Final = "firefork_changes"
_AGAIN_AFTER_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that nodes remember is different now."""

    noun: str
    account: str = ""
    region: str = ""
    name: str = ""

    @classmethod
    def of(cls, noun: str, scope: Scope, name: str) -> Self:
        return cls(noun=noun, account=scope.account, region=scope.region, name=name)

    @property
    def scope(self) -> Scope:
        return Scope(self.account, self.region)

    def told_by(self, node: str) -> str:
        """The notification's payload."""
        return json.dumps({"node": node, **dataclasses.asdict(self)})


FUNCTION: Final = "function"
CONCURRENCY: Final = "concurrency"
IAM: Final = Change(noun="iam")
LAYER_POLICY: Final = Change(noun="layer-policy")


class Listener:
    """Hears the changes of other nodes, on a connection of its own that is made again when it breaks."""

    def __init__(self, url: str, node: str, *, hear: Callable[[Change], None], missed: Callable[[], None]) -> None:
        """``hear`` gets each change; ``missed`` is called first, and whenever some may have been missed.

        Both in a worker thread, one call after the other.
        """
        self._url = url
        self._node = node
        self._hear = hear
        self._missed = missed
        self.listening = asyncio.Event()
        """Set while changes are heard."""

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    await asyncio.to_thread(self._missed)
                    self.listening.set()
                    async for notification in connection.notifies():
                        told = json.loads(notification.payload)
                        if told.pop("node") != self._node:
                            await asyncio.to_thread(self._hear, Change(**told))
            except (psycopg.Error, SQLAlchemyError) as error:
                # Also when a change was heard and could not be read: it counts as missed.
                logger.warning("changes of other nodes are not heard until the database is back: %s", error)
                self.listening.clear()
                await asyncio.sleep(_AGAIN_AFTER_S)
