"""A directory in a database of its own, and short ways to fill it."""

import json

import pytest

from firefork.catalog.iam.directory import Directory
from firefork.catalog.iam.entities import Group, InstanceProfile, ManagedPolicy, Role, User, new_unique_id
from firefork.store.clock import now

ACCOUNT = "111111111111"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    }
)


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*"):
    return document({"Effect": "Allow", "Action": action, "Resource": resource})


class Filled(Directory):
    """A directory that makes entities from a name."""

    def make(self, kind, name, *, path="/", tags=None, document=None, **more):
        fields = {
            "account": ACCOUNT,
            "partition": "aws",
            "path": path,
            "name": name,
            "id": new_unique_id(kind.id_prefix),
            "created": now(),
            "tags": tags or {},
        }
        if kind is Role:
            fields["trust_policy"] = TRUST
        if kind is ManagedPolicy:
            fields["updated"] = fields["created"]
        entity = kind(**{**fields, **more})
        self.create(entity, document=document)
        return entity

    def role(self, name, **more):
        return self.make(Role, name, **more)

    def user(self, name, **more):
        return self.make(User, name, **more)

    def group(self, name, **more):
        return self.make(Group, name, **more)

    def profile(self, name, **more):
        return self.make(InstanceProfile, name, **more)

    def managed(self, name, text, **more):
        return self.make(ManagedPolicy, name, document=text, **more)


@pytest.fixture
def directory(database):
    return Filled(database)
