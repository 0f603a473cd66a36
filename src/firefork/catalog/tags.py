"""Tags of functions, event source mappings and code signing configs.

AWS: Lambda API reference, TagResource, UntagResource, ListTags; fact sheet section 12.13.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, select, update

from firefork.aws.errors import InvalidParameterValue, ResourceNotFound
from firefork.aws.scope import Scope
from firefork.catalog.function_records import need, renew_revision
from firefork.catalog.functions import Functions, refuse_while_settling
from firefork.store import rows
from firefork.store.database import Database
from firefork.store.tables import code_signing_configs, event_source_mappings, functions

TAG_LIMIT: Final = 50

_ARN: Final = re.compile(
    r"arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):(?P<kind>[a-z-]+):(?P<id>[a-zA-Z0-9-_]+)"
    r"(?P<qualifier>:.+)?"
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """Where the tags of one kind of resource are."""

    table: Table
    id_column: str
    missing: str
    """What is said of one that is not there; ``{}`` stands for its ARN."""


_KINDS: Final[Mapping[str, _Kind]] = {
    "function": _Kind(functions, "name", "Function not found: {}"),
    "event-source-mapping": _Kind(event_source_mappings, "uuid", "Event source mapping not found: {}"),
    "code-signing-config": _Kind(
        code_signing_configs, "id", "The Lambda code signing configuration {} can not be found."
    ),
}


@dataclass(frozen=True, slots=True)
class TaggedResource:
    """A resource that may have tags."""

    arn: str
    scope: Scope
    id: str
    kind: _Kind

    @classmethod
    def parse(cls, arn: str) -> TaggedResource:
        """Raises InvalidParameterValue (versions and aliases), ResourceNotFound (kinds that are not served)."""
        found = _ARN.fullmatch(arn)
        if found is not None and found["kind"] == "capacity-provider":
            raise ResourceNotFound(f"Capacity provider not found: {arn}")
        kind = _KINDS.get(found["kind"]) if found is not None else None
        if found is None or kind is None:
            raise ResourceNotFound("The resource you requested does not exist.")
        if found["qualifier"]:
            raise InvalidParameterValue(
                "Tags on function aliases and versions are not supported. Please specify a function ARN."
            )
        return cls(arn, Scope(found["account"], found["region"]), found["id"], kind)

    @property
    def row(self) -> ColumnElement[bool]:
        return rows.within(self.kind.table, self.scope, **{self.kind.id_column: self.id})


class Tags:
    """Reads and changes tags. Thread-safe; methods may block."""

    def __init__(self, database: Database, catalog: Functions) -> None:
        self._database = database
        self._functions = catalog

    def of(self, resource: TaggedResource) -> dict[str, str]:
        """Raises ResourceNotFound."""
        with self._database.read() as connection:
            return _load(connection, resource)

    def change(self, resource: TaggedResource, *, add: Mapping[str, str], remove: Sequence[str]) -> None:
        """Raises ResourceNotFound, InvalidParameterValue, and ResourceConflict while a function is being changed."""
        if resource.kind.table is not functions:
            with self._database.write() as connection:
                _change(connection, resource, add, remove)
            return
        with self._functions.change(resource.scope, resource.id) as connection:
            refuse_while_settling(need(connection, resource.scope, resource.id))
            _change(connection, resource, add, remove)
            renew_revision(connection, resource.scope, resource.id, None)


def check_tags(present: Mapping[str, str], added: Mapping[str, str]) -> None:
    """Raises InvalidParameterValue."""
    if len({**present, **added}) > TAG_LIMIT:
        raise InvalidParameterValue("Number of tags exceeds resource tag limit.")
    for key in added:
        if key.lower().startswith("aws:"):
            raise InvalidParameterValue("Tag keys starting with 'aws:' are reserved for system use")


def _change(connection: Connection, resource: TaggedResource, add: Mapping[str, str], remove: Sequence[str]) -> None:
    tags = _load(connection, resource)
    check_tags(tags, add)
    kept = {key: value for key, value in {**tags, **add}.items() if key not in remove}
    connection.execute(update(resource.kind.table).where(resource.row).values(tags=json.dumps(kept)))


def _load(connection: Connection, resource: TaggedResource) -> dict[str, str]:
    text: Any = connection.execute(select(resource.kind.table.c.tags).where(resource.row)).scalar()
    if text is None:
        raise ResourceNotFound(resource.kind.missing.format(resource.arn))
    tags: dict[str, str] = json.loads(text)
    return tags
