"""What Terraform's AWS provider asks of Lambda and IAM.

The provider itself runs where ``FIREFORK_TERRAFORM`` names a folder with the binary ``terraform`` and, under
``plugins``, a mirror of the provider as `terraform providers mirror` makes it: no package index has them. Everywhere
else its known calls are sent as it sends them (source: internal/service/lambda of hashicorp/terraform-provider-aws).
"""

import json
import os
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

PROVIDER = os.environ.get("FIREFORK_TERRAFORM")
QUEUE = "arn:aws:sqs:us-east-1:000000000000:terraform"
FUNCTIONS = "/2015-03-31/functions"
ASSUME = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


@pytest.fixture(scope="module")
def ask(server):
    """Sends a signed request with its path as given; status, body and headers of the answer."""
    signer = SigV4Auth(Credentials(*server.keys()), "lambda", "us-east-1")
    pool = urllib3.PoolManager(retries=False, timeout=30)

    def send(method, path, body=None):
        data = None if body is None else json.dumps(body)
        request = AWSRequest(method, server.endpoint + path, data=data)
        signer.add_auth(request)
        answer = pool.request(method, request.url, body=data, headers=dict(request.headers))
        return answer.status, json.loads(answer.data) if answer.data else None, answer.headers

    return send


@pytest.fixture
def function(make_function):
    return make_function("def handler(event, context): pass", Publish=True).name


class TestPaths:
    """The Go SDK percent-encodes whole ARNs in paths, colons included, and signs them so."""

    def test_a_whole_arn(self, ask, function, arn_of):
        status, shown, _ = ask("GET", f"{FUNCTIONS}/{quote(arn_of(function), safe='')}")
        assert status == 200
        assert shown["Configuration"]["FunctionName"] == function

    def test_a_version_as_qualified_arn_with_its_qualifier_again(self, ask, function, arn_of):
        """So the provider waits for a published version."""
        arn = f"{arn_of(function)}:1"
        path = f"{FUNCTIONS}/{quote(arn, safe='')}/configuration"
        for query in ("?Qualifier=1", "?Qualifier=", ""):
            status, shown, _ = ask("GET", path + query)
            assert (status, shown["FunctionArn"], shown["State"]) == (200, arn, "Active"), query

    def test_a_mapping_by_its_arn_takes_tags(self, ask, lambda_, function):
        mapping = lambda_.create_event_source_mapping(FunctionName=function, EventSourceArn=QUEUE, Tags={"a": "1"})
        arn = mapping["EventSourceMappingArn"]
        assert arn == f"arn:aws:lambda:us-east-1:000000000000:event-source-mapping:{mapping['UUID']}"
        path = f"/2017-03-31/tags/{quote(arn, safe='')}"
        assert ask("GET", path)[:2] == (200, {"Tags": {"a": "1"}})
        assert ask("POST", path, {"Tags": {"b": "2"}})[0] == 204
        assert ask("DELETE", f"{path}?tagKeys=a")[0] == 204
        assert ask("GET", path)[:2] == (200, {"Tags": {"b": "2"}})


class TestReads:
    def test_of_a_function_ask_for_more_than_the_function(self, ask, function, arn_of):
        """Every read of the resource sends these three."""
        status, shown, _ = ask("GET", f"{FUNCTIONS}/{function}")
        assert (status, set(shown)) == (200, {"Configuration", "Code"})
        status, versions, _ = ask("GET", f"{FUNCTIONS}/{function}/versions?MaxItems=10000")
        assert status == 200
        assert [each["Version"] for each in versions["Versions"]] == ["$LATEST", "1"]
        status, signing, _ = ask("GET", f"/2020-06-30/functions/{function}/code-signing-config")
        assert (status, signing) == (200, {})

    def test_what_was_never_set_is_not_there(self, lambda_, function):
        """A value in its place would show as a difference in the next plan, for ever."""
        shown = lambda_.get_function(FunctionName=function)
        assert "Tags" not in shown
        assert "Concurrency" not in shown
        never_set = {
            "CapacityProviderConfig",
            "DeadLetterConfig",
            "DurableConfig",
            "Environment",
            "FileSystemConfigs",
            "ImageConfigResponse",
            "KMSKeyArn",
            "Layers",
            "MasterArn",
            "SigningJobArn",
            "TenancyConfig",
            "VpcConfig",
        }
        assert never_set & set(shown["Configuration"]) == set()
        assert shown["Configuration"]["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function}"}

    def test_what_is_taken_back_is_not_there_either(self, lambda_, function, wait_updated):
        """The provider takes a block back by sending it empty."""
        lambda_.update_function_configuration(
            FunctionName=function,
            Environment={"Variables": {"MODE": "1"}},
            DeadLetterConfig={"TargetArn": QUEUE},
            KMSKeyArn="arn:aws:kms:us-east-1:000000000000:key/k",
        )
        wait_updated(function)
        lambda_.update_function_configuration(
            FunctionName=function,
            Environment={"Variables": {}},
            DeadLetterConfig={"TargetArn": ""},
            KMSKeyArn="",
            Layers=[],
        )
        wait_updated(function)
        shown = lambda_.get_function_configuration(FunctionName=function)
        assert shown.get("Environment", {}).get("Variables", {}) == {}
        assert {"DeadLetterConfig", "KMSKeyArn", "Layers"} & set(shown) == set()

    def test_an_alias_without_routing_has_none(self, ask, lambda_, function):
        lambda_.create_alias(
            FunctionName=function, Name="live", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {}}
        )
        assert "RoutingConfig" not in ask("GET", f"{FUNCTIONS}/{function}/aliases/live")[1]

    def test_of_a_role_after_its_creation(self, server):
        """CreateRole, then GetRole, its policies of both kinds; and its instance profiles before it is deleted."""
        iam = server.client("iam")
        created = iam.create_role(RoleName="terraform", AssumeRolePolicyDocument=ASSUME)["Role"]
        shown = iam.get_role(RoleName="terraform")["Role"]
        assert shown["Arn"] == created["Arn"]
        assert shown["MaxSessionDuration"] == 3600
        assert {"Description", "PermissionsBoundary"} & set(shown) == set()
        assert iam.list_role_policies(RoleName="terraform")["PolicyNames"] == []
        assert iam.list_attached_role_policies(RoleName="terraform")["AttachedPolicies"] == []
        assert iam.list_instance_profiles_for_role(RoleName="terraform")["InstanceProfiles"] == []
        iam.delete_role(RoleName="terraform")


