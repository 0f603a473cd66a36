"""What the kill rounds change: subjects with a model of what the server has acknowledged.

A subject makes one change after the other. Before a change it notes what there would be afterwards; once the server
has acknowledged the change, that is what there is. So after a kill the server may show one of two things: what was
acknowledged, or what the one change under way at that moment would have made; and never a part of it.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError

from firefork_server import RUNTIME
from soak_functions import package

ROLE: Final = "arn:aws:iam::000000000000:role/kill-rounds"
_TRUST: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


class Subject(ABC):
    """One thing of the server's that only this object changes. ``None`` as a state says that it does not exist."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.changes = 0
        """How many were acknowledged."""
        self._chance = random.Random(seed)
        self._numbers = itertools.count(1)
        self._acknowledged: Any = None
        self._under_way: Any = None
        self._is_under_way = False

    @abstractmethod
    def use(self, client: Callable[[str], Any]) -> None:
        """Make clients of the server that runs now; ``client`` takes a service's name."""

    @abstractmethod
    def change(self) -> None:
        """Make one change. Raises what boto3 raises."""

    @abstractmethod
    def read(self) -> Any:
        """What the server says that there is, in the form of the model."""

    def make(self, after: Any, call: Callable[[], Any]) -> None:
        """Let ``call`` change the server; ``after`` is what there is once it has said so."""
        self._under_way, self._is_under_way = after, True
        call()
        self._acknowledged, self._is_under_way = after, False
        self.changes += 1

    def verify(self) -> str | None:
        """Compare with the server after a new start, and go on from there; what is wrong, if anything."""
        found = self.read()
        possible = [self._acknowledged, *([self._under_way] if self._is_under_way else [])]
        self._acknowledged, self._is_under_way = found, False
        if found in possible:
            return None
        return f"{self.name}: {found} instead of {' or '.join(str(one) for one in possible)}"


class FunctionSubject(Subject):
    """A function with versions, an alias and tags, from creation to deletion and again."""

    def use(self, client: Callable[[str], Any]) -> None:
        self._lambda = client("lambda")

    def change(self) -> None:
        state = self._acknowledged
        number = next(self._numbers)
        if state is None:
            self._create(number)
            return
        step = self._chance.choice(["code", "code", "configuration", "publish", "alias", "tag", "delete"])
        if step == "alias" and not state["versions"]:
            step = "publish"
        self._lambda.get_waiter("function_updated_v2").wait(FunctionName=self.name, WaiterConfig={"Delay": 0.05})
        getattr(self, f"_{step}")(state, number)

    def _create(self, number: int) -> None:
        code = package(f"NUMBER = {number}")
        after: dict[str, Any] = {
            "code": _digest(code),
            "description": str(number),
            "versions": {},
            "alias": None,
            "tags": {},
        }
        self.make(
            after,
            lambda: self._lambda.create_function(
                FunctionName=self.name,
                Runtime=RUNTIME,
                Role=ROLE,
                Handler="app.handler",
                Code={"ZipFile": code},
                Description=str(number),
            ),
        )
        self._lambda.get_waiter("function_active_v2").wait(FunctionName=self.name, WaiterConfig={"Delay": 0.05})

    def _code(self, state: dict[str, Any], number: int) -> None:
        code = package(f"NUMBER = {number}")
        self.make(
            state | {"code": _digest(code)},
            lambda: self._lambda.update_function_code(FunctionName=self.name, ZipFile=code),
        )

    def _configuration(self, state: dict[str, Any], number: int) -> None:
        self.make(
            state | {"description": str(number)},
            lambda: self._lambda.update_function_configuration(FunctionName=self.name, Description=str(number)),
        )

    def _publish(self, state: dict[str, Any], number: int) -> None:
        versions = dict(state["versions"])
        newest = [state["code"], state["description"]]
        # What has not changed since the last version is not published again.
        if not versions or versions[str(len(versions))] != newest:
            versions[str(len(versions) + 1)] = newest
        self.make(state | {"versions": versions}, lambda: self._lambda.publish_version(FunctionName=self.name))

    def _alias(self, state: dict[str, Any], number: int) -> None:
        version = self._chance.choice(sorted(state["versions"]))
        change = self._lambda.create_alias if state["alias"] is None else self._lambda.update_alias
        self.make(
            state | {"alias": version}, lambda: change(FunctionName=self.name, Name="live", FunctionVersion=version)
        )

    def _tag(self, state: dict[str, Any], number: int) -> None:
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{self.name}"
        self.make(
            state | {"tags": {"number": str(number)}},
            lambda: self._lambda.tag_resource(Resource=arn, Tags={"number": str(number)}),
        )

    def _delete(self, state: dict[str, Any], number: int) -> None:
        self.make(None, lambda: self._lambda.delete_function(FunctionName=self.name))

    def read(self) -> Any:
        try:
            told = self._lambda.get_function(FunctionName=self.name)
        except self._lambda.exceptions.ResourceNotFoundException:
            return None
        versions = self._lambda.list_versions_by_function(FunctionName=self.name)["Versions"]
        aliases = self._lambda.list_aliases(FunctionName=self.name)["Aliases"]
        configuration = told["Configuration"]
        return {
            "code": configuration["CodeSha256"],
            "description": configuration["Description"],
            "versions": {
                version["Version"]: [version["CodeSha256"], version["Description"]]
                for version in versions
                if version["Version"] != "$LATEST"
            },
            "alias": aliases[0]["FunctionVersion"] if aliases else None,
            "tags": told.get("Tags", {}),
        }

    def verify(self) -> str | None:
        """Besides: what exists is usable, so no state is left halfway, and its code is there."""
        problem = super().verify()
        if problem is not None or self._acknowledged is None:
            return problem
        configuration = self._lambda.get_function_configuration(FunctionName=self.name)
        states = [configuration["State"], configuration["LastUpdateStatus"]]
        if states != ["Active", "Successful"]:
            return f"{self.name}: {states} after the new start"
        for qualifier in ("$LATEST", *self._acknowledged["versions"]):
            answer = self._lambda.invoke(FunctionName=self.name, Qualifier=qualifier)
            told = json.loads(answer["Payload"].read())
            # The code has no handler: that this is what is wrong with it shows that it was loaded.
            if "Handler 'handler' missing" not in told.get("errorMessage", ""):
                return f"{self.name}:{qualifier} cannot be invoked: {told}"
        return None


