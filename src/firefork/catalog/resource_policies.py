"""Policies on resources, remembered: the check in front of every call asks for them, and must not wait."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

_KEPT: Final = 16_384

Load = Callable[[str], "Mapping[str, Any] | None"]
"""From a resource's ARN, with the qualifier it was asked by, to its policy document; may block."""


class ResourcePolicies:
    """What functions and layer versions allow others. Thread-safe; only ``get`` of what is not known blocks.

    Whoever changes a policy, or deletes what has one, calls ``forget`` afterwards.
    """

    def __init__(self, load: Load | None = None) -> None:
        """Without ``load`` no resource has a policy: other accounts get nothing."""
        self._load = load
        self._lock = threading.Lock()
        self._texts: dict[str, str | None] = {}
        self._generation = 0

    def known(self, arn: str) -> bool:
        """Whether ``get`` answers from memory."""
        return self._load is None or arn in self._texts

    def get(self, arn: str) -> str | None:
        """The policy as JSON, ``None`` if the resource has none."""
        if self._load is None:
            return None
        try:
            return self._texts[arn]
        except KeyError:
            pass
        with self._lock:
            generation = self._generation
        document = self._load(arn)
        text = None if document is None else json.dumps(document)
        with self._lock:
            # A change in the meantime makes this one outdated: it serves this call and is not kept.
            if generation == self._generation:
                if len(self._texts) >= _KEPT:
                    self._texts = {}
                self._texts[arn] = text
        return text

    def forget(self) -> None:
        with self._lock:
            self._generation += 1
            self._texts = {}
