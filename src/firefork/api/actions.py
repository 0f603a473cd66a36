"""Which permissions an operation needs, on which resources: one table, reviewed against AWS's own.

Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Lambda", "… Amazon CloudWatch
Logs", "… AWS Identity and Access Management", "… Amazon CloudWatch", "… Amazon EventBridge Schemas". Where that page
names no resource the resource is ``*``. Resource names of CloudWatch Logs are those that its refusals show. An
operation without a row needs the action of its own name on ``*``. How a refusal names a resource is as seen in
refusals that people have published from 2018 to 2026: IAM writes ``role NAME`` of what exists and the ARN of what does
not yet; STS and CloudWatch do not write ``on resource: *``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from firefork.api.call import Call
from firefork.aws.principal import PrincipalType
from firefork.aws.scope import Scope
from firefork.catalog.iam.entities import (
    SERVICE_ROLE_PATH,
    Entity,
    Group,
    InstanceProfile,
    ManagedPolicy,
    Role,
    User,
    service_role_name,
)
from firefork.catalog.references import FunctionReference
from firefork.catalog.schemas.entities import registry_arn, schema_arn
from firefork.identity.context import Value


@dataclass(frozen=True, slots=True)
class Asked:
    """A parsed request, and how to find the ARN of an IAM entity by its name."""

    call: Call
    request: Mapping[str, Any]
    arn_of: Callable[[type[Entity], str], str]


Resources = Callable[[Asked], Sequence[str]]
Keys = Callable[[Asked], Mapping[str, Value]]
Shown = Callable[[str], str | None]
"""How a refusal names a resource, ``None`` if it does not name it."""


@dataclass(frozen=True, slots=True)
class Permission:
    """One action that must be allowed on each of the resources; without resources it is not needed."""

    action: str
    resources: Resources
    keys: Keys | None = None
    """Condition keys of the service that the request sets, in lower case."""
    shown: Shown = str


# ---- resources of Lambda


def _everything(asked: Asked) -> Sequence[str]:
    return ("*",)


@functools.lru_cache(maxsize=4096)
def _arns(scope: Scope, name: str, qualifier: str | None) -> tuple[str, str]:
    """The function's ARN, and the one with the qualifier that was given; remembered, for Invoke asks every time."""
    reference = FunctionReference.parse(scope, name, qualifier)
    return reference.scope.arn("lambda", f"function:{reference.name}"), reference.arn


def _function(asked: Asked) -> Sequence[str]:
    """The function as a whole, whatever qualifier the request names."""
    return (_arns(asked.call.scope, asked.request["FunctionName"], None)[0],)


def _qualified(asked: Asked) -> Sequence[str]:
    """The version or alias that the request names, or the function."""
    return (_arns(asked.call.scope, asked.request["FunctionName"], asked.request.get("Qualifier"))[1],)


def _layer(asked: Asked) -> Sequence[str]:
    name: str = asked.request["LayerName"]
    return (name if name.startswith("arn:") else asked.call.scope.arn("lambda", f"layer:{name}"),)


def _layer_version(asked: Asked) -> Sequence[str]:
    return (f"{_layer(asked)[0]}:{asked.request['VersionNumber']}",)


def _layers(asked: Asked) -> Sequence[str]:
    return tuple(asked.request.get("Layers") or ())


def _mapping(asked: Asked) -> Sequence[str]:
    return (asked.call.scope.arn("lambda", f"event-source-mapping:{asked.request['UUID']}"),)


def _provider(asked: Asked) -> Sequence[str]:
    name: str = asked.request["CapacityProviderName"]
    return (name if name.startswith("arn:") else asked.call.scope.arn("lambda", f"capacity-provider:{name}"),)


def _given(member: str) -> Resources:
    """An ARN that the request carries, if it does."""

    def resources(asked: Asked) -> Sequence[str]:
        arn = asked.request.get(member)
        return (arn,) if arn else ()

    return resources


def _passed_role(asked: Asked) -> Sequence[str]:
    role = asked.request.get("Role")
    return (role,) if role else ()


def _if_tagged(resources: Resources) -> Resources:
    return lambda asked: resources(asked) if asked.request.get("Tags") else ()


def _function_keys(asked: Asked) -> Mapping[str, Value]:
    network = asked.request.get("VpcConfig") or {}
    keys: dict[str, Value] = {}
    for key, values in (
        ("lambda:layer", asked.request.get("Layers")),
        ("lambda:subnetids", network.get("SubnetIds")),
        ("lambda:securitygroupids", network.get("SecurityGroupIds")),
    ):
        if values:
            keys[key] = tuple(values)
    if asked.request.get("CodeSigningConfigArn"):
        keys["lambda:codesigningconfigarn"] = asked.request["CodeSigningConfigArn"]
    return keys


