"""A schema from sample events. AWS: EventBridge user guide, "Creating a schema from event JSON".

Objects inside an event become schemas of their own, named after their property; an event of EventBridge's form is an
``AWSEvent`` whose detail is named after the detail type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from firefork.aws.errors import SchemasBadRequest

_DEPTH_LIMIT: Final = 255
"""AWS: EventBridge Schemas API reference, GetDiscoveredSchema."""
_ENVELOPE: Final = ("detail-type", "detail", "source")
_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_PLACES: Final = {"OpenApi3": "#/components/schemas/", "JSONSchemaDraft4": "#/definitions/"}


def discovered_schema(kind: str, events: Sequence[str]) -> str:
    """A document of ``kind`` (``OpenApi3`` or ``JSONSchemaDraft4``). Raises SchemasBadRequest."""
    parsed = []
    for event in events:
        try:
            parsed.append(orjson.loads(event))
        except orjson.JSONDecodeError:
            raise SchemasBadRequest("An event is not valid JSON.") from None
    return orjson.dumps(_Discovery(kind).document(parsed)).decode()


class _Discovery:
    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._schemas: dict[str, dict[str, Any]] = {}

    def document(self, events: Sequence[Any]) -> dict[str, Any]:
        root, title = "Event", "Event"
        detail_type = _detail_type(events)
        if detail_type is not None:
            root, title = "AWSEvent", _class_name(detail_type)
        self._schemas[root] = {}  # the first, and its name taken
        self._schemas[root] = self._of(events, root, 0)
        if detail_type is not None:
            self._schemas[root]["x-amazon-events-detail-type"] = detail_type
            self._schemas[root]["x-amazon-events-source"] = events[0]["source"]
        if self._kind == "OpenApi3":
            info = {"version": "1.0.0", "title": title}
            return {"openapi": "3.0.0", "info": info, "paths": {}, "components": {"schemas": self._schemas}}
        first = self._schemas.pop(root)
        draft = {"$schema": "http://json-schema.org/draft-04/schema#", "title": title}
        return {**draft, **first, "definitions": self._schemas}

    def _of(self, samples: Sequence[Any], name: str, depth: int) -> dict[str, Any]:
        """What all samples of one place have in common."""
        known = [sample for sample in samples if sample is not None]
        if not known or depth > _DEPTH_LIMIT:
            return {}
        kinds = {_kind(sample) for sample in known}
        if kinds == {"integer", "number"}:
            return {"type": "number", "format": "double"}
        if len(kinds) > 1:
            return {}
        kind = kinds.pop()
        if kind == "object":
            return self._of_objects(known, name, depth)
        if kind == "array":
            items = [item for sample in known for item in sample]
            return {"type": "array", "items": self._named(items, name, depth)}
        if kind == "string":
            dates = all(_DATE_TIME.fullmatch(sample) for sample in known)
            return {"type": "string", "format": "date-time"} if dates else {"type": "string"}
        formats = {"integer": "int64", "number": "double"}
        return {"type": kind, "format": formats[kind]} if kind in formats else {"type": kind}

    def _of_objects(self, samples: Sequence[Mapping[str, Any]], name: str, depth: int) -> dict[str, Any]:
        names = list(dict.fromkeys(key for sample in samples for key in sample))
        required = [key for key in names if all(key in sample for sample in samples)]
        shown: dict[str, Any] = {"type": "object"}
        if required:
            shown["required"] = required
        detail_type = _detail_type(samples) if name == "AWSEvent" else None
        shown["properties"] = {
            key: self._named(
                [sample[key] for sample in samples if key in sample],
                detail_type if key == "detail" and detail_type else key,
                depth,
            )
            for key in names
        }
        return shown

    def _named(self, samples: Sequence[Any], name: str, depth: int) -> dict[str, Any]:
        """The schema of a property or item: a reference if it is an object."""
        if {_kind(sample) for sample in samples if sample is not None} != {"object"}:
            return self._of(samples, name, depth + 1)
        unique = base = _class_name(name)
        number = 1
        while unique in self._schemas:
            number += 1
            unique = f"{base}{number}"
        self._schemas[unique] = {}
        self._schemas[unique] = self._of([sample for sample in samples if sample is not None], unique, depth + 1)
        return {"$ref": _PLACES[self._kind] + unique}


def _detail_type(events: Sequence[Any]) -> str | None:
    """Of events that EventBridge would deliver; ``None`` for others."""
    if all(isinstance(event, dict) and all(name in event for name in _ENVELOPE) for event in events):
        kind = events[0]["detail-type"]
        return kind if isinstance(kind, str) and kind.strip() else None
    return None


def _class_name(text: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", text)
    return "".join(word[:1].upper() + word[1:] for word in words) or "Item"


def _kind(value: Any) -> str:
    kinds = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array"), (dict, "object"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")
