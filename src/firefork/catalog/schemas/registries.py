"""What is stored of schema registries, and its rules. AWS: EventBridge Schemas API reference; user guide, quotas."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from firefork.aws.errors import SchemasBadRequest, SchemasConflict, SchemasNotFound
from firefork.aws.scope import Scope
from firefork.catalog.schemas.content import check_content
from firefork.catalog.schemas.entities import Registry, Schema, SchemaVersion
from firefork.store import rows
from firefork.store.clock import now_ms
from firefork.store.database import Database
from firefork.store.tables import schema_registries, schema_versions, schemas

VERSIONS_LIMIT: Final = 100
_TAG_LIMIT: Final = 50
_REGISTRY_NAME: Final = re.compile(r"[0-9A-Za-z_.\-]{1,64}")
_SCHEMA_NAME: Final = re.compile(r"[0-9A-Za-z_.\-@]{1,385}")
_ARN: Final = re.compile(
    r"arn:[^:]+:schemas:(?P<region>[^:]+):(?P<account>\d{12}):(?:registry/([^/]+)|schema/([^/]+)/([^/]+))"
)


class Registries:
    """The registries of all accounts and regions with their schemas. Thread-safe; methods block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- registries

    def create_registry(self, scope: Scope, name: str, *, description: str | None, tags: Mapping[str, str]) -> Registry:
        """Raises SchemasBadRequest, SchemasConflict."""
        _check_name(_REGISTRY_NAME, name, "Registry", 64)
        _check_tags(tags)
        with self._database.write() as connection:
            if _registry_row(connection, scope, name) is not None:
                raise SchemasConflict(f"Registry with name {name} already exists.")
            connection.execute(
                insert(schema_registries).values(
                    **rows.key(scope, name=name), description=description, tags=json.dumps(dict(tags))
                )
            )
        return Registry(scope=scope, name=name, description=description, tags=tags)

    def registry(self, scope: Scope, name: str) -> Registry:
        """Raises SchemasNotFound."""
        with self._database.read() as connection:
            return _need_registry(connection, scope, name)

    def update_registry(self, scope: Scope, name: str, description: str | None) -> Registry:
        """Raises SchemasNotFound."""
        with self._database.write() as connection:
            _need_registry(connection, scope, name)
            if description is not None:
                connection.execute(
                    update(schema_registries)
                    .where(rows.within(schema_registries, scope, name=name))
                    .values(description=description)
                )
            return _need_registry(connection, scope, name)

    def delete_registry(self, scope: Scope, name: str) -> None:
        """Raises SchemasNotFound, and SchemasBadRequest while there are schemas in it."""
        with self._database.write() as connection:
            _need_registry(connection, scope, name)
            inside = select(schemas.c.name).where(rows.within(schemas, scope, registry=name)).limit(1)
            if connection.execute(inside).first() is not None:
                raise SchemasBadRequest(f"Registry {name} cannot be deleted: it is not empty.")
            connection.execute(delete(schema_registries).where(rows.within(schema_registries, scope, name=name)))

    def registries(self, scope: Scope, *, prefix: str, after: str, limit: int) -> Sequence[Registry]:
        """By name, those behind ``after``; at most ``limit``."""
        table = schema_registries.c
        query = (
            select(schema_registries)
            .where(rows.within(schema_registries, scope), table.name > after, _begins(table.name, prefix))
            .order_by(table.name)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_registry(scope, row) for row in connection.execute(query)]

    # ---- schemas

    def create_schema(
        self,
        scope: Scope,
        registry: str,
        name: str,
        *,
        kind: str,
        content: str,
        description: str | None,
        tags: Mapping[str, str],
    ) -> tuple[Schema, SchemaVersion]:
        """Raises SchemasBadRequest, SchemasNotFound, SchemasConflict."""
        _check_name(_SCHEMA_NAME, name, "Schema", 385)
        _check_tags(tags)
        check_content(kind, content)
        moment_ms = now_ms()
        with self._database.write() as connection:
            _need_registry(connection, scope, registry)
            if _schema_row(connection, scope, registry, name) is not None:
                raise SchemasConflict(f"Schema with name {name} already exists in registry {registry}.")
            connection.execute(
                insert(schemas).values(
                    **rows.key(scope, registry=registry, name=name),
                    description=description,
                    tags=json.dumps(dict(tags)),
                    last_version=0,
                    last_modified_ms=moment_ms,
                )
            )
            version = _add_version(connection, scope, registry, name, kind, content, moment_ms)
            return _need_schema(connection, scope, registry, name), version

    def update_schema(
        self, scope: Scope, registry: str, name: str, *, kind: str | None, content: str | None, description: str | None
    ) -> tuple[Schema, SchemaVersion]:
        """A new version if there is ``content``. Raises SchemasBadRequest, SchemasNotFound, SchemasConflict."""
        moment_ms = now_ms()
        with self._database.write() as connection:
            schema = _need_schema(connection, scope, registry, name)
            latest = _need_version(connection, schema, None)
            if content is not None:
                kind = kind or latest.type
                check_content(kind, content)
                if (kind, content) == (latest.type, latest.content):
                    raise SchemasConflict("No change since the previous schema version.")
                if schema.version_count >= VERSIONS_LIMIT:
                    raise SchemasBadRequest(f"Schema {name} already has the maximum of {VERSIONS_LIMIT} versions.")
                latest = _add_version(connection, scope, registry, name, kind, content, moment_ms)
            values: dict[str, Any] = {} if description is None else {"description": description}
            connection.execute(
                update(schemas)
                .where(rows.within(schemas, scope, registry=registry, name=name))
                .values(last_modified_ms=moment_ms, **values)
            )
            return _need_schema(connection, scope, registry, name), latest

    def schema(
        self, scope: Scope, registry: str, name: str, version: str | None = None
    ) -> tuple[Schema, SchemaVersion]:
        """With that version, or the latest one. Raises SchemasNotFound."""
        with self._database.read() as connection:
            schema = _need_schema(connection, scope, registry, name)
            return schema, _need_version(connection, schema, version)

    def delete_schema(self, scope: Scope, registry: str, name: str) -> None:
        """Raises SchemasNotFound."""
        with self._database.write() as connection:
            _need_schema(connection, scope, registry, name)
            connection.execute(delete(schemas).where(rows.within(schemas, scope, registry=registry, name=name)))

    def delete_version(self, scope: Scope, registry: str, name: str, version: str) -> None:
        """With its last version a schema goes itself. Raises SchemasNotFound."""
        with self._database.write() as connection:
            schema = _need_schema(connection, scope, registry, name)
            found = _need_version(connection, schema, version)
            here = rows.within(schema_versions, scope, registry=registry, name=name, number=found.number)
            connection.execute(delete(schema_versions).where(here))
            if schema.version_count == 1:
                connection.execute(delete(schemas).where(rows.within(schemas, scope, registry=registry, name=name)))

    def schemas(self, scope: Scope, registry: str, *, prefix: str, after: str, limit: int) -> Sequence[Schema]:
        """By name, those behind ``after``; at most ``limit``. Raises SchemasNotFound."""
        with self._database.read() as connection:
            _need_registry(connection, scope, registry)
            query = (
                select(schemas)
                .where(
                    rows.within(schemas, scope, registry=registry),
                    schemas.c.name > after,
                    _begins(schemas.c.name, prefix),
                )
                .order_by(schemas.c.name)
                .limit(limit)
            )
            return [_schema(connection, scope, row) for row in connection.execute(query).all()]

    def versions(
        self, scope: Scope, registry: str, name: str, *, after: int = 0, limit: int = VERSIONS_LIMIT
    ) -> tuple[Schema, Sequence[SchemaVersion]]:
        """By number, those behind ``after``; at most ``limit``. Raises SchemasNotFound."""
        with self._database.read() as connection:
            schema = _need_schema(connection, scope, registry, name)
            query = (
                select(schema_versions)
                .where(
                    rows.within(schema_versions, scope, registry=registry, name=name), schema_versions.c.number > after
                )
                .order_by(schema_versions.c.number)
                .limit(limit)
            )
            return schema, [_version(row) for row in connection.execute(query)]

    # ---- tags

    def tags(self, arn: str) -> dict[str, str]:
        """Raises SchemasBadRequest, SchemasNotFound."""
        with self._database.read() as connection:
            return _load_tags(connection, arn)[2]

    def change_tags(self, arn: str, *, add: Mapping[str, str], remove: Sequence[str]) -> None:
        """Raises SchemasBadRequest, SchemasNotFound."""
        with self._database.write() as connection:
            table, row, tags = _load_tags(connection, arn)
            kept = {key: value for key, value in {**tags, **add}.items() if key not in remove}
            _check_tags(kept)
            connection.execute(update(table).where(row).values(tags=json.dumps(kept)))


