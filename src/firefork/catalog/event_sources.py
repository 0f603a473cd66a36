"""The kinds of event sources, and what a mapping may say about each.

AWS: Lambda API reference, CreateEventSourceMapping; messages as recorded where they are known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from firefork.aws.errors import InvalidParameterValue

_POSITION_NULL: Final = (
    "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
    "Member must not be null."
)

_STREAM_ONLY: Final = (
    "BisectBatchOnFunctionError",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "TumblingWindowInSeconds",
)
_COMMON: Final[Mapping[str, Any]] = {"MaximumBatchingWindowInSeconds": 0}
_STREAM: Final[Mapping[str, Any]] = {
    **_COMMON,
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": {"OnFailure": {}},
    "FunctionResponseTypes": [],
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "ParallelizationFactor": 1,
    "TumblingWindowInSeconds": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSourceKind:
    """One kind of source."""

    name: str
    batch_size: int = 100
    """Where the caller sets none."""
    defaults: Mapping[str, Any] = field(default_factory=lambda: _COMMON)
    unsupported: tuple[str, ...] = ()
    """Members that only other kinds have."""
    needs_position: bool = False
    positions: tuple[str, ...] = ("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")
    is_stream: bool = False
    tells_result: bool = False
    """Whether its mappings have a LastProcessingResult."""
    begins_disabled: bool = False
    """Whether a mapping that is not to be enabled is Disabled at once, instead of Creating (recorded)."""


SQS: Final = EventSourceKind(
    name="SQS",
    batch_size=10,
    begins_disabled=True,
    defaults={**_COMMON, "FunctionResponseTypes": []},
    unsupported=("DestinationConfig", *_STREAM_ONLY),
    positions=(),
)
KINESIS: Final = EventSourceKind(
    name="Kinesis", defaults=_STREAM, needs_position=True, is_stream=True, tells_result=True
)
DYNAMODB: Final = EventSourceKind(
    name="DynamoDB",
    defaults=_STREAM,
    needs_position=True,
    positions=("TRIM_HORIZON", "LATEST"),
    is_stream=True,
    tells_result=True,
)
MSK: Final = EventSourceKind(name="MSK", unsupported=("TumblingWindowInSeconds", "ParallelizationFactor"))
SELF_MANAGED_KAFKA: Final = EventSourceKind(
    name="Kafka",
    defaults={"StartingPosition": "TRIM_HORIZON"},
    unsupported=("TumblingWindowInSeconds", "ParallelizationFactor"),
    tells_result=True,
)
MQ: Final = EventSourceKind(
    name="MQ", unsupported=("DestinationConfig", "FunctionResponseTypes", *_STREAM_ONLY), positions=()
)
DOCUMENT_DB: Final = EventSourceKind(name="DocumentDB", unsupported=("DestinationConfig", *_STREAM_ONLY))

_BY_SERVICE: Final[Mapping[str, EventSourceKind]] = {
    "sqs": SQS,
    "kinesis": KINESIS,
    "dynamodb": DYNAMODB,
    "kafka": MSK,
    "mq": MQ,
    "rds": DOCUMENT_DB,
}


def kind_of(source_arn: str | None, *, self_managed: bool) -> EventSourceKind:
    """Raises InvalidParameterValue for what is no event source."""
    if self_managed:
        return SELF_MANAGED_KAFKA
    service = source_arn.split(":")[2] if source_arn else ""
    kind = _BY_SERVICE.get(service)
    if kind is None:
        raise InvalidParameterValue("Unrecognized event source.")
    return kind


def check(kind: EventSourceKind, settings: Mapping[str, Any], *, source_arn: str | None) -> None:
    """A whole mapping's settings, defaults included, against its kind. Raises InvalidParameterValue."""
    if (settings.get("DestinationConfig") or {}).get("OnSuccess"):
        raise _unsupported("DestinationConfig")
    for member in kind.unsupported:
        if settings.get(member) is not None:
            raise _unsupported(member)
    _check_position(kind, settings, source_arn)
    if kind is SQS:
        _check_queue(settings, fifo=bool(source_arn and source_arn.endswith(".fifo")))
    elif settings.get("ScalingConfig"):
        raise _unsupported("ScalingConfig")
    if kind is SELF_MANAGED_KAFKA and settings.get("SourceAccessConfigurations") is None:
        raise InvalidParameterValue("Required 'sourceAccessConfigurations' parameter is missing.")
    if kind in (MSK, SELF_MANAGED_KAFKA) and not settings.get("Topics"):
        raise InvalidParameterValue("Required 'topics' parameter is missing.")
    if kind is MQ and not settings.get("Queues"):
        raise InvalidParameterValue("Required 'queues' parameter is missing.")
    for pattern in (settings.get("FilterCriteria") or {}).get("Filters") or []:
        _check_filter(pattern.get("Pattern"))


def _check_position(kind: EventSourceKind, settings: Mapping[str, Any], source_arn: str | None) -> None:
    position, moment = settings.get("StartingPosition"), settings.get("StartingPositionTimestamp")
    if position is None:
        if kind.needs_position:
            raise InvalidParameterValue(_POSITION_NULL)
        return
    if not kind.positions:
        raise InvalidParameterValue(f"StartingPosition is not valid for {kind.name} event sources.")
    if position not in kind.positions:
        raise InvalidParameterValue(f"Unsupported starting position for arn type: {source_arn}")
    if moment is not None and position != "AT_TIMESTAMP":
        raise InvalidParameterValue("Timestamp only valid with StartingPosition AT_TIMESTAMP")
    if moment is None and position == "AT_TIMESTAMP":
        raise InvalidParameterValue("StartingPositionTimestamp is required with StartingPosition AT_TIMESTAMP")
    if moment is not None and moment < 0:
        raise InvalidParameterValue(
            "Received Exception while reading from provided stream. class java.lang.Long can not be converted to a "
            "Timestamp"
        )


def _check_queue(settings: Mapping[str, Any], *, fifo: bool) -> None:
    size, window = settings["BatchSize"], settings["MaximumBatchingWindowInSeconds"]
    if fifo and size > 10:
        raise InvalidParameterValue("Batch size must not exceed 10 for FIFO queues")
    if fifo and window > 0:
        raise InvalidParameterValue("Batching window is not supported for FIFO queues")
    if size > 10 and window == 0:
        raise InvalidParameterValue(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )


def _check_filter(pattern: str | None) -> None:
    try:
        valid = _is_pattern(json.loads(pattern or ""))
    except (ValueError, RecursionError):
        valid = False
    if not valid:
        raise InvalidParameterValue("Invalid filter pattern definition.")


def _is_pattern(node: object) -> bool:
    """Names at last lead to lists of what may be there, which are not empty: strings, numbers, comparisons and such."""
    if not isinstance(node, dict):
        return False
    return all(
        bool(value) and not any(isinstance(item, list) for item in value)
        if isinstance(value, list)
        else _is_pattern(value)
        for value in node.values()
    )


def _unsupported(member: str) -> InvalidParameterValue:
    return InvalidParameterValue(f"Unsupported {member} parameter for given event source mapping type.")