class TestNumbersAndRefusals:
    def test_the_number_of_a_deleted_layer_version_is_not_used_again(self, lambda_, zipped):
        """A layer version is replaced by creating another one and deleting the old one."""
        content = {"ZipFile": zipped({"python/a.py": ""})}
        for number in (1, 2):
            assert lambda_.publish_layer_version(LayerName="terraform", Content=content)["Version"] == number
            lambda_.delete_layer_version(LayerName="terraform", VersionNumber=number)
        assert lambda_.publish_layer_version(LayerName="terraform", Content=content)["Version"] == 3

    def test_what_is_not_served_is_refused_and_never_an_empty_success(self, ask):
        """The provider reads members of an answer of 200 without looking whether they are there."""
        status, told, headers = ask("GET", "/2025-11-30/capacity-providers")
        assert (status, headers["x-amzn-ErrorType"]) == (501, "NotImplementedException")
        assert told["message"] == "Firefork does not implement the operation ListCapacityProviders of lambda."

    @pytest.mark.parametrize(
        "path",
        ["/2015-03-31/functions/nobody", "/2015-03-31/functions/nobody/policy", "/2018-10-31/layers/nobody/versions/1"],
    )
    def test_what_is_gone_is_gone(self, ask, path):
        """404 with this very code: the provider takes it as "create it again"."""
        status, told, headers = ask("GET", path)
        assert (status, headers["x-amzn-ErrorType"], told["Type"]) == (404, "ResourceNotFoundException", "User")


class TestProvider:
    """One of each resource: created, unchanged in the next plan, changed, and destroyed."""

    __test__ = PROVIDER is not None

    CONFIGURATION = """
variable "endpoint" {}
variable "description" {}
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region                      = "us-east-1"
  skip_metadata_api_check     = true
  skip_region_validation      = true
  endpoints {
    iam    = var.endpoint
    lambda = var.endpoint
    logs   = var.endpoint
    sts    = var.endpoint
  }
}
resource "aws_iam_role" "role" {
  name               = "terraform-provider"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}
resource "aws_iam_role_policy_attachment" "basic" {
  role       = aws_iam_role.role.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}
resource "aws_lambda_layer_version" "layer" {
  layer_name = "terraform-provider"
  filename   = "layer.zip"
}
resource "aws_lambda_function" "function" {
  function_name = "terraform-provider"
  description   = var.description
  role          = aws_iam_role.role.arn
  runtime       = "python3.12"
  handler       = "app.handler"
  filename      = "code.zip"
  layers        = [aws_lambda_layer_version.layer.arn]
  publish       = true
}
resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.function.function_name
  function_version = aws_lambda_function.function.version
}
resource "aws_lambda_permission" "s3" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.function.function_name
  principal     = "s3.amazonaws.com"
}
resource "aws_lambda_event_source_mapping" "queue" {
  function_name    = aws_lambda_function.function.arn
  event_source_arn = "arn:aws:sqs:us-east-1:000000000000:terraform"
  enabled          = false
  tags             = { team = "a" }
}
resource "aws_lambda_function_event_invoke_config" "events" {
  function_name          = aws_lambda_function.function.function_name
  maximum_retry_attempts = 1
}
resource "aws_lambda_function_url" "url" {
  function_name      = aws_lambda_function.function.function_name
  authorization_type = "AWS_IAM"
}
"""

    def test_apply_plan_change_destroy(self, server, zipped, tmp_path):
        folder = Path(PROVIDER)
        (tmp_path / "main.tf").write_text(self.CONFIGURATION)
        (tmp_path / "code.zip").write_bytes(zipped({"app.py": "def handler(event, context): return 1"}))
        (tmp_path / "layer.zip").write_bytes(zipped({"python/a.py": ""}))
        key, secret = server.keys()
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "CHECKPOINT_DISABLE": "1",
            "TF_VAR_endpoint": server.endpoint,
        }

        def terraform(*arguments, description="first", code=0):
            result = subprocess.run(
                [folder / "terraform", *arguments],
                cwd=tmp_path,
                env={**variables, "TF_VAR_description": description},
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )
            assert result.returncode == code, result.stdout + result.stderr

        terraform("init", f"-plugin-dir={folder / 'plugins'}")
        terraform("apply", "-auto-approve")
        terraform("plan", "-detailed-exitcode")  # 0: nothing to do
        terraform("plan", "-detailed-exitcode", description="second", code=2)
        terraform("apply", "-auto-approve", description="second")
        terraform("plan", "-detailed-exitcode", description="second")
        shown = server.client("lambda").get_alias(FunctionName="terraform-provider", Name="live")
        assert shown["FunctionVersion"] == "2"
        terraform("destroy", "-auto-approve")
