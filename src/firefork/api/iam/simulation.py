"""The policy simulator: the same evaluation as that of real calls. AWS: IAM API reference, SimulatePrincipalPolicy."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from firefork.api.call import Call
from firefork.api.iam.paging import page
from firefork.aws.errors import InvalidInput, NoSuchEntity
from firefork.catalog.iam.directory import Directory
from firefork.catalog.iam.entities import Entity, Group, Role, User
from firefork.identity import document as documents
from firefork.identity.callers import Caller
from firefork.identity.context import Value
from firefork.identity.document import Kind, Policy
from firefork.identity.evaluation import AccessRequest, Decision, Identity, Match, evaluate
from firefork.identity.positions import statement_positions

_SOURCE: Final = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):(user|group|role)/(?:.*/)?([\w+=,.@-]+)")
_KINDS: Final[Mapping[str, type[Entity]]] = {"user": User, "group": Group, "role": Role}
_USER: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:user/.+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Input:
    """A policy of a simulation, and how the answer names it."""

    id: str
    policy: Policy
    type: str = "IAM Policy"
    """So the service answers for attached policies as well, whatever its reference lists."""


class Simulation:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def simulate_custom_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        inputs = _given(request["PolicyInputList"], "PolicyInputList")
        boundary = _given(request.get("PermissionsBoundaryPolicyInputList") or [], "PermissionsBoundaryPolicyInputList")
        return _simulate(call, request, inputs, boundary, request.get("CallerArn"), {})

    def simulate_principal_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        entity = self._source(call, request["PolicySourceArn"])
        inputs = [*self._attached(entity), *_given(request.get("PolicyInputList") or [], "PolicyInputList")]
        given = request.get("PermissionsBoundaryPolicyInputList") or []
        boundary = _given(given, "PermissionsBoundaryPolicyInputList")
        if not boundary and isinstance(entity, User | Role) and entity.boundary_arn is not None:
            boundary = self._managed(entity.account, entity.boundary_arn)
        context: dict[str, Value] = {
            "aws:principalarn": entity.arn,
            "aws:principalaccount": entity.account,
            **{f"aws:principaltag/{key.lower()}": value for key, value in entity.tags.items()},
        }
        if isinstance(entity, User):
            context |= {"aws:username": entity.name, "aws:userid": entity.id}
        caller = None if isinstance(entity, Group) else entity.arn
        return _simulate(call, request, inputs, boundary, request.get("CallerArn") or caller, context)

    def get_context_keys_for_custom_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return {"ContextKeyNames": _keys(_given(request["PolicyInputList"], "PolicyInputList"))}

    def get_context_keys_for_principal_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        entity = self._source(call, request["PolicySourceArn"])
        given = _given(request.get("PolicyInputList") or [], "PolicyInputList")
        return {"ContextKeyNames": _keys([*self._attached(entity), *given])}

    def _source(self, call: Call, arn: str) -> Entity:
        found = _SOURCE.fullmatch(arn)
        if found is None:
            raise InvalidInput(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
        account, kind, name = found[1], _KINDS[found[2]], found[3]
        entity = self._directory.find(kind, account, name) if account == call.scope.account else None
        if entity is None or entity.arn != arn:
            raise NoSuchEntity(f"The {found[2]} with name {name} cannot be found.")
        return entity

    def _attached(self, entity: Entity) -> list[_Input]:
        """Inline and attached policies of an entity; a user has those of its groups as well."""
        kind, account, name = type(entity), entity.account, entity.name
        found = [
            _Input(id=f"{entity.kind}_{name}_{policy}", policy=_compiled(text))
            for policy, text in self._directory.inline(kind, account, name).items()
        ]
        for arn in self._directory.attached(kind, account, name):
            found += self._managed(account, arn)
        if isinstance(entity, User):
            for group in self._directory.containers(Group, account, name):
                found += self._attached(self._directory.get(Group, account, group))
        return found

    def _managed(self, account: str, arn: str) -> list[_Input]:
        document = self._directory.document_of(account, arn)
        return [] if document is None else [_Input(id=arn.rpartition("/")[2], policy=_compiled(document))]


def _compiled(text: str) -> Policy:
    return documents.compiled(text, Kind.IDENTITY)


def _given(texts: Sequence[str], member: str) -> list[_Input]:
    return [_Input(id=f"{member}.{number}", policy=_compiled(text)) for number, text in enumerate(texts, 1)]


def _keys(inputs: Sequence[_Input]) -> list[str]:
    """Context keys as the documents spell them, each once."""
    keys = (key for found in inputs for key in documents.context_keys(found.policy.text))
    return sorted({key.lower(): key for key in keys}.values())


def _simulate(
    call: Call,
    request: dict[str, Any],
    inputs: list[_Input],
    boundary: list[_Input],
    caller_arn: str | None,
    context: dict[str, Value],
) -> dict[str, Any]:
    account = call.scope.account
    caller_arn = caller_arn or call.scope.global_arn("iam", "root")
    caller = Caller(arn=caller_arn, account=caller_arn.split(":")[4])
    for entry in request.get("ContextEntries") or []:
        values = entry.get("ContextKeyValues") or []
        many = (entry.get("ContextKeyType") or "string").endswith("List")
        if entry.get("ContextKeyName"):
            context[entry["ContextKeyName"].lower()] = tuple(values) if many or len(values) != 1 else values[0]
    text = request.get("ResourcePolicy")
    shared = None
    if text is not None:
        if not _USER.fullmatch(caller_arn):  # published in ScottLogic/blog#308
            raise InvalidInput("Invalid caller - Caller must be an IAM user in this context.")
        shared = _Input(id="ResourcePolicy", type="Resource Policy", policy=documents.compiled(text, Kind.RESOURCE))
    all_inputs = [*inputs, *boundary, *([shared] if shared else [])]
    names = {id(found.policy): found for found in reversed(all_inputs)}
    missing = [key for key in _keys(all_inputs) if context.get(key.lower()) is None]
    # A boundary is one policy in real life; the simulator takes several and means their statements together.
    limits = _joined([found.policy for found in boundary])
    identity = Identity(policies=tuple(found.policy for found in inputs), boundary=limits)
    results = []
    for action in request["ActionNames"]:
        if not re.fullmatch(r"[\w-]+:\w+", action):
            raise InvalidInput(f"Invalid Action: {action}")
        for resource in request.get("ResourceArns") or ["*"]:
            asked = AccessRequest(caller=caller, action=action, resource=resource, context=context)
            owner = resource.split(":")[4] if resource.count(":") >= 5 else ""
            decision = evaluate(
                asked,
                identity,
                resource_policy=shared.policy if shared else None,
                same_account=owner in ("", caller.account, account),
            )
            result = _show(decision, action, resource, names, missing)
            if limits is not None:
                within = evaluate(asked, Identity(policies=(limits,)), resource_policy=None, same_account=True)
                result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": within.allowed}
            if request.get("ResourceArns"):
                result |= _of_resource(result)
            results.append(result)
    order = {id(result): f"{number:06d}" for number, result in enumerate(results)}
    return page(request, "EvaluationResults", results, lambda result: order[id(result)], lambda result: result)


def _joined(policies: list[Policy]) -> Policy | None:
    if len(policies) < 2:
        return policies[0] if policies else None
    return Policy.of("", (statement for policy in policies for statement in policy.statements))


def _show(
    decision: Decision, action: str, resource: str, names: Mapping[int, _Input], missing: list[str]
) -> dict[str, Any]:
    return {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": decision.effect.value,
        "MatchedStatements": [
            _statement(match, names[id(match.policy)]) for match in decision.matches if id(match.policy) in names
        ],
        "MissingContextValues": missing,
    }


def _of_resource(result: Mapping[str, Any]) -> dict[str, Any]:
    """What stands there once more where resources were asked for: published answers of 2020."""
    names = ("EvalResourceName", "MatchedStatements", "MissingContextValues", "PermissionsBoundaryDecisionDetail")
    specific = {name: result[name] for name in names if name in result}
    specific["EvalResourceDecision"] = result["EvalDecision"]
    return {"EvalDecisionDetails": {}, "ResourceSpecificResults": [specific]}


def _statement(match: Match, found: _Input) -> dict[str, Any]:
    start, end = statement_positions(match.policy.text)[match.statement.index]
    return {
        "SourcePolicyId": found.id,
        "SourcePolicyType": found.type,
        "StartPosition": {"Line": start.line, "Column": start.column},
        "EndPosition": {"Line": end.line, "Column": end.column},
    }
