"""The rules of IAM's entities; the messages are AWS's."""

import dataclasses
import json

import pytest

from firefork.aws.errors import (
    DeleteConflict,
    EntityAlreadyExists,
    InvalidInput,
    LimitExceeded,
    MalformedPolicyDocument,
    NoSuchEntity,
    UnmodifiableEntity,
    ValidationError,
)
from firefork.catalog.iam import aws_policies
from firefork.catalog.iam.directory import check_tags, tags_from
from firefork.catalog.iam.entities import Group, InstanceProfile, ManagedPolicy, Role, User
from firefork.identity.document import Kind, compiled

ACCOUNT = "111111111111"
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def document(action="logs:*"):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})


def message(error, call):
    with pytest.raises(error) as caught:
        call()
    return caught.value.message


class TestEntities:
    def test_round_trip(self, directory):
        """Everything that was stored comes back, for each kind."""
        made = [
            directory.role("r", path="/a/b/", tags={"k": "v"}, description="d", max_session_s=7200),
            directory.user("u", tags={"k": ""}),
            directory.group("g"),
            directory.managed("p", document()),
            directory.profile("i"),
        ]
        for entity in made:
            assert directory.get(type(entity), ACCOUNT, entity.name) == entity

    def test_arns_have_the_path(self, directory):
        assert directory.role("r", path="/a/b/").arn == "arn:aws:iam::111111111111:role/a/b/r"
        assert directory.profile("i").arn == "arn:aws:iam::111111111111:instance-profile/i"

    def test_names_differ_by_more_than_case(self, directory):
        directory.role("worker")
        assert message(EntityAlreadyExists, lambda: directory.role("Worker")) == (
            "Role with name Worker already exists."
        )

    def test_kinds_have_names_of_their_own(self, directory):
        directory.role("same")
        assert directory.user("same").name == "same"

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            (Role, "The role with name x cannot be found."),
            (User, "The user with name x cannot be found."),
            (Group, "The group with name x cannot be found."),
            (InstanceProfile, "Instance Profile x cannot be found."),
        ],
    )
    def test_missing_ones(self, directory, kind, expected):
        assert message(NoSuchEntity, lambda: directory.get(kind, ACCOUNT, "x")) == expected
        assert message(NoSuchEntity, lambda: directory.delete(kind, ACCOUNT, "x")) == expected

    def test_accounts_are_apart(self, directory):
        directory.role("r")
        assert directory.find(Role, "222222222222", "r") is None

    def test_lists_below_a_path_by_name(self, directory):
        for name, path in (("b", "/x/"), ("A", "/x/y/"), ("c", "/z/"), ("d", "/x_/")):
            directory.role(name, path=path)
        assert [role.name for role in directory.entities(Role, ACCOUNT, "/x/")] == ["A", "b"]

    def test_change_tells_listeners(self, directory):
        told = []
        directory.changed.append(lambda: told.append("changed"))
        directory.role("r")
        directory.change(Role, ACCOUNT, "r", lambda role: dataclasses.replace(role, description="new"))
        directory.delete(Role, ACCOUNT, "r")
        assert len(told) == 3

    def test_renaming_takes_everything_along(self, directory):
        directory.user("old")
        directory.group("g")
        directory.put_inline(User, ACCOUNT, "old", "p", document())
        directory.attach(User, ACCOUNT, "old", BASIC)
        directory.add_member(Group, ACCOUNT, "g", "old")
        directory.change(User, ACCOUNT, "old", lambda user: dataclasses.replace(user, name="new"))
        assert list(directory.inline(User, ACCOUNT, "new")) == ["p"]
        assert directory.attached(User, ACCOUNT, "new") == [BASIC]
        assert directory.containers(Group, ACCOUNT, "new") == ["g"]
        assert directory.find(User, ACCOUNT, "old") is None

    def test_renaming_onto_another_one_changes_nothing(self, directory):
        directory.group("a")
        directory.group("b")

        def rename():
            directory.change(Group, ACCOUNT, "a", lambda group: dataclasses.replace(group, name="b"))

        assert message(EntityAlreadyExists, rename) == "Group with name b already exists."
        assert directory.get(Group, ACCOUNT, "a").name == "a"

    def test_service_linked_roles_are_protected(self, directory):
        directory.role("AWSServiceRoleForX", path="/aws-service-role/x.amazonaws.com/")
        expected = (
            "Cannot perform the operation on the protected role 'AWSServiceRoleForX' - "
            "this role is only modifiable by AWS"
        )
        for call in (
            lambda: directory.attach(Role, ACCOUNT, "AWSServiceRoleForX", BASIC),
            lambda: directory.put_inline(Role, ACCOUNT, "AWSServiceRoleForX", "p", document()),
            lambda: directory.delete(Role, ACCOUNT, "AWSServiceRoleForX"),
        ):
            assert message(UnmodifiableEntity, call) == expected

    def test_trust_policies_have_a_size(self, directory):
        assert message(LimitExceeded, lambda: directory.role("r", trust_policy="x" * 2049)) == (
            "Cannot exceed quota for ACLSizePerRole: 2048"
        )

    def test_a_boundary_exists(self, directory):
        arn = "arn:aws:iam::111111111111:policy/none"
        assert message(NoSuchEntity, lambda: directory.role("r", boundary_arn=arn)) == (
            f"Scope ARN: {arn} does not exist or is not attachable."
        )
        wrong = "arn:aws:iam::111111111111:not_a_policy/invalid"
        assert message(InvalidInput, lambda: directory.role("r", boundary_arn=wrong)) == f"ARN {wrong} is not valid."
        assert directory.role("r", boundary_arn=BASIC).boundary_arn == BASIC
        assert [role.name for role in directory.bounded_by(ACCOUNT, BASIC)] == ["r"]


