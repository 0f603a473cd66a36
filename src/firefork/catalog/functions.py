"""Functions and their versions: rules, states, revision ids, and a cache for those who invoke.

AWS: Lambda API reference, CreateFunction to PublishVersion; messages as recorded (fact sheet sections 2.2, 9 and 11).
"""

from __future__ import annotations

import dataclasses
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table, and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from firefork.aws.errors import (
    InvalidParameterValue,
    PreconditionFailed,
    ResourceConflict,
    ResourceNotFound,
)
from firefork.aws.scope import Scope
from firefork.catalog.alias import Route, RouteReader
from firefork.catalog.function import LATEST, FunctionVersion, LayerReference, LoggingConfig
from firefork.catalog.function_records import from_document, function_packages, load, need, number_of, save
from firefork.catalog.function_rules import (
    check_environment,
    check_layers,
    check_runtime,
    check_snap_start,
    check_stored,
    runtime_version_arn,
    show_sha256,
)
from firefork.catalog.layers import Layers
from firefork.catalog.packages import UNZIPPED_LIMIT, Package, Packages
from firefork.settings import Settings
from firefork.store import rows
from firefork.store.changes import FUNCTION, Change
from firefork.store.clock import new_id, now
from firefork.store.database import Database
from firefork.store.tables import OF_QUALIFIER, aliases, function_versions, functions, layer_versions

SETTLE_AFTER_S: Final = 0.03
"""How long Pending and InProgress can be seen."""

REVISION_MISMATCH: Final = (
    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
    "retrieve the latest Revision Id"
)

