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
        self._texts: dict[str, dict[str, str | None]] = {}
        """By the resource without its qualifier, then by the ARN that was asked for."""
        self._count = 0
        self._loading: dict[str, object] = {}
        """The last load of each ARN that is under way and still holds."""

    def known(self, arn: str) -> bool:
        """Whether ``get`` answers from memory."""
        return self._load is None or arn in self._texts.get(_unqualified(arn), ())

    def get(self, arn: str) -> str | None:
        """The policy as JSON, ``None`` if the resource has none."""
        if self._load is None:
            return None
        resource = _unqualified(arn)
        try:
            return self._texts[resource][arn]
        except KeyError:
            pass
        load = object()
        with self._lock:
            self._loading[arn] = load
        document = self._load(arn)
        text = None if document is None else json.dumps(document)
        with self._lock:
            # A change in the meantime makes this one outdated: it serves this call and is not kept.
            if self._loading.get(arn) is load:
                del self._loading[arn]
                if self._count >= _KEPT:
                    self._texts, self._count = {}, 0
                self._texts.setdefault(resource, {})[arn] = text
                self._count += 1
        return text

    def forget(self, resource: str | None = None) -> None:
        """What is known of a resource (its ARN without a qualifier), or of everything, may have changed."""
        with self._lock:
            if resource is None:
                self._loading, self._texts, self._count = {}, {}, 0
                return
            self._count -= len(self._texts.pop(resource, ()))
            for arn in [arn for arn in self._loading if _unqualified(arn) == resource]:
                del self._loading[arn]


def _unqualified(arn: str) -> str:
    return ":".join(arn.split(":")[:7])
