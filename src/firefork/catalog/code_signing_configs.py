"""Code signing configs, and what they forbid.

AWS: Lambda API reference, CreateCodeSigningConfig to ListFunctionsByCodeSigningConfig; Lambda developer guide, "Using
code signing to verify code integrity with Lambda"; fact sheet section 12.8.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from firefork.aws.errors import (
    CodeSigningConfigNotFound,
    CodeVerificationFailed,
    ResourceConflict,
    ResourceNotFound,
)
from firefork.aws.scope import Scope
from firefork.catalog.function_records import need
from firefork.catalog.functions import Functions
from firefork.catalog.package_signature import PackageSignature, PackageSignatures, SignatureInvalid
from firefork.store import rows
from firefork.store.clock import now
from firefork.store.database import Database
from firefork.store.tables import code_signing_configs, functions

logger = logging.getLogger(__name__)

_UNTRUSTED: Final = (
    "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not "
    "configured to accept. Check the provided signature for {}."
)
_CHANGED: Final = (
    "Lambda cannot deploy the function. The function or layer code is not properly signed. This can mean that the code "
    "was signed incorrectly or modified after it was signed. Check the provided signature for {}."
)
_IN_USE: Final = (
    "Lambda cannot delete the code signing configuration at this time — another operation is in progress. Try again "
    "later."
)
_ID_LETTERS: Final = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSigningConfig:
    """AWS: API reference, CodeSigningConfig."""

    scope: Scope
    id: str
    """``csc-`` and 17 lower-case letters and digits."""
    signing_profile_version_arns: tuple[str, ...]
    untrusted_artifact_on_deployment: str = "Warn"
    description: str | None = None
    last_modified: datetime

    @property
    def arn(self) -> str:
        return self.scope.arn("lambda", f"code-signing-config:{self.id}")


class CodeSigningConfigs:
    """The configs of all accounts, and which functions have one. Thread-safe; methods may block."""

    def __init__(self, database: Database, functions: Functions, signatures: PackageSignatures) -> None:
        self._database = database
        self._functions = functions
        self._signatures = signatures
        self.untrusted: list[Callable[[Scope, str], None]] = []
        """Called with a function's scope and name when something is deployed to it that no allowed profile has signed,
        or whose signature has expired; whether it is refused or not."""

    def create(self, scope: Scope, settings: Mapping[str, Any], tags: Mapping[str, str]) -> CodeSigningConfig:
        identifier = "csc-" + "".join(secrets.choice(_ID_LETTERS) for _ in range(17))
        config = CodeSigningConfig(scope=scope, id=identifier, last_modified=now(), **settings)
        with self._database.write() as connection:
            connection.execute(
                insert(code_signing_configs).values(
                    **rows.key(scope, id=config.id), tags=json.dumps(dict(tags)), document=_to_document(config)
                )
            )
        return config

    def update(self, arn: str, settings: Mapping[str, Any]) -> CodeSigningConfig:
        """Change the fields that ``settings`` has. Raises ResourceNotFound."""
        with self._database.write() as connection:
            config = dataclasses.replace(_need(connection, arn), last_modified=now(), **settings)
            row = rows.within(code_signing_configs, config.scope, id=config.id)
            connection.execute(update(code_signing_configs).where(row).values(document=_to_document(config)))
        return config

    def get(self, arn: str) -> CodeSigningConfig:
        """Raises ResourceNotFound."""
        with self._database.read() as connection:
            return _need(connection, arn)

    def list(self, scope: Scope, *, after: str | None, limit: int) -> tuple[Sequence[CodeSigningConfig], str | None]:
        """By id; and the one after which the next page begins."""
        table = code_signing_configs.c
        query = select(table.id, table.document).where(rows.within(code_signing_configs, scope))
        if after is not None:
            query = query.where(table.id > after)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(table.id).limit(limit + 1)).all()
        page = [_from_document(scope, row.id, row.document) for row in found[:limit]]
        return page, page[-1].id if len(found) > limit else None

    def delete(self, arn: str) -> None:
        """Raises ResourceNotFound, and ResourceConflict while a function has it."""
        with self._database.write() as connection:
            config = _need(connection, arn)
            users = rows.within(functions, config.scope, code_signing_config=config.id)
            if connection.execute(select(functions.c.name).where(users).limit(1)).first() is not None:
                raise ResourceConflict(_IN_USE)
            connection.execute(
                delete(code_signing_configs).where(rows.within(code_signing_configs, config.scope, id=config.id))
            )

    # ---- functions that have one

    def attach(self, scope: Scope, name: str, arn: str) -> None:
        """Raises CodeSigningConfigNotFound, ResourceNotFound (the function)."""
        identifier = self.need_for_function(arn)
        self._set(scope, name, identifier)

    def detach(self, scope: Scope, name: str) -> None:
        """Raises ResourceNotFound; a function that has none is fine."""
        self._set(scope, name, None)

    def _set(self, scope: Scope, name: str, identifier: str | None) -> None:
        with self._functions.change(scope, name) as connection:
            need(connection, scope, name)
            row = rows.within(functions, scope, name=name)
            connection.execute(update(functions).where(row).values(code_signing_config=identifier))

    def of_function(self, scope: Scope, name: str) -> CodeSigningConfig | None:
        """Raises ResourceNotFound."""
        with self._database.read() as connection:
            need(connection, scope, name)
            row = rows.within(functions, scope, name=name)
            identifier = connection.execute(select(functions.c.code_signing_config).where(row)).scalar()
            return None if identifier is None else _load(connection, scope, identifier)

    def functions_with(self, arn: str, *, after: str | None, limit: int) -> tuple[Sequence[str], str | None]:
        """Function ARNs by name; and the name after which the next page begins. Raises ResourceNotFound."""
        with self._database.read() as connection:
            config = _need(connection, arn)
            query = select(functions.c.name).where(rows.within(functions, config.scope, code_signing_config=config.id))
            if after is not None:
                query = query.where(functions.c.name > after)
            names = connection.execute(query.order_by(functions.c.name).limit(limit + 1)).scalars().all()
        arns = [config.scope.arn("lambda", f"function:{name}") for name in names[:limit]]
        return arns, names[limit - 1] if len(names) > limit else None

    def need_for_function(self, arn: str) -> str:
        """The id of the config that a function names. Raises CodeSigningConfigNotFound."""
        with self._database.read() as connection:
            config = _find(connection, arn)
        if config is None:
            raise CodeSigningConfigNotFound(
                "The code signing configuration cannot be found. Check that the provided configuration is not deleted: "
                f"{arn}."
            )
        return config.id

    def check_deployment(
        self, scope: Scope, name: str, config: CodeSigningConfig | None, digests: Sequence[str], *, called: str
    ) -> Sequence[PackageSignature | None]:
        """The signatures of packages that are about to be a function's code or layers; ``None`` each without a config.

        ``called`` is what messages call the function. Raises CodeVerificationFailed for a package that was changed
        after it was signed, and with Enforce for one that no allowed profile signed or whose signature has expired.
        """
        if config is None:
            return [None] * len(digests)
        try:
            found = [self._signatures.of(digest) for digest in digests]
        except SignatureInvalid as error:
            logger.warning("the code signature of %s does not hold: %s", called, error)
            # Recorded, with Warn and with Enforce; the API reference has InvalidCodeSignatureException for it.
            raise CodeVerificationFailed(_CHANGED.format(called)) from None
        if not all(_is_trusted(signature, config) for signature in found):
            for listener in self.untrusted:
                listener(scope, name)
            if config.untrusted_artifact_on_deployment == "Enforce":
                raise CodeVerificationFailed(_UNTRUSTED.format(called))
        return found


def _is_trusted(signature: PackageSignature | None, config: CodeSigningConfig) -> bool:
    return (
        signature is not None
        and signature.expires > now()
        and signature.profile_version_arn in config.signing_profile_version_arns
    )


def _find(connection: Connection, arn: str) -> CodeSigningConfig | None:
    parts = arn.split(":")
    return _load(connection, Scope(parts[4], parts[3]), parts[-1])


def _need(connection: Connection, arn: str) -> CodeSigningConfig:
    config = _find(connection, arn)
    if config is None:
        # Recorded without the member ``Type``.
        raise ResourceNotFound(f"The Lambda code signing configuration {arn} can not be found.", Type=None)
    return config


def _load(connection: Connection, scope: Scope, identifier: str) -> CodeSigningConfig | None:
    row = rows.within(code_signing_configs, scope, id=identifier)
    text = connection.execute(select(code_signing_configs.c.document).where(row)).scalar()
    return None if text is None else _from_document(scope, identifier, text)


def _to_document(config: CodeSigningConfig) -> str:
    return json.dumps(
        {
            "signing_profile_version_arns": config.signing_profile_version_arns,
            "untrusted_artifact_on_deployment": config.untrusted_artifact_on_deployment,
            "description": config.description,
            "last_modified": config.last_modified.isoformat(),
        }
    )


def _from_document(scope: Scope, identifier: str, text: str) -> CodeSigningConfig:
    document = json.loads(text)
    modified = datetime.fromisoformat(document.pop("last_modified"))
    publishers = tuple(document.pop("signing_profile_version_arns"))
    return CodeSigningConfig(
        scope=scope, id=identifier, signing_profile_version_arns=publishers, last_modified=modified, **document
    )