class TestDeleteConflicts:
    def test_attached_and_inline_policies(self, directory):
        directory.role("r")
        directory.attach(Role, ACCOUNT, "r", BASIC)
        directory.put_inline(Role, ACCOUNT, "r", "p", document())

        def delete():
            directory.delete(Role, ACCOUNT, "r")

        assert message(DeleteConflict, delete) == "Cannot delete entity, must detach all policies first."
        directory.detach(Role, ACCOUNT, "r", BASIC)
        assert message(DeleteConflict, delete) == "Cannot delete entity, must delete policies first."
        directory.delete_inline(Role, ACCOUNT, "r", "p")
        delete()

    def test_members(self, directory):
        directory.role("r")
        directory.user("u")
        directory.group("g")
        directory.profile("i")
        directory.add_member(Group, ACCOUNT, "g", "u")
        directory.add_member(InstanceProfile, ACCOUNT, "i", "r")
        from_group = "Cannot delete entity, must remove users from group first."
        from_profile = "Cannot delete entity, must remove roles from instance profile first."
        for kind, name, expected in (
            (User, "u", from_group),
            (Group, "g", from_group),
            (Role, "r", from_profile),
            (InstanceProfile, "i", from_profile),
        ):
            assert message(DeleteConflict, lambda kind=kind, name=name: directory.delete(kind, ACCOUNT, name)) == (
                expected
            )

    def test_policies(self, directory):
        arn = directory.managed("p", document()).arn
        directory.role("r")
        directory.attach(Role, ACCOUNT, "r", arn)

        def delete():
            directory.delete(ManagedPolicy, ACCOUNT, "p")

        assert message(DeleteConflict, delete) == "Cannot delete a policy attached to entities."
        directory.detach(Role, ACCOUNT, "r", arn)
        directory.create_version(ACCOUNT, arn, document("s3:*"), as_default=False)
        assert message(DeleteConflict, delete).startswith("This policy has more than one version.")


