"""Function URLs.

AWS: Lambda API reference, CreateFunctionUrlConfig to ListFunctionUrlConfigs; fact sheet section 12.4.
"""

from __future__ import annotations

import base64
import dataclasses
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from firefork.aws.errors import InvalidParameterValue, ResourceConflict, ResourceNotFound
from firefork.aws.scope import Scope
from firefork.catalog.function import LATEST, FunctionVersion
from firefork.catalog.function_records import load
from firefork.catalog.functions import Functions
from firefork.catalog.qualified import Documents, qualified_arn, qualifier_exists
from firefork.catalog.references import FunctionReference
from firefork.store.clock import now
from firefork.store.database import Database
from firefork.store.tables import function_urls

_NO_FUNCTION: Final = "Function does not exist"
_DOCUMENTS: Final = Documents(function_urls)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionUrl:
    """AWS: API reference, FunctionUrlConfig."""

    scope: Scope
    function: str
    qualifier: str
    """``$LATEST`` or an alias."""
    url_id: str
    """32 lower-case letters and digits: the first label of the host name."""
    auth_type: str
    invoke_mode: str | None = None
    """``None`` until it is set: that means BUFFERED."""
    cors: Mapping[str, Any] | None = None
    created: datetime
    last_modified: datetime

    @property
    def url(self) -> str:
        return f"https://{self.url_id}.lambda-url.{self.scope.region}.on.aws/"

    @property
    def function_arn(self) -> str:
        return qualified_arn(self.scope, self.function, None if self.qualifier == LATEST else self.qualifier)


class FunctionUrls:
    """The URLs of all functions. Thread-safe; methods may block."""

    def __init__(self, database: Database, functions: Functions) -> None:
        self._database = database
        self._functions = functions

    def create(self, target: FunctionReference, settings: Mapping[str, Any]) -> FunctionUrl:
        """Raises ResourceNotFound, ResourceConflict, InvalidParameterValue."""
        moment = now()
        url = FunctionUrl(
            scope=target.scope,
            function=target.name,
            qualifier=target.qualifier or LATEST,
            url_id=base64.b32encode(secrets.token_bytes(20)).decode().lower(),
            created=moment,
            last_modified=moment,
            **settings,
        )
        with self._functions.change(target.scope, target.name) as connection:
            _check_target(connection, target)
            if _DOCUMENTS.load(connection, target.scope, target.name, target.qualifier) is not None:
                raise ResourceConflict(
                    f"Failed to create function url config for [functionArn = {url.function_arn}]. Error message:  "
                    "FunctionUrlConfig exists for this Lambda function"
                )
            _save(connection, url)
        return url

    def update(self, target: FunctionReference, settings: Mapping[str, Any]) -> FunctionUrl:
        """Change the fields that ``settings`` has. Raises ResourceNotFound."""
        with self._functions.change(target.scope, target.name) as connection:
            _check_exists(connection, target)
            url = dataclasses.replace(_need(connection, target), last_modified=now(), **settings)
            _save(connection, url)
        return url

    def get(self, target: FunctionReference) -> FunctionUrl:
        """Raises ResourceNotFound."""
        with self._database.read() as connection:
            return _need(connection, target)

    def list(
        self, scope: Scope, name: str, *, after: str | None, limit: int
    ) -> tuple[Sequence[FunctionUrl], str | None]:
        """By qualifier; and the one after which the next page begins. Raises ResourceNotFound."""
        with self._database.read() as connection:
            if load(connection, scope, name, 0) is None:
                raise ResourceNotFound(_NO_FUNCTION)
            page, following = _DOCUMENTS.page(connection, scope, name, after=after, limit=limit)
        return [_from_document(scope, name, qualifier, document) for qualifier, document in page], following

    def delete(self, target: FunctionReference) -> None:
        """Raises ResourceNotFound. The permissions for the URL stay, as on AWS."""
        with self._functions.change(target.scope, target.name) as connection:
            _need(connection, target)
            _DOCUMENTS.delete(connection, target.scope, target.name, target.qualifier)


def _check_exists(connection: Connection, target: FunctionReference) -> FunctionVersion:
    function = load(connection, target.scope, target.name, 0)
    if function is None or not qualifier_exists(connection, target.scope, target.name, target.qualifier):
        raise ResourceNotFound(_NO_FUNCTION)
    return function


def _check_target(connection: Connection, target: FunctionReference) -> None:
    if "TenancyConfig" in _check_exists(connection, target).stored_only:
        raise InvalidParameterValue("Function URLs are not supported for functions with tenant isolation.")


def _need(connection: Connection, target: FunctionReference) -> FunctionUrl:
    document = _DOCUMENTS.load(connection, target.scope, target.name, target.qualifier)
    if document is None:
        raise ResourceNotFound("The resource you requested does not exist.")
    return _from_document(target.scope, target.name, target.qualifier or LATEST, document)


def _save(connection: Connection, url: FunctionUrl) -> None:
    document = {
        "url_id": url.url_id,
        "auth_type": url.auth_type,
        "invoke_mode": url.invoke_mode,
        "cors": url.cors,
        "created": url.created.isoformat(),
        "last_modified": url.last_modified.isoformat(),
    }
    _DOCUMENTS.save(connection, url.scope, url.function, url.qualifier, document, url_id=url.url_id)


def _from_document(scope: Scope, name: str, qualifier: str, document: dict[str, Any]) -> FunctionUrl:
    times: dict[str, Any] = {
        field: datetime.fromisoformat(document.pop(field)) for field in ("created", "last_modified")
    }
    return FunctionUrl(scope=scope, function=name, qualifier=qualifier, **times, **document)