class LayerSubject(Subject):
    """A layer whose versions come and go; a number is never given twice."""

    def __init__(self, name: str, seed: int) -> None:
        super().__init__(name, seed)
        self._acknowledged = {}
        self._last = 0

    def use(self, client: Callable[[str], Any]) -> None:
        self._lambda = client("lambda")

    def change(self) -> None:
        state: dict[int, str] = self._acknowledged
        if len(state) > 2 and self._chance.random() < 0.5:
            version = self._chance.choice(sorted(state))
            after = {number: code for number, code in state.items() if number != version}
            self.make(after, lambda: self._lambda.delete_layer_version(LayerName=self.name, VersionNumber=version))
            return
        content = package(f"NUMBER = {next(self._numbers)}")
        self.make(
            state | {self._last + 1: _digest(content)},
            lambda: self._lambda.publish_layer_version(LayerName=self.name, Content={"ZipFile": content}),
        )
        self._last += 1

    def read(self) -> Any:
        found = {}
        for version in self._lambda.list_layer_versions(LayerName=self.name)["LayerVersions"]:
            told = self._lambda.get_layer_version(LayerName=self.name, VersionNumber=version["Version"])
            found[version["Version"]] = told["Content"]["CodeSha256"]
        return found

    def verify(self) -> str | None:
        problem = super().verify()
        self._last = max(self._last, *self._acknowledged, 0)
        return problem


class RoleSubject(Subject):
    """A role with inline policies."""

    def use(self, client: Callable[[str], Any]) -> None:
        self._iam = client("iam")

    def change(self) -> None:
        state = self._acknowledged
        number = next(self._numbers)
        if state is None:
            self.make([], lambda: self._iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=_TRUST))
        elif len(state) < 3:
            policy = f"policy-{number}"
            document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
            self.make(
                sorted([*state, policy]),
                lambda: self._iam.put_role_policy(
                    RoleName=self.name, PolicyName=policy, PolicyDocument=json.dumps(document)
                ),
            )
        else:
            for policy in state:
                delete = partial(self._iam.delete_role_policy, RoleName=self.name, PolicyName=policy)
                self.make([one for one in self._acknowledged if one != policy], delete)
            self.make(None, lambda: self._iam.delete_role(RoleName=self.name))

    def read(self) -> Any:
        try:
            return sorted(self._iam.list_role_policies(RoleName=self.name)["PolicyNames"])
        except self._iam.exceptions.NoSuchEntityException:
            return None


class LogSubject(Subject):
    """A log stream that only grows, by PutLogEvents."""

    def __init__(self, name: str, seed: int) -> None:
        super().__init__(name, seed)
        self._acknowledged = []

    def use(self, client: Callable[[str], Any]) -> None:
        self._logs = client("logs")

    def prepare(self, now_ms: int) -> None:
        """Make the group and the stream, once."""
        self._now_ms = now_ms
        self._logs.create_log_group(logGroupName=self.name)
        self._logs.create_log_stream(logGroupName=self.name, logStreamName="stream")

    def change(self) -> None:
        numbers = [next(self._numbers) for _ in range(self._chance.randint(1, 20))]
        events = [{"timestamp": self._now_ms + number, "message": f"event {number}"} for number in numbers]
        self.make(
            [*self._acknowledged, *(event["message"] for event in events)],
            lambda: self._logs.put_log_events(logGroupName=self.name, logStreamName="stream", logEvents=events),
        )

    def read(self) -> Any:
        pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=self.name)
        return [event["message"] for page in pages for event in page["events"]]

    def verify(self) -> str | None:
        """In few words: a stream is long."""
        before = len(self._acknowledged)
        if super().verify() is None:
            return None
        return f"{self.name}: {len(self._acknowledged)} events instead of {before} or one batch more"


class InvokedSubject(Subject):
    """A function that is not changed but invoked: its answers are right before and after each kill."""

    def use(self, client: Callable[[str], Any]) -> None:
        self._lambda = client("lambda")

    def prepare(self) -> None:
        """Create the function, once."""
        self._lambda.create_function(
            FunctionName=self.name,
            Runtime=RUNTIME,
            Role=ROLE,
            Handler="app.handler",
            Code={"ZipFile": package("def handler(event, context):\n    return event\n")},
        )
        self._lambda.get_waiter("function_active_v2").wait(FunctionName=self.name, WaiterConfig={"Delay": 0.05})

    def change(self) -> None:
        number = next(self._numbers)
        self.make(None, lambda: self._invoke(number))

    def _invoke(self, number: int) -> None:
        answer = self._lambda.invoke(FunctionName=self.name, Payload=json.dumps(number))
        payload = answer["Payload"].read()
        if payload != str(number).encode():
            raise WrongAnswer(f"{self.name}: {payload!r} for {number}")

    def read(self) -> Any:
        self._invoke(0)


class WrongAnswer(Exception):
    """An invoke was answered with something else than what the function returns."""


def refused(error: ClientError) -> str:
    """A refusal in words; every change is one that the server should take."""
    return f"{error.operation_name} was refused: {error}"


def _digest(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