def _mapping_keys(asked: Asked) -> Mapping[str, Value]:
    return {"lambda:functionarn": _function(asked)[0]} if asked.request.get("FunctionName") else {}


def _url_keys(asked: Asked) -> Mapping[str, Value]:
    kind = asked.request.get("AuthType")
    return {"lambda:functionurlauthtype": kind} if kind else {}


def _permission_keys(asked: Asked) -> Mapping[str, Value]:
    members = {
        "lambda:principal": "Principal",
        "lambda:functionurlauthtype": "FunctionUrlAuthType",
        "lambda:eventsourcetoken": "EventSourceToken",
    }
    return {key: asked.request[member] for key, member in members.items() if asked.request.get(member)}


def _passing_keys(asked: Asked) -> Mapping[str, Value]:
    return {"iam:passedtoservice": "lambda.amazonaws.com", "iam:associatedresourcearn": _function(asked)[0]}


_PASS_ROLE: Final = Permission("iam:PassRole", _passed_role, _passing_keys)
_USE_LAYERS: Final = Permission("lambda:GetLayerVersion", _layers)


def _rows(
    service: str, operations: str, resources: Resources, keys: Keys | None = None, shown: Shown = str
) -> Iterable[tuple[str, tuple[Permission, ...]]]:
    """Operations whose action has their own name."""
    return ((name, (Permission(f"{service}:{name}", resources, keys, shown),)) for name in operations.split())


LAMBDA: Final[Mapping[str, Sequence[Permission]]] = {
    **dict(
        _rows(
            "lambda",
            "CreateAlias DeleteAlias DeleteFunctionCodeSigningConfig DeleteFunctionConcurrency GetAlias "
            "GetFunctionCodeSigningConfig GetFunctionConcurrency GetFunctionRecursionConfig InvokeAsync ListAliases "
            "ListFunctionEventInvokeConfigs ListFunctionUrlConfigs ListProvisionedConcurrencyConfigs "
            "ListVersionsByFunction PublishVersion PutFunctionConcurrency PutFunctionRecursionConfig UpdateAlias "
            "UpdateFunctionCode ListDurableExecutionsByFunction",
            _function,
        )
    ),
    **dict(
        _rows(
            "lambda",
            "DeleteFunction DeleteFunctionEventInvokeConfig DeleteProvisionedConcurrencyConfig GetFunction "
            "GetFunctionConfiguration GetFunctionEventInvokeConfig GetFunctionScalingConfig GetPolicy "
            "GetProvisionedConcurrencyConfig GetRuntimeManagementConfig PutFunctionEventInvokeConfig "
            "PutFunctionScalingConfig PutProvisionedConcurrencyConfig PutRuntimeManagementConfig "
            "UpdateFunctionEventInvokeConfig",
            _qualified,
        )
    ),
    **dict(
        _rows(
            "lambda",
            "CreateFunctionUrlConfig DeleteFunctionUrlConfig GetFunctionUrlConfig UpdateFunctionUrlConfig",
            _qualified,
            _url_keys,
        )
    ),
    **dict(_rows("lambda", "AddPermission RemovePermission", _qualified, _permission_keys)),
    **dict(_rows("lambda", "ListLayerVersions ListLayers", _everything)),
    **dict(_rows("lambda", "PublishLayerVersion", _layer)),
    **dict(
        _rows(
            "lambda",
            "AddLayerVersionPermission DeleteLayerVersion GetLayerVersion GetLayerVersionPolicy "
            "RemoveLayerVersionPermission",
            _layer_version,
        )
    ),
    "GetLayerVersionByArn": (Permission("lambda:GetLayerVersion", _given("Arn")),),
    "Invoke": (Permission("lambda:InvokeFunction", _qualified),),
    "InvokeWithResponseStream": (Permission("lambda:InvokeFunction", _qualified),),
    "CreateFunction": (
        Permission("lambda:CreateFunction", _function, _function_keys),
        _PASS_ROLE,
        _USE_LAYERS,
        Permission("lambda:TagResource", _if_tagged(_function)),
    ),
    "UpdateFunctionConfiguration": (
        Permission("lambda:UpdateFunctionConfiguration", _function, _function_keys),
        _PASS_ROLE,
        _USE_LAYERS,
    ),
    "PutFunctionCodeSigningConfig": (
        Permission("lambda:PutFunctionCodeSigningConfig", _function, _function_keys),
        Permission("lambda:PutFunctionCodeSigningConfig", _given("CodeSigningConfigArn"), _function_keys),
    ),
    **dict(_rows("lambda", "ListFunctions GetAccountSettings ListEventSourceMappings", _everything)),
    **dict(_rows("lambda", "CreateCodeSigningConfig ListCodeSigningConfigs ListCapacityProviders", _everything)),
    **dict(_rows("lambda", "CreateEventSourceMapping", _everything, _mapping_keys)),
    **dict(
        _rows(
            "lambda", "DeleteEventSourceMapping GetEventSourceMapping UpdateEventSourceMapping", _mapping, _mapping_keys
        )
    ),
    **dict(
        _rows(
            "lambda",
            "DeleteCodeSigningConfig GetCodeSigningConfig ListFunctionsByCodeSigningConfig UpdateCodeSigningConfig",
            _given("CodeSigningConfigArn"),
        )
    ),
    **dict(_rows("lambda", "ListTags TagResource UntagResource", _given("Resource"))),
    **dict(_rows("lambda", "DeleteResourcePolicy GetResourcePolicy PutResourcePolicy", _given("ResourceArn"))),
    **dict(
        _rows(
            "lambda",
            "CreateCapacityProvider DeleteCapacityProvider GetCapacityProvider ListFunctionVersionsByCapacityProvider "
            "UpdateCapacityProvider",
            _provider,
        )
    ),
    **dict(
        _rows(
            "lambda",
            "CheckpointDurableExecution DeleteDurableExecution GetDurableExecution GetDurableExecutionHistory "
            "GetDurableExecutionState PauseDurableExecution ResumeDurableExecution StopDurableExecution",
            _given("DurableExecutionArn"),
        )
    ),
    **dict(
        _rows(
            "lambda",
            "SendDurableExecutionCallbackFailure SendDurableExecutionCallbackHeartbeat "
            "SendDurableExecutionCallbackSuccess",
            _everything,
        )
    ),
}


