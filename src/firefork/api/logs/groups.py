"""Log groups and their tags. AWS: CloudWatch Logs API reference."""

from __future__ import annotations

import re
from typing import Any, Final

from firefork.api.call import Call
from firefork.aws.errors import InvalidParameter
from firefork.telemetry.log_store import LogGroup, LogStore

RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""What PutRetentionPolicy takes."""

_ARN: Final = re.compile(r"arn:aws[a-zA-Z-]*:logs:[a-z0-9-]+:\d{12}:log-group:([^:]+)(?::\*|:)?")
_PAGE: Final = 50


class Groups:
    def __init__(self, store: LogStore) -> None:
        self._store = store

    def create_log_group(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._store.create_group(call.scope, request["logGroupName"], request.get("tags") or {})
        return {}

    def delete_log_group(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._store.delete_group(call.scope, request["logGroupName"])
        return {}

    def describe_log_groups(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        prefix, pattern = request.get("logGroupNamePrefix") or "", request.get("logGroupNamePattern") or ""
        if prefix and pattern:
            raise InvalidParameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
        limit = request.get("limit") or _PAGE
        found = self._store.groups(
            call.scope, prefix=prefix, pattern=pattern, after=request.get("nextToken") or "", limit=limit + 1
        )
        return {
            "logGroups": [_show(group) for group in found[:limit]],
            "nextToken": found[limit - 1].name if len(found) > limit else None,
        }

    def put_retention_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        days = request["retentionInDays"]
        if days not in RETENTION_DAYS:
            raise InvalidParameter(
                f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(map(str, RETENTION_DAYS))}]"
            )
        self._store.set_retention(call.scope, request["logGroupName"], days)
        return {}

    def delete_retention_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._store.set_retention(call.scope, request["logGroupName"], None)
        return {}

    def tag_resource(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._store.change_tags(call.scope, group_name(request["resourceArn"]), request["tags"], [])
        return {}

    def untag_resource(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._store.change_tags(call.scope, group_name(request["resourceArn"]), {}, request["tagKeys"])
        return {}

    def list_tags_for_resource(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return {"tags": self._store.tags(call.scope, group_name(request["resourceArn"]))}

    def tag_log_group(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._store.change_tags(call.scope, request["logGroupName"], request["tags"], [])
        return {}

    def untag_log_group(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._store.change_tags(call.scope, request["logGroupName"], {}, request["tags"])
        return {}

    def list_tags_log_group(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return {"tags": self._store.tags(call.scope, request["logGroupName"])}


def group_name(text: str) -> str:
    """The group of a name or an ARN. Raises InvalidParameter for another service's ARN."""
    if not text.startswith("arn:"):
        return text
    found = _ARN.fullmatch(text)
    if found is None:
        raise InvalidParameter(f"Invalid log group ARN: {text}")
    return found[1]


def chosen_group(request: dict[str, Any]) -> str:
    """The group that a request names by ``logGroupName`` or ``logGroupIdentifier``."""
    name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
    if name and identifier:
        raise InvalidParameter("Specify either logGroupName or logGroupIdentifier, not both.")
    if not name and not identifier:
        raise InvalidParameter("Either logGroupName or logGroupIdentifier must be specified.")
    return group_name(identifier) if identifier else str(name)


def _show(group: LogGroup) -> dict[str, Any]:
    return {
        "logGroupName": group.name,
        "creationTime": group.created_ms,
        "retentionInDays": group.retention_days,
        "metricFilterCount": 0,
        "arn": f"{group.arn}:*",
        "logGroupArn": group.arn,
        "storedBytes": group.stored_bytes,
        "logGroupClass": "STANDARD",
    }