class TestInlinePolicies:
    def test_sizes_are_counted_together_without_white_space(self, directory):
        directory.user("u")
        directory.put_inline(User, ACCOUNT, "u", "a", document("a:" + "x" * 1000) + " " * 5000)
        assert message(
            LimitExceeded, lambda: directory.put_inline(User, ACCOUNT, "u", "b", document("a:" + "x" * 1000))
        ) == ("Maximum policy size of 2048 bytes exceeded for user u")
        directory.put_inline(User, ACCOUNT, "u", "a", document("a:" + "x" * 1500))  # replacing one frees its size

    def test_documents_are_checked(self, directory):
        directory.role("r")
        with pytest.raises(MalformedPolicyDocument):
            directory.put_inline(Role, ACCOUNT, "r", "p", "{}")
        assert directory.inline(Role, ACCOUNT, "r") == {}

    def test_missing_ones(self, directory):
        directory.role("r")
        for call in (directory.get_inline, directory.delete_inline):
            assert message(NoSuchEntity, lambda call=call: call(Role, ACCOUNT, "r", "p")) == (
                "The role policy with name p cannot be found."
            )


class TestVersions:
    def test_life(self, directory):
        """Numbers count up and are not used again; the default one rules."""
        arn = directory.managed("p", document("a:*")).arn
        assert directory.create_version(ACCOUNT, arn, document("b:*"), as_default=True).number == 2
        assert directory.document_of(ACCOUNT, arn) == document("b:*")
        directory.set_default_version(ACCOUNT, arn, 1)
        assert directory.document_of(ACCOUNT, arn) == document("a:*")
        directory.delete_version(ACCOUNT, arn, 2)
        assert directory.create_version(ACCOUNT, arn, document("c:*"), as_default=False).number == 3
        assert [(one.number, one.is_default) for one in directory.versions(ACCOUNT, arn)] == [(3, False), (1, True)]

    def test_five_at_most(self, directory):
        arn = directory.managed("p", document()).arn
        for _ in range(4):
            directory.create_version(ACCOUNT, arn, document(), as_default=False)
        assert message(LimitExceeded, lambda: directory.create_version(ACCOUNT, arn, document(), as_default=False)) == (
            "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing "
            "version."
        )

    def test_refusals(self, directory):
        arn = directory.managed("p", document()).arn
        none = "arn:aws:iam::111111111111:policy/none"
        assert message(DeleteConflict, lambda: directory.delete_version(ACCOUNT, arn, 1)) == (
            "Cannot delete the default version of a policy."
        )
        for call in (
            lambda: directory.version(ACCOUNT, arn, 9),
            lambda: directory.delete_version(ACCOUNT, arn, 9),
            lambda: directory.set_default_version(ACCOUNT, arn, 9),
        ):
            assert message(NoSuchEntity, call) == f"Policy {arn} version v9 does not exist or is not attachable."
        assert message(NoSuchEntity, lambda: directory.version(ACCOUNT, none, 1)) == (
            f"Policy {none} version v1 does not exist or is not attachable."
        )
        assert message(LimitExceeded, lambda: directory.managed("q", "x" * 6145)) == (
            "Cannot exceed quota for PolicySize: 6144"
        )


class TestAttachments:
    def test_twice_is_once(self, directory):
        directory.role("r")
        directory.attach(Role, ACCOUNT, "r", BASIC)
        directory.attach(Role, ACCOUNT, "r", BASIC)
        assert directory.attached(Role, ACCOUNT, "r") == [BASIC]
        assert directory.attachment_counts(ACCOUNT) == {BASIC: 1}
        assert directory.attached_to(ACCOUNT, BASIC) == [("role", "r")]

    def test_ten_at_most(self, directory):
        directory.role("r")
        for number in range(10):
            arn = directory.managed(f"p{number}", document()).arn
            directory.attach(Role, ACCOUNT, "r", arn)
        assert message(LimitExceeded, lambda: directory.attach(Role, ACCOUNT, "r", BASIC)) == (
            "Cannot exceed quota for PoliciesPerRole: 10"
        )

    def test_refusals(self, directory):
        directory.role("r")
        arn = "arn:aws:iam::111111111111:policy/none"
        assert message(NoSuchEntity, lambda: directory.attach(Role, ACCOUNT, "r", arn)) == (
            f"Policy {arn} does not exist or is not attachable."
        )
        assert (
            message(NoSuchEntity, lambda: directory.detach(Role, ACCOUNT, "r", arn)) == f"Policy {arn} was not found."
        )
        assert message(ValidationError, lambda: directory.attach(Role, ACCOUNT, "r", "name")) == (
            "ARN name is not valid."
        )

    def test_the_path_is_part_of_a_policy(self, directory):
        directory.managed("p", document(), path="/team/")
        assert directory.policy(ACCOUNT, "arn:aws:iam::111111111111:policy/team/p").name == "p"
        with pytest.raises(NoSuchEntity):
            directory.policy(ACCOUNT, "arn:aws:iam::111111111111:policy/p")

    def test_other_accounts_policies_are_not_there(self, directory):
        arn = directory.managed("p", document()).arn
        with pytest.raises(NoSuchEntity):
            directory.policy("222222222222", arn)


