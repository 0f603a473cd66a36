"""The records of functions, versions, layers and tags through boto3; nothing is invoked."""

import base64
import hashlib
import itertools
import json
import os
import urllib.request

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/tester"
ARN = "arn:aws:lambda:us-east-1:000000000000"
_names = itertools.count(1)


@pytest.fixture(scope="module")
def code(zipped):
    return zipped({"app.py": "def handler(event, context):\n    return 1\n"})


@pytest.fixture
def create(lambda_, code):
    """Creates functions of the test's own; they are deleted after it."""
    made = []

    def create_function(name=None, *, wait=True, client=lambda_, **options):
        name = name or f"record-{os.getpid()}-{next(_names)}"
        settings = {"Runtime": "python3.12", "Handler": "app.handler", "Role": ROLE, "Code": {"ZipFile": code}}
        created = client.create_function(FunctionName=name, **{**settings, **options})
        made.append((client, name))
        if wait:
            client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
        return created

    yield create_function
    for client, name in made:
        try:
            client.delete_function(FunctionName=name)
        except client.exceptions.ResourceNotFoundException:
            continue  # the test did it


def refused(call, code):
    """The message of a refusal with that code."""
    with pytest.raises(ClientError) as refusal:
        call()
    assert refusal.value.response["Error"]["Code"] == code, refusal.value
    return refusal.value.response["Error"]["Message"]


class TestCreate:
    def test_the_record_is_awss(self, lambda_, create, code):
        created = create(wait=False, Tags={"k": "v"}, Environment={"Variables": {}})
        del created["ResponseMetadata"]
        name = created["FunctionName"]
        assert created.pop("RevisionId")
        assert created.pop("LastModified").endswith("+0000")
        assert created.pop("RuntimeVersionConfig")["RuntimeVersionArn"].startswith("arn:aws:lambda:us-east-1::runtime:")
        assert created == {
            "FunctionName": name,
            "FunctionArn": f"{ARN}:function:{name}",
            "Runtime": "python3.12",
            "Role": ROLE,
            "Handler": "app.handler",
            "CodeSize": len(code),
            "CodeSha256": base64.b64encode(hashlib.sha256(code).digest()).decode(),
            "Description": "",
            "Timeout": 3,
            "MemorySize": 128,
            "Version": "$LATEST",
            "TracingConfig": {"Mode": "PassThrough"},
            "Environment": {"Variables": {}},
            "State": "Pending",
            "StateReason": "The function is being created.",
            "StateReasonCode": "Creating",
            "PackageType": "Zip",
            "Architectures": ["x86_64"],
            "EphemeralStorage": {"Size": 512},
            "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
        }
        found = lambda_.get_function(FunctionName=name)
        assert found["Tags"] == {"k": "v"}
        assert found["Code"]["RepositoryType"] == "S3"
        with urllib.request.urlopen(found["Code"]["Location"]) as answer:
            assert answer.read() == code

    def test_a_name_is_taken_once(self, create, lambda_):
        name = create()["FunctionName"]
        assert refused(lambda: create(name), "ResourceConflictException") == f"Function already exist: {name}"

    @pytest.mark.parametrize(
        ("options", "code", "message"),
        [
            ({"Role": "arn:aws:iam::000000000000:user/x"}, "ValidationException", "at 'role' failed to satisfy"),
            ({"Runtime": "python2.6"}, "InvalidParameterValueException", "Value python2.6 at 'runtime'"),
            ({"Runtime": "python3.7"}, "InvalidParameterValueException", "is not installed on this machine"),
            ({"Timeout": 901}, "ValidationException", "at 'timeout' failed to satisfy constraint"),
            ({"MemorySize": 10_241}, "ValidationException", "at 'memorySize' failed to satisfy constraint"),
            ({"Architectures": ["z80"]}, "ValidationException", "[x86_64, arm64], Member must not be null]"),
            ({"Code": {}}, "InvalidParameterValueException", "Please provide a source for function code."),
            ({"Code": {"ZipFile": b"no"}}, "InvalidParameterValueException", "Could not unzip uploaded file."),
            (
                {"Environment": {"Variables": {"AWS_REGION": "x"}}},
                "InvalidParameterValueException",
                "Reserved keys used in this request: AWS_REGION",
            ),
            (
                {"Environment": {"Variables": {"A1": "x" * 4096}}},
                "InvalidParameterValueException",
                'exceeded the 4KB limit. String measured: {"A1":"xxx',
            ),
            ({"Environment": {"Variables": {"1A": "x"}}}, "ValidationException", "Map keys must satisfy constraint"),
            ({"Tags": {f"k{number}": "" for number in range(51)}}, "InvalidParameterValueException", "Number of tags"),
            ({"Tags": {"aws:x": ""}}, "InvalidParameterValueException", "reserved for system use"),
            ({"Layers": [f"{ARN}:layer:none:1"]}, "InvalidParameterValueException", "does not exist."),
        ],
        ids=lambda value: None if not isinstance(value, dict) else "+".join(value),
    )
    def test_what_is_refused_leaves_nothing(self, server, create, zipped, options, code, message):
        """AWS's code and words; and no package of a function that does not exist stays on disk."""
        before = {path.name for path in (server.data_dir / "code").iterdir()}
        fresh = {"ZipFile": zipped({"app.py": f"# {options}"[:2000]})}
        assert message in refused(lambda: create(**{"Code": fresh, **options}), code)
        assert {path.name for path in (server.data_dir / "code").iterdir()} <= before

    def test_without_runtime_or_handler(self, lambda_, code):
        message = refused(
            lambda: lambda_.create_function(FunctionName="x", Role=ROLE, Code={"ZipFile": code}),
            "InvalidParameterValueException",
        )
        assert message == "Runtime and Handler are mandatory parameters for functions created with deployment packages."


