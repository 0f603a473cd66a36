"""Event source mappings. AWS: Lambda API reference, CreateEventSourceMapping to ListEventSourceMappings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from firefork.api.call import Call
from firefork.api.lambda_ import paging
from firefork.catalog.event_source_mappings import EventSourceMapping
from firefork.catalog.event_source_mappings import EventSourceMappings as Catalog
from firefork.catalog.references import FunctionReference
from firefork.catalog.tags import check_tags

_NO_SETTING: Final = frozenset({"UUID", "EventSourceArn", "FunctionName", "Enabled", "Tags"})
"""Members of the requests that are kept elsewhere than among a mapping's settings."""


class EventSourceMappings:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def create_event_source_mapping(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        tags = request.get("Tags") or {}
        check_tags({}, tags)
        mapping = self._catalog.create(
            FunctionReference.parse(call.scope, request["FunctionName"]),
            request.get("EventSourceArn"),
            _settings(request),
            enabled=request.get("Enabled", True),
            tags=tags,
        )
        return _show(mapping)

    def update_event_source_mapping(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        name = request.get("FunctionName")
        mapping = self._catalog.update(
            call.scope,
            request["UUID"],
            _settings(request),
            function=FunctionReference.parse(call.scope, name) if name else None,
            enabled=request.get("Enabled"),
        )
        return _show(mapping)

    def get_event_source_mapping(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return _show(self._catalog.get(call.scope, request["UUID"]))

    def list_event_source_mappings(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        name = request.get("FunctionName")
        page, following = self._catalog.list(
            call.scope,
            function=FunctionReference.parse(call.scope, name) if name else None,
            source_arn=request.get("EventSourceArn"),
            after=paging.text_after(request),
            limit=paging.limit(request),
        )
        return {
            "EventSourceMappings": [_show(mapping) for mapping in page],
            "NextMarker": paging.marker(following),
        }

    def delete_event_source_mapping(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return _show(self._catalog.delete(call.scope, request["UUID"]))


def _settings(request: Mapping[str, Any]) -> dict[str, Any]:
    """What the request sets, as JSON can hold it."""
    settings = {member: item for member, item in request.items() if member not in _NO_SETTING and item is not None}
    if "StartingPositionTimestamp" in settings:
        settings["StartingPositionTimestamp"] = settings["StartingPositionTimestamp"].timestamp()
    return settings


def _show(mapping: EventSourceMapping) -> dict[str, Any]:
    criteria = mapping.settings.get("FilterCriteria") or {}
    return {
        **mapping.settings,
        "FilterCriteria": criteria if criteria.get("Filters") else None,  # recorded: not shown without filters
        "UUID": mapping.uuid,
        "EventSourceArn": mapping.source_arn,
        "EventSourceMappingArn": mapping.arn,
        "FunctionArn": mapping.function_arn,
        "LastModified": mapping.last_modified,
        "LastProcessingResult": "No records processed" if mapping.kind.tells_result else None,
        "State": mapping.state,
        "StateTransitionReason": "User action" if mapping.kind.is_stream else "USER_INITIATED",
    }
