"""Reserved and provisioned concurrency as they are configured, and the rules between them.

AWS: Lambda API reference, PutFunctionConcurrency, PutProvisionedConcurrencyConfig; developer guide, "Configuring
reserved concurrency", "Configuring provisioned concurrency"; messages as recorded (fact sheet section 12.2).
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Table, and_, delete, exists, insert, select

from firefork.aws.errors import (
    InvalidParameterValue,
    ProvisionedConcurrencyConfigNotFound,
    ResourceConflict,
    ResourceNotFound,
)
from firefork.aws.scope import Scope
from firefork.catalog.function import LATEST
from firefork.catalog.functions import Functions
from firefork.store.changes import CONCURRENCY, Change
from firefork.store.clock import now
from firefork.store.database import Database
from firefork.store.tables import function_concurrency, functions, provisioned_concurrency

UNRESERVED_MINIMUM: Final = 100
"""What reservations have to leave to functions that have none."""

AliasTargets = Callable[[Scope, str], Mapping[str, str]]
"""The aliases of a function: name to the version's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedConfig:
    """How many environments of a version or alias are kept initialised."""

    qualifier: str
    requested: int
    last_modified: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionConcurrency:
    """All that is configured for one function."""

    reserved: int | None = None
    provisioned: Mapping[str, ProvisionedConfig] = field(default_factory=dict)
    """By qualifier."""

    @property
    def provisioned_total(self) -> int:
        return sum(config.requested for config in self.provisioned.values())

    @property
    def set_aside(self) -> int:
        """What the account's unreserved pool has to do without. Provisioned concurrency is part of a reservation."""
        return self.provisioned_total if self.reserved is None else self.reserved


_NOTHING: Final = FunctionConcurrency()