class TestNames:
    def test_every_form_names_the_same_function(self, lambda_, create):
        name = create()["FunctionName"]
        version = lambda_.publish_version(FunctionName=name)["Version"]
        forms = (name, f"000000000000:function:{name}", f"function:{name}", f"{ARN}:function:{name}")
        for form in forms:
            shown = lambda_.get_function_configuration(FunctionName=form)
            assert shown["FunctionArn"] == f"{ARN}:function:{name}"
            shown = lambda_.get_function_configuration(FunctionName=f"{form}:{version}")
            assert shown["FunctionArn"] == f"{ARN}:function:{name}:1"
            shown = lambda_.get_function_configuration(FunctionName=form, Qualifier="$LATEST")
            assert shown["FunctionArn"] == f"{ARN}:function:{name}:$LATEST"

    @pytest.mark.parametrize(
        ("name", "qualifier", "code", "message"),
        [
            ("none", None, "ResourceNotFoundException", f"Function not found: {ARN}:function:none"),
            ("none", "7", "ResourceNotFoundException", f"Function not found: {ARN}:function:none:7"),
            ("none:1", "2", "InvalidParameterValueException", "The derived qualifier from the function name does not"),
            (
                "arn:aws:lambda:eu-west-1:000000000000:function:none",
                None,
                "ResourceNotFoundException",
                "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
            ),
            ("n" * 65, None, "ResourceNotFoundException", f"Function not found: {ARN}:function:{'n' * 65}"),
            ("n" * 257, None, "ValidationException", "Member must have length less than or equal to"),
            ("no spaces", None, "ValidationException", "Member must satisfy regular expression pattern"),
        ],
    )
    def test_names_that_lead_nowhere(self, lambda_, name, qualifier, code, message):
        options = {"Qualifier": qualifier} if qualifier else {}
        assert message in refused(lambda: lambda_.get_function(FunctionName=name, **options), code)