def _check_name(pattern: re.Pattern[str], name: str, what: str, most: int) -> None:
    if not pattern.fullmatch(name):
        signs = ". - _ @" if pattern is _SCHEMA_NAME else ". - _"
        raise SchemasBadRequest(
            f"{what} name {name} is invalid. It can have up to {most} characters: letters, digits and {signs}."
        )


def _check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > _TAG_LIMIT:
        raise SchemasBadRequest(f"A resource can have up to {_TAG_LIMIT} tags.")


def _begins(column: Any, prefix: str) -> Any:
    return func.substr(column, 1, len(prefix)) == prefix


def _registry_row(connection: Connection, scope: Scope, name: str) -> Any:
    return connection.execute(select(schema_registries).where(rows.within(schema_registries, scope, name=name))).first()


def _need_registry(connection: Connection, scope: Scope, name: str) -> Registry:
    row = _registry_row(connection, scope, name)
    if row is None:
        raise SchemasNotFound(f"Registry with name {name} not found.")
    return _registry(scope, row)


def _registry(scope: Scope, row: Any) -> Registry:
    return Registry(scope=scope, name=row.name, description=row.description, tags=json.loads(row.tags))


def _schema_row(connection: Connection, scope: Scope, registry: str, name: str) -> Any:
    return connection.execute(select(schemas).where(rows.within(schemas, scope, registry=registry, name=name))).first()


