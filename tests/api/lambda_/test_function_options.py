"""Every option of a function: stored, shown, changed, unset, refused. Messages as recorded on AWS where known."""

import pytest

ROLE = "arn:aws:iam::000000000000:role/tester"
VPC = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
FILE_SYSTEM = {
    "Arn": "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0",
    "LocalMountPath": "/mnt/data",
}


@pytest.fixture
def read(lambda_, name):
    return lambda: lambda_.get_function_configuration(FunctionName=name)


@pytest.fixture
def update(lambda_, name, wait_updated):
    def call(**options):
        answer = lambda_.update_function_configuration(FunctionName=name, **options)
        wait_updated(name)
        return answer

    return call


class TestStored:
    """Kept and echoed; an empty value unsets, and what was never set is not shown."""

    def test_nothing_is_shown_that_was_never_set(self, read):
        unset = {
            "VpcConfig",
            "DeadLetterConfig",
            "KMSKeyArn",
            "FileSystemConfigs",
            "TenancyConfig",
            "DurableConfig",
            "Environment",
            "Layers",
            "ImageConfigResponse",
            "SigningJobArn",
            "MasterArn",
        }
        assert not unset & set(read())

    def test_vpc(self, update, read):
        update(VpcConfig={**VPC, "Ipv6AllowedForDualStack": True})
        shown = read()["VpcConfig"]
        assert shown.pop("VpcId").startswith("vpc-")
        assert shown == {**VPC, "Ipv6AllowedForDualStack": True}
        update(VpcConfig={"SubnetIds": [], "SecurityGroupIds": []})
        empty = {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": "", "Ipv6AllowedForDualStack": False}
        assert read()["VpcConfig"] == empty

    @pytest.mark.parametrize(
        ("member", "value", "nothing"),
        [
            ("KMSKeyArn", "arn:aws:kms:us-east-1:000000000000:key/k", ""),
            ("DeadLetterConfig", {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q"}, {"TargetArn": ""}),
            ("FileSystemConfigs", [FILE_SYSTEM], []),
        ],
    )
    def test_set_and_unset(self, update, read, member, value, nothing):
        update(VpcConfig=VPC, **{member: value})
        assert read()[member] == value
        update(Timeout=5)
        assert read()[member] == value
        update(**{member: nothing})
        assert member not in read()

    def test_durable_and_tenancy_are_set_at_creation(self, plain, lambda_, wait_updated, refusal):
        durable = {"ExecutionTimeout": 60, "RetentionPeriodInDays": 2}
        name = plain(DurableConfig=durable, TenancyConfig={"TenantIsolationMode": "PER_TENANT"})
        lambda_.update_function_configuration(FunctionName=name, DurableConfig={"RetentionPeriodInDays": 3})
        wait_updated(name)
        shown = lambda_.get_function_configuration(FunctionName=name)
        assert shown["DurableConfig"] == {"ExecutionTimeout": 60, "RetentionPeriodInDays": 3}
        assert shown["TenancyConfig"] == {"TenantIsolationMode": "PER_TENANT"}
        answer = refusal(lambda_.update_function_configuration, FunctionName=plain(), DurableConfig=durable)
        assert answer["Error"]["Code"] == "InvalidParameterValueException"

    def test_logging_levels_come_with_json(self, update, read, name, lambda_, refusal):
        assert read()["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
        update(LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "WARN"})
        json_logging = {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "WARN"}
        assert read()["LoggingConfig"] == {**json_logging, "LogGroup": f"/aws/lambda/{name}"}
        update(LoggingConfig={"LogFormat": "Text", "LogGroup": "/mine"})
        assert read()["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/mine"}
        answer = refusal(
            lambda_.update_function_configuration,
            FunctionName=name,
            LoggingConfig={"LogFormat": "Text", "SystemLogLevel": "WARN"},
        )
        assert answer["Error"]["Code"] == "InvalidParameterValueException"

    def test_where_the_code_came_from(self, lambda_, name, zipped, wait_updated):
        key = "arn:aws:kms:us-east-1:000000000000:key/k"
        code = zipped({"app.py": "def handler(e, c): return 2"})
        lambda_.update_function_code(FunctionName=name, ZipFile=code, SourceKMSKeyArn=key, Architectures=["x86_64"])
        wait_updated(name)
        assert lambda_.get_function(FunctionName=name)["Code"]["SourceKMSKeyArn"] == key
        lambda_.update_function_code(FunctionName=name, ZipFile=code)
        assert "SourceKMSKeyArn" not in lambda_.get_function(FunctionName=name)["Code"]

    def test_everything_at_once_is_in_one_version(self, plain, lambda_):
        options = {
            "Description": "d",
            "Timeout": 4,
            "MemorySize": 256,
            "EphemeralStorage": {"Size": 1024},
            "TracingConfig": {"Mode": "Active"},
            "SnapStart": {"ApplyOn": "None"},
            "KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/k",
            "Environment": {"Variables": {}},
        }
        name = plain(**options)
        version = lambda_.publish_version(FunctionName=name)
        for member, value in options.items():
            shown = version[member]
            assert (shown if not isinstance(value, dict) else {key: shown[key] for key in value}) == value


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                {"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": []}},
                "SecurityGroupIds and SubnetIds must coexist or be both empty list.",
            ),
            (
                {"Environment": {"Variables": {"AWS_REGION": "x"}}},
                "Lambda was unable to configure your environment variables because the environment variables you have "
                "provided contains reserved keys that are currently not supported for modification. Reserved keys used "
                "in this request: AWS_REGION",
            ),
            (
                {"SnapStart": {"ApplyOn": "PublishedVersions"}, "Runtime": "python3.9"},
                "python3.9 is not supported for SnapStart enabled functions.",
            ),
            ({"FileSystemConfigs": [FILE_SYSTEM]}, "A function must be connected to a VPC to mount a file system."),
        ],
    )
    def test_update(self, lambda_, name, read, refusal, options, message):
        before = read()
        answer = refusal(lambda_.update_function_configuration, FunctionName=name, **options)
        assert (answer["Error"]["Code"], answer["message"]) == ("InvalidParameterValueException", message)
        after = read()
        for answer in (before, after):
            del answer["ResponseMetadata"]
        assert before == after

    @pytest.mark.parametrize(
        "options",
        [
            {
                "CapacityProviderConfig": {
                    "LambdaManagedInstancesCapacityProviderConfig": {
                        "CapacityProviderArn": "arn:aws:lambda:us-east-1:000000000000:capacity-provider:c"
                    }
                }
            },
            {"ImageConfig": {"Command": ["x"]}},
            {"AcceleratorConfig": {"AcceleratorMemorySize": 16}},
        ],
    )
    def test_what_would_have_no_effect(self, lambda_, name, refusal, options):
        answer = refusal(lambda_.update_function_configuration, FunctionName=name, **options)
        assert answer["Error"]["Code"] == "InvalidParameterValueException"

    def test_images_until_they_can_run(self, lambda_, name, refusal):
        answer = refusal(lambda_.update_function_code, FunctionName=name, ImageUri="x/y:z")
        assert answer["message"] == ("Please don't provide ImageUri when updating a function with packageType Zip.")
        answer = refusal(
            lambda_.create_function,
            FunctionName="image-function",
            PackageType="Image",
            Code={"ImageUri": "x/y:z"},
            Role=ROLE,
        )
        assert answer["Error"]["Code"] == "InvalidParameterValueException"
        assert "images are not supported yet" in answer["message"]

    def test_layers(self, lambda_, name, zipped, refusal):
        layer = lambda_.publish_layer_version(LayerName="optional", Content={"ZipFile": zipped({"python/o.py": ""})})
        arn, base = layer["LayerVersionArn"], layer["LayerArn"]
        for layers, message in (
            (
                [arn, arn],
                "Two different versions of the same layer are not allowed to be referenced in the same function. "
                f"{arn} and {arn} are versions of the same layer.",
            ),
            ([f"{base}:9"], f"Layer version {base}:9 does not exist."),
            (
                [arn.replace("us-east-1", "eu-west-1")],
                "Layers are not in the same region as the function. Layers are expected to be in region us-east-1.",
            ),
        ):
            answer = refusal(lambda_.update_function_configuration, FunctionName=name, Layers=layers)
            assert answer["message"] == message


