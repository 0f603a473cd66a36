"""The account's limits and use. AWS: Lambda API reference, GetAccountSettings."""

from __future__ import annotations

from typing import Any, Final

from firefork.api.call import Call
from firefork.catalog.functions import Functions as Catalog

_CODE_STORAGE: Final = 300 * 1024**3
_CONCURRENCY: Final = 1000


class Account:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def get_account_settings(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        count, size = self._catalog.usage(call.scope)
        return {
            "AccountLimit": {
                "TotalCodeSize": _CODE_STORAGE,
                "CodeSizeUnzipped": 262_144_000,
                "CodeSizeZipped": 52_428_800,
                "ConcurrentExecutions": _CONCURRENCY,
                "UnreservedConcurrentExecutions": _CONCURRENCY,
            },
            "AccountUsage": {"TotalCodeSize": size, "FunctionCount": count},
        }