class Concurrency:
    """The configured concurrency of all functions. Reads are from memory, for whoever invokes; writes may block."""

    def __init__(
        self,
        database: Database,
        functions: Functions,
        *,
        account_concurrency: int,
        alias_targets: AliasTargets = lambda scope, name: {},
        shares_invokes: Callable[[Scope, str, str], bool] = lambda scope, name, alias: False,
    ) -> None:
        """``shares_invokes``: whether an alias leads to two versions."""
        self.account_concurrency = account_concurrency
        self._database = database
        self._functions = functions
        self._alias_targets = alias_targets
        self._shares_invokes = shares_invokes
        self._lock = threading.RLock()
        self._known: dict[tuple[Scope, str], FunctionConcurrency] = {}
        self._set_aside: dict[Scope, int] = {}
        self._load()
        functions.changed.append(self._function_changed)

    def _load(self) -> None:
        """Read everything, without the rows of a function whose deletion a killed server did not finish."""
        with self._database.write() as connection:
            for table in (function_concurrency, provisioned_concurrency):
                owner = and_(*(table.c[name] == functions.c[name] for name in ("account", "region", "name")))
                connection.execute(delete(table).where(~exists(select(functions.c.name).where(owner))))
            read = _read(connection)
        for (scope, name), concurrency in read.items():
            self._remember(scope, name, concurrency)

    def heard(self, scope: Scope, name: str) -> None:
        """Another node configured something for a function."""
        with self._lock:
            with self._database.read() as connection:
                read = _read(connection, _key(scope, name))
            self._remember(scope, name, read.get((scope, name), _NOTHING))

    def recall(self) -> None:
        """Other nodes may have configured anything: read it all anew."""
        with self._lock:
            with self._database.read() as connection:
                read = _read(connection)
            for scope, name in self._known.keys() | read.keys():
                self._remember(scope, name, read.get((scope, name), _NOTHING))

    # ---- reading

    def of(self, scope: Scope, name: str) -> FunctionConcurrency:
        """What is configured for a function; nothing for one that does not exist."""
        return self._known.get((scope, name), _NOTHING)

    def set_aside(self, scope: Scope) -> int:
        """Concurrency that only certain functions of the account may use."""
        return self._set_aside.get(scope, 0)

    def unreserved(self, scope: Scope) -> int:
        """GetAccountSettings' UnreservedConcurrentExecutions."""
        return max(0, self.account_concurrency - self.set_aside(scope))

    def provisioned_functions(self) -> Sequence[tuple[Scope, str]]:
        """Functions with provisioned concurrency."""
        return [key for key, known in list(self._known.items()) if known.provisioned]

    def targets(self, scope: Scope, name: str) -> dict[str, int]:
        """How many environments of each version are to be kept; an alias counts for the version it points at."""
        provisioned = self.of(scope, name).provisioned
        found: dict[str, int] = {}
        if not provisioned:
            return found
        aliases = self._alias_targets(scope, name)
        for qualifier, config in provisioned.items():
            version = qualifier if qualifier.isdecimal() else aliases.get(qualifier)
            if version is not None:
                found[version] = found.get(version, 0) + config.requested
        return found

    def version_of(self, scope: Scope, name: str, qualifier: str) -> str:
        """The version that a version's number or an alias stands for. Raises ResourceNotFound."""
        return self._version_of(scope, name, qualifier, self._alias_targets(scope, name))

    def _version_of(self, scope: Scope, name: str, qualifier: str, aliases: Mapping[str, str]) -> str:
        if qualifier.isdecimal():
            return self._functions.get(scope, name, qualifier).version
        if qualifier not in aliases:
            raise ResourceNotFound(f"Cannot find alias arn: {scope.arn('lambda', f'function:{name}')}:{qualifier}")
        return aliases[qualifier]

    # ---- reserved

    def put_reserved(self, scope: Scope, name: str, reserved: int) -> None:
        """Raises ResourceNotFound, InvalidParameterValue."""
        self._functions.get(scope, name, LATEST)  # so that the error names $LATEST, as AWS's does
        with self._lock:
            known = self.of(scope, name)
            if reserved < known.provisioned_total:
                raise InvalidParameterValue(
                    f" ReservedConcurrentExecutions  {reserved} should not be lower than function's total provisioned "
                    f"concurrency [{known.provisioned_total}]."
                )
            if self.unreserved(scope) + known.set_aside - reserved < UNRESERVED_MINIMUM:
                raise InvalidParameterValue(
                    "Specified ReservedConcurrentExecutions for function decreases account's "
                    f"UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_MINIMUM}]."
                )
            self._store(function_concurrency, _key(scope, name), {"reserved": reserved})
            self._remember(scope, name, dataclasses.replace(known, reserved=reserved))

    def delete_reserved(self, scope: Scope, name: str) -> None:
        """Deleting what is not there is no error. Raises ResourceNotFound."""
        self._functions.get(scope, name, None)
        with self._lock:
            self._store(function_concurrency, _key(scope, name), None)
            self._remember(scope, name, dataclasses.replace(self.of(scope, name), reserved=None))

    # ---- provisioned

    def put_provisioned(self, scope: Scope, name: str, qualifier: str, requested: int) -> ProvisionedConfig:
        """Raises ResourceNotFound, ResourceConflict, InvalidParameterValue."""
        if qualifier == LATEST:
            raise InvalidParameterValue(
                "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
            )
        aliases = self._alias_targets(scope, name)
        version = self._version_of(scope, name, qualifier, aliases)
        if qualifier in aliases and self._shares_invokes(scope, name, qualifier):
            # Told in hashicorp/terraform issue 24957. AWS: developer guide, "Configuring provisioned concurrency".
            raise InvalidParameterValue("Alias with weights can not be used with Provisioned Concurrency")
        if self._functions.get(scope, name, version).snap_start_apply_on != "None":
            # AWS: developer guide, "Improving startup performance with Lambda SnapStart"; the wording is ours.
            raise InvalidParameterValue(
                "Provisioned Concurrency is not supported for function versions with SnapStart."
            )
        with self._lock:
            known = self.of(scope, name)
            _refuse_twice(qualifier, version, known, aliases)
            self._check_room(scope, qualifier, requested, known)
            moment = now().replace(microsecond=0)
            config = ProvisionedConfig(qualifier=qualifier, requested=requested, last_modified=moment)
            self._store(
                provisioned_concurrency,
                {**_key(scope, name), "qualifier": qualifier},
                {"requested": requested, "last_modified_ms": int(moment.timestamp() * 1000)},
            )
            self._remember(scope, name, _with(known, config))
        return config

    def _check_room(self, scope: Scope, qualifier: str, requested: int, known: FunctionConcurrency) -> None:
        present = known.provisioned.get(qualifier)
        added = requested - (present.requested if present else 0)
        if known.reserved is not None:
            if known.provisioned_total + added > known.reserved:
                raise InvalidParameterValue(
                    "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for "
                    "function"
                )
            return
        unreserved = self.unreserved(scope)
        if added > unreserved:
            raise InvalidParameterValue(
                "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency "
                f"[{unreserved}]."
            )
        if added > 0 and unreserved - added < UNRESERVED_MINIMUM:
            raise InvalidParameterValue(
                "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
                f"its minimum value of [{UNRESERVED_MINIMUM}]."
            )

    def provisioned(self, scope: Scope, name: str, qualifier: str) -> ProvisionedConfig:
        """Raises InvalidParameterValue, ResourceNotFound, ProvisionedConcurrencyConfigNotFound."""
        self._published(scope, name, qualifier)
        config = self.of(scope, name).provisioned.get(qualifier)
        if config is None:
            raise ProvisionedConcurrencyConfigNotFound("No Provisioned Concurrency Config found for this function")
        return config

    def delete_provisioned(self, scope: Scope, name: str, qualifier: str) -> None:
        """Deleting what is not there is no error. Raises InvalidParameterValue, ResourceNotFound."""
        self._published(scope, name, qualifier)
        with self._lock:
            self._drop(scope, name, qualifier)

    def _published(self, scope: Scope, name: str, qualifier: str) -> None:
        if qualifier == LATEST:
            raise InvalidParameterValue("The function resource provided must be an alias or a published version.")
        self.version_of(scope, name, qualifier)

    def _drop(self, scope: Scope, name: str, qualifier: str) -> None:
        self._store(provisioned_concurrency, {**_key(scope, name), "qualifier": qualifier}, None)
        known = self.of(scope, name)
        kept = {other: config for other, config in known.provisioned.items() if other != qualifier}
        self._remember(scope, name, dataclasses.replace(known, provisioned=kept))

    # ---- deletion of what it belongs to

    def _function_changed(self, scope: Scope, name: str, deleted: bool) -> None:
        """Drop what was configured for a function, a version or an alias that is no more."""
        if not deleted and not self.of(scope, name).provisioned:
            return
        versions = self._functions.version_names(scope, name)
        alive = versions | self._alias_targets(scope, name).keys()
        with self._lock:
            known = self.of(scope, name)
            for qualifier in known.provisioned.keys() - alive:
                self._drop(scope, name, qualifier)
            if not versions and known.reserved is not None:
                self._store(function_concurrency, _key(scope, name), None)
                self._remember(scope, name, _NOTHING)

    # ---- storage

    def _store(self, table: Table, key: Mapping[str, str], values: Mapping[str, Any] | None) -> None:
        """Write a row, or delete it. Raises ResourceNotFound if the function was deleted meanwhile."""
        change = Change.of(CONCURRENCY, Scope(key["account"], key["region"]), key["name"])
        with self._database.write(change) as connection:
            if values is not None:
                owner = and_(*(functions.c[part] == key[part] for part in ("account", "region", "name")))
                if connection.execute(select(functions.c.name).where(owner)).first() is None:
                    arn = Scope(key["account"], key["region"]).arn("lambda", f"function:{key['name']}")
                    raise ResourceNotFound(f"Function not found: {arn}")
            connection.execute(delete(table).where(*(table.c[name] == value for name, value in key.items())))
            if values is not None:
                connection.execute(insert(table).values(**key, **values))

    def _remember(self, scope: Scope, name: str, concurrency: FunctionConcurrency) -> None:
        before = self.of(scope, name).set_aside
        if concurrency == _NOTHING:
            self._known.pop((scope, name), None)
        else:
            self._known[scope, name] = concurrency
        self._set_aside[scope] = self.set_aside(scope) - before + concurrency.set_aside