class TestPublishing:
    """States as recorded on AWS: what is published with a change is Pending first, PublishVersion's is Active."""

    def _create(self, lambda_, zipped, name):
        code = {"ZipFile": zipped({"app.py": "def handler(e, c): pass"})}
        return lambda_.create_function(
            FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=ROLE, Code=code, Publish=True
        )

    def test_with_a_creation(self, lambda_, zipped, arn_of):
        created = self._create(lambda_, zipped, "published-at-birth")
        assert (created["Version"], created["State"], created["FunctionArn"]) == (
            "1",
            "Pending",
            arn_of("published-at-birth"),
        )
        version = {"FunctionName": "published-at-birth", "Qualifier": "1"}
        lambda_.get_waiter("published_version_active").wait(**version, WaiterConfig={"Delay": 0.05})
        shown = lambda_.get_function_configuration(**version)
        assert (shown["State"], shown["LastUpdateStatus"]) == ("Active", "Successful")
        again = lambda_.publish_version(FunctionName="published-at-birth")
        assert (again["Version"], again["RevisionId"]) == ("1", shown["RevisionId"])

    def test_with_an_update(self, lambda_, name, zipped, arn_of, wait_updated):
        code = zipped({"app.py": "def handler(e, c): return 'published'"})
        updated = lambda_.update_function_code(FunctionName=name, ZipFile=code, Publish=True)
        assert (updated["FunctionArn"], updated["State"], updated["StateReasonCode"]) == (
            f"{arn_of(name)}:1",
            "Pending",
            "Creating",
        )
        assert "LastUpdateStatus" not in updated
        wait_updated(name)
        assert lambda_.get_function_configuration(FunctionName=name, Qualifier="1")["State"] == "Active"

    def test_nothing_when_nothing_changed(self, lambda_, name):
        first = lambda_.publish_version(FunctionName=name, Description="mine")
        assert (first["Version"], first["State"], first["Description"]) == ("1", "Active", "mine")
        again = lambda_.publish_version(FunctionName=name, Description="mine")
        assert (again["Version"], again["RevisionId"]) == ("1", first["RevisionId"])
        assert lambda_.publish_version(FunctionName=name)["Version"] == "2"  # the description is part of a version

    def test_guards(self, lambda_, name, refusal):
        sha256 = lambda_.get_function_configuration(FunctionName=name)["CodeSha256"]
        answer = refusal(lambda_.publish_version, FunctionName=name, CodeSha256="somenonexistentsha256")
        assert answer["message"] == (
            f"CodeSHA256 (somenonexistentsha256) is different from current CodeSHA256 in $LATEST ({sha256}). Please "
            "try again with the CodeSHA256 in $LATEST."
        )
        answer = refusal(lambda_.publish_version, FunctionName=name, RevisionId="wrong")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 412
        assert len(lambda_.list_versions_by_function(FunctionName=name)["Versions"]) == 1

    def test_numbers_are_not_used_again(self, lambda_, name, wait_updated):
        lambda_.publish_version(FunctionName=name)
        lambda_.delete_function(FunctionName=name, Qualifier="1")
        lambda_.delete_function(FunctionName=name, Qualifier="1")  # no error, as on AWS
        lambda_.update_function_configuration(FunctionName=name, Timeout=7)
        wait_updated(name)
        assert lambda_.publish_version(FunctionName=name)["Version"] == "2"


