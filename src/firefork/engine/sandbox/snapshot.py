"""A function's own zygote on the server's side: ordering environments from its initialised runtime."""

from __future__ import annotations

from typing import Final

from firefork.engine.sandbox.channel import Message
from firefork.engine.sandbox.zygote import Zygote, ZygotePlan

SPARES: Final = 1


class Snapshot(Zygote):
    """A template and its spares; ready once the runtime in it has run its init and its hooks."""

    def __init__(self, plan: ZygotePlan) -> None:
        super().__init__(plan)
        self.unusable: str | None = None
        """Why it cannot be forked, once that is known."""

    @property
    def is_ready(self) -> bool:
        return self._ready.done() and not self._ready.cancelled() and self._ready.exception() is None

    def begin(self) -> None:
        """The init is over: take orders and make the first spare."""
        message = self._ready.result()
        self.baseline_bytes = message["baseline_kb"] * 1024
        self._refill_if_short()

    def _on_message(self, message: Message, descriptors: list[int]) -> None:
        if message["event"] == "unusable":
            self.unusable = message["reason"]
        super()._on_message(message, descriptors)
