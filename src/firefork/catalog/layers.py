"""Layers and their versions. AWS: Lambda API reference, PublishLayerVersion; fact sheet section 12.5."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import delete, insert, select, update

from firefork.aws.errors import InvalidParameterValue, ResourceNotFound
from firefork.aws.scope import Scope
from firefork.catalog.function import LayerReference
from firefork.catalog.packages import Package
from firefork.store import rows
from firefork.store.clock import now
from firefork.store.database import Database
from firefork.store.tables import layer_versions, layers

_VERSION_ARN: Final = re.compile(
    r"arn:(aws[a-zA-Z-]*):lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:"
    r"(?P<name>[a-zA-Z0-9-_]+):(?P<version>\d+)"
)
_MISSING: Final = "The resource you requested does not exist."


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVersion:
    """One immutable version of a layer."""

    scope: Scope
    name: str
    version: int
    description: str
    code_sha256: str
    code_size: int
    compatible_runtimes: Sequence[str] | None
    compatible_architectures: Sequence[str] | None
    """``None`` where the publisher said nothing; shown again, an empty list is not the same."""
    license: str | None
    created: datetime

    @property
    def layer_arn(self) -> str:
        return self.scope.arn("lambda", f"layer:{self.name}")

    @property
    def arn(self) -> str:
        return f"{self.layer_arn}:{self.version}"


class Layers:
    """The layers of all accounts and regions. Thread-safe; methods may block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(
        self,
        scope: Scope,
        name: str,
        package: Package,
        *,
        description: str = "",
        compatible_runtimes: Sequence[str] | None = None,
        compatible_architectures: Sequence[str] | None = None,
        license_info: str | None = None,
    ) -> LayerVersion:
        """Store the next version; numbers are never used again."""
        where = rows.within(layers, scope, name=name)
        with self._database.write() as connection:
            last = connection.execute(select(layers.c.last_version).where(where)).scalar()
            number = (last or 0) + 1
            if last is None:
                connection.execute(insert(layers).values(**rows.key(scope, name=name), last_version=number))
            else:
                connection.execute(update(layers).where(where).values(last_version=number))
            version = LayerVersion(
                scope=scope,
                name=name,
                version=number,
                description=description,
                code_sha256=package.digest,
                code_size=package.size,
                compatible_runtimes=compatible_runtimes,
                compatible_architectures=compatible_architectures,
                license=license_info,
                created=now(),
            )
            connection.execute(
                insert(layer_versions).values(
                    **rows.key(scope, name=name),
                    version=number,
                    code_sha256=package.digest,
                    document=_to_document(version),
                )
            )
        return version

    def get(self, scope: Scope, name: str, version: int) -> LayerVersion:
        """Raises ResourceNotFound, InvalidParameterValue."""
        _check_version(version)
        with self._database.read() as connection:
            text = connection.execute(
                select(layer_versions.c.document).where(rows.within(layer_versions, scope, name=name, version=version))
            ).scalar()
        if text is None:
            raise ResourceNotFound(_MISSING)
        return _from_document(scope, name, text)

    def get_by_arn(self, scope: Scope, arn: str) -> LayerVersion:
        """Raises ResourceNotFound, InvalidParameterValue."""
        found = _VERSION_ARN.fullmatch(arn)
        if found is None:
            raise InvalidParameterValue(f"Invalid layer version ARN: {arn}")
        return self.get(Scope(found["account"], found["region"]), found["name"], int(found["version"]))

    def reference(self, scope: Scope, arn: str) -> LayerReference:
        """A layer version as a function refers to it. Raises InvalidParameterValue."""
        found = _VERSION_ARN.fullmatch(arn)
        if found is not None and found["region"] != scope.region:
            raise InvalidParameterValue(
                "Layers are not in the same region as the function. "
                f"Layers are expected to be in region {scope.region}."
            )
        try:
            version = self.get_by_arn(scope, arn)
        except ResourceNotFound:
            raise InvalidParameterValue(f"Layer version {arn} does not exist.") from None
        return LayerReference(arn=arn, code_size=version.code_size, code_sha256=version.code_sha256)

    def list_versions(
        self, scope: Scope, name: str, *, before: int | None, limit: int
    ) -> tuple[list[LayerVersion], int | None]:
        """Newest first; and the number before which the next page begins."""
        query = select(layer_versions.c.document).where(rows.within(layer_versions, scope, name=name))
        if before is not None:
            query = query.where(layer_versions.c.version < before)
        with self._database.read() as connection:
            texts = connection.execute(query.order_by(layer_versions.c.version.desc()).limit(limit + 1)).scalars().all()
        found = [_from_document(scope, name, text) for text in texts[:limit]]
        return found, found[-1].version if len(texts) > limit else None

    def list(
        self, scope: Scope, *, after: str | None, wanted: Callable[[LayerVersion], bool], limit: int
    ) -> tuple[list[LayerVersion], str | None]:
        """The newest wanted version of every layer that has one, by name; and the name after which more follow."""
        table = layer_versions.c
        query = select(table.name, table.document).where(rows.within(layer_versions, scope))
        if after is not None:
            query = query.where(table.name > after)
        newest: dict[str, LayerVersion] = {}
        with self._database.read() as connection:
            for row in connection.execute(query.order_by(table.name, table.version.desc())):
                if row.name in newest:
                    continue
                version = _from_document(scope, row.name, row.document)
                if wanted(version):
                    if len(newest) == limit:
                        return list(newest.values()), next(reversed(newest))
                    newest[row.name] = version
        return list(newest.values()), None

    def delete(self, scope: Scope, name: str, version: int) -> None:
        """Deleting what is not there succeeds, as on AWS; functions that use it keep it. Its policy goes with it.

        Raises InvalidParameterValue.
        """
        _check_version(version)
        with self._database.write() as connection:
            connection.execute(
                delete(layer_versions).where(rows.within(layer_versions, scope, name=name, version=version))
            )

    def uses(self, digest: str) -> bool:
        """Whether some layer version has that package."""
        table = layer_versions.c
        with self._database.read() as connection:
            query = select(table.version).where(table.code_sha256 == digest).limit(1)
            return connection.execute(query).first() is not None

    def digests(self) -> set[str]:
        """Every package that some layer version uses."""
        with self._database.read() as connection:
            return set(connection.execute(select(layer_versions.c.code_sha256)).scalars().all())


def _check_version(version: int) -> None:
    if version < 1:
        raise InvalidParameterValue("Layer Version Cannot be less than 1")


def _to_document(version: LayerVersion) -> str:
    fields = {field.name: getattr(version, field.name) for field in dataclasses.fields(version)}
    del fields["scope"], fields["name"]
    return json.dumps(fields | {"created": version.created.isoformat()})


def _from_document(scope: Scope, name: str, text: str) -> LayerVersion:
    fields = json.loads(text)
    fields["created"] = datetime.fromisoformat(fields["created"]).astimezone(UTC)
    return LayerVersion(scope=scope, name=name, **fields)