class TestUpdating:
    def test_dry_run_changes_nothing(self, lambda_, name, read, zipped):
        before = read()
        code = zipped({"app.py": "def handler(e, c): return 'dry'"})
        told = lambda_.update_function_code(FunctionName=name, ZipFile=code, DryRun=True, Publish=True)
        assert told["CodeSha256"] != before["CodeSha256"]
        assert read()["RevisionId"] == before["RevisionId"]
        assert read()["CodeSha256"] == before["CodeSha256"]


class TestLists:
    def test_master_region(self, lambda_, name, refusal):
        """AWS: API reference, ListFunctions: there are no replicas of Lambda@Edge functions here."""
        pages = lambda_.get_paginator("list_functions").paginate(MasterRegion="ALL", FunctionVersion="ALL")
        assert name in {function["FunctionName"] for page in pages for function in page["Functions"]}
        assert lambda_.list_functions(MasterRegion="us-east-1", FunctionVersion="ALL")["Functions"] == []
        answer = refusal(lambda_.list_functions, MasterRegion="us-east-1")
        assert answer["Error"]["Code"] == "InvalidParameterValueException"

    @pytest.mark.parametrize("marker", ["%%%", "bm8=", "bnVsbA==", "WzEsMl0=", "eyJhIjoxfQ=="])
    def test_a_marker_that_nobody_gave(self, lambda_, name, refusal, marker):
        for operation in ("list_functions", "list_layers", "list_code_signing_configs"):
            answer = refusal(getattr(lambda_, operation), Marker=marker)
            assert answer["message"] == "Invalid pagination token"
        answer = refusal(lambda_.list_versions_by_function, FunctionName=name, Marker=marker)
        assert answer["message"] == "Invalid pagination token"