# ---- resources of CloudWatch Logs


def _group_name(asked: Asked) -> str:
    return _bare_group(asked.request.get("logGroupName") or asked.request.get("logGroupIdentifier") or "")


def _bare_group(text: str) -> str:
    """A group's name, from its name or its ARN."""
    return text.split(":")[6] if text.startswith("arn:") and text.count(":") >= 6 else text


def _group(asked: Asked) -> Sequence[str]:
    return (asked.call.scope.arn("logs", f"log-group:{_group_name(asked)}:log-stream:"),)


def _tagged_group(asked: Asked) -> Sequence[str]:
    """Tags belong to the group itself."""
    return (asked.call.scope.arn("logs", f"log-group:{_group_name(asked)}"),) if asked.request.get("tags") else ()


def _chosen_groups(asked: Asked) -> Sequence[str]:
    request = asked.request
    chosen = request.get("logGroupNames") or request.get("logGroupIdentifiers") or [request.get("logGroupName") or ""]
    return [asked.call.scope.arn("logs", f"log-group:{_bare_group(text)}:log-stream:") for text in chosen]


def _stream(asked: Asked) -> Sequence[str]:
    name = asked.request["logStreamName"]
    return (asked.call.scope.arn("logs", f"log-group:{_group_name(asked)}:log-stream:{name}"),)


LOGS: Final[Mapping[str, Sequence[Permission]]] = {
    "CreateLogGroup": (
        Permission("logs:CreateLogGroup", _group),
        Permission("logs:TagResource", _tagged_group),
    ),
    **dict(
        _rows(
            "logs",
            "DeleteLogGroup DeleteMetricFilter DeleteRetentionPolicy DeleteSubscriptionFilter DescribeLogGroups "
            "DescribeLogStreams DescribeMetricFilters DescribeSubscriptionFilters FilterLogEvents GetLogGroupFields "
            "ListTagsLogGroup PutMetricFilter PutRetentionPolicy PutSubscriptionFilter TagLogGroup UntagLogGroup",
            _group,
        )
    ),
    **dict(_rows("logs", "CreateLogStream DeleteLogStream GetLogEvents PutLogEvents", _stream)),
    **dict(_rows("logs", "StartLiveTail StartQuery", _chosen_groups)),
    **dict(_rows("logs", "DescribeQueries GetLogRecord GetQueryResults StopQuery", _everything)),
    **dict(_rows("logs", "ListTagsForResource TagResource UntagResource", _given("resourceArn"))),
}


# ---- resources of IAM


