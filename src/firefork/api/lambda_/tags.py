"""Tags of functions. AWS: Lambda API reference, TagResource, UntagResource, ListTags."""

from __future__ import annotations

from typing import Any

from firefork.api.call import Call
from firefork.aws.errors import InvalidParameterValue
from firefork.catalog.functions import Functions as Catalog
from firefork.catalog.references import FunctionReference


class Tags:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def tag_resource(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = _function(call, request["Resource"])
        if not request["Tags"]:
            raise InvalidParameterValue("An error occurred and the request cannot be processed.")
        self._catalog.change_tags(reference.scope, reference.name, request["Tags"], [])
        return {}

    def untag_resource(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = _function(call, request["Resource"])
        self._catalog.change_tags(reference.scope, reference.name, {}, request["TagKeys"])
        return {}

    def list_tags(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        reference = _function(call, request["Resource"])
        return {"Tags": self._catalog.tags(reference.scope, reference.name)}


def _function(call: Call, arn: str) -> FunctionReference:
    reference = FunctionReference.parse(call.scope, arn)
    if reference.qualifier is not None:
        raise InvalidParameterValue(
            "Tags on function aliases and versions are not supported. Please specify a function ARN."
        )
    return reference
