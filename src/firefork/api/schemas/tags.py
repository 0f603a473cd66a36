"""Tags of registries and schemas. AWS: EventBridge Schemas API reference."""

from __future__ import annotations

from typing import Any

from firefork.api.call import Call
from firefork.catalog.schemas.registries import Registries


class Tags:
    def __init__(self, catalog: Registries) -> None:
        self._catalog = catalog

    def tag_resource(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._catalog.change_tags(request["ResourceArn"], add=request["Tags"], remove=())
        return {}

    def untag_resource(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._catalog.change_tags(request["ResourceArn"], add={}, remove=request["TagKeys"])
        return {}

    def list_tags_for_resource(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": self._catalog.tags(request["ResourceArn"])}