def _entity(kind: type[Entity], member: str) -> Resources:
    """The named entity; a user that is not named is the caller."""

    def resources(asked: Asked) -> Sequence[str]:
        name = asked.request.get(member)
        if name is not None:
            return (asked.arn_of(kind, name),)
        principal = asked.call.principal
        if principal.type is PrincipalType.ROLE_SESSION:
            principal.own_user_name()  # raises: that is looked at before any permission
        return (principal.arn,)

    return resources


def _new(kind: type[Entity], member: str) -> Resources:
    def resources(asked: Asked) -> Sequence[str]:
        path = asked.request.get("Path") or "/"
        return (asked.call.scope.global_arn("iam", f"{kind.kind}{path}{asked.request[member]}"),)

    return resources


def _all_of(kind: type[Entity]) -> Resources:
    """Lists are asked for below a path."""
    return lambda asked: (asked.call.scope.global_arn("iam", f"{kind.kind}{asked.request.get('PathPrefix') or '/'}"),)


def _attachment_keys(asked: Asked) -> Mapping[str, Value]:
    arn = asked.request.get("PolicyArn")
    return {"iam:policyarn": arn} if arn else {}


def _boundary_keys(asked: Asked) -> Mapping[str, Value]:
    arn = asked.request.get("PermissionsBoundary")
    return {"iam:permissionsboundary": arn} if arn else {}


def _service_role(asked: Asked) -> Sequence[str]:
    service = asked.request["AWSServiceName"]
    name = service_role_name(service, asked.request.get("CustomSuffix"))
    return (asked.call.scope.global_arn("iam", f"role{SERVICE_ROLE_PATH}{service}/{name}"),)


def _named(noun: str) -> Shown:
    """``role NAME``, without the path."""
    return lambda arn: f"{noun} {arn.rpartition('/')[2]}"


def _policy_arn(arn: str) -> str:
    return f"policy {arn}"


def _policy_path(arn: str) -> str:
    return f"policy path {arn.partition(':policy')[2]}"


_ROLE: Final = _entity(Role, "RoleName")
_USER: Final = _entity(User, "UserName")
_GROUP: Final = _entity(Group, "GroupName")
_PROFILE: Final = _entity(InstanceProfile, "InstanceProfileName")
_POLICY: Final = _given("PolicyArn")

IAM: Final[Mapping[str, Sequence[Permission]]] = {
    "CreateRole": (
        Permission("iam:CreateRole", _new(Role, "RoleName"), _boundary_keys),
        Permission("iam:TagRole", _if_tagged(_new(Role, "RoleName"))),
    ),
    "CreateUser": (
        Permission("iam:CreateUser", _new(User, "UserName"), _boundary_keys),
        Permission("iam:TagUser", _if_tagged(_new(User, "UserName"))),
    ),
    "CreatePolicy": (
        Permission("iam:CreatePolicy", _new(ManagedPolicy, "PolicyName"), shown=_named("policy")),
        Permission("iam:TagPolicy", _if_tagged(_new(ManagedPolicy, "PolicyName")), shown=_named("policy")),
    ),
    "CreateInstanceProfile": (
        Permission("iam:CreateInstanceProfile", _new(InstanceProfile, "InstanceProfileName")),
        Permission("iam:TagInstanceProfile", _if_tagged(_new(InstanceProfile, "InstanceProfileName"))),
    ),
    "CreateGroup": (Permission("iam:CreateGroup", _new(Group, "GroupName")),),
    **dict(
        _rows(
            "iam",
            "DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy GetRole GetRolePolicy ListAttachedRolePolicies "
            "ListInstanceProfilesForRole ListRolePolicies ListRoleTags PutRolePolicy TagRole UntagRole "
            "UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription DeleteServiceLinkedRole",
            _ROLE,
            shown=_named("role"),
        )
    ),
    **dict(_rows("iam", "AttachRolePolicy DetachRolePolicy", _ROLE, _attachment_keys, _named("role"))),
    **dict(_rows("iam", "PutRolePermissionsBoundary", _ROLE, _boundary_keys, _named("role"))),
    "CreateServiceLinkedRole": (
        Permission(
            "iam:CreateServiceLinkedRole",
            _service_role,
            lambda asked: {"iam:awsservicename": asked.request["AWSServiceName"]},
        ),
    ),
    **dict(
        _rows(
            "iam",
            "CreateAccessKey DeleteAccessKey DeleteLoginProfile DeleteUser DeleteUserPermissionsBoundary "
            "DeleteUserPolicy GetLoginProfile GetUser GetUserPolicy ListAccessKeys ListAttachedUserPolicies "
            "ListGroupsForUser ListMFADevices ListSSHPublicKeys ListServiceSpecificCredentials ListSigningCertificates "
            "ListUserPolicies ListUserTags PutUserPolicy TagUser UntagUser UpdateAccessKey UpdateUser",
            _USER,
            shown=_named("user"),
        )
    ),
    **dict(_rows("iam", "AttachUserPolicy DetachUserPolicy", _USER, _attachment_keys, _named("user"))),
    **dict(_rows("iam", "PutUserPermissionsBoundary", _USER, _boundary_keys, _named("user"))),
    **dict(
        _rows(
            "iam",
            "AddUserToGroup DeleteGroup DeleteGroupPolicy GetGroup GetGroupPolicy ListAttachedGroupPolicies "
            "ListGroupPolicies PutGroupPolicy RemoveUserFromGroup UpdateGroup",
            _GROUP,
            shown=_named("group"),
        )
    ),
    **dict(_rows("iam", "AttachGroupPolicy DetachGroupPolicy", _GROUP, _attachment_keys, _named("group"))),
    **dict(
        _rows(
            "iam",
            "DeleteInstanceProfile GetInstanceProfile ListInstanceProfileTags RemoveRoleFromInstanceProfile "
            "TagInstanceProfile UntagInstanceProfile",
            _PROFILE,
            shown=_named("instance profile"),
        )
    ),
    "AddRoleToInstanceProfile": (
        Permission("iam:AddRoleToInstanceProfile", _PROFILE, shown=_named("instance profile")),
        Permission("iam:PassRole", _ROLE, lambda asked: {"iam:passedtoservice": "ec2.amazonaws.com"}),
    ),
    **dict(
        _rows(
            "iam",
            "CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy GetPolicyVersion ListEntitiesForPolicy "
            "ListPolicyTags ListPolicyVersions SetDefaultPolicyVersion TagPolicy UntagPolicy",
            _POLICY,
            shown=_policy_arn,
        )
    ),
    **dict(_rows("iam", "ListRoles", _all_of(Role))),
    **dict(_rows("iam", "ListUsers", _all_of(User))),
    **dict(_rows("iam", "ListGroups", _all_of(Group))),
    **dict(_rows("iam", "ListPolicies", _all_of(ManagedPolicy), shown=_policy_path)),
    **dict(_rows("iam", "ListInstanceProfiles", _all_of(InstanceProfile))),
    **dict(_rows("iam", "SimulatePrincipalPolicy GetContextKeysForPrincipalPolicy", _given("PolicySourceArn"))),
}