def _need_schema(connection: Connection, scope: Scope, registry: str, name: str) -> Schema:
    row = _schema_row(connection, scope, registry, name)
    if row is None:
        raise SchemasNotFound(f"Schema with name {name} not found in registry {registry}.")
    return _schema(connection, scope, row)


def _schema(connection: Connection, scope: Scope, row: Any) -> Schema:
    count = connection.execute(
        select(func.count())
        .select_from(schema_versions)
        .where(rows.within(schema_versions, scope, registry=row.registry, name=row.name))
    ).scalar_one()
    return Schema(
        scope=scope,
        registry=row.registry,
        name=row.name,
        description=row.description,
        tags=json.loads(row.tags),
        last_modified_ms=row.last_modified_ms,
        version_count=count,
    )


def _need_version(connection: Connection, schema: Schema, version: str | None) -> SchemaVersion:
    """That version, or the latest one."""
    query = select(schema_versions).where(
        rows.within(schema_versions, schema.scope, registry=schema.registry, name=schema.name)
    )
    if version is not None:
        # What is no number of 32 bits can be no version.
        query = query.where(schema_versions.c.number == (int(version) if re.fullmatch(r"\d{1,9}", version) else 0))
    row = connection.execute(query.order_by(schema_versions.c.number.desc()).limit(1)).first()
    if row is None:
        raise SchemasNotFound(f"Version {version} of schema {schema.name} not found in registry {schema.registry}.")
    return _version(row)


def _version(row: Any) -> SchemaVersion:
    return SchemaVersion(number=row.number, type=row.type, content=row.content, created_ms=row.created_ms)


def _add_version(
    connection: Connection, scope: Scope, registry: str, name: str, kind: str, content: str, moment_ms: int
) -> SchemaVersion:
    """Numbers grow and are never given out again."""
    here = rows.within(schemas, scope, registry=registry, name=name)
    number = connection.execute(select(schemas.c.last_version).where(here)).scalar_one() + 1
    connection.execute(update(schemas).where(here).values(last_version=number))
    connection.execute(
        insert(schema_versions).values(
            **rows.key(scope, registry=registry, name=name, number=number),
            type=kind,
            content=content,
            created_ms=moment_ms,
        )
    )
    return SchemaVersion(number=number, type=kind, content=content, created_ms=moment_ms)


def _load_tags(connection: Connection, arn: str) -> tuple[Any, Any, dict[str, str]]:
    """Table, condition and tags of what an ARN names."""
    found = _ARN.fullmatch(arn)
    if found is None:
        raise SchemasBadRequest(f"Invalid ARN: {arn}")
    scope = Scope(found["account"], found["region"])
    registry, of, name = found[3], found[4], found[5]
    table = schema_registries if registry is not None else schemas
    row = rows.within(table, scope, name=registry) if registry else rows.within(table, scope, registry=of, name=name)
    text = connection.execute(select(table.c.tags).where(row)).scalar()
    if text is None:
        raise SchemasNotFound(f"Resource {arn} not found.")
    tags: dict[str, str] = json.loads(text)
    return table, row, tags
