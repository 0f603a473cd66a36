"""Which permissions operations need."""

import re

import pytest

from firefork.api.actions import TABLE, Asked, permissions
from firefork.api.call import Call
from firefork.aws import models
from firefork.aws.principal import Principal
from firefork.aws.scope import Scope

ACCOUNT = "111111111111"
ROOT = Principal(account=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:root", user_id=ACCOUNT)


def asked(service, operation, request):
    call = Call(
        service=service,
        operation=operation,
        scope=Scope(ACCOUNT, "eu-west-1"),
        principal=ROOT,
        request_id="",
        endpoint="http://x",
        headers={},
    )
    return Asked(call, request, lambda kind, name: f"arn:aws:iam::{ACCOUNT}:{kind.kind}/path/{name}")


def needed(service, operation, **request):
    """``[(action, resource)]``."""
    found = asked(service, operation, request)
    return [(one.action, arn) for one in permissions(service, operation) for arn in one.resources(found)]


FUNCTION = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f"
GROUP = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/g:log-stream:"


class TestTable:
    def test_every_lambda_operation_has_a_row(self):
        assert set(TABLE["lambda"]) == set(models.service_model("lambda").operation_names)

    @pytest.mark.parametrize("service", sorted(TABLE))
    def test_rows_are_operations(self, service):
        """A row that no operation has would protect nothing."""
        assert set(TABLE[service]) <= set(models.service_model(service).operation_names)

    def test_actions_have_a_known_form(self):
        for service, rows in TABLE.items():
            for row in rows.values():
                assert all(re.fullmatch(rf"(iam|{service}):[A-Z]\w+", one.action) for one in row)

    def test_only_sts_has_operations_without_permission(self):
        free = {(service, name) for service, rows in TABLE.items() for name, row in rows.items() if not row}
        assert free == {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken"), ("sts", "AssumeRole")}

    def test_an_operation_without_a_row_needs_its_own_name(self):
        assert needed("logs", "StopQuery") == [("logs:StopQuery", "*")]


class TestLambda:
    @pytest.mark.parametrize("operation", ["Invoke", "InvokeWithResponseStream"])
    @pytest.mark.parametrize(
        ("request_", "resource"),
        [
            ({"FunctionName": "f"}, FUNCTION),
            ({"FunctionName": "f", "Qualifier": "prod"}, f"{FUNCTION}:prod"),
            ({"FunctionName": "f:7"}, f"{FUNCTION}:7"),
            ({"FunctionName": f"{FUNCTION}:$LATEST"}, f"{FUNCTION}:$LATEST"),
            (
                {"FunctionName": "arn:aws:lambda:eu-west-1:222222222222:function:f"},
                "arn:aws:lambda:eu-west-1:222222222222:function:f",
            ),
        ],
    )
    def test_invoking_is_one_action(self, operation, request_, resource):
        assert needed("lambda", operation, **request_) == [("lambda:InvokeFunction", resource)]

    def test_creating_passes_the_role_and_uses_the_layers(self):
        layer = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:layer:l:1"
        role = f"arn:aws:iam::{ACCOUNT}:role/r"
        assert needed("lambda", "CreateFunction", FunctionName="f", Role=role, Layers=[layer], Tags={"a": "b"}) == [
            ("lambda:CreateFunction", FUNCTION),
            ("iam:PassRole", role),
            ("lambda:GetLayerVersion", layer),
            ("lambda:TagResource", FUNCTION),
        ]

    def test_updating_without_a_role_passes_none(self):
        assert needed("lambda", "UpdateFunctionConfiguration", FunctionName="f:prod") == [
            ("lambda:UpdateFunctionConfiguration", FUNCTION)
        ]

    @pytest.mark.parametrize(
        ("operation", "request_", "resource"),
        [
            ("GetFunction", {"FunctionName": "f", "Qualifier": "1"}, f"{FUNCTION}:1"),
            ("CreateAlias", {"FunctionName": "f", "Name": "a"}, FUNCTION),
            ("ListFunctions", {}, "*"),
            (
                "GetLayerVersion",
                {"LayerName": "l", "VersionNumber": 3},
                f"arn:aws:lambda:eu-west-1:{ACCOUNT}:layer:l:3",
            ),
            ("PublishLayerVersion", {"LayerName": "l"}, f"arn:aws:lambda:eu-west-1:{ACCOUNT}:layer:l"),
            (
                "GetEventSourceMapping",
                {"UUID": "u"},
                f"arn:aws:lambda:eu-west-1:{ACCOUNT}:event-source-mapping:u",
            ),
            ("ListTags", {"Resource": FUNCTION}, FUNCTION),
        ],
    )
    def test_resources(self, operation, request_, resource):
        assert needed("lambda", operation, **request_) == [(f"lambda:{operation}", resource)]

    def test_condition_keys(self):
        request = {
            "FunctionName": "f",
            "Layers": ["l"],
            "VpcConfig": {"SubnetIds": ["s1", "s2"], "SecurityGroupIds": []},
        }
        rows = permissions("lambda", "UpdateFunctionConfiguration")
        assert rows[0].keys(asked("lambda", "UpdateFunctionConfiguration", request)) == {
            "lambda:layer": ("l",),
            "lambda:subnetids": ("s1", "s2"),
        }
        (mapping,) = permissions("lambda", "CreateEventSourceMapping")
        assert mapping.keys(asked("lambda", "CreateEventSourceMapping", {"FunctionName": "f:a"})) == {
            "lambda:functionarn": FUNCTION
        }


class TestLogs:
    @pytest.mark.parametrize(
        ("operation", "request_", "resource"),
        [
            ("CreateLogGroup", {"logGroupName": "/g"}, GROUP),
            ("CreateLogStream", {"logGroupName": "/g", "logStreamName": "s"}, f"{GROUP}s"),
            ("PutLogEvents", {"logGroupName": "/g", "logStreamName": "s"}, f"{GROUP}s"),
            ("FilterLogEvents", {"logGroupIdentifier": f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/g"}, GROUP),
            ("DescribeLogGroups", {}, f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group::log-stream:"),
            ("StartQuery", {"logGroupNames": ["/g"]}, GROUP),
            ("StartLiveTail", {"logGroupIdentifiers": [f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/g"]}, GROUP),
        ],
    )
    def test_resources(self, operation, request_, resource):
        assert needed("logs", operation, **request_) == [(f"logs:{operation}", resource)]


class TestCloudwatch:
    def test_putting_can_be_allowed_by_namespace(self):
        (permission,) = permissions("cloudwatch", "PutMetricData")
        request = {"Namespace": "Shop"}
        assert needed("cloudwatch", "PutMetricData", **request) == [("cloudwatch:PutMetricData", "*")]
        assert permission.keys(asked("cloudwatch", "PutMetricData", request)) == {"cloudwatch:namespace": "Shop"}

    def test_reading_is_of_everything(self):
        assert needed("cloudwatch", "GetMetricData") == [("cloudwatch:GetMetricData", "*")]


class TestSchemas:
    @pytest.mark.parametrize(
        ("operation", "request_", "resource"),
        [
            ("CreateRegistry", {"RegistryName": "r"}, "registry/r"),
            ("ListSchemas", {"RegistryName": "r"}, "registry/r"),
            ("DescribeSchema", {"RegistryName": "r", "SchemaName": "s"}, "schema/r/s"),
        ],
    )
    def test_resources(self, operation, request_, resource):
        arn = f"arn:aws:schemas:eu-west-1:{ACCOUNT}:{resource}"
        assert needed("schemas", operation, **request_) == [(f"schemas:{operation}", arn)]


class TestIam:
    @pytest.mark.parametrize(
        ("operation", "request_", "resource"),
        [
            ("GetRole", {"RoleName": "r"}, f"arn:aws:iam::{ACCOUNT}:role/path/r"),
            ("CreateRole", {"RoleName": "r", "Path": "/a/"}, f"arn:aws:iam::{ACCOUNT}:role/a/r"),
            ("ListRoles", {}, f"arn:aws:iam::{ACCOUNT}:role/"),
            ("GetUser", {}, ROOT.arn),
            ("GetPolicy", {"PolicyArn": "arn:aws:iam::aws:policy/X"}, "arn:aws:iam::aws:policy/X"),
            (
                "CreateServiceLinkedRole",
                {"AWSServiceName": "rds.amazonaws.com", "CustomSuffix": "x"},
                f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS_x",
            ),
        ],
    )
    def test_resources(self, operation, request_, resource):
        assert needed("iam", operation, **request_) == [(f"iam:{operation}", resource)]
