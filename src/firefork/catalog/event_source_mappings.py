"""Which sources feed which functions, and in what state that is.

AWS: Lambda API reference, CreateEventSourceMapping to ListEventSourceMappings; fact sheet section 12.12.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, select

from firefork.aws.errors import InvalidParameterValue, ResourceConflict, ResourceInUse, ResourceNotFound
from firefork.aws.scope import Scope
from firefork.catalog.event_sources import SELF_MANAGED_KAFKA, SQS, EventSourceKind, check, kind_of
from firefork.catalog.functions import SETTLE_AFTER_S, Functions
from firefork.catalog.qualified import qualified_arn, qualifier_exists
from firefork.catalog.references import FunctionReference
from firefork.store import rows
from firefork.store.clock import new_id, now
from firefork.store.database import Database
from firefork.store.tables import event_source_mappings

_MISSING: Final = "The resource you requested does not exist."
_SETTLED: Final = ("Enabled", "Disabled")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSourceMapping:
    """One mapping. AWS: API reference, EventSourceMappingConfiguration."""

    scope: Scope
    uuid: str
    function: FunctionReference
    source_arn: str | None
    """``None`` for self-managed Kafka."""
    state: str
    enabled: bool
    """What the state will be once nothing is in progress."""
    settings: Mapping[str, Any]
    """The members that a caller may set, with the defaults of the source's kind, keyed as in the API; JSON values."""
    last_modified: datetime

    @property
    def arn(self) -> str:
        return self.scope.arn("lambda", f"event-source-mapping:{self.uuid}")

    @property
    def function_arn(self) -> str:
        return qualified_arn(self.function.scope, self.function.name, self.function.qualifier)

    @property
    def kind(self) -> EventSourceKind:
        return kind_of(self.source_arn, self_managed=self.source_arn is None)


class EventSourceMappings:
    """The mappings of all accounts. Thread-safe; methods may block."""

    def __init__(self, database: Database, functions: Functions) -> None:
        self._database = database
        self._functions = functions

    def create(
        self,
        function: FunctionReference,
        source_arn: str | None,
        settings: Mapping[str, Any],
        *,
        enabled: bool,
        tags: Mapping[str, str],
    ) -> EventSourceMapping:
        """Raises InvalidParameterValue, ResourceConflict."""
        kind = kind_of(source_arn, self_managed="SelfManagedEventSource" in settings)
        uuid = new_id()
        whole = {**kind.defaults, "BatchSize": kind.batch_size, **settings}
        if kind is SELF_MANAGED_KAFKA:  # the consumer group is called like the mapping, unless it has a name (recorded)
            whole.setdefault("SelfManagedKafkaEventSourceConfig", {"ConsumerGroupId": uuid})
        check(kind, whole, source_arn=source_arn)
        mapping = EventSourceMapping(
            scope=function.scope,
            uuid=uuid,
            function=function,
            source_arn=source_arn,
            state="Disabled" if kind.begins_disabled and not enabled else "Creating",
            enabled=enabled,
            settings=whole,
            last_modified=now(),
        )
        with self._database.write() as connection:
            _check_function(connection, function)
            _check_unique(connection, mapping)
            _save(connection, mapping, tags=json.dumps(dict(tags)))
        self._settle_later(mapping)
        return mapping

    def update(
        self,
        scope: Scope,
        uuid: str,
        settings: Mapping[str, Any],
        *,
        function: FunctionReference | None,
        enabled: bool | None,
    ) -> EventSourceMapping:
        """Change what is given. Raises ResourceNotFound, ResourceInUse, InvalidParameterValue."""
        with self._database.write() as connection:
            known = _need(connection, scope, uuid)
            if known.state not in _SETTLED:
                raise ResourceInUse("Cannot update the event source mapping because it is in use.")
            kind = kind_of(known.source_arn, self_managed=known.source_arn is None)
            whole = {**known.settings, **settings}
            check(kind, whole, source_arn=known.source_arn)
            wanted = known.enabled if enabled is None else enabled
            mapping = dataclasses.replace(
                known,
                function=function or known.function,
                settings=whole,
                enabled=wanted,
                state=_on_the_way(known, wanted),
                last_modified=now(),
            )
            if function is not None:
                _check_function(connection, function)
            _save(connection, mapping)
        self._settle_later(mapping)
        return mapping

    def get(self, scope: Scope, uuid: str) -> EventSourceMapping:
        """Raises ResourceNotFound."""
        with self._database.read() as connection:
            return _need(connection, scope, uuid)

    def list(
        self,
        scope: Scope,
        *,
        function: FunctionReference | None,
        source_arn: str | None,
        after: str | None,
        limit: int,
    ) -> tuple[Sequence[EventSourceMapping], str | None]:
        """By UUID, of one function or qualifier and of one source if they are given; and where the next page begins."""
        table = event_source_mappings.c
        wanted: dict[str, Any] = {} if source_arn is None else {"source": source_arn}
        if function is not None:
            wanted |= {"function_name": function.name, "qualifier": function.qualifier}
        query = select(event_source_mappings).where(rows.within(event_source_mappings, scope, **wanted))
        if after is not None:
            query = query.where(table.uuid > after)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(table.uuid).limit(limit + 1)).all()
        page = [_from_row(row) for row in found[:limit]]
        return page, page[-1].uuid if len(found) > limit else None

    def delete(self, scope: Scope, uuid: str) -> EventSourceMapping:
        """Begin to delete; the mapping as it is then. Raises ResourceNotFound, ResourceInUse."""
        with self._database.write() as connection:
            known = _need(connection, scope, uuid)
            if known.state not in _SETTLED:
                raise ResourceInUse("Cannot delete the event source mapping because it is in use.")
            mapping = dataclasses.replace(known, state="Deleting")
            _save(connection, mapping)
        self._settle_later(mapping)
        return mapping

    # ---- states

    def settle(self, scope: Scope, uuid: str) -> None:
        """Finish what is in progress."""
        with self._database.write() as connection:
            mapping = _load(connection, scope, uuid)
            if mapping is None or mapping.state in _SETTLED:
                return
            if mapping.state == "Deleting":
                connection.execute(
                    delete(event_source_mappings).where(rows.within(event_source_mappings, scope, uuid=uuid))
                )
            else:
                state = "Enabled" if mapping.enabled else "Disabled"
                _save(connection, dataclasses.replace(mapping, state=state))

    def settle_all(self) -> None:
        """At start: finish what a killed server had begun."""
        table = event_source_mappings.c
        with self._database.read() as connection:
            query = select(table.account, table.region, table.uuid).where(table.state.not_in(_SETTLED))
            found = connection.execute(query).all()
        for row in found:
            self.settle(Scope(row.account, row.region), row.uuid)

    def _settle_later(self, mapping: EventSourceMapping) -> None:
        self._functions.schedule(SETTLE_AFTER_S, lambda: self.settle(mapping.scope, mapping.uuid))


