"""The check in front of every handler: contexts, accounts, what is remembered."""

import dataclasses
import json

import pytest

from firefork.api.authorization import Authorizer
from firefork.api.call import Call
from firefork.aws.errors import AccessDenied, ValidationError
from firefork.aws.principal import Principal, Session
from firefork.aws.scope import Scope
from firefork.catalog.iam.access_keys import AccessKeys
from firefork.catalog.iam.directory import Directory
from firefork.catalog.iam.entities import ManagedPolicy, User, new_unique_id
from firefork.catalog.iam.identities import Identities, RoleMode
from firefork.catalog.keys import role_session
from firefork.catalog.resource_policies import ResourcePolicies
from firefork.store.clock import now
from firefork.store.database import Database

ACCOUNT = "111111111111"
OTHER = "222222222222"
ANN = Principal(account=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:user/ann", user_id="AIDA1")
ROOT = Principal(account=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:root", user_id=ACCOUNT)
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"
FOREIGN = f"arn:aws:lambda:us-east-1:{OTHER}:function:f"


def policy(action, resource="*", effect="Allow", **more):
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class World:
    """An authorizer over a directory in which the user ann exists."""

    def __init__(self, database, tmp_path, mode=RoleMode.RELAXED):
        self.directory = Directory(database)
        self.shared = {}
        self.policies = ResourcePolicies(lambda arn: json.loads(self.shared[arn]) if arn in self.shared else None)
        self.tags = {}
        self.asked_for_tags = 0
        identities = Identities(self.directory, mode)
        self.keys = AccessKeys(database, self.directory)
        self.authorizer = Authorizer(
            self.directory, identities, self.keys, resource_policies=self.policies, resource_tags=self._tags
        )
        ann = User(
            account=ACCOUNT,
            partition="aws",
            path="/",
            name="ann",
            id=new_unique_id("AIDA"),
            created=now(),
            tags={"team": "red"},
        )
        self.directory.create(ann)

    def _tags(self, arn):
        self.asked_for_tags += 1
        return self.tags.get(arn, {})

    def managed(self, name, text):
        """A managed policy; its ARN."""
        made = ManagedPolicy(
            account=ACCOUNT,
            partition="aws",
            path="/",
            name=name,
            id=new_unique_id("ANPA"),
            created=now(),
            updated=now(),
            tags={},
        )
        self.directory.create(made, document=text)
        return made.arn

    def give(self, text):
        self.directory.put_inline(User, ACCOUNT, "ann", "p", text)

    def call(self, service, operation, principal=ANN, **more):
        return Call(
            service=service,
            operation=operation,
            scope=Scope(principal.account, "us-east-1"),
            principal=principal,
            request_id="",
            headers={"user-agent": "tests"},
            **{"endpoint": "http://x", "source_ip": "203.0.113.7", **more},
        )

    def share(self, arn, text):
        """Give a resource a policy, or take it away with ``None``."""
        self.shared[arn] = text
        if text is None:
            del self.shared[arn]
        self.policies.forget()

    def refusal(self, service, operation, request):
        with pytest.raises(AccessDenied) as refused:
            self.authorizer.check(self.call(service, operation), request)
        return refused.value.message

    def may(self, service, operation, request, **more):
        try:
            self.authorizer.check(self.call(service, operation, **more), request)
        except AccessDenied:
            return False
        return True

    def may_invoke(self, name="f", **more):
        return self.may("lambda", "Invoke", {"FunctionName": name}, **more)


@pytest.fixture
def database(tmp_path):
    database = Database.in_folder(tmp_path)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def world(database, tmp_path):
    return World(database, tmp_path)


class TestCalls:
    def test_without_a_policy_nothing_is_allowed(self, world):
        assert world.refusal("lambda", "Invoke", {"FunctionName": "f"}) == (
            f"User: {ANN.arn} is not authorized to perform: lambda:InvokeFunction on resource: {FUNCTION} "
            "because no identity-based policy allows the lambda:InvokeFunction action"
        )

    def test_resources_are_told_apart(self, world):
        world.give(policy("lambda:InvokeFunction", f"{FUNCTION}:prod"))
        assert world.may_invoke("f:prod")
        assert not world.may_invoke("f")
        assert not world.may_invoke("g:prod")

    def test_a_change_counts_at_the_next_call(self, world):
        """What is remembered about a caller ends with the change."""
        world.give(policy("lambda:*"))
        assert world.may_invoke()
        world.give(policy("lambda:Get*"))
        assert not world.may_invoke()

    def test_all_permissions_of_an_operation_are_needed(self, world):
        request = {"FunctionName": "f", "Role": f"arn:aws:iam::{ACCOUNT}:role/r"}
        world.give(policy("lambda:CreateFunction"))
        assert not world.may("lambda", "CreateFunction", request)
        world.give(policy(["lambda:CreateFunction", "iam:PassRole"]))
        assert world.may("lambda", "CreateFunction", request)

    def test_passing_a_role_says_to_whom(self, world):
        request = {"FunctionName": "f", "Role": f"arn:aws:iam::{ACCOUNT}:role/r"}
        for service, expected in (("lambda.amazonaws.com", True), ("ec2.amazonaws.com", False)):
            statements = [
                {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"},
                {
                    "Effect": "Allow",
                    "Action": "iam:PassRole",
                    "Resource": "*",
                    "Condition": {"StringEquals": {"iam:PassedToService": service}},
                },
            ]
            world.give(json.dumps({"Version": "2012-10-17", "Statement": statements}))
            assert world.may("lambda", "CreateFunction", request) is expected

    def test_root_may_do_everything(self, world):
        assert world.may("lambda", "DeleteFunction", {"FunctionName": "f"}, principal=ROOT)
        assert world.may("iam", "CreateUser", {"UserName": "x"}, principal=ROOT)

    def test_knowing_who_one_is_needs_no_permission(self, world):
        world.give(policy("*", effect="Deny"))
        assert world.may("sts", "GetCallerIdentity", {})

    def test_aws_policies_may_be_read_by_who_may_read_policies(self, world):
        request = {"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
        assert not world.may("iam", "GetPolicy", request)
        world.give(policy("iam:*"))
        assert world.may("iam", "GetPolicy", request)
        assert not world.may("iam", "DeletePolicy", request)

    def test_paths_of_existing_entities_count(self, world):
        user = world.directory.get(User, ACCOUNT, "ann")
        world.give(policy("iam:GetUser", user.arn))
        assert world.may("iam", "GetUser", {"UserName": "ann"})
        assert world.may("iam", "GetUser", {})
        assert not world.may("iam", "GetUser", {"UserName": "bob"})

    def test_key_use_is_noted(self, world):
        key, _ = world.keys.create(ACCOUNT, "ann")
        assert world.keys.last_use(key.id) is None
        world.may_invoke(access_key_id=key.id)
        use = world.keys.last_use(key.id)
        assert (use.service, use.region) == ("lambda", "us-east-1")


IAM = f"arn:aws:iam::{ACCOUNT}"
LOG_GROUP = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/g"

PUBLISHED = [
    ("lambda", "ListFunctions", {}, "lambda:ListFunctions on resource: *"),
    ("lambda", "GetFunction", {"FunctionName": "f"}, f"lambda:GetFunction on resource: {FUNCTION}"),
    ("iam", "GetRole", {"RoleName": "r"}, "iam:GetRole on resource: role r"),
    (
        "iam",
        "AttachRolePolicy",
        {"RoleName": "r", "PolicyArn": f"{IAM}:policy/p"},
        "iam:AttachRolePolicy on resource: role r",
    ),
    ("iam", "CreateRole", {"RoleName": "r"}, f"iam:CreateRole on resource: {IAM}:role/r"),
    ("iam", "ListRoles", {}, f"iam:ListRoles on resource: {IAM}:role/"),
    ("iam", "GetUser", {"UserName": "u"}, "iam:GetUser on resource: user u"),
    ("iam", "ListAccessKeys", {}, "iam:ListAccessKeys on resource: user ann"),
    ("iam", "CreateUser", {"UserName": "u"}, f"iam:CreateUser on resource: {IAM}:user/u"),
    ("iam", "ListUsers", {}, f"iam:ListUsers on resource: {IAM}:user/"),
    ("iam", "AddUserToGroup", {"GroupName": "g", "UserName": "u"}, "iam:AddUserToGroup on resource: group g"),
    ("iam", "CreateGroup", {"GroupName": "g"}, f"iam:CreateGroup on resource: {IAM}:group/g"),
    ("iam", "GetPolicy", {"PolicyArn": f"{IAM}:policy/p"}, f"iam:GetPolicy on resource: policy {IAM}:policy/p"),
    ("iam", "CreatePolicy", {"PolicyName": "p"}, "iam:CreatePolicy on resource: policy p"),
    ("iam", "ListPolicies", {}, "iam:ListPolicies on resource: policy path /"),
    (
        "iam",
        "GetInstanceProfile",
        {"InstanceProfileName": "i"},
        "iam:GetInstanceProfile on resource: instance profile i",
    ),
    (
        "iam",
        "CreateInstanceProfile",
        {"InstanceProfileName": "i"},
        f"iam:CreateInstanceProfile on resource: {IAM}:instance-profile/i",
    ),
    (
        "iam",
        "CreateServiceLinkedRole",
        {"AWSServiceName": "autoscaling.amazonaws.com"},
        "iam:CreateServiceLinkedRole on resource: "
        f"{IAM}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
    ),
    ("iam", "GetAccountSummary", {}, "iam:GetAccountSummary on resource: *"),
    ("sts", "GetAccessKeyInfo", {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}, "sts:GetAccessKeyInfo"),
    ("logs", "CreateLogGroup", {"logGroupName": "/g"}, f"logs:CreateLogGroup on resource: {LOG_GROUP}:log-stream:"),
    ("logs", "FilterLogEvents", {"logGroupName": "/g"}, f"logs:FilterLogEvents on resource: {LOG_GROUP}:log-stream:"),
    ("logs", "ListTagsForResource", {"resourceArn": LOG_GROUP}, f"logs:ListTagsForResource on resource: {LOG_GROUP}"),
    ("cloudwatch", "PutMetricData", {"Namespace": "n"}, "cloudwatch:PutMetricData"),
    ("cloudwatch", "GetMetricData", {}, "cloudwatch:GetMetricData"),
]

TAGGED = [
    (
        "iam",
        "CreateRole",
        {"RoleName": "r", "Tags": [{"Key": "a", "Value": "b"}]},
        f"iam:TagRole on resource: {IAM}:role/r",
    ),
    (
        "iam",
        "CreatePolicy",
        {"PolicyName": "p", "Tags": [{"Key": "a", "Value": "b"}]},
        "iam:TagPolicy on resource: policy p",
    ),
    (
        "logs",
        "CreateLogGroup",
        {"logGroupName": "/g", "tags": {"a": "b"}},
        f"logs:TagResource on resource: {LOG_GROUP}",
    ),
]


class TestWordsOfRefusals:
    """As people have published them: aws/aws-cdk#27067, aws-samples/rancher-on-aws-workshop#28,
    galaxyproject/cloudlaunch#205, aws/aws-sam-cli#394, skypilot-org/skypilot#3366, brefphp/bref#2028,
    elastic/apm-aws-lambda#526, and many more of the same form.
    """

    @pytest.mark.parametrize(("service", "operation", "request_", "what"), PUBLISHED)
    def test_nothing_allows(self, world, service, operation, request_, what):
        action = what.partition(" ")[0]
        assert world.refusal(service, operation, request_) == (
            f"User: {ANN.arn} is not authorized to perform: {what} because no identity-based policy allows the "
            f"{action} action"
        )

    @pytest.mark.parametrize(("service", "operation", "request_", "what"), TAGGED)
    def test_what_is_made_may_not_be_tagged(self, world, service, operation, request_, what):
        world.give(policy([f"{service}:Create*"]))
        assert f" is not authorized to perform: {what} because " in world.refusal(service, operation, request_)

    def test_a_managed_policy_that_denies_is_named(self, world):
        """AWS Security Blog, "Enhanced access denied error messages with policy ARNs": since January 2026."""
        arn = world.managed("deny", policy("lambda:*", effect="Deny"))
        world.directory.attach(User, ACCOUNT, "ann", arn)
        end = world.refusal("lambda", "ListFunctions", {}).partition(" on resource: * ")[2]
        assert end == f"with an explicit deny in an identity-based policy: {arn}"
        world.directory.detach(User, ACCOUNT, "ann", arn)
        world.give(policy("*"))
        world.directory.change(User, ACCOUNT, "ann", lambda ann: dataclasses.replace(ann, boundary_arn=arn))
        end = world.refusal("lambda", "ListFunctions", {}).partition(" on resource: * ")[2]
        assert end == f"with an explicit deny in a permissions boundary: {arn}"
        world.share(FOREIGN, policy("lambda:InvokeFunction", FOREIGN, Principal="*"))
        end = world.refusal("lambda", "Invoke", {"FunctionName": FOREIGN}).partition(f" on resource: {FOREIGN} ")[2]
        assert end == "with an explicit deny in a permissions boundary"

    def test_who_is_no_user_has_to_name_one(self, world):
        """That is looked at before any permission."""
        session = role_session(f"{IAM}:role/r", "s", session=Session(issued_at_s=0, role_arn=f"{IAM}:role/r"))
        with pytest.raises(ValidationError, match="Must specify userName when calling with non-User credentials"):
            world.authorizer.check(world.call("iam", "GetUser", principal=session), {})


class TestConditions:
    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            ({"StringEquals": {"aws:username": "ann"}}, True),
            ({"StringEquals": {"aws:PrincipalTag/team": "red"}}, True),
            ({"StringEquals": {"aws:PrincipalType": "User"}}, True),
            ({"ArnEquals": {"aws:PrincipalArn": ANN.arn}}, True),
            ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, True),
            ({"StringEquals": {"aws:ResourceAccount": ACCOUNT}}, True),
            ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, True),
            ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, False),
            ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, True),
            ({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, False),
            ({"Bool": {"aws:SecureTransport": "false"}}, True),
            ({"Bool": {"aws:ViaAWSService": "true"}}, False),
            ({"StringLike": {"aws:UserAgent": "test*"}}, True),
            ({"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, True),
            ({"NumericLessThan": {"aws:EpochTime": "1000"}}, False),
            ({"Null": {"aws:MultiFactorAuthPresent": "true"}}, True),
            ({"Null": {"aws:TokenIssueTime": "false"}}, False),
        ],
    )
    def test_global_keys(self, world, condition, expected):
        world.give(policy("lambda:*", Condition=condition))
        assert world.may_invoke() is expected

    def test_resource_tags_are_only_asked_for_when_needed(self, world):
        world.tags[FUNCTION] = {"Team": "red"}
        world.give(policy("lambda:*"))
        assert world.may_invoke()
        assert world.asked_for_tags == 0
        assert not world.authorizer.may_block(world.call("lambda", "Invoke"), {"FunctionName": "f"})
        same_team = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
        world.give(policy("lambda:*", Condition=same_team))
        assert world.may_invoke()
        assert not world.may_invoke("g")
        assert world.authorizer.may_block(world.call("lambda", "Invoke"), {"FunctionName": "f"})

    def test_request_tags(self, world):
        condition = {
            "StringEquals": {"aws:RequestTag/team": "red"},
            "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
        }
        world.give(policy("lambda:TagResource", Condition=condition))
        for tags, expected in (
            ({"team": "red"}, True),
            ({"team": "blue"}, False),
            ({"team": "red", "x": "y"}, False),
        ):
            assert world.may("lambda", "TagResource", {"Resource": FUNCTION, "Tags": tags}) is expected

    def test_layers(self, world):
        own = f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:*:*"
        condition = {"ForAllValues:StringLike": {"lambda:Layer": own}}
        statements = [
            {
                "Effect": "Allow",
                "Action": "lambda:UpdateFunctionConfiguration",
                "Resource": "*",
                "Condition": condition,
            },
            {"Effect": "Allow", "Action": "lambda:GetLayerVersion", "Resource": "*"},
        ]
        world.give(json.dumps({"Version": "2012-10-17", "Statement": statements}))
        foreign = f"arn:aws:lambda:us-east-1:{OTHER}:layer:l:1"
        world.share(foreign, policy("lambda:GetLayerVersion", foreign, Principal="*"))
        for layer, expected in ((foreign, False), (foreign.replace(OTHER, ACCOUNT), True)):
            request = {"FunctionName": "f", "Layers": [layer]}
            assert world.may("lambda", "UpdateFunctionConfiguration", request) is expected

    def test_the_calling_function_is_known(self, world):
        caller = role_session(
            f"arn:aws:iam::{ACCOUNT}:role/none",
            "s",
            session=Session(
                issued_at_s=0,
                role_arn=f"arn:aws:iam::{ACCOUNT}:role/none",
                policies=(
                    policy("lambda:*", Condition={"ArnEquals": {"lambda:SourceFunctionArn": f"{FUNCTION}-caller"}}),
                ),
                function_arn=f"{FUNCTION}-caller",
            ),
        )
        assert world.may_invoke(principal=caller)


class TestResourcePolicies:
    def test_other_accounts_need_one(self, world):
        """And the caller's own policies have to allow as well."""
        world.give(policy("lambda:InvokeFunction"))
        assert not world.may_invoke(FOREIGN)
        world.share(FOREIGN, policy("lambda:InvokeFunction", FOREIGN, Principal={"AWS": ACCOUNT}))
        assert world.may_invoke(FOREIGN)
        world.give(policy("lambda:Get*"))
        assert not world.may_invoke(FOREIGN)

    def test_root_of_another_account_needs_one(self, world):
        assert not world.may_invoke(FOREIGN, principal=ROOT)
        world.share(FOREIGN, policy("lambda:InvokeFunction", FOREIGN, Principal="*"))
        assert world.may_invoke(FOREIGN, principal=ROOT)

    def test_a_changed_one_counts_at_once(self, world):
        world.give(policy("lambda:InvokeFunction"))
        assert world.may_invoke()
        world.share(FUNCTION, policy("lambda:InvokeFunction", FUNCTION, "Deny", Principal="*"))
        assert not world.may_invoke()
        world.share(FUNCTION, None)
        assert world.may_invoke()

    def test_one_that_is_not_known_yet_may_block(self, world):
        world.give(policy("lambda:InvokeFunction"))
        call = world.call("lambda", "Invoke")
        assert world.authorizer.may_block(call, {"FunctionName": "f"})
        assert world.may_invoke()
        assert not world.authorizer.may_block(call, {"FunctionName": "f"})
        assert world.authorizer.may_block(call, {"FunctionName": "f:prod"})

    def test_each_qualifier_has_its_own(self, world):
        world.share(f"{FUNCTION}:prod", policy("lambda:*", f"{FUNCTION}:prod", Principal={"AWS": ANN.arn}))
        assert world.may_invoke("f:prod")
        assert not world.may_invoke("f")


COPIED = {"FunctionName": "f", "Role": f"arn:aws:iam::{OTHER}:role/copied"}


class TestForeignRoles:
    def test_are_only_names_while_relaxed(self, world):
        assert world.may("lambda", "CreateFunction", COPIED, principal=ROOT)

    def test_need_the_permission_to_pass_roles_all_the_same(self, world):
        """Otherwise a made-up role would be a way to everything."""
        world.give(policy("lambda:*"))
        assert not world.may("lambda", "CreateFunction", COPIED)
        world.give(policy(["lambda:*", "iam:PassRole"]))
        assert world.may("lambda", "CreateFunction", COPIED)

    def test_cannot_be_passed_when_enforced(self, database, tmp_path):
        world = World(database, tmp_path, RoleMode.ENFORCE)
        with pytest.raises(AccessDenied) as refused:
            world.authorizer.check(world.call("lambda", "CreateFunction", principal=ROOT), COPIED)
        assert refused.value.message == "Cross-account pass role is not allowed."
