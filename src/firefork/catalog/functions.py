"""Functions and their versions: rules, states, revision ids, and a cache for those who invoke.

AWS: Lambda API reference, CreateFunction to PublishVersion; messages as recorded (fact sheet sections 2.2, 9 and 11).
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from firefork.aws.errors import (
    InvalidParameterValue,
    PreconditionFailed,
    ResourceConflict,
    ResourceNotFound,
)
from firefork.aws.scope import Scope
from firefork.catalog.function import LATEST, FunctionVersion, LayerReference, LoggingConfig
from firefork.catalog.layers import Layers
from firefork.catalog.packages import UNZIPPED_LIMIT, Package, Packages
from firefork.catalog.runtimes import RUNTIMES, creatable
from firefork.settings import Settings
from firefork.store.clock import new_id, now
from firefork.store.database import Database
from firefork.store.tables import function_versions, functions

ENVIRONMENT_LIMIT: Final = 4096
TAG_LIMIT: Final = 50
LAYER_LIMIT: Final = 5
SETTLE_AFTER_S: Final = 0.03
"""How long Pending and InProgress can be seen."""

_ROLE: Final = re.compile(r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")
RESERVED_VARIABLES: Final = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API",
        "AWS_LAMBDA_METADATA_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)


_ACTIVE: Final[Mapping[str, Any]] = {"state": "Active", "state_reason": None, "state_reason_code": None}
_CREATING: Final[Mapping[str, Any]] = {
    "state": "Pending",
    "state_reason": "The function is being created.",
    "state_reason_code": "Creating",
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
        self._schedule = schedule or _timer
        self._lock = threading.RLock()
        self._cache: dict[tuple[Scope, str, str | None], FunctionVersion] = {}
        self.published: list[Callable[[FunctionVersion], None]] = []
        """Called with a published version that needs a snapshot; ``settle_version`` is the answer."""
        self.changed: list[Callable[[Scope, str, bool], None]] = []
        """Called after a function changed: its scope, its name, whether it is deleted. In the writer's thread."""

    # ---- reading

    def resolve(self, scope: Scope, name: str, qualifier: str | None) -> FunctionVersion:
        """The version to run. A dictionary look-up once it is known. Raises ResourceNotFound."""
        found = self._cache.get((scope, name, qualifier))
        if found is None:
            with self._lock:
                found = self.get(scope, name, qualifier, missing_suffix=qualifier or LATEST)
                self._cache[scope, name, qualifier] = found
        return found

    def get(
        self, scope: Scope, name: str, qualifier: str | None, *, missing_suffix: str | None = None
    ) -> FunctionVersion:
        """One version. Raises ResourceNotFound naming the ARN, with ``missing_suffix`` or the qualifier behind it."""
        number = _number(qualifier)
        if number is not None:
            with self._database.read() as connection:
                found = _load(connection, scope, name, number)
            if found is not None:
                return found
        arn = scope.arn("lambda", f"function:{name}")
        suffix = qualifier or missing_suffix
        raise ResourceNotFound(f"Function not found: {arn}:{suffix}" if suffix else f"Function not found: {arn}")

    def list(self, scope: Scope, *, all_versions: bool, after: tuple[str, int] | None, limit: int) -> FunctionPage:
        """Functions in order of their names."""
        table = function_versions.c
        query = select(table.document, table.name, table.number).where(
            table.account == scope.account, table.region == scope.region
        )
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
            .where(_is(scope, name), table.number > (after if after is not None else -1))
            .order_by(table.number)
        )
        return self._page(scope, query, limit)

    def _page(self, scope: Scope, query: Any, limit: int) -> FunctionPage:
        with self._database.read() as connection:
            rows = connection.execute(query.limit(limit + 1)).all()
        more = len(rows) > limit
        rows = rows[:limit]
        return FunctionPage(
            versions=[_from_document(scope, row.document) for row in rows],
            next_key=(rows[-1].name, rows[-1].number) if more else None,
        )

    def version_names(self, scope: Scope, name: str) -> set[str]:
        """Every version there is, ``$LATEST`` included; empty when there is no such function."""
        with self._database.read() as connection:
            numbers = connection.execute(select(function_versions.c.number).where(_is(scope, name))).scalars().all()
        return {str(number) if number else LATEST for number in numbers}

    def usage(self, scope: Scope) -> tuple[int, int]:
        """How many functions there are, and the bytes of all their versions' packages."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(function_versions.c.document, function_versions.c.number).where(
                    function_versions.c.account == scope.account, function_versions.c.region == scope.region
                )
            ).all()
        sizes = {json.loads(row.document)["code_sha256"]: json.loads(row.document)["code_size"] for row in rows}
        return sum(row.number == 0 for row in rows), sum(sizes.values())

    # ---- writing

    def create(
        self,
        scope: Scope,
        name: str,
        configuration: Mapping[str, Any],
        package: Package,
        tags: Mapping[str, str],
        *,
        publish: bool = False,
    ) -> FunctionVersion:
        """Create a function. ``configuration`` holds FunctionVersion's fields. Raises AWS's errors."""
        self._check_runtime(configuration["runtime"], updating=False)
        self._check(scope, configuration, package)
        check_tags({}, tags)
        function = FunctionVersion(
            scope=scope,
            name=name,
            version=LATEST,
            revision_id=new_id(),
            last_modified=now(),
            state="Pending",
            state_reason="The function is being created.",
            state_reason_code="Creating",
            code_sha256=package.digest,
            code_size=package.size,
            runtime_version_arn=runtime_version_arn(scope, configuration["runtime"]),
            **{"logging": LoggingConfig(log_group=f"/aws/lambda/{name}"), **configuration},
        )
        try:
            with self._lock, self._database.write() as connection:
                connection.execute(
                    insert(functions).values(**_key(scope, name), last_version=0, tags=json.dumps(dict(tags)))
                )
                _save(connection, function, new=True)
                result = self._publish(connection, function, None) if publish else function
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
        revision_id: str | None = None,
        dry_run: bool = False,
        publish: bool = False,
    ) -> FunctionVersion:
        """Give ``$LATEST`` another package."""
        changes: dict[str, Any] = {"code_sha256": package.digest, "code_size": package.size}
        if architecture is not None:
            changes["architecture"] = architecture
        return self._update(scope, name, changes, package, revision_id, dry_run=dry_run, publish=publish)

    def update_configuration(
        self, scope: Scope, name: str, changes: Mapping[str, Any], *, revision_id: str | None = None
    ) -> FunctionVersion:
        """Change fields of ``$LATEST``."""
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
            with self._database.write() as connection:
                current = self._current(connection, scope, name, revision_id)
                known = package or self._packages.manifest(current.code_sha256)
                merged = {
                    **{field.name: getattr(current, field.name) for field in dataclasses.fields(current)},
                    **changes,
                }
                self._check(scope, merged, known)
                if dry_run:
                    return dataclasses.replace(current, **changes)
                updated = dataclasses.replace(
                    current,
                    **changes,
                    revision_id=new_id(),
                    last_modified=now(),
                    last_update_status="InProgress",
                    last_update_status_reason="The function is being created.",
                    last_update_status_reason_code="Creating",
                )
                _save(connection, updated)
                result = self._publish(connection, updated, None) if publish else updated
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
            with self._database.write() as connection:
                current = self._current(connection, scope, name, revision_id)
                shown = show_sha256(current.code_sha256)
                if code_sha256 is not None and code_sha256 != shown:
                    raise InvalidParameterValue(
                        f"CodeSHA256 ({code_sha256}) is different from current CodeSHA256 in $LATEST ({shown}). "
                        "Please try again with the CodeSHA256 in $LATEST."
                    )
                version = self._publish(connection, current, description)
            self._announce(scope, name)
        self._optimise(version)
        return version

    def _optimise(self, version: FunctionVersion) -> None:
        """A published version that waits for its snapshot: tell whoever makes those."""
        if version.state != "Pending" or version.version == LATEST:
            return
        if not self.published:
            self.settle_version(version, None)
        for listener in self.published:
            listener(version)

    def settle_version(self, version: FunctionVersion, failure: StateFailure | None) -> None:
        """The version's snapshot was made, or could not be."""
        with self._lock:
            with self._database.write() as connection:
                number = _number(version.version)
                assert number is not None
                current = _load(connection, version.scope, version.name, number)
                if current is None or current.state != "Pending":
                    return
                change = (
                    _ACTIVE
                    if failure is None
                    else {"state": "Failed", "state_reason": failure.reason, "state_reason_code": failure.code}
                )
                _save(connection, dataclasses.replace(current, **change))
            self._forget(version.scope, version.name)

    def optimised_versions(self) -> Sequence[FunctionVersion]:
        """Published versions whose environments are forked from a snapshot."""
        table = function_versions.c
        with self._database.read() as connection:
            rows = connection.execute(
                select(table.account, table.region, table.document).where(
                    table.number > 0, table.document.contains('"snap_start_apply_on": "PublishedVersions"')
                )
            ).all()
        return [_from_document(Scope(row.account, row.region), row.document) for row in rows]

    def _publish(self, connection: Connection, current: FunctionVersion, description: str | None) -> FunctionVersion:
        where = _is(current.scope, current.name)
        table = functions.c
        last: int = connection.execute(
            select(table.last_version).where(
                table.account == current.scope.account,
                table.region == current.scope.region,
                table.name == current.name,
            )
        ).scalar_one()
        newest = connection.execute(
            select(function_versions.c.document)
            .where(where, function_versions.c.number > 0)
            .order_by(function_versions.c.number.desc())
            .limit(1)
        ).scalar()
        candidate = dataclasses.replace(
            current,
            version=str(last + 1),
            revision_id=new_id(),
            description=current.description if description is None else description,
            last_update_status="Successful",
            last_update_status_reason=None,
            last_update_status_reason_code=None,
            **(_CREATING if is_optimised(current) else _ACTIVE),
        )
        if newest is not None:
            known = _from_document(current.scope, newest)
            if _content(known) == _content(candidate):
                return known
        connection.execute(
            update(functions)
            .where(
                table.account == current.scope.account,
                table.region == current.scope.region,
                table.name == current.name,
            )
            .values(last_version=last + 1)
        )
        _save(connection, candidate, new=True)
        _save(connection, dataclasses.replace(current, revision_id=new_id()))
        return candidate

    def delete(self, scope: Scope, name: str, qualifier: str | None) -> None:
        """Delete one version, or the function with all of them. Its log group stays."""
        if qualifier == LATEST:
            raise InvalidParameterValue("$LATEST version cannot be deleted without deleting the function.")
        with self._lock:
            with self._database.write() as connection:
                if _load(connection, scope, name, 0) is None:
                    raise ResourceNotFound(f"Function not found: {scope.arn('lambda', f'function:{name}')}")
                where = _is(scope, name)
                number = _number(qualifier)
                if qualifier is not None:
                    connection.execute(delete(function_versions).where(where, function_versions.c.number == number))
                else:
                    connection.execute(delete(function_versions).where(where))
                    table = functions.c
                    connection.execute(
                        delete(functions).where(
                            table.account == scope.account, table.region == scope.region, table.name == name
                        )
                    )
            self._announce(scope, name, deleted=True)

    # ---- tags

    def tags(self, scope: Scope, name: str) -> dict[str, str]:
        """Raises ResourceNotFound."""
        with self._database.read() as connection:
            return self._tags(connection, scope, name)

    def change_tags(self, scope: Scope, name: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
        """Raises ResourceNotFound, InvalidParameterValue."""
        with self._lock, self._database.write() as connection:
            self._refuse_while_settling(_need(connection, scope, name))
            tags = self._tags(connection, scope, name)
            check_tags(tags, add)
            kept = {key: value for key, value in {**tags, **add}.items() if key not in remove}
            table = functions.c
            connection.execute(
                update(functions)
                .where(table.account == scope.account, table.region == scope.region, table.name == name)
                .values(tags=json.dumps(kept))
            )

    @staticmethod
    def _tags(connection: Connection, scope: Scope, name: str) -> dict[str, str]:
        table = functions.c
        text = connection.execute(
            select(table.tags).where(table.account == scope.account, table.region == scope.region, table.name == name)
        ).scalar()
        if text is None:
            raise ResourceNotFound(f"Function not found: {scope.arn('lambda', f'function:{name}')}")
        tags: dict[str, str] = json.loads(text)
        return tags

    # ---- states

    def settle(self, scope: Scope, name: str) -> None:
        """Finish what is in progress: Pending becomes Active, InProgress becomes Successful."""
        with self._lock:
            with self._database.write() as connection:
                current = _load(connection, scope, name, 0)
                if current is None or not _is_settling(current):
                    return
                settled = dataclasses.replace(
                    current,
                    revision_id=new_id(),
                    state="Active",
                    state_reason=None,
                    state_reason_code=None,
                    last_update_status="Successful",
                    last_update_status_reason=None,
                    last_update_status_reason_code=None,
                )
                _save(connection, settled)
            self._forget(scope, name)

    def settle_all(self) -> None:
        """At start: finish what a killed server had begun."""
        table = function_versions.c
        with self._database.read() as connection:
            rows = connection.execute(
                select(table.account, table.region, table.name).where(
                    table.number == 0, (table.state == "Pending") | (table.last_update_status == "InProgress")
                )
            ).all()
        for row in rows:
            self.settle(Scope(row.account, row.region), row.name)

    def digests(self) -> set[str]:
        """Every package that some version uses."""
        with self._database.read() as connection:
            documents = connection.execute(select(function_versions.c.document)).scalars().all()
        found = set()
        for text in documents:
            document = json.loads(text)
            found.add(document["code_sha256"])
            found.update(layer["code_sha256"] for layer in document["layers"])
        return found

    def uses(self, digest: str) -> bool:
        """Whether some version has that package, as its code or as a layer."""
        table = function_versions.c
        with self._database.read() as connection:
            for condition in (table.code_sha256 == digest, table.document.contains(digest)):
                if connection.execute(select(table.number).where(condition).limit(1)).first() is not None:
                    return True
        return False

    def _settle_later(self, scope: Scope, name: str) -> None:
        self._schedule(SETTLE_AFTER_S, lambda: self.settle(scope, name))

    def _announce(self, scope: Scope, name: str, *, deleted: bool = False) -> None:
        self._forget(scope, name)
        for listener in self.changed:
            listener(scope, name, deleted)

    def _forget(self, scope: Scope, name: str) -> None:
        # list() first, in one step: other threads resolve functions meanwhile.
        for key in [key for key in list(self._cache) if key[0] == scope and key[1] == name]:
            self._cache.pop(key, None)

    # ---- rules

    def _current(self, connection: Connection, scope: Scope, name: str, revision_id: str | None) -> FunctionVersion:
        current = _need(connection, scope, name)
        if revision_id is not None and revision_id != current.revision_id:
            raise PreconditionFailed(
                "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
                "retrieve the latest Revision Id"
            )
        self._refuse_while_settling(current)
        return current

    @staticmethod
    def _refuse_while_settling(current: FunctionVersion) -> None:
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

    def _check_runtime(self, identifier: str, *, updating: bool) -> None:
        info = RUNTIMES.get(identifier)
        today = now().date()
        if info is None:
            allowed = ", ".join(creatable(today, allow_blocked=self._settings.allow_blocked_runtimes))
            raise InvalidParameterValue(
                f"Value {identifier} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
                f"[{allowed}] or be a valid ARN"
            )
        open_to_use = info.updatable(today) if updating else info.creatable(today)
        if not open_to_use and not self._settings.allow_blocked_runtimes:
            raise InvalidParameterValue(
                f"The runtime parameter of {identifier} is no longer supported for creating or updating AWS Lambda "
                "functions. We recommend you use a supported runtime while creating or updating functions."
            )
        hint = self._missing_runtime(identifier)
        if hint is not None:
            raise InvalidParameterValue(f"The runtime {identifier} is not installed on this machine. {hint}")

    def _check(self, scope: Scope, configuration: Mapping[str, Any], package: Package) -> None:
        role = configuration["role"]
        if not _ROLE.fullmatch(role) or not self._assumable(role):
            raise InvalidParameterValue("The role defined for the function cannot be assumed by Lambda.")
        check_environment(configuration.get("environment"))
        self._check_layers(scope, configuration.get("layers", ()), package)

    def _check_layers(self, scope: Scope, layers: Sequence[LayerReference], package: Package) -> None:
        if len(layers) > LAYER_LIMIT:
            raise InvalidParameterValue(f"Cannot reference more than {LAYER_LIMIT} layers.")
        seen: dict[str, str] = {}
        total = package.unzipped_size
        for layer in layers:
            base = layer.arn.rpartition(":")[0]
            if base in seen:
                raise InvalidParameterValue(
                    "Two different versions of the same layer are not allowed to be referenced in the same function. "
                    f"{seen[base]} and {layer.arn} are versions of the same layer"
                )
            seen[base] = layer.arn
            total += self._packages.manifest(layer.code_sha256).unzipped_size
        if total > UNZIPPED_LIMIT:
            raise InvalidParameterValue(f"Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes")

    def layer_references(self, scope: Scope, arns: Sequence[str]) -> tuple[LayerReference, ...]:
        """The layers behind version ARNs, in order. Raises InvalidParameterValue."""
        return tuple(self._layers.reference(scope, arn) for arn in arns)


def check_environment(variables: Mapping[str, str] | None) -> None:
    """Reserved names and size, as the service checks them. Raises InvalidParameterValue."""
    if not variables:
        return
    failed = (
        "Lambda was unable to configure your environment variables because the environment variables you have provided"
    )
    reserved = [name for name in variables if name in RESERVED_VARIABLES]
    if reserved:
        raise InvalidParameterValue(
            f"{failed} contains reserved keys that are currently not supported for modification. Reserved keys used in "
            f"this request: {', '.join(reserved)}"
        )
    measured = json.dumps(dict(variables), separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > ENVIRONMENT_LIMIT:
        raise InvalidParameterValue(f"{failed} exceeded the 4KB limit. String measured: {measured}")


def check_tags(present: Mapping[str, str], added: Mapping[str, str]) -> None:
    """Raises InvalidParameterValue."""
    if len({**present, **added}) > TAG_LIMIT:
        raise InvalidParameterValue("Number of tags exceeds resource tag limit.")
    for key in added:
        if key.lower().startswith("aws:"):
            raise InvalidParameterValue("Tag keys starting with 'aws:' are reserved for system use")


def show_sha256(digest: str) -> str:
    """CodeSha256 as the API shows it: base64 of the hash of the zip."""
    return base64.b64encode(bytes.fromhex(digest)).decode()


def runtime_version_arn(scope: Scope, runtime: str) -> str:
    """``arn:aws:lambda:us-east-1::runtime:<64 hex>``, the same for a runtime everywhere."""
    digest = hashlib.sha256(f"firefork {runtime}".encode()).hexdigest()
    return f"arn:{scope.partition}:lambda:{scope.region}::runtime:{digest}"


def _number(qualifier: str | None) -> int | None:
    """A version's number, 0 for ``$LATEST``; ``None`` for what can only be an alias."""
    if qualifier is None or qualifier == LATEST:
        return 0
    return int(qualifier) if qualifier.isdecimal() and 0 < len(qualifier) < 10 and int(qualifier) > 0 else None


def _is_settling(function: FunctionVersion) -> bool:
    return function.state == "Pending" or function.last_update_status == "InProgress"


_BOOKKEEPING: Final = {"version", "revision_id", "last_modified"}


def _content(function: FunctionVersion) -> dict[str, Any]:
    """What makes two versions different. AWS: developer guide, "Manage Lambda function versions"."""
    return {
        field.name: getattr(function, field.name)
        for field in dataclasses.fields(function)
        if field.name not in _BOOKKEEPING and not field.name.startswith(("state", "last_update"))
    }


def _key(scope: Scope, name: str) -> dict[str, str]:
    return {"account": scope.account, "region": scope.region, "name": name}


def _is(scope: Scope, name: str) -> Any:
    table = function_versions.c
    return and_(table.account == scope.account, table.region == scope.region, table.name == name)


def _need(connection: Connection, scope: Scope, name: str) -> FunctionVersion:
    found = _load(connection, scope, name, 0)
    if found is None:
        raise ResourceNotFound(f"Function not found: {scope.arn('lambda', f'function:{name}')}")
    return found


def _load(connection: Connection, scope: Scope, name: str, number: int) -> FunctionVersion | None:
    text = connection.execute(
        select(function_versions.c.document).where(_is(scope, name), function_versions.c.number == number)
    ).scalar()
    return None if text is None else _from_document(scope, text)


def _save(connection: Connection, function: FunctionVersion, *, new: bool = False) -> None:
    number = _number(function.version)
    values = {
        "state": function.state,
        "last_update_status": function.last_update_status,
        "code_sha256": function.code_sha256,
        "document": _to_document(function),
    }
    if new:
        connection.execute(
            insert(function_versions).values(**_key(function.scope, function.name), number=number, **values)
        )
    else:
        connection.execute(
            update(function_versions)
            .where(_is(function.scope, function.name), function_versions.c.number == number)
            .values(**values)
        )


def _to_document(function: FunctionVersion) -> str:
    fields = {field.name: getattr(function, field.name) for field in dataclasses.fields(function)}
    del fields["scope"]
    fields["layers"] = [dataclasses.asdict(layer) for layer in function.layers]
    fields["logging"] = dataclasses.asdict(function.logging)
    fields["last_modified"] = function.last_modified.isoformat()
    return json.dumps(fields)


def _from_document(scope: Scope, text: str) -> FunctionVersion:
    fields = json.loads(text)
    fields["layers"] = tuple(LayerReference(**layer) for layer in fields["layers"])
    fields["logging"] = LoggingConfig(**fields["logging"])
    fields["last_modified"] = datetime.fromisoformat(fields["last_modified"]).astimezone(UTC)
    return FunctionVersion(scope=scope, **fields)


def _timer(seconds: float, work: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()