def _read(
    connection: Connection, where: Mapping[str, str] | None = None
) -> dict[tuple[Scope, str], FunctionConcurrency]:
    """What is configured, for all functions or for the one whose key is ``where``."""
    found: dict[tuple[Scope, str], FunctionConcurrency] = {}
    for table in (function_concurrency, provisioned_concurrency):
        query = select(table).where(*(table.c[name] == value for name, value in (where or {}).items()))
        for row in connection.execute(query):
            key = (Scope(row.account, row.region), row.name)
            known = found.get(key, _NOTHING)
            if table is function_concurrency:
                found[key] = dataclasses.replace(known, reserved=row.reserved)
                continue
            config = ProvisionedConfig(
                qualifier=row.qualifier,
                requested=row.requested,
                last_modified=datetime.fromtimestamp(row.last_modified_ms / 1000, UTC),
            )
            found[key] = _with(known, config)
    return found


def _refuse_twice(qualifier: str, version: str, known: FunctionConcurrency, aliases: Mapping[str, str]) -> None:
    """A version is provisioned by its number or by an alias, never by both. Raises ResourceConflict."""
    if qualifier == version:
        if any(aliases.get(other) == version for other in known.provisioned):
            raise ResourceConflict("Version is pointed by a Provisioned Concurrency alias")
    elif version in known.provisioned:
        raise ResourceConflict(
            "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
        )


def _key(scope: Scope, name: str) -> dict[str, str]:
    return {"account": scope.account, "region": scope.region, "name": name}


def _with(known: FunctionConcurrency, config: ProvisionedConfig) -> FunctionConcurrency:
    return dataclasses.replace(known, provisioned={**known.provisioned, config.qualifier: config})
