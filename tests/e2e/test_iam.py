"""IAM and STS as boto3 and the AWS CLI see them, and that what is not allowed is refused."""

import itertools
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT = "000000000000"
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
_numbers = itertools.count(1)


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return document({"Effect": "Allow", "Action": action, "Resource": resource, **more})


def trust(principal, action="sts:AssumeRole", **more):
    return document({"Effect": "Allow", "Principal": principal, "Action": action, **more})


FOR_LAMBDA = trust({"Service": "lambda.amazonaws.com"})
FOR_ACCOUNT = trust({"AWS": ACCOUNT}, ["sts:AssumeRole", "sts:TagSession"])


def refused(call, **request):
    """Code and message of a refusal."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


@pytest.fixture(scope="module")
def iam(server):
    return server.client("iam")


@pytest.fixture(scope="module")
def sts(server):
    return server.client("sts")


@pytest.fixture
def name():
    return f"n{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def as_user(server, iam, name):
    """A new user, and clients that sign with its key."""
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]

    def client(service, **options):
        return server.client(
            service, aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"], **options
        )

    client.name, client.key = name, key
    return client


@pytest.fixture
def as_session(server):
    def client(service, credentials):
        return server.client(
            service,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )

    return client


class TestRoles:
    def test_life(self, iam, name):
        """The members that each answer has are those of recorded answers."""
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=FOR_LAMBDA, Path="/team/", Description="d")[
            "Role"
        ]
        assert set(made) == {"Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument"}
        assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/team/{name}"
        assert made["AssumeRolePolicyDocument"] == json.loads(FOR_LAMBDA)
        iam.update_role(RoleName=name, MaxSessionDuration=7200)
        got = iam.get_role(RoleName=name)["Role"]
        assert set(got) == {*made, "Description", "MaxSessionDuration", "RoleLastUsed"}
        assert (got["Description"], got["MaxSessionDuration"], got["RoleLastUsed"]) == ("d", 7200, {})
        listed = iam.list_roles(PathPrefix="/team/")["Roles"]
        assert name in [role["RoleName"] for role in listed]
        iam.get_waiter("role_exists").wait(RoleName=name)
        iam.delete_role(RoleName=name)
        assert refused(iam.get_role, RoleName=name) == (
            "NoSuchEntity",
            f"The role with name {name} cannot be found.",
        )

    def test_what_terraform_reads_of_a_role(self, iam, name):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=FOR_LAMBDA, Tags=[{"Key": "b", "Value": "2"}])
        iam.tag_role(RoleName=name, Tags=[{"Key": "a", "Value": ""}])
        assert iam.list_role_tags(RoleName=name)["Tags"] == [{"Key": "a", "Value": ""}, {"Key": "b", "Value": "2"}]
        iam.untag_role(RoleName=name, TagKeys=["b"])
        assert iam.get_role(RoleName=name)["Role"]["Tags"] == [{"Key": "a", "Value": ""}]
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=allow("logs:*"))
        iam.attach_role_policy(RoleName=name, PolicyArn=BASIC)
        assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["inline"]
        assert iam.get_role_policy(RoleName=name, PolicyName="inline")["PolicyDocument"] == json.loads(allow("logs:*"))
        assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == [
            {"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": BASIC}
        ]
        assert iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"] == []
        assert name in [one["RoleName"] for one in iam.list_entities_for_policy(PolicyArn=BASIC)["PolicyRoles"]]
        iam.detach_role_policy(RoleName=name, PolicyArn=BASIC)
        iam.delete_role_policy(RoleName=name, PolicyName="inline")
        iam.delete_role(RoleName=name)

    def test_boundary(self, iam, name):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=FOR_LAMBDA, PermissionsBoundary=BASIC)
        assert iam.get_role(RoleName=name)["Role"]["PermissionsBoundary"] == {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": BASIC,
        }
        iam.delete_role_permissions_boundary(RoleName=name)
        assert "PermissionsBoundary" not in iam.get_role(RoleName=name)["Role"]

    def test_malformed_documents(self, iam, name):
        assert refused(iam.create_role, RoleName=name, AssumeRolePolicyDocument="{") == (
            "MalformedPolicyDocument",
            "This policy contains invalid Json",
        )
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=FOR_LAMBDA)
        assert refused(iam.put_role_policy, RoleName=name, PolicyName="p", PolicyDocument="{}") == (
            "MalformedPolicyDocument",
            "Syntax errors in policy.",
        )

    def test_violations_do_not_repeat_the_value(self, iam, name):
        code, message = refused(
            iam.create_role,
            RoleName=name,
            AssumeRolePolicyDocument=FOR_LAMBDA,
            Tags=[{"Key": "a" * 129, "Value": ""}],
        )
        assert code == "ValidationError"
        assert message == (
            "1 validation error detected: Value at 'tags.1.member.key' failed to satisfy constraint: "
            "Member must have length less than or equal to 128"
        )

    def test_partition_is_the_regions(self, server, name):
        iam = server.client("iam", region="cn-north-1")
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=FOR_LAMBDA)["Role"]
        assert made["Arn"] == f"arn:aws-cn:iam::{ACCOUNT}:role/{name}"

    def test_service_linked(self, iam):
        made = iam.create_service_linked_role(AWSServiceName="replicator.lambda.amazonaws.com")["Role"]
        assert made["Arn"] == (
            f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/replicator.lambda.amazonaws.com/"
            "AWSServiceRoleForLambdaReplicator"
        )
        code, _ = refused(iam.delete_role, RoleName=made["RoleName"])
        assert code == "UnmodifiableEntity"
        task = iam.delete_service_linked_role(RoleName=made["RoleName"])["DeletionTaskId"]
        assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"


class TestPolicies:
    def test_life(self, iam, name):
        made = iam.create_policy(PolicyName=name, PolicyDocument=allow("a:*"), Description="d", Path="/p/")["Policy"]
        arn = made["Arn"]
        assert arn == f"arn:aws:iam::{ACCOUNT}:policy/p/{name}"
        assert "Description" not in made
        version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow("b:*"), SetAsDefault=True)
        assert version["PolicyVersion"]["VersionId"] == "v2"
        assert iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]["Document"] == json.loads(
            allow("b:*")
        )
        versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
        assert [(one["VersionId"], one["IsDefaultVersion"]) for one in versions] == [("v2", True), ("v1", False)]
        iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
        iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
        got = iam.get_policy(PolicyArn=arn)["Policy"]
        assert (got["DefaultVersionId"], got["AttachmentCount"], got["Tags"]) == ("v1", 0, [])
        assert [one["Arn"] for one in iam.list_policies(Scope="Local", PathPrefix="/p/")["Policies"]] == [arn]
        iam.delete_policy(PolicyArn=arn)
        assert refused(iam.get_policy, PolicyArn=arn) == ("NoSuchEntity", f"Policy {arn} was not found.")

    def test_aws_policies_in_pages(self, iam):
        pages = iam.get_paginator("list_policies").paginate(Scope="AWS", PaginationConfig={"PageSize": 7})
        found = [policy["Arn"] for page in pages for policy in page["Policies"]]
        assert len(found) == len(set(found))
        assert BASIC in found

    def test_aws_policies_cannot_be_changed(self, iam):
        code, message = refused(iam.delete_policy, PolicyArn=BASIC)
        assert code == "AccessDenied"
        assert f"is not authorized to perform: iam:DeletePolicy on resource: policy {BASIC}" in message


class TestUsersAndGroups:
    def test_groups(self, iam, name):
        iam.create_group(GroupName=name)
        iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName=name, UserName=name)
        assert [user["UserName"] for user in iam.get_group(GroupName=name)["Users"]] == [name]
        assert [group["GroupName"] for group in iam.list_groups_for_user(UserName=name)["Groups"]] == [name]
        iam.update_group(GroupName=name, NewGroupName=f"{name}-new")
        code, message = refused(iam.delete_user, UserName=name)
        assert (code, message) == ("DeleteConflict", "Cannot delete entity, must remove users from group first.")
        iam.remove_user_from_group(GroupName=f"{name}-new", UserName=name)
        iam.delete_group(GroupName=f"{name}-new")
        iam.delete_user(UserName=name)

    def test_a_user_is_told_who_it_is(self, as_user, iam):
        identity = as_user("sts").get_caller_identity()
        user = iam.get_user(UserName=as_user.name)["User"]
        assert (identity["Arn"], identity["UserId"]) == (user["Arn"], user["UserId"])

    def test_access_keys(self, as_user, iam):
        """They sign as soon as they exist, and no longer when they are switched off."""
        key_id = as_user.key["AccessKeyId"]
        iam.put_user_policy(UserName=as_user.name, PolicyName="p", PolicyDocument=allow("lambda:ListFunctions"))
        assert as_user("lambda").list_functions()["Functions"] is not None
        used = iam.get_access_key_last_used(AccessKeyId=key_id)
        assert (used["UserName"], used["AccessKeyLastUsed"]["ServiceName"]) == (as_user.name, "lambda")
        listed = iam.list_access_keys(UserName=as_user.name)["AccessKeyMetadata"]
        assert [(one["AccessKeyId"], one["Status"]) for one in listed] == [(key_id, "Active")]
        iam.create_access_key(UserName=as_user.name)
        assert refused(iam.create_access_key, UserName=as_user.name) == (
            "LimitExceeded",
            "Cannot exceed quota for AccessKeysPerUser: 2",
        )
        iam.update_access_key(UserName=as_user.name, AccessKeyId=key_id, Status="Inactive")
        assert refused(as_user("lambda").list_functions)[0] == "UnrecognizedClientException"
        assert refused(as_user("sts").get_caller_identity)[0] == "InvalidClientTokenId"
        iam.delete_access_key(UserName=as_user.name, AccessKeyId=key_id)

    def test_root_has_to_name_the_user(self, iam):
        assert refused(iam.create_access_key) == (
            "ValidationError",
            "Must specify userName when calling with non-User credentials",
        )

    def test_secrets_are_nowhere_in_the_data_folder(self, as_user, server):
        secret = as_user.key["SecretAccessKey"].encode()
        files = [path for path in server.data_dir.rglob("*") if path.is_file()]
        assert any(path.name == "firefork.db" for path in files)
        assert not [path for path in files if secret in path.read_bytes()]
        assert not any(as_user.key["SecretAccessKey"] in line for line in server.lines)


class TestInstanceProfiles:
    def test_life(self, iam, name):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=FOR_LAMBDA)
        made = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        assert made["Roles"] == []
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        got = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        assert [role["RoleName"] for role in got["Roles"]] == [name]
        profiles = iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"]
        assert [profile["InstanceProfileName"] for profile in profiles] == [name]
        iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=name)
        iam.delete_instance_profile(InstanceProfileName=name)


class TestSimulation:
    def test_custom_policy(self, iam):
        """Decisions, where they come from, and what was missing."""
        conditional = allow("s3:GetObject", Condition={"StringEquals": {"aws:username": "ann"}})
        denied = document({"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"})
        results = iam.simulate_custom_policy(
            PolicyInputList=[conditional, denied],
            ActionNames=["s3:GetObject", "s3:DeleteObject", "s3:PutObject"],
            ContextEntries=[
                {"ContextKeyName": "aws:username", "ContextKeyValues": ["ann"], "ContextKeyType": "string"}
            ],
        )["EvaluationResults"]
        assert [(one["EvalActionName"], one["EvalDecision"]) for one in results] == [
            ("s3:GetObject", "allowed"),
            ("s3:DeleteObject", "explicitDeny"),
            ("s3:PutObject", "implicitDeny"),
        ]
        assert results[0]["MatchedStatements"][0]["SourcePolicyId"] == "PolicyInputList.1"
        (without,) = iam.simulate_custom_policy(PolicyInputList=[conditional], ActionNames=["s3:GetObject"])[
            "EvaluationResults"
        ]
        assert (without["EvalDecision"], without["MissingContextValues"]) == ("implicitDeny", ["aws:username"])

    def test_context_keys(self, iam):
        text = allow(
            "s3:*", "arn:aws:s3:::${aws:PrincipalTag/team}", Condition={"Bool": {"aws:SecureTransport": "true"}}
        )
        answer = iam.get_context_keys_for_custom_policy(PolicyInputList=[text])
        assert answer["ContextKeyNames"] == ["aws:PrincipalTag/team", "aws:SecureTransport"]
        assert refused(iam.get_context_keys_for_custom_policy, PolicyInputList=["{"]) == (
            "MalformedPolicyDocument",
            "Syntax errors in policy.",
        )

    def test_boundary_and_resource_policy(self, iam):
        bucket = "arn:aws:s3:::bucket"
        (limited,) = iam.simulate_custom_policy(
            PolicyInputList=[allow("s3:*")],
            PermissionsBoundaryPolicyInputList=[allow("logs:*")],
            ActionNames=["s3:ListBucket"],
        )["EvaluationResults"]
        assert limited["EvalDecision"] == "implicitDeny"
        assert limited["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
        caller = f"arn:aws:iam::{ACCOUNT}:user/ann"
        (shared,) = iam.simulate_custom_policy(
            PolicyInputList=[allow("logs:*")],
            ActionNames=["s3:ListBucket"],
            ResourceArns=[bucket],
            CallerArn=caller,
            ResourcePolicy=document(
                {"Effect": "Allow", "Principal": {"AWS": caller}, "Action": "s3:*", "Resource": bucket}
            ),
        )["EvaluationResults"]
        assert (shared["EvalDecision"], shared["EvalResourceName"]) == ("allowed", bucket)
        assert shared["EvalDecisionDetails"] == {}
        assert shared["ResourceSpecificResults"] == [
            {
                "EvalResourceName": bucket,
                "EvalResourceDecision": "allowed",
                "MatchedStatements": shared["MatchedStatements"],
                "MissingContextValues": [],
            }
        ]
        (match,) = shared["MatchedStatements"]
        assert (match["SourcePolicyId"], match["SourcePolicyType"]) == ("ResourcePolicy", "Resource Policy")
        assert refused(
            iam.simulate_custom_policy,
            PolicyInputList=[allow("logs:*")],
            ActionNames=["s3:ListBucket"],
            CallerArn=f"arn:aws:iam::{ACCOUNT}:role/ann",
            ResourcePolicy=document({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": bucket}),
        ) == ("InvalidInput", "Invalid caller - Caller must be an IAM user in this context.")

    def test_principal(self, iam, name):
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=FOR_LAMBDA)["Role"]["Arn"]
        iam.attach_role_policy(RoleName=name, PolicyArn=BASIC)
        results = iam.simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=["logs:PutLogEvents", "lambda:InvokeFunction"]
        )["EvaluationResults"]
        assert [one["EvalDecision"] for one in results] == ["allowed", "implicitDeny"]
        assert results[0]["MatchedStatements"][0]["SourcePolicyType"] == "IAM Policy"
        assert refused(iam.simulate_principal_policy, PolicySourceArn=f"{arn}x", ActionNames=["a:A"])[0] == (
            "NoSuchEntity"
        )


class TestAssumeRole:
    @pytest.fixture
    def role(self, iam, name):
        """A role that the account may assume, with the right to list functions."""
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=FOR_ACCOUNT)["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=allow("lambda:ListFunctions"))
        return made

    def test_the_session_is_the_roles(self, sts, role, as_session):
        answer = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="me")
        arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role['RoleName']}/me"
        assert answer["AssumedRoleUser"] == {"AssumedRoleId": f"{role['RoleId']}:me", "Arn": arn}
        assert as_session("sts", answer["Credentials"]).get_caller_identity()["Arn"] == arn
        lambda_ = as_session("lambda", answer["Credentials"])
        assert lambda_.list_functions()["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert refused(lambda_.get_account_settings) == (
            "AccessDeniedException",
            f"User: {arn} is not authorized to perform: lambda:GetAccountSettings on resource: * because no "
            "identity-based policy allows the lambda:GetAccountSettings action",
        )

    def test_a_session_policy_limits(self, sts, role, as_session):
        answer = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="me", Policy=allow("logs:*"))
        assert answer["PackedPolicySize"] > 0
        _, message = refused(as_session("lambda", answer["Credentials"]).list_functions)
        assert message.endswith("because no session policy allows the lambda:ListFunctions action")
        assert refused(sts.assume_role, RoleArn=role["Arn"], RoleSessionName="me", Policy="{}")[0] == (
            "MalformedPolicyDocument"
        )

    def test_the_trust_policy_decides(self, sts, iam, role, as_user):
        """A user needs its own permission as well, as long as the role only trusts the account."""
        user = as_user("sts")
        arn = iam.get_user(UserName=as_user.name)["User"]["Arn"]
        expected = f"User: {arn} is not authorized to perform: sts:AssumeRole on resource: {role['Arn']}"
        asked = {"RoleArn": role["Arn"], "RoleSessionName": "me"}
        assert refused(user.assume_role, **asked) == ("AccessDenied", expected)
        iam.put_user_policy(UserName=as_user.name, PolicyName="p", PolicyDocument=allow("sts:AssumeRole"))
        user.assume_role(**asked)
        iam.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=FOR_LAMBDA)
        assert refused(user.assume_role, **asked) == ("AccessDenied", expected)
        assert refused(sts.assume_role, **asked)[0] == "AccessDenied"
        iam.delete_user_policy(UserName=as_user.name, PolicyName="p")
        iam.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=trust({"AWS": arn}))
        user.assume_role(**asked)

    def test_external_id(self, sts, iam, role):
        condition = {"StringEquals": {"sts:ExternalId": "secret"}}
        iam.update_assume_role_policy(
            RoleName=role["RoleName"], PolicyDocument=trust({"AWS": ACCOUNT}, Condition=condition)
        )
        asked = {"RoleArn": role["Arn"], "RoleSessionName": "me"}
        assert refused(sts.assume_role, **asked)[0] == "AccessDenied"
        sts.assume_role(**asked, ExternalId="secret")

    def test_durations(self, sts, role, as_session):
        assert refused(sts.assume_role, RoleArn=role["Arn"], RoleSessionName="me", DurationSeconds=3601) == (
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
        answer = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="me", DurationSeconds=900)
        left_s = (answer["Credentials"]["Expiration"] - datetime.now(UTC)).total_seconds()
        assert 800 < left_s <= 900
        chained = as_session("sts", answer["Credentials"])
        missing = f"arn:aws:iam::{ACCOUNT}:role/not-there"
        assert refused(chained.assume_role, RoleArn=missing, RoleSessionName="me")[0] == "AccessDenied"

    def test_tags_reach_conditions(self, sts, iam, role, as_session):
        condition = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
        iam.put_role_policy(
            RoleName=role["RoleName"],
            PolicyName="p",
            PolicyDocument=allow("lambda:ListFunctions", Condition=condition),
        )
        for team, expected in (("red", True), ("blue", False)):
            answer = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="me", Tags=[{"Key": "team", "Value": team}])
            lambda_ = as_session("lambda", answer["Credentials"])
            if expected:
                lambda_.list_functions()
            else:
                assert refused(lambda_.list_functions)[0] == "AccessDeniedException"
        tags = [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]
        assert refused(sts.assume_role, RoleArn=role["Arn"], RoleSessionName="me", Tags=tags) == (
            "InvalidParameterValue",
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        )

    def test_transitive_tags_stay_through_role_chaining(self, sts, iam, role, as_session):
        """Keys are compared without regard to case; messages as recorded."""
        asked = {"RoleArn": role["Arn"], "RoleSessionName": "me"}
        assert refused(
            sts.assume_role, **asked, Tags=[{"Key": "team", "Value": "red"}], TransitiveTagKeys=["other"]
        ) == (
            "InvalidParameterValue",
            "The specified transitive tag key must be included in the requested tags.",
        )
        iam.put_role_policy(
            RoleName=role["RoleName"],
            PolicyName="p",
            PolicyDocument=allow(["sts:AssumeRole", "sts:TagSession"]),
        )
        first = sts.assume_role(**asked, Tags=[{"Key": "Team", "Value": "red"}], TransitiveTagKeys=["team"])
        chained = as_session("sts", first["Credentials"])
        for key in ("Team", "TEAM"):
            assert refused(chained.assume_role, **asked, Tags=[{"Key": key, "Value": "blue"}]) == (
                "InvalidParameterValue",
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
                "from the calling session.",
            )

    @pytest.mark.parametrize(
        "text",
        [
            "nothing-valid-in-here-at-all",
            "arn::b:::something/test-role",
            "arn:a::::something/test-role",
            "arn:a:::something/test-role",
            "arn:a:a::aaaaaaaaaa:",
            "arn:a:a::aaaaaaaaaa:x",
        ],
    )
    def test_invalid_arn(self, sts, text):
        """As recorded."""
        assert refused(sts.assume_role, RoleArn=text, RoleSessionName="me") == (
            "ValidationError",
            f"{text} is invalid",
        )


class TestOtherTokens:
    def test_session_token_of_a_user(self, as_user, iam, as_session):
        """It may do what the user may, and cannot make another one."""
        iam.put_user_policy(UserName=as_user.name, PolicyName="p", PolicyDocument=allow("lambda:ListFunctions"))
        credentials = as_user("sts").get_session_token()["Credentials"]
        session = as_session("sts", credentials)
        assert session.get_caller_identity()["Arn"].endswith(f":user/{as_user.name}")
        as_session("lambda", credentials).list_functions()
        assert refused(session.get_session_token) == (
            "AccessDenied",
            "Cannot call GetSessionToken with session credentials",
        )

    def test_access_key_info(self, sts, as_user):
        assert sts.get_access_key_info(AccessKeyId=as_user.key["AccessKeyId"])["Account"] == ACCOUNT
        assert sts.get_access_key_info(AccessKeyId="ASIAQNZGKIQY56JQ7WML")["Account"] == "029608264753"


class TestEnforcement:
    def test_a_user_may_invoke_what_its_policy_names(self, as_user, iam, make_function):
        function = make_function("def handler(event, context):\n    return 1\n")
        arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function.name}"
        lambda_ = as_user("lambda")
        dry = {"FunctionName": function.name, "InvocationType": "DryRun"}
        user = iam.get_user(UserName=as_user.name)["User"]["Arn"]
        assert refused(lambda_.invoke, **dry) == (
            "AccessDeniedException",
            f"User: {user} is not authorized to perform: lambda:InvokeFunction on resource: {arn} because no "
            "identity-based policy allows the lambda:InvokeFunction action",
        )
        iam.put_user_policy(UserName=as_user.name, PolicyName="p", PolicyDocument=allow("lambda:InvokeFunction", arn))
        assert lambda_.invoke(**dry)["StatusCode"] == 204
        denial = document(
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "lambda:InvokeFunction", "Resource": arn},
        )
        iam.put_user_policy(UserName=as_user.name, PolicyName="p", PolicyDocument=denial)
        assert refused(lambda_.invoke, **dry)[1].endswith("with an explicit deny in an identity-based policy")

    def test_other_accounts_functions_are_closed(self, sts, as_session, make_function):
        """While IAM is relaxed any account can be entered, but it sees nothing of this one."""
        function = make_function("def handler(event, context):\n    return 1\n")
        answer = sts.assume_role(RoleArn="arn:aws:iam::222222222222:role/any", RoleSessionName="me")
        lambda_ = as_session("lambda", answer["Credentials"])
        assert lambda_.list_functions()["Functions"] == []
        arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function.name}"
        code, message = refused(lambda_.get_function, FunctionName=arn)
        assert code == "AccessDeniedException"
        assert message.endswith("because no resource-based policy allows the lambda:GetFunction action")

    def test_a_role_that_lambda_may_not_assume(self, iam, name, lambda_, zipped):
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=FOR_ACCOUNT)["Role"]["Arn"]
        assert refused(
            lambda_.create_function,
            FunctionName=name,
            Runtime="python3.12",
            Handler="app.handler",
            Role=role,
            Code={"ZipFile": zipped({"app.py": "def handler(event, context): pass\n"})},
        ) == (
            "InvalidParameterValueException",
            "The role defined for the function cannot be assumed by Lambda.",
        )

    def test_the_code_of_a_function_may_what_its_role_may(self, iam, name, make_function):
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=FOR_LAMBDA)["Role"]["Arn"]
        iam.attach_role_policy(RoleName=name, PolicyArn=BASIC)
        function = make_function(
            "import boto3, botocore.exceptions\n"
            "def handler(event, context):\n"
            "    try:\n"
            "        return len(boto3.client('lambda').list_functions()['Functions'])\n"
            "    except botocore.exceptions.ClientError as error:\n"
            "        return error.response['Error']['Message']\n",
            Role=role,
        )
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{function.name}"
        assert function().startswith(f"User: {session} is not authorized to perform: lambda:ListFunctions")
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=allow("lambda:ListFunctions"))
        assert function() >= 1


class TestModes:
    def test_relaxed_is_said_at_the_start(self, server):
        assert "iam        relaxed: a role that does not exist may do everything in its account\n" in server.lines

    def test_enforce_wants_roles_that_exist(self, start_server, tmp_path, name, zipped):
        enforcing = start_server(tmp_path, "--iam", "enforce")
        assert "iam        enforce: a role that does not exist may do nothing\n" in enforcing.lines
        lambda_, iam, sts = (enforcing.client(service) for service in ("lambda", "iam", "sts"))
        request = {
            "FunctionName": name,
            "Runtime": "python3.12",
            "Handler": "app.handler",
            "Role": f"arn:aws:iam::{ACCOUNT}:role/{name}",
            "Code": {"ZipFile": zipped({"app.py": "def handler(event, context): pass\n"})},
        }
        assert refused(lambda_.create_function, **request) == (
            "InvalidParameterValueException",
            "The role defined for the function cannot be assumed by Lambda.",
        )
        assert refused(sts.assume_role, RoleArn=request["Role"], RoleSessionName="me")[0] == "AccessDenied"
        foreign = {**request, "Role": "arn:aws:iam::222222222222:role/x"}
        assert refused(lambda_.create_function, **foreign) == (
            "AccessDeniedException",
            "Cross-account pass role is not allowed.",
        )
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=FOR_LAMBDA)
        assert lambda_.create_function(**request)["Role"] == request["Role"]

    def test_enforce_wants_those_that_a_role_trusts(self, start_server, tmp_path, name):
        """So a role cannot trust itself at first. Published by users of Terraform and of the AWS CLI."""
        iam = start_server(tmp_path, "--iam", "enforce").client("iam")
        role, user = (f"arn:aws:iam::{ACCOUNT}:{kind}/{name}" for kind in ("role", "user"))

        def trust(arn):
            return json.dumps({"Statement": {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}})

        for arn in (role, user):
            assert refused(iam.create_role, RoleName=name, AssumeRolePolicyDocument=trust(arn)) == (
                "MalformedPolicyDocument",
                f'Invalid principal in policy: "AWS":"{arn}"',
            )
        iam.create_user(UserName=name)
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(user))
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust(role))
        elsewhere = trust("arn:aws:iam::222222222222:role/x")
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=elsewhere)

    def test_everything_survives_a_restart(self, start_server, tmp_path, name):
        first = start_server(tmp_path)
        iam = first.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=allow("lambda:ListFunctions"))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        assert first.stop() == 0
        second = start_server(tmp_path)
        lambda_ = second.client(
            "lambda", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )
        assert lambda_.list_functions()["Functions"] == []
        assert refused(lambda_.get_account_settings)[0] == "AccessDeniedException"
        assert second.stop() == 0


class TestCommandLine:
    """The AWS CLI, unmodified."""

    @pytest.fixture
    def aws(self, server):
        def run(*arguments, key=None):
            key_id, secret = key or server.keys()
            environment = {
                "PATH": os.environ["PATH"],
                "HOME": str(server.data_dir),
                "AWS_ACCESS_KEY_ID": key_id,
                "AWS_SECRET_ACCESS_KEY": secret,
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ENDPOINT_URL": server.endpoint,
            }
            command = [str(Path(sys.executable).with_name("aws")), *arguments]
            return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

        return run

    def test_tour(self, aws, name, tmp_path):
        """What tutorials tell a newcomer to type."""
        (tmp_path / "trust.json").write_text(FOR_LAMBDA)
        made = aws("iam", "create-role", "--role-name", name, "--assume-role-policy-document",
                   f"file://{tmp_path / 'trust.json'}")  # fmt: skip
        assert made.returncode == 0, made.stderr
        assert json.loads(made.stdout)["Role"]["AssumeRolePolicyDocument"] == json.loads(FOR_LAMBDA)
        attached = aws("iam", "attach-role-policy", "--role-name", name, "--policy-arn", BASIC)
        assert (attached.returncode, attached.stdout) == (0, "")
        listed = aws("iam", "list-attached-role-policies", "--role-name", name, "--output", "text")
        assert listed.stdout.split() == ["ATTACHEDPOLICIES", BASIC, "AWSLambdaBasicExecutionRole"]
        failed = aws("iam", "delete-role", "--role-name", name)
        assert "(DeleteConflict) when calling the DeleteRole operation" in failed.stderr
        assert failed.returncode != 0

    def test_a_refusal(self, aws, as_user):
        key = (as_user.key["AccessKeyId"], as_user.key["SecretAccessKey"])
        failed = aws("lambda", "list-functions", key=key)
        assert failed.returncode != 0
        assert "(AccessDeniedException) when calling the ListFunctions operation" in failed.stderr
        assert f"user/{as_user.name} is not authorized to perform: lambda:ListFunctions" in failed.stderr


class TestTelemetry:
    """Metrics, live tails and schemas are asked for under AWS's own actions and resources."""

    @pytest.fixture
    def allowed(self, iam, as_user):
        def allowed(*statements):
            iam.put_user_policy(UserName=as_user.name, PolicyName="p", PolicyDocument=document(*statements))
            return as_user

        return allowed

    def test_metrics_may_be_put_into_one_namespace(self, allowed):
        client = allowed(
            {
                "Effect": "Allow",
                "Action": "cloudwatch:PutMetricData",
                "Resource": "*",
                "Condition": {"StringEquals": {"cloudwatch:namespace": "Shop"}},
            }
        )("cloudwatch")
        data = [{"MetricName": "orders", "Value": 1.0}]
        client.put_metric_data(Namespace="Shop", MetricData=data)
        code, message = refused(client.put_metric_data, Namespace="Other", MetricData=data)
        assert (code, "cloudwatch:PutMetricData" in message) == ("AccessDenied", True)
        assert refused(client.list_metrics)[0] == "AccessDenied"

    def test_one_registry(self, server, allowed, name):
        registry = f"arn:aws:schemas:us-east-1:{ACCOUNT}:registry/{name}"
        client = allowed({"Effect": "Allow", "Action": "schemas:*", "Resource": registry})("schemas")
        client.create_registry(RegistryName=name)
        assert client.list_schemas(RegistryName=name)["Schemas"] == []
        assert refused(client.create_registry, RegistryName=f"{name}-2")[0] == "AccessDeniedException"
        schema = {"SchemaName": "s", "Type": "JSONSchemaDraft4", "Content": "{}"}
        assert refused(client.create_schema, RegistryName=name, **schema)[0] == "AccessDeniedException"
        server.client("schemas").delete_registry(RegistryName=name)

    def test_one_log_group(self, logs, allowed, name):
        arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{name}"
        logs.create_log_group(logGroupName=name)
        logs.create_log_group(logGroupName=f"{name}-2")
        user = allowed({"Effect": "Allow", "Action": "logs:StartLiveTail", "Resource": f"{arn}:*"})
        client = user("logs", config=Config(inject_host_prefix=False))
        client.start_live_tail(logGroupIdentifiers=[arn])["responseStream"].close()
        told = refused(client.start_live_tail, logGroupIdentifiers=[arn, f"{arn}-2"])
        assert told[0] == "AccessDeniedException"