def _on_the_way(known: EventSourceMapping, enabled: bool) -> str:
    if known.enabled == enabled:
        return "Updating"
    return "Enabling" if enabled else "Disabling"


def _check_function(connection: Connection, function: FunctionReference) -> None:
    if not qualifier_exists(connection, function.scope, function.name, function.qualifier):
        raise InvalidParameterValue("Function does not exist")


def _check_unique(connection: Connection, mapping: EventSourceMapping) -> None:
    """One source and one function have at most one mapping. Raises ResourceConflict."""
    condition = rows.within(
        event_source_mappings,
        mapping.scope,
        source=mapping.source_arn,
        function_name=mapping.function.name,
        qualifier=mapping.function.qualifier,
    )
    others = [_from_row(row) for row in connection.execute(select(event_source_mappings).where(condition))]
    if mapping.source_arn is None:
        brokers, topics = _kafka(mapping)
        others = [
            other for other in others if all(a & b for a, b in zip(_kafka(other), (brokers, topics), strict=True))
        ]
    if not others:
        return
    pair = f'(" {mapping.source_arn} ") and function (" {mapping.function.name} ")'
    if mapping.source_arn is None:
        told = (
            f'An event source mapping with event source ("{",".join(sorted(brokers))}"), function '
            f'("{mapping.function_arn}"), topics ("{",".join(sorted(topics))}") already exists.'
        )
    elif kind_of(mapping.source_arn, self_managed=False) is SQS:
        told = f"An event source mapping with SQS arn {pair} already exists."
    else:
        told = f"The event source arn {pair} provided mapping already exists."
    raise ResourceConflict(f"{told} Please update or delete the existing mapping with UUID {others[0].uuid}")


def _kafka(mapping: EventSourceMapping) -> tuple[set[str], set[str]]:
    """Bootstrap servers and topics of a self-managed cluster."""
    endpoints = (mapping.settings.get("SelfManagedEventSource") or {}).get("Endpoints") or {}
    return set(endpoints.get("KAFKA_BOOTSTRAP_SERVERS") or ()), set(mapping.settings.get("Topics") or ())


def _need(connection: Connection, scope: Scope, uuid: str) -> EventSourceMapping:
    mapping = _load(connection, scope, uuid)
    if mapping is None:
        raise ResourceNotFound(_MISSING)
    return mapping


def _load(connection: Connection, scope: Scope, uuid: str) -> EventSourceMapping | None:
    row = connection.execute(
        select(event_source_mappings).where(rows.within(event_source_mappings, scope, uuid=uuid))
    ).first()
    return None if row is None else _from_row(row)


def _save(connection: Connection, mapping: EventSourceMapping, **columns: Any) -> None:
    document = {
        "enabled": mapping.enabled,
        "settings": mapping.settings,
        "last_modified": mapping.last_modified.isoformat(),
    }
    values = {
        "function_name": mapping.function.name,
        "qualifier": mapping.function.qualifier,
        "source": mapping.source_arn,
        "state": mapping.state,
        "document": json.dumps(document),
        **columns,
    }
    if "tags" in columns:
        connection.execute(
            event_source_mappings.insert().values(**rows.key(mapping.scope, uuid=mapping.uuid), **values)
        )
    else:
        condition = rows.within(event_source_mappings, mapping.scope, uuid=mapping.uuid)
        connection.execute(event_source_mappings.update().where(condition).values(**values))


def _from_row(row: Any) -> EventSourceMapping:
    scope, document = Scope(row.account, row.region), json.loads(row.document)
    return EventSourceMapping(
        scope=scope,
        uuid=row.uuid,
        function=FunctionReference(scope=scope, name=row.function_name, qualifier=row.qualifier),
        source_arn=row.source,
        state=row.state,
        enabled=document["enabled"],
        settings=document["settings"],
        last_modified=datetime.fromisoformat(document["last_modified"]),
    )