class TestLists:
    def test_120_functions_come_in_pages(self, server, create):
        """50 at most on a page; every function once and in order; versions too with FunctionVersion=ALL."""
        client = server.client("lambda", region="ap-east-1")
        names = [f"many-{number:03}" for number in range(120)]
        for name in names:
            create(name, wait=False, client=client)
        client.get_waiter("function_active_v2").wait(FunctionName=names[7], WaiterConfig={"Delay": 0.05})
        client.publish_version(FunctionName=names[7])
        first = client.list_functions()
        assert len(first["Functions"]) == 50
        pages = list(client.get_paginator("list_functions").paginate())
        assert [len(page["Functions"]) for page in pages] == [50, 50, 20]
        assert [item["FunctionName"] for page in pages for item in page["Functions"]] == names
        assert "NextMarker" not in pages[-1]
        small = client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 7}, FunctionVersion="ALL")
        arns = [item["FunctionArn"] for page in small for item in page["Functions"]]
        assert len(arns) == 121
        arn = "arn:aws:lambda:ap-east-1:000000000000:function:many-007"
        assert arns[7:9] == [f"{arn}:$LATEST", f"{arn}:1"]
        item = first["Functions"][0]
        assert not {"State", "LastUpdateStatus", "RuntimeVersionConfig"} & set(item)
        assert client.get_account_settings()["AccountUsage"] == {
            "FunctionCount": 120,
            "TotalCodeSize": 121 * item["CodeSize"],
        }

    @pytest.mark.parametrize("marker", ["x", "bnVsbA==", "MQ==", "WzEsMl0=", "é"])
    def test_a_marker_that_is_none(self, lambda_, marker):
        for call in (
            lambda: lambda_.list_functions(Marker=marker),
            lambda: lambda_.list_layers(Marker="MQ==" if marker == "x" else marker),
        ):
            assert refused(call, "InvalidParameterValueException") == "Invalid pagination token"

    def test_versions_of_a_function(self, lambda_, create):
        name = create()["FunctionName"]
        for number in range(1, 4):
            assert lambda_.publish_version(FunctionName=name, Description=f"v{number}")["Version"] == str(number)
        pages = lambda_.get_paginator("list_versions_by_function").paginate(
            FunctionName=name, PaginationConfig={"PageSize": 3}
        )
        assert [[item["Version"] for item in page["Versions"]] for page in pages] == [["$LATEST", "1", "2"], ["3"]]

    def test_account_settings(self, lambda_):
        limits = lambda_.get_account_settings()["AccountLimit"]
        assert (limits["CodeSizeUnzipped"], limits["CodeSizeZipped"]) == (262_144_000, 52_428_800)
        assert limits["ConcurrentExecutions"] == 1000


class TestUpdates:
    def test_states_and_waiters(self, lambda_, create, wait_updated):
        name = create()["FunctionName"]
        updated = lambda_.update_function_configuration(FunctionName=name, Timeout=9, Description="d")
        assert (updated["State"], updated["LastUpdateStatus"]) == ("Active", "InProgress")
        assert updated["LastUpdateStatusReasonCode"] == "Creating"
        wait_updated(name)
        shown = lambda_.get_function_configuration(FunctionName=name)
        assert (shown["LastUpdateStatus"], shown["Timeout"], shown["Description"]) == ("Successful", 9, "d")
        assert "LastUpdateStatusReason" not in shown
        assert len({updated["RevisionId"], shown["RevisionId"]}) == 2
        assert shown["MemorySize"] == 128, "what was not said stays"

    def test_revision_ids_guard_against_each_other(self, lambda_, create, zipped):
        name = create()["FunctionName"]
        current = lambda_.get_function_configuration(FunctionName=name)["RevisionId"]
        code = zipped({"app.py": "3"})
        for call in (
            lambda: lambda_.update_function_code(FunctionName=name, ZipFile=code, RevisionId="other"),
            lambda: lambda_.update_function_configuration(FunctionName=name, Timeout=5, RevisionId="other"),
            lambda: lambda_.publish_version(FunctionName=name, RevisionId="other"),
        ):
            message = refused(call, "PreconditionFailedException")
            assert message.startswith("The Revision Id provided does not match the latest Revision Id.")
        lambda_.update_function_configuration(FunctionName=name, Timeout=5, RevisionId=current)

    def test_a_dry_run_changes_nothing(self, server, lambda_, create, zipped):
        name = create()["FunctionName"]
        before = lambda_.get_function_configuration(FunctionName=name)
        on_disk = {path.name for path in (server.data_dir / "code").iterdir()}
        code = zipped({"app.py": "dry"})
        shown = lambda_.update_function_code(FunctionName=name, ZipFile=code, DryRun=True)
        assert shown["CodeSha256"] == base64.b64encode(hashlib.sha256(code).digest()).decode()
        after = lambda_.get_function_configuration(FunctionName=name)
        assert {**after, "ResponseMetadata": 0} == {**before, "ResponseMetadata": 0}
        assert {path.name for path in (server.data_dir / "code").iterdir()} == on_disk

    def test_versions_are_published_once_and_never_numbered_twice(self, lambda_, create, wait_updated):
        name = create()["FunctionName"]
        first = lambda_.publish_version(FunctionName=name)
        again = lambda_.publish_version(FunctionName=name)
        assert (again["Version"], again["RevisionId"]) == ("1", first["RevisionId"])
        lambda_.update_function_configuration(FunctionName=name, MemorySize=256)
        wait_updated(name)
        assert lambda_.publish_version(FunctionName=name)["Version"] == "2"
        lambda_.delete_function(FunctionName=name, Qualifier="2")
        lambda_.update_function_configuration(FunctionName=name, MemorySize=512)
        wait_updated(name)
        assert lambda_.publish_version(FunctionName=name)["Version"] == "3"
        assert lambda_.get_function_configuration(FunctionName=name, Qualifier="1")["MemorySize"] == 128
        message = refused(
            lambda: lambda_.publish_version(FunctionName=name, CodeSha256="x"), "InvalidParameterValueException"
        )
        assert message.startswith("CodeSHA256 (x) is different from current CodeSHA256 in $LATEST (")

    def test_delete(self, lambda_, create):
        name = create()["FunctionName"]
        message = refused(
            lambda: lambda_.delete_function(FunctionName=name, Qualifier="$LATEST"), "InvalidParameterValueException"
        )
        assert message == "$LATEST version cannot be deleted without deleting the function."
        lambda_.delete_function(FunctionName=name, Qualifier="99")
        answer = lambda_.delete_function(FunctionName=name)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
        message = refused(lambda: lambda_.delete_function(FunctionName=name), "ResourceNotFoundException")
        assert message == f"Function not found: {ARN}:function:{name}"


