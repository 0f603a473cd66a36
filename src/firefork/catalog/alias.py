"""The alias noun, its row, and the route that it gives to invokes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from firefork.aws.scope import Scope
from firefork.catalog.function import FunctionVersion
from firefork.catalog.function_records import load, number_of
from firefork.store import rows
from firefork.store.tables import aliases


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A name for one version, or for two between which invokes are shared. AWS: API reference, AliasConfiguration."""

    scope: Scope
    function: str
    name: str
    version: str
    """``$LATEST`` or a number as text."""
    other_version: str | None = None
    other_weight: float = 0.0
    """The share of invokes that ``other_version`` gets, 0 to 1."""
    description: str = ""
    revision_id: str

    @property
    def arn(self) -> str:
        return self.scope.arn("lambda", f"function:{self.function}:{self.name}")


@dataclass(frozen=True, slots=True)
class Route:
    """Where invokes of a qualifier go."""

    version: FunctionVersion
    other: FunctionVersion | None = None
    weight: float = 0.0

    def pick(self, draw: Callable[[], float] = random.random) -> FunctionVersion:
        """The version for one invoke; ``draw`` gives a number from 0 up to, not including, 1."""
        return self.other if self.other is not None and draw() < self.weight else self.version


def load_alias(connection: Connection, scope: Scope, function: str, name: str) -> Alias | None:
    row = connection.execute(select(aliases).where(rows.within(aliases, scope, name=function, alias=name))).first()
    return None if row is None else alias_of(row)


def alias_of(row: Row[Any]) -> Alias:
    return Alias(
        scope=Scope(row.account, row.region),
        function=row.name,
        name=row.alias,
        version=row.version,
        other_version=row.other_version,
        other_weight=row.other_weight or 0.0,
        description=row.description,
        revision_id=row.revision_id,
    )


class RouteReader:
    """Reads the routes of one function; versions that several routes lead to are read once and are one object."""

    def __init__(self, connection: Connection, scope: Scope, function: str) -> None:
        self._connection = connection
        self._scope = scope
        self._function = function
        self._versions: dict[str, FunctionVersion] = {}

    def know(self, routes: Iterable[Route]) -> None:
        """Take over the versions of routes that are still good."""
        for route in routes:
            for version in (route.version, route.other):
                if version is not None:
                    self._versions[version.version] = version

    def read(self, qualifier: str | None) -> Route | None:
        """``None`` when there is no such version or alias."""
        number = number_of(qualifier)
        if number is not None:
            version = self._version(number)
            return None if version is None else Route(version)
        assert qualifier is not None
        alias = load_alias(self._connection, self._scope, self._function, qualifier)
        if alias is None:
            return None
        version = self._version(number_of(alias.version) or 0)
        other = self._version(number_of(alias.other_version) or 0) if alias.other_version is not None else None
        return None if version is None else Route(version, other, alias.other_weight)

    def _version(self, number: int) -> FunctionVersion | None:
        found = self._versions.get(str(number) if number else "$LATEST")
        if found is None:
            found = load(self._connection, self._scope, self._function, number)
            if found is not None:
                self._versions[found.version] = found
        return found
