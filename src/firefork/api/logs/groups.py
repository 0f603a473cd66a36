"""Log groups and their tags. AWS: CloudWatch Logs API reference."""

from __future__ import annotations

import re
from typing import Any, Final

from firefork.api.call import Call
from firefork.aws.errors import InvalidParameter, LogsResourceNotFound, LogsValidation, TooManyTags
from firefork.aws.scope import Scope
from firefork.telemetry.log_store import LogGroup, LogStore

RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""What PutRetentionPolicy takes."""

_ARN: Final = re.compile(
    r"arn:aws[a-zA-Z-]*:logs:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):log-group:(?P<name>[^:]+)(?::\*|:)?"
)
_TAG_LIMIT: Final = 50
_NAME_LIMIT: Final = 512
_PAGE: Final = 50


class Groups:
    def __init__(self, store: LogStore) -> None:
        self._store = store

    def create_log_group(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        check_name(request["logGroupName"])
        _check_tags(call.scope.arn("logs", f"log-group:{request['logGroupName']}"), request.get("tags") or {})
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
        identifiers = request.get("logGroupIdentifiers")
        found = self._store.groups(
            call.scope,
            names=None if identifiers is None else [group_name(call.scope, text) for text in identifiers],
            prefix=prefix,
            pattern=pattern,
            after=request.get("nextToken") or "",
            limit=limit + 1,
        )
        return {
            "logGroups": [_show(group) | ({} if pattern else _details(group)) for group in found[:limit]],
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
        self._tag(call, group_name(call.scope, request["resourceArn"]), request["tags"])
        return {}

    def untag_resource(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._store.change_tags(call.scope, group_name(call.scope, request["resourceArn"]), {}, request["tagKeys"])
        return {}

    def list_tags_for_resource(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return {"tags": self._store.tags(call.scope, group_name(call.scope, request["resourceArn"]))}

    def tag_log_group(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._tag(call, request["logGroupName"], request["tags"])
        return {}

    def _tag(self, call: Call, group: str, tags: dict[str, str]) -> None:
        merged = {**self._store.tags(call.scope, group), **tags}
        _check_tags(call.scope.arn("logs", f"log-group:{group}"), merged)
        self._store.change_tags(call.scope, group, tags, [])

    def untag_log_group(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._store.change_tags(call.scope, request["logGroupName"], {}, request["tags"])
        return {}

    def list_tags_log_group(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return {"tags": self._store.tags(call.scope, request["logGroupName"])}


def group_name(scope: Scope, text: str) -> str:
    """The group of a name or an ARN. Raises InvalidParameter, LogsResourceNotFound (of elsewhere)."""
    if not text.startswith("arn:"):
        return text
    found = _ARN.fullmatch(text)
    if found is None:
        raise InvalidParameter(f"Invalid log group ARN: {text}")
    if (found["region"], found["account"]) != (scope.region, scope.account):
        raise LogsResourceNotFound("The specified log group does not exist.")
    return found["name"]


def chosen_group(scope: Scope, request: dict[str, Any]) -> str:
    """The group that a request names by ``logGroupName`` or ``logGroupIdentifier``."""
    name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
    if name and identifier:
        raise LogsValidation("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
    if not name and not identifier:
        raise InvalidParameter("Either logGroupName or logGroupIdentifier must be specified.")
    return group_name(scope, identifier) if identifier else str(name)


def check_name(text: str) -> None:
    """A new group's or stream's. Raises InvalidParameter."""
    if len(text) > _NAME_LIMIT:
        raise InvalidParameter("Invalid LogGroup or LogStream, both must have length less than or equal to 512.")


def _check_tags(resource: str, tags: dict[str, str]) -> None:
    """Raises TooManyTags."""
    if len(tags) > _TAG_LIMIT:
        raise TooManyTags("The number of tags exceeds the maximum of 50 per resource.", resourceName=resource)


def _show(group: LogGroup) -> dict[str, Any]:
    return {
        "logGroupName": group.name,
        "creationTime": group.created_ms,
        "retentionInDays": group.retention_days,
        "metricFilterCount": 0,
        "arn": f"{group.arn}:*",
        "logGroupArn": group.arn,
        "logGroupClass": "STANDARD",
    }


def _details(group: LogGroup) -> dict[str, Any]:
    """What the search by a pattern leaves out, as recorded."""
    return {"storedBytes": group.stored_bytes, "deletionProtectionEnabled": False}
