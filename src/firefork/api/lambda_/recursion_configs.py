"""Recursive loop detection. AWS: Lambda API reference, PutFunctionRecursionConfig, GetFunctionRecursionConfig."""

from __future__ import annotations

from typing import Any

from firefork.api.call import Call
from firefork.api.lambda_.targets import unqualified
from firefork.catalog.recursion_configs import RecursionConfigs as Catalog


class RecursionConfigs:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def put_function_recursion_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = unqualified(call, request)
        self._catalog.put(target.scope, target.name, request["RecursiveLoop"])
        return {"RecursiveLoop": request["RecursiveLoop"]}

    def get_function_recursion_config(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        target = unqualified(call, request)
        return {"RecursiveLoop": self._catalog.get(target.scope, target.name)}