_ROLE: Final = re.compile(r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")

_WAITING: Final[Mapping[str, Any]] = {
    "state": "Pending",
    "state_reason": "The function is being created.",
    "state_reason_code": "Creating",
}
_CREATING: Final[Mapping[str, Any]] = {
    **_WAITING,
    "last_update_status": None,
    "last_update_status_reason": None,
    "last_update_status_reason_code": None,
}
_UPDATING: Final[Mapping[str, Any]] = {
    "last_update_status": "InProgress",
    "last_update_status_reason": "The function is being created.",
    "last_update_status_reason_code": "Creating",
}
_SETTLED: Final[Mapping[str, Any]] = {
    "state": "Active",
    "state_reason": None,
    "state_reason_code": None,
    "last_update_status": "Successful",
    "last_update_status_reason": None,
    "last_update_status_reason_code": None,
}


def is_optimised(function: FunctionVersion) -> bool:
    """Whether published versions of it get a snapshot. AWS: developer guide, "SnapStart"."""
    return function.snap_start_apply_on == "PublishedVersions"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFailure:
    """Why a version cannot become active."""

    reason: str
    code: str
    """One of the model's StateReasonCode values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionPage:
    """Some versions, and where the next page begins."""

    versions: Sequence[FunctionVersion]
    next_key: tuple[str, int] | None


class Functions:
    """The functions of all accounts and regions. Thread-safe; every method but ``resolve`` may block."""

    def __init__(
        self,
        database: Database,
        packages: Packages,
        layers: Layers,
        settings: Settings,
        *,
        missing_runtime: Callable[[str], str | None] = lambda identifier: None,
        assumable: Callable[[str], bool] = lambda role_arn: True,
        schedule: Callable[[float, Callable[[], None]], object] | None = None,
    ) -> None:
        """``missing_runtime`` says how to install a runtime that is not there; ``assumable`` whether Lambda may assume
        a role; ``schedule(seconds, work)`` runs work later, in some thread.
        """
        self._database = database
        self._packages = packages
        self._layers = layers
        self._settings = settings
        self._missing_runtime = missing_runtime
        self._assumable = assumable
        self.schedule = schedule or _timer
        self._lock = threading.RLock()
        self._routes: dict[tuple[Scope, str], dict[str | None, Route]] = {}
        self.published: list[Callable[[FunctionVersion], None]] = []
        """Called with a published version that needs a snapshot; ``settle_version`` is the answer."""
        self.changed: list[Callable[[Scope, str, bool], None]] = []
        """Called after a function changed: its scope, its name, whether it is deleted. In the writer's thread."""

    # ---- reading

    def resolve(self, scope: Scope, name: str, qualifier: str | None) -> FunctionVersion:
        """The version to run for one invoke: an alias may lead to either of two. Raises ResourceNotFound.

        Two dictionary look-ups once a qualifier is known; a change of the function replaces what is known of it.
        """
        known = self._routes.get((scope, name))
        route = known.get(qualifier) if known is not None else None
        if route is None:
            route = self._learn(scope, name, qualifier)
        return route.pick()

    def _learn(self, scope: Scope, name: str, qualifier: str | None) -> Route:
        with self._lock:
            known = self._routes.get((scope, name), {})
            with self._database.read() as connection:
                reader = RouteReader(connection, scope, name)
                reader.know(known.values())
                route = reader.read(qualifier)
            if route is None:
                raise _not_found(scope, name, qualifier or LATEST)
            self._routes[scope, name] = {**known, qualifier: route}
        return route

    def _refresh(self, scope: Scope, name: str) -> None:
        """Read again what invokes know of a function: they never find it missing and never wait for it."""
        with self._database.read() as connection:
            reader = RouteReader(connection, scope, name)
            read = {qualifier: reader.read(qualifier) for qualifier in {None, *self._routes.get((scope, name), ())}}
        fresh = {qualifier: route for qualifier, route in read.items() if route is not None}
        if fresh:
            self._routes[scope, name] = fresh
        else:
            self._routes.pop((scope, name), None)

    def get(self, scope: Scope, name: str, qualifier: str | None) -> FunctionVersion:
        """One version, or the one that an alias names first. Raises ResourceNotFound."""
        with self._database.read() as connection:
            route = RouteReader(connection, scope, name).read(qualifier)
        if route is None:
            raise _not_found(scope, name, qualifier)
        return route.version

    def list(self, scope: Scope, *, all_versions: bool, after: tuple[str, int] | None, limit: int) -> FunctionPage:
        """Functions in order of their names."""
        table = function_versions.c
        query = select(table.document, table.name, table.number).where(rows.within(function_versions, scope))
        if not all_versions:
            query = query.where(table.number == 0)
        if after is not None:
            query = query.where((table.name > after[0]) | and_(table.name == after[0], table.number > after[1]))
        return self._page(scope, query.order_by(table.name, table.number), limit)

    def list_versions(self, scope: Scope, name: str, *, after: int | None, limit: int) -> FunctionPage:
        """``$LATEST`` and the published versions of one function, oldest first. Raises ResourceNotFound."""
        self.get(scope, name, None)
        table = function_versions.c
        query = (
            select(table.document, table.name, table.number)
            .where(
                rows.within(function_versions, scope, name=name), table.number > (after if after is not None else -1)
            )
            .order_by(table.number)
        )
        return self._page(scope, query, limit)

    def _page(self, scope: Scope, query: Any, limit: int) -> FunctionPage:
        with self._database.read() as connection:
            found = connection.execute(query.limit(limit + 1)).all()
        more = len(found) > limit
        found = found[:limit]
        return FunctionPage(
            versions=[from_document(self._database.vault, scope, row.document) for row in found],
            next_key=(found[-1].name, found[-1].number) if more else None,
        )

    def version_names(self, scope: Scope, name: str) -> set[str]:
        """Every version there is, ``$LATEST`` included; empty when there is no such function."""
        condition = rows.within(function_versions, scope, name=name)
        with self._database.read() as connection:
            numbers = connection.execute(select(function_versions.c.number).where(condition)).scalars().all()
        return {str(number) if number else LATEST for number in numbers}

    def usage(self, scope: Scope) -> tuple[int, int]:
        """How many functions there are, and the bytes of the packages of all their versions and of all layers.

        Every version counts its package, also where several have the same one. AWS: API reference, AccountUsage.
        """
        with self._database.read() as connection:
            here = rows.within(function_versions, scope, number=0)
            count = connection.execute(select(func.count()).select_from(function_versions).where(here)).scalar_one()
            return count, sum(_code_size(connection, table, scope) for table in (function_versions, layer_versions))

    # ---- writing

    @contextmanager
    def change(self, scope: Scope, name: str) -> Iterator[Connection]:
        """A transaction on what belongs to one function, one at a time; invokes see its result when it ends."""
        with self._lock:
            with self._write(scope, name) as connection:
                yield connection
            self._announce(scope, name)

    def _write(self, scope: Scope, name: str) -> AbstractContextManager[Connection]:
        return self._database.write(Change.of(FUNCTION, scope, name))

    def heard(self, scope: Scope, name: str) -> None:
        """Another node changed a function, or deleted it or one of its versions."""
        with self._lock:
            self._announce(scope, name, deleted=True)
            if (scope, name) in self._routes:
                self._announce(scope, name)

    def recall(self) -> None:
        """Other nodes may have changed anything: read all that invokes know anew."""
        for scope, name in list(self._routes):
            self.heard(scope, name)

    def create(
        self,
        scope: Scope,
        name: str,
        configuration: Mapping[str, Any],
        package: Package,
        tags: Mapping[str, str],
        *,
        code_signing_config: str | None = None,
        publish: bool = False,
    ) -> FunctionVersion:
        """Create a function. ``configuration`` holds FunctionVersion's fields. Raises AWS's errors."""
        self._check_runtime(configuration["runtime"], updating=False)
        function = FunctionVersion(
            scope=scope,
            name=name,
            version=LATEST,
            revision_id=new_id(),
            last_modified=now(),
            code_sha256=package.digest,
            code_size=package.size,
            runtime_version_arn=runtime_version_arn(scope, configuration["runtime"]),
            **{"logging": LoggingConfig(log_group=f"/aws/lambda/{name}"), **configuration, **_CREATING},
        )
        self._check(function, package)
        row = rows.key(scope, name=name)
        with self._lock:
            try:
                with self._write(scope, name) as connection:
                    connection.execute(
                        insert(functions).values(
                            **row,
                            last_version=0,
                            tags=json.dumps(dict(tags)),
                            code_signing_config=code_signing_config,
                        )
                    )
                    save(connection, function, new=True)
                    result = self._publish(connection, function, None, _CREATING) if publish else function
            except IntegrityError:
                raise ResourceConflict(f"Function already exist: {name}") from None
            self._announce(scope, name)
        self._settle_later(scope, name)
        self._optimise(result)
        return result

    def update_code(
        self,
        scope: Scope,
        name: str,
        package: Package,
        *,
        architecture: str | None = None,
        code_origin: Mapping[str, object] | None = None,
        revision_id: str | None = None,
        dry_run: bool = False,
        publish: bool = False,
    ) -> FunctionVersion:
        """Give ``$LATEST`` another package."""
        changes: dict[str, Any] = {
            "code_sha256": package.digest,
            "code_size": package.size,
            "code_origin": dict(code_origin or {}),
        }
        if architecture is not None:
            changes["architecture"] = architecture
        return self._update(scope, name, changes, package, revision_id, dry_run=dry_run, publish=publish)

    def update_configuration(
        self, scope: Scope, name: str, changes: Mapping[str, Any], *, revision_id: str | None = None
    ) -> FunctionVersion:
        """Change fields of ``$LATEST``; ``stored_only`` is merged member by member, ``None`` unsets one."""
        if "runtime" in changes:
            self._check_runtime(changes["runtime"], updating=True)
            changes = {**changes, "runtime_version_arn": runtime_version_arn(scope, changes["runtime"])}
        return self._update(scope, name, changes, None, revision_id)

    def _update(
        self,
        scope: Scope,
        name: str,
        changes: Mapping[str, Any],
        package: Package | None,
        revision_id: str | None,
        *,
        dry_run: bool = False,
        publish: bool = False,
    ) -> FunctionVersion:
        with self._lock:
            with self._write(scope, name) as connection:
                current = self._current(connection, scope, name, revision_id)
                if "stored_only" in changes:
                    stored = {**current.stored_only, **changes["stored_only"]}
                    changes = {
                        **changes,
                        "stored_only": {key: item for key, item in stored.items() if item is not None},
                    }
                updated = dataclasses.replace(current, **changes)
                self._check(updated, package or self._packages.manifest(current.code_sha256))
                if dry_run:
                    return updated
                updated = dataclasses.replace(updated, revision_id=new_id(), last_modified=now(), **_UPDATING)
                save(connection, updated)
                result = self._publish(connection, updated, None, _CREATING) if publish else updated
            self._announce(scope, name)
        self._settle_later(scope, name)
        self._optimise(result)
        return result

    def publish_version(
        self,
        scope: Scope,
        name: str,
        *,
        description: str | None = None,
        code_sha256: str | None = None,
        revision_id: str | None = None,
    ) -> FunctionVersion:
        """Freeze ``$LATEST`` as the next version, or return the newest one if nothing changed since."""
        with self._lock:
            with self._write(scope, name) as connection:
                current = self._current(connection, scope, name, revision_id)
                shown = show_sha256(current.code_sha256)
                if code_sha256 is not None and code_sha256 != shown:
                    raise InvalidParameterValue(
                        f"CodeSHA256 ({code_sha256}) is different from current CodeSHA256 in $LATEST ({shown}). "
                        "Please try again with the CodeSHA256 in $LATEST."
                    )
                state = {**_SETTLED, **_WAITING} if is_optimised(current) else _SETTLED
                version = self._publish(connection, current, description, state)
            self._announce(scope, name)
        self._optimise(version)
        return version

    def _optimise(self, version: FunctionVersion) -> None:
        """A published version that waits for its snapshot: tell whoever makes those."""
        if version.state != "Pending" or version.version == LATEST or not is_optimised(version):
            return
        if not self.published:
            self.settle_version(version, None)
        for listener in self.published:
            listener(version)

    def settle_version(self, version: FunctionVersion, failure: StateFailure | None) -> None:
        """The version's snapshot was made, or could not be."""
        with self.change(version.scope, version.name) as connection:
            number = number_of(version.version)
            current = None if number is None else load(connection, version.scope, version.name, number)
            if current is None or current.state != "Pending":
                return
            settled = dict(_SETTLED)
            if failure is not None:
                settled |= {"state": "Failed", "state_reason": failure.reason, "state_reason_code": failure.code}
            save(connection, dataclasses.replace(current, **settled))

    def optimised_versions(self, scope: Scope | None = None, name: str | None = None) -> Sequence[FunctionVersion]:
        """Published versions of which snapshots are made, and ``$LATEST`` of functions that ask for them.

        Of all functions, or of one.
        """
        table = function_versions.c
        query = select(table.account, table.region, table.document).where(
            table.document.contains('"snap_start_apply_on": "PublishedVersions"')
        )
        if scope is not None and name is not None:
            query = query.where(rows.within(function_versions, scope, name=name))
        with self._database.read() as connection:
            found = connection.execute(query).all()
        vault = self._database.vault
        return [from_document(vault, Scope(row.account, row.region), row.document) for row in found]

    def _publish(
        self, connection: Connection, current: FunctionVersion, description: str | None, state: Mapping[str, Any]
    ) -> FunctionVersion:
        scope, name = current.scope, current.name
        row = rows.within(functions, scope, name=name)
        last: int = connection.execute(select(functions.c.last_version).where(row)).scalar_one()
        newest = connection.execute(
            select(function_versions.c.document)
            .where(rows.within(function_versions, scope, name=name), function_versions.c.number > 0)
            .order_by(function_versions.c.number.desc())
            .limit(1)
        ).scalar()
        candidate = dataclasses.replace(
            current,
            version=str(last + 1),
            revision_id=new_id(),
            description=current.description if description is None else description,
            **state,
        )
        if newest is not None:
            known = from_document(self._database.vault, scope, newest)
            if _content(known) == _content(candidate):
                return known
        connection.execute(update(functions).where(row).values(last_version=last + 1))
        save(connection, candidate, new=True)
        save(connection, dataclasses.replace(current, revision_id=new_id()))
        return candidate

    def delete(self, scope: Scope, name: str, qualifier: str | None) -> None:
        """Delete one version, or the function with all that belongs to it. Its log group stays.

        Raises ResourceNotFound, InvalidParameterValue, and ResourceConflict for a version that an alias leads to.
        """
        if qualifier == LATEST:
            raise InvalidParameterValue("$LATEST version cannot be deleted without deleting the function.")
        if number_of(qualifier) is None and "$" not in str(qualifier):  # of any function, also one that is not there
            raise InvalidParameterValue("Deletion of aliases is not currently supported.")
        with self._lock:
            with self._write(scope, name) as connection:
                need(connection, scope, name)
                if qualifier is None:
                    connection.execute(
                        delete(function_versions).where(rows.within(function_versions, scope, name=name))
                    )
                    connection.execute(delete(functions).where(rows.within(functions, scope, name=name)))
                else:
                    self._delete_version(connection, scope, name, qualifier)
            self._announce(scope, name, deleted=True)

    @staticmethod
    def _delete_version(connection: Connection, scope: Scope, name: str, qualifier: str) -> None:
        number = number_of(qualifier)
        if number is None:
            raise InvalidParameterValue("Deletion of aliases is not currently supported.")
        leading = connection.execute(
            select(aliases.c.alias)
            .where(
                rows.within(aliases, scope, name=name),
                (aliases.c.version == qualifier) | (aliases.c.other_version == qualifier),
            )
            .order_by(aliases.c.alias)
        ).scalars()
        names = ", ".join(leading)
        if names:
            raise ResourceConflict(f"Unable to delete version because the following aliases reference it: [{names}]")
        version = rows.within(function_versions, scope, name=name, number=number)
        connection.execute(delete(function_versions).where(version))
        forget_qualifier(connection, scope, name, qualifier)

    # ---- states

    def settle(self, scope: Scope, name: str) -> None:
        """Finish what is in progress: Pending becomes Active, InProgress becomes Successful.

        A version that waits for its snapshot goes on waiting.
        """
        with self.change(scope, name) as connection:
            documents = connection.execute(
                select(function_versions.c.document).where(
                    rows.within(function_versions, scope, name=name), _is_settling()
                )
            ).scalars()
            for document in documents.all():
                version = from_document(self._database.vault, scope, document)
                if version.version == LATEST or not is_optimised(version):
                    save(connection, dataclasses.replace(version, revision_id=new_id(), **_SETTLED))

    def settle_all(self) -> None:
        """At start: finish what a killed server had begun."""
        table = function_versions.c
        with self._database.read() as connection:
            found = connection.execute(
                select(table.account, table.region, table.name).where(_is_settling()).distinct()
            ).all()
        for row in found:
            self.settle(Scope(row.account, row.region), row.name)

    def digests(self) -> set[str]:
        """Every package that some version uses."""
        with self._database.read() as connection:
            return function_packages(connection)

    def uses(self, digest: str) -> bool:
        """Whether some version has that package, as its code or as a layer."""
        table = function_versions.c
        with self._database.read() as connection:
            for condition in (table.code_sha256 == digest, table.document.contains(digest)):
                if connection.execute(select(table.number).where(condition).limit(1)).first() is not None:
                    return True
        return False

    def _settle_later(self, scope: Scope, name: str) -> None:
        self.schedule(SETTLE_AFTER_S, lambda: self.settle(scope, name))

    def _announce(self, scope: Scope, name: str, *, deleted: bool = False) -> None:
        self._refresh(scope, name)
        for listener in self.changed:
            listener(scope, name, deleted)

    # ---- rules

    def _current(self, connection: Connection, scope: Scope, name: str, revision_id: str | None) -> FunctionVersion:
        current = need(connection, scope, name)
        if revision_id is not None and revision_id != current.revision_id:
            raise PreconditionFailed(REVISION_MISMATCH)
        refuse_while_settling(current)
        return current

    def _check_runtime(self, identifier: str, *, updating: bool) -> None:
        check_runtime(identifier, now().date(), updating=updating, allow_blocked=self._settings.allow_blocked_runtimes)
        hint = self._missing_runtime(identifier)
        if hint is not None:
            raise InvalidParameterValue(f"The runtime {identifier} is not installed on this machine. {hint}")

    def _check(self, function: FunctionVersion, package: Package) -> None:
        if not _ROLE.fullmatch(function.role) or not self._assumable(function.role):
            raise InvalidParameterValue("The role defined for the function cannot be assumed by Lambda.")
        check_environment(function.environment)
        check_snap_start(function.runtime, function.snap_start_apply_on)
        check_stored(function.stored_only, function.snap_start_apply_on)
        check_layers(function.layers)
        sizes = [self._packages.manifest(layer.code_sha256).unzipped_size for layer in function.layers]
        if package.unzipped_size + sum(sizes) > UNZIPPED_LIMIT:
            raise InvalidParameterValue(f"Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes")

    def layer_references(self, scope: Scope, arns: Sequence[str]) -> tuple[LayerReference, ...]:
        """The layers behind version ARNs, in order. Raises InvalidParameterValue."""
        return tuple(self._layers.reference(scope, arn) for arn in arns)


def refuse_while_settling(current: FunctionVersion) -> None:
    """Raises ResourceConflict while a creation or an update is in progress."""
    if current.state == "Pending":
        raise ResourceConflict(
            f"The operation cannot be performed at this time. The resource {current.function_arn} is currently in "
            "the following state: 'Pending'. StateReasonCode: 'Creating'"
        )
    if current.last_update_status == "InProgress":
        raise ResourceConflict(
            "The operation cannot be performed at this time. An update is in progress for resource: "
            f"{current.function_arn}"
        )


def forget_qualifier(connection: Connection, scope: Scope, name: str, qualifier: str) -> None:
    """Delete what was configured for a version or alias that goes."""
    for table in OF_QUALIFIER:
        connection.execute(delete(table).where(rows.within(table, scope, name=name, qualifier=qualifier)))


def _not_found(scope: Scope, name: str, qualifier: str | None) -> ResourceNotFound:
    arn = scope.arn("lambda", f"function:{name}")
    return ResourceNotFound(f"Function not found: {arn}:{qualifier}" if qualifier else f"Function not found: {arn}")


def _code_size(connection: Connection, table: Table, scope: Scope) -> int:
    """The bytes of the packages of all versions in a table."""
    size = func.sum(rows.number_in(connection, table.c.document, "code_size"))
    return int(connection.execute(select(size).where(rows.within(table, scope))).scalar_one() or 0)


def _is_settling() -> Any:
    table = function_versions.c
    return (table.state == "Pending") | (table.last_update_status == "InProgress")


_BOOKKEEPING: Final = {"version", "revision_id", "last_modified"}


def _content(function: FunctionVersion) -> dict[str, Any]:
    """What makes two versions different. AWS: developer guide, "Manage Lambda function versions"."""
    return {
        field.name: getattr(function, field.name)
        for field in dataclasses.fields(function)
        if field.name not in _BOOKKEEPING and not field.name.startswith(("state", "last_update"))
    }


def _timer(seconds: float, work: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()