STS: Final[Mapping[str, Sequence[Permission]]] = {
    # Nobody needs a permission for these, and no policy can take them away.
    "GetCallerIdentity": (),
    "GetSessionToken": (),
    # The handler decides: the role's trust policy takes part.
    "AssumeRole": (),
}


def _not_shown(resource: str) -> None:
    return None


CLOUDWATCH: Final[Mapping[str, Sequence[Permission]]] = {
    "PutMetricData": (
        Permission(
            "cloudwatch:PutMetricData",
            _everything,
            lambda asked: {"cloudwatch:namespace": asked.request["Namespace"]},
            _not_shown,
        ),
    ),
}

# ---- resources of EventBridge Schemas


def _registry(asked: Asked) -> Sequence[str]:
    return (registry_arn(asked.call.scope, asked.request["RegistryName"]),)


def _schema(asked: Asked) -> Sequence[str]:
    return (schema_arn(asked.call.scope, asked.request["RegistryName"], asked.request["SchemaName"]),)


SCHEMAS: Final[Mapping[str, Sequence[Permission]]] = {
    **dict(
        _rows(
            "schemas",
            "CreateRegistry DeleteRegistry DescribeRegistry ListSchemas SearchSchemas UpdateRegistry",
            _registry,
        )
    ),
    **dict(
        _rows(
            "schemas",
            "CreateSchema DeleteSchema DeleteSchemaVersion DescribeSchema ExportSchema ListSchemaVersions UpdateSchema",
            _schema,
        )
    ),
    **dict(_rows("schemas", "ListTagsForResource TagResource UntagResource", _given("ResourceArn"))),
}

TABLE: Final[Mapping[str, Mapping[str, Sequence[Permission]]]] = {
    "lambda": LAMBDA,
    "logs": LOGS,
    "iam": IAM,
    "sts": STS,
    "cloudwatch": CLOUDWATCH,
    "schemas": SCHEMAS,
}


def permissions(service: str, operation: str) -> Sequence[Permission]:
    """What a caller needs for an operation."""
    found = TABLE.get(service, {}).get(operation)
    if found is not None:
        return found
    shown: Shown = _not_shown if service in ("sts", "cloudwatch") else str
    return (Permission(f"{service}:{operation}", _everything, shown=shown),)
