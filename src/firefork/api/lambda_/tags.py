"""Tags. AWS: Lambda API reference, TagResource, UntagResource, ListTags."""

from __future__ import annotations

from typing import Any

from firefork.api.call import Call
from firefork.aws.errors import InvalidParameterValue
from firefork.catalog.tags import TaggedResource
from firefork.catalog.tags import Tags as Catalog


class Tags:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def tag_resource(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        resource = TaggedResource.parse(request["Resource"])
        if not request["Tags"]:
            raise InvalidParameterValue("An error occurred and the request cannot be processed.")
        self._catalog.change(resource, add=request["Tags"], remove=[])
        return {}

    def untag_resource(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._catalog.change(TaggedResource.parse(request["Resource"]), add={}, remove=request["TagKeys"])
        return {}

    def list_tags(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": self._catalog.of(TaggedResource.parse(request["Resource"]))}