class TestMembers:
    def test_an_instance_profile_holds_one_role(self, directory):
        for name in ("a", "b"):
            directory.role(name)
        directory.profile("i")
        directory.add_member(InstanceProfile, ACCOUNT, "i", "a")
        assert message(LimitExceeded, lambda: directory.add_member(InstanceProfile, ACCOUNT, "i", "b")) == (
            "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"
        )
        assert message(NoSuchEntity, lambda: directory.remove_member(InstanceProfile, ACCOUNT, "i", "b")) == (
            "Role b in Instance Profile i cannot be found."
        )

    def test_a_user_is_in_ten_groups_at_most(self, directory):
        directory.user("u")
        for number in range(11):
            directory.group(f"g{number}")
        for number in range(10):
            directory.add_member(Group, ACCOUNT, f"g{number}", "u")
        directory.add_member(Group, ACCOUNT, "g0", "u")  # already in
        assert message(LimitExceeded, lambda: directory.add_member(Group, ACCOUNT, "g10", "u")) == (
            "Cannot exceed quota for GroupsPerUser: 10"
        )


class TestTags:
    def test_keys_of_policies_differ_by_case(self):
        entries = [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]
        assert tags_from(entries, of_policy=True) == {"a": "1", "A": "2"}
        assert message(InvalidInput, lambda: tags_from(entries)) == (
            "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
        twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
        assert message(InvalidInput, lambda: tags_from(twice, of_policy=True)) == "Duplicate tag keys found."

    def test_fifty_at_most(self):
        check_tags({f"k{number}": "" for number in range(50)}, of_policy=False)
        with pytest.raises(LimitExceeded):
            check_tags({f"k{number}": "" for number in range(51)}, of_policy=False)


class TestAwsPolicies:
    @pytest.mark.parametrize("policy", aws_policies.ALL, ids=lambda policy: policy.name)
    def test_compile(self, policy):
        """Each is a document that the service itself would accept, under an ARN that finds it."""
        assert compiled(policy.document, Kind.IDENTITY).statements
        assert aws_policies.find(policy.as_entity("aws-cn").arn) is policy

    @pytest.mark.parametrize(
        "name",
        [
            "AdministratorAccess",
            "ReadOnlyAccess",
            "AWSLambda_FullAccess",
            "AWSLambda_ReadOnlyAccess",
            "AWSXRayDaemonWriteAccess",
            "AmazonSQSFullAccess",
            "service-role/AWSLambdaBasicExecutionRole",
            "service-role/AWSLambdaVPCAccessExecutionRole",
            "service-role/AWSLambdaSQSQueueExecutionRole",
            "service-role/AWSLambdaKinesisExecutionRole",
            "service-role/AWSLambdaDynamoDBExecutionRole",
        ],
    )
    def test_what_lambda_users_attach_is_there(self, directory, name):
        arn = f"arn:aws:iam::aws:policy/{name}"
        directory.role("r")
        directory.attach(Role, ACCOUNT, "r", arn)
        assert directory.versions(ACCOUNT, arn)[0].document == directory.document_of(ACCOUNT, arn)
