"""The account's limits and use. AWS: Lambda API reference, GetAccountSettings."""

from __future__ import annotations

from typing import Any, Final

from firefork.api.call import Call
from firefork.catalog.concurrency import Concurrency
from firefork.catalog.functions import Functions as Catalog

_CODE_STORAGE: Final = 300 * 1024**3


class Account:
    def __init__(self, catalog: Catalog, concurrency: Concurrency) -> None:
        self._catalog = catalog
        self._concurrency = concurrency

    def get_account_settings(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        count, size = self._catalog.usage(call.scope)
        return {
            "AccountLimit": {
                "TotalCodeSize": _CODE_STORAGE,
                "CodeSizeUnzipped": 262_144_000,
                "CodeSizeZipped": 52_428_800,
                "ConcurrentExecutions": self._concurrency.account_concurrency,
                "UnreservedConcurrentExecutions": self._concurrency.unreserved(call.scope),
            },
            "AccountUsage": {"TotalCodeSize": size, "FunctionCount": count},
        }
