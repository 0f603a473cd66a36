"""Registries, schemas and their versions. AWS: EventBridge Schemas API reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from firefork.aws.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    scope: Scope
    name: str
    description: str | None = None
    tags: Mapping[str, str]

    @property
    def arn(self) -> str:
        return registry_arn(self.scope, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A schema, and what lists show of its versions."""

    scope: Scope
    registry: str
    name: str
    description: str | None = None
    tags: Mapping[str, str]
    last_modified_ms: int
    version_count: int

    @property
    def arn(self) -> str:
        return schema_arn(self.scope, self.registry, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaVersion:
    number: int
    type: str
    """``OpenApi3`` or ``JSONSchemaDraft4``."""
    content: str
    created_ms: int


def registry_arn(scope: Scope, name: str) -> str:
    return scope.arn("schemas", f"registry/{name}")


def schema_arn(scope: Scope, registry: str, name: str) -> str:
    return scope.arn("schemas", f"schema/{registry}/{name}")