class TestTags:
    def test_add_remove_list(self, lambda_, create):
        arn = create(Tags={"a": "1"})["FunctionArn"]
        lambda_.tag_resource(Resource=arn, Tags={"b": "2", "c d": "ü"})
        lambda_.untag_resource(Resource=arn, TagKeys=["a", "never"])
        assert lambda_.list_tags(Resource=arn)["Tags"] == {"b": "2", "c d": "ü"}
        message = refused(
            lambda: lambda_.tag_resource(Resource=f"{arn}:1", Tags={"a": "b"}), "InvalidParameterValueException"
        )
        assert message == "Tags on function aliases and versions are not supported. Please specify a function ARN."
        message = refused(lambda: lambda_.tag_resource(Resource=arn, Tags={}), "InvalidParameterValueException")
        assert message == "An error occurred and the request cannot be processed."


class TestLayers:
    def test_publish_get_list_delete(self, lambda_, zipped):
        code = zipped({"python/x.py": "1"})
        one = lambda_.publish_layer_version(
            LayerName="shelf",
            Content={"ZipFile": code},
            Description="first",
            CompatibleRuntimes=["python3.12", "python3.13"],
            LicenseInfo="MIT",
        )
        two = lambda_.publish_layer_version(LayerName="shelf", Content={"ZipFile": code})
        assert one["LayerVersionArn"] == f"{ARN}:layer:shelf:1"
        assert (one["Version"], two["Version"]) == (1, 2)
        assert one["Content"]["CodeSize"] == len(code)
        shown = lambda_.get_layer_version(LayerName="shelf", VersionNumber=1)
        assert (shown["Description"], shown["LicenseInfo"]) == ("first", "MIT")
        by_arn = lambda_.get_layer_version_by_arn(Arn=one["LayerVersionArn"])
        assert by_arn["Content"]["CodeSha256"] == base64.b64encode(hashlib.sha256(code).digest()).decode()
        with urllib.request.urlopen(by_arn["Content"]["Location"]) as answer:
            assert answer.read() == code
        listed = lambda_.list_layer_versions(LayerName="shelf")["LayerVersions"]
        assert [item["Version"] for item in listed] == [2, 1]
        page = lambda_.list_layer_versions(LayerName="shelf", MaxItems=1)
        rest = lambda_.list_layer_versions(LayerName="shelf", MaxItems=1, Marker=page["NextMarker"])
        assert [item["Version"] for item in rest["LayerVersions"]] == [1]
        newest = {
            item["LayerName"]: item["LatestMatchingVersion"]["Version"] for item in lambda_.list_layers()["Layers"]
        }
        assert newest["shelf"] == 2
        fitting = lambda_.list_layers(CompatibleRuntime="python3.13")["Layers"]
        found = {item["LayerName"]: item["LatestMatchingVersion"]["Version"] for item in fitting}
        assert found["shelf"] == 1, "the newest that fits"
        for number in (1, 2):
            lambda_.delete_layer_version(LayerName="shelf", VersionNumber=number)
        lambda_.delete_layer_version(LayerName="shelf", VersionNumber=77)
        message = refused(
            lambda: lambda_.get_layer_version(LayerName="shelf", VersionNumber=1), "ResourceNotFoundException"
        )
        assert message == "The resource you requested does not exist."
        third = lambda_.publish_layer_version(LayerName="shelf", Content={"ZipFile": code})
        assert third["Version"] == 3, "numbers are never used again"

    def test_many_layers_come_in_pages(self, server, code):
        client = server.client("lambda", region="sa-east-1")
        for number in range(5):
            client.publish_layer_version(LayerName=f"l{number}", Content={"ZipFile": code})
        pages = client.get_paginator("list_layers").paginate(PaginationConfig={"PageSize": 2})
        found = [[item["LayerName"] for item in page["Layers"]] for page in pages]
        assert found == [["l0", "l1"], ["l2", "l3"], ["l4"]]

    def test_what_a_function_may_not_have(self, server, lambda_, create, zipped):
        code = zipped({"python/x.py": "1"})
        arns = [
            lambda_.publish_layer_version(LayerName=f"six{number}", Content={"ZipFile": code})["LayerVersionArn"]
            for number in range(6)
        ]
        second = lambda_.publish_layer_version(LayerName="six0", Content={"ZipFile": code})["LayerVersionArn"]
        message = refused(lambda: create(Layers=arns), "InvalidParameterValueException")
        assert message == "Cannot reference more than 5 layers."
        message = refused(lambda: create(Layers=[arns[0], second]), "InvalidParameterValueException")
        assert message.endswith(f"{arns[0]} and {second} are versions of the same layer.")
        abroad = server.client("lambda", region="eu-west-1")
        arn = abroad.publish_layer_version(LayerName="x", Content={"ZipFile": code})["LayerVersionArn"]
        message = refused(lambda: create(Layers=[arn]), "InvalidParameterValueException")
        assert message.endswith("Layers are expected to be in region us-east-1.")
        for number in (0, -1):
            message = refused(
                lambda number=number: lambda_.get_layer_version(LayerName="six0", VersionNumber=number),
                "InvalidParameterValueException",
            )
            assert message == "Layer Version Cannot be less than 1"