class TestNamesOfTerraform:
    """Whole ARNs come percent-encoded in the path, and a version as a qualified ARN with its qualifier beside it."""

    def test_every_form_finds_the_function(self, lambda_, name, arn_of):
        lambda_.publish_version(FunctionName=name)
        for form in (arn_of(name), f"000000000000:function:{name}", f"function:{name}", name):
            assert lambda_.get_function(FunctionName=form)["Configuration"]["FunctionArn"] == arn_of(name)
        shown = lambda_.get_function_configuration(FunctionName=f"{arn_of(name)}:1", Qualifier="1")
        assert shown["FunctionArn"] == f"{arn_of(name)}:1"
        assert len(lambda_.list_versions_by_function(FunctionName=arn_of(name))["Versions"]) == 2
        assert "CodeSigningConfigArn" not in lambda_.get_function_code_signing_config(FunctionName=arn_of(name))


class TestAccount:
    def test_counts_functions(self, lambda_, plain):
        """AWS: API reference, GetAccountSettings."""
        before = lambda_.get_account_settings()["AccountUsage"]["FunctionCount"]
        name = plain()
        assert lambda_.get_account_settings()["AccountUsage"]["FunctionCount"] == before + 1
        assert "ReservedConcurrentExecutions" not in lambda_.get_function_concurrency(FunctionName=name)

    def test_every_version_and_layer_counts_its_package(self, server, zipped):
        """Recorded: an update of the configuration adds nothing, a version of the same code does."""
        lambda_ = server.client("lambda", region="ca-central-1")

        def total():
            return lambda_.get_account_settings()["AccountUsage"]["TotalCodeSize"]

        assert total() == 0
        archive = zipped({"app.py": "def handler(event, context): pass"})
        wanted = {"Runtime": "python3.12", "Handler": "app.handler", "Role": "arn:aws:iam::000000000000:role/r"}
        lambda_.create_function(FunctionName="counted", Code={"ZipFile": archive}, **wanted)
        lambda_.get_waiter("function_active_v2").wait(FunctionName="counted", WaiterConfig={"Delay": 0.05})
        assert total() == len(archive)
        lambda_.update_function_configuration(FunctionName="counted", Timeout=4)
        assert total() == len(archive)
        lambda_.get_waiter("function_updated_v2").wait(FunctionName="counted", WaiterConfig={"Delay": 0.05})
        lambda_.publish_version(FunctionName="counted")
        assert total() == 2 * len(archive)
        for number in (1, 2):
            layer = lambda_.publish_layer_version(LayerName="counted", Content={"ZipFile": archive})
            assert total() == (2 + number) * layer["Content"]["CodeSize"]
        lambda_.delete_layer_version(LayerName="counted", VersionNumber=1)
        assert total() == 3 * len(archive)
        lambda_.delete_function(FunctionName="counted")
        assert total() == len(archive)
