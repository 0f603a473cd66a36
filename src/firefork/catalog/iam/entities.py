"""The named things of IAM. AWS: IAM API reference, Role, User, Group, Policy, InstanceProfile."""

from __future__ import annotations

import base64
import dataclasses
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, Self

DEFAULT_SESSION_S: Final = 3600
SERVICE_ROLE_PATH: Final = "/aws-service-role/"
_SERVICE_ROLE_NAMES: Final[Mapping[str, str]] = {
    "replicator.lambda.amazonaws.com": "LambdaReplicator",
    "lambda.amazonaws.com": "Lambda",
    "autoscaling.amazonaws.com": "AutoScaling",
    "elasticloadbalancing.amazonaws.com": "ElasticLoadBalancing",
    "ecs.amazonaws.com": "ECS",
    "eks.amazonaws.com": "AmazonEKS",
    "eks-nodegroup.amazonaws.com": "AmazonEKSNodegroup",
    "eks-fargate.amazonaws.com": "AmazonEKSForFargate",
    "spot.amazonaws.com": "EC2Spot",
    "spotfleet.amazonaws.com": "EC2SpotFleet",
    "es.amazonaws.com": "AmazonElasticsearchService",
    "opensearchservice.amazonaws.com": "AmazonOpenSearchService",
    "sso.amazonaws.com": "SSO",
    "dax.amazonaws.com": "DAX",
    "elasticache.amazonaws.com": "ElastiCache",
    "rds.amazonaws.com": "RDS",
    "ops.apigateway.amazonaws.com": "APIGateway",
    "dynamodb.application-autoscaling.amazonaws.com": "ApplicationAutoScaling_DynamoDBTable",
    "lambda.application-autoscaling.amazonaws.com": "ApplicationAutoScaling_LambdaConcurrency",
}
"""Names that do not follow from the service's. AWS: the services' pages on service-linked roles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """What all of them have. A change makes a new value."""

    kind: ClassVar[str]
    """As in the ARN: ``role``, ``user``, ``group``, ``policy``, ``instance-profile``."""
    id_prefix: ClassVar[str]
    """AWS: IAM User Guide, "Understanding unique ID prefixes"."""

    account: str
    partition: str
    path: str
    name: str
    id: str
    created: datetime
    tags: Mapping[str, str]

    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:iam::{self.account}:{self.kind}{self.path}{self.name}"

    def to_document(self) -> str:
        """JSON of everything but account, name and path, which are columns."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        for name in ("account", "name", "path"):
            del fields[name]
        return json.dumps(
            {key: value.isoformat() if isinstance(value, datetime) else value for key, value in fields.items()}
        )

    @classmethod
    def from_row(cls, account: str, name: str, path: str, document: str) -> Self:
        fields: dict[str, Any] = json.loads(document)
        for key in fields.keys() & {"created", "updated"}:
            fields[key] = datetime.fromisoformat(fields[key]).astimezone(UTC)
        return cls(account=account, name=name, path=path, **fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role(Entity):
    kind: ClassVar[str] = "role"
    id_prefix: ClassVar[str] = "AROA"

    trust_policy: str
    """JSON: who may assume it."""
    description: str | None = None
    max_session_s: int = DEFAULT_SESSION_S
    boundary_arn: str | None = None

    @property
    def service_linked(self) -> bool:
        return self.path.startswith(SERVICE_ROLE_PATH)


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Entity):
    kind: ClassVar[str] = "user"
    id_prefix: ClassVar[str] = "AIDA"

    boundary_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Entity):
    kind: ClassVar[str] = "group"
    id_prefix: ClassVar[str] = "AGPA"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedPolicy(Entity):
    kind: ClassVar[str] = "policy"
    id_prefix: ClassVar[str] = "ANPA"

    updated: datetime
    description: str | None = None
    default_version: int = 1
    last_version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceProfile(Entity):
    kind: ClassVar[str] = "instance-profile"
    id_prefix: ClassVar[str] = "AIPA"


def new_unique_id(prefix: str) -> str:
    """``AROA`` and 17 characters."""
    return prefix + base64.b32encode(secrets.token_bytes(11)).decode()[:17]


def service_role_name(service: str, suffix: str | None) -> str:
    """``AWSServiceRoleForAutoScaling`` of ``autoscaling.amazonaws.com``."""
    stem = _SERVICE_ROLE_NAMES.get(service) or "".join(
        part.capitalize() for part in service.partition(".amazonaws.")[0].replace("-", ".").split(".")
    )
    return f"AWSServiceRoleFor{stem}" + (f"_{suffix}" if suffix else "")