class TestPlaces:
    def test_regions_are_apart_and_need_no_configuration(self, server, create):
        """The same name in regions of three partitions."""
        for region, partition in (("eu-south-2", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")):
            client = server.client("lambda", region=region)
            assert client.list_functions()["Functions"] == []
            created = create("same-name", client=client)
            assert created["FunctionArn"] == f"arn:{partition}:lambda:{region}:000000000000:function:same-name"
            assert [item["FunctionName"] for item in client.list_functions()["Functions"]] == ["same-name"]

    def test_accounts_are_apart(self, server, create):
        """A role of another account sees that account's resources."""
        create("of-the-root")
        sts = server.client("sts")
        role = "arn:aws:iam::999999999999:role/visitor"
        keys = sts.assume_role(RoleArn=role, RoleSessionName="me", DurationSeconds=900)["Credentials"]
        session = {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }
        visitor = server.client("lambda", **session)
        assert visitor.list_functions()["Functions"] == []
        created = create("of-the-root", client=visitor, Role="arn:aws:iam::999999999999:role/x")
        assert created["FunctionArn"] == "arn:aws:lambda:us-east-1:999999999999:function:of-the-root"
        identity = server.client("sts", **session).get_caller_identity()
        assert identity["Account"] == "999999999999"
        assert identity["Arn"] == "arn:aws:sts::999999999999:assumed-role/visitor/me"
        assert json.dumps(identity["UserId"]).endswith(':me"')
