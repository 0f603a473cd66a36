"""EventBridge's schema registry through boto3."""

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

_numbers = itertools.count(1)
ACCOUNT = "000000000000"


def content(text=""):
    """An OpenAPI document that says this."""
    return json.dumps({"openapi": "3.0.0", "info": {"title": text, "version": "1"}, "paths": {}, "components": {}})


@pytest.fixture(scope="module")
def schemas(server):
    return server.client("schemas")


@pytest.fixture
def registry(schemas):
    name = f"registry-{next(_numbers)}"
    schemas.create_registry(RegistryName=name)
    return name


@pytest.fixture
def make(schemas, registry):
    def make(name, text="", **members):
        return schemas.create_schema(
            RegistryName=registry, SchemaName=name, Type="OpenApi3", Content=content(text), **members
        )

    return make


@pytest.fixture
def refused(schemas):
    def refused(call, **parameters):
        with pytest.raises(ClientError) as refusal:
            getattr(schemas, call)(**parameters)
        answer = refusal.value.response
        assert answer["Code"] == answer["Error"]["Code"].removesuffix("Exception")
        return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Message"]

    return refused


class TestRegistries:
    def test_live_and_die(self, schemas, refused):
        made = schemas.create_registry(RegistryName="mine", Description="d", Tags={"a": "b"})
        arn = f"arn:aws:schemas:us-east-1:{ACCOUNT}:registry/mine"
        expected = {"RegistryName": "mine", "RegistryArn": arn, "Description": "d", "Tags": {"a": "b"}}
        assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
        assert {name: made[name] for name in expected} == expected
        assert schemas.update_registry(RegistryName="mine", Description="e")["Description"] == "e"
        assert schemas.describe_registry(RegistryName="mine")["Description"] == "e"
        told = refused("create_registry", RegistryName="mine")
        assert told == (409, "ConflictException", "Registry with name mine already exists.")
        assert schemas.delete_registry(RegistryName="mine")["ResponseMetadata"]["HTTPStatusCode"] == 204
        told = refused("describe_registry", RegistryName="mine")
        assert told == (404, "NotFoundException", "Registry with name mine not found.")

    def test_are_listed_in_pages(self, schemas):
        for number in range(3):
            schemas.create_registry(RegistryName=f"paged-{number}")
        pages = schemas.get_paginator("list_registries").paginate(
            RegistryNamePrefix="paged-", PaginationConfig={"PageSize": 2}
        )
        found = [[each["RegistryName"] for each in page["Registries"]] for page in pages]
        assert found == [["paged-0", "paged-1"], ["paged-2"]]
        assert schemas.list_registries(Scope="AWS")["Registries"] == []

    def test_one_that_holds_schemas_stays(self, schemas, registry, make, refused):
        make("s")
        told = refused("delete_registry", RegistryName=registry)
        assert told[:2] == (400, "BadRequestException")
        schemas.delete_schema(RegistryName=registry, SchemaName="s")
        schemas.delete_registry(RegistryName=registry)

    @pytest.mark.parametrize("name", ["a b", "ä", "x" * 65])
    def test_names(self, refused, name):
        assert refused("create_registry", RegistryName=name)[:2] == (400, "BadRequestException")


class TestSchemas:
    def test_have_versions(self, schemas, registry, make):
        made = make("_f-schema", "first", Description="d")
        assert (made["SchemaVersion"], made["Type"], made["Description"]) == ("1", "OpenApi3", "d")
        assert made["SchemaArn"] == f"arn:aws:schemas:us-east-1:{ACCOUNT}:schema/{registry}/_f-schema"
        assert abs(made["LastModified"] - datetime.now(UTC)) < timedelta(minutes=1)
        names = {"RegistryName": registry, "SchemaName": "_f-schema"}
        assert schemas.update_schema(**names, Content=content("second"))["SchemaVersion"] == "2"
        assert schemas.describe_schema(**names)["Content"] == content("second")
        assert schemas.describe_schema(**names, SchemaVersion="1")["Content"] == content("first")
        versions = schemas.list_schema_versions(**names)["SchemaVersions"]
        assert [version["SchemaVersion"] for version in versions] == ["1", "2"]
        (listed,) = schemas.list_schemas(RegistryName=registry)["Schemas"]
        assert (listed["SchemaName"], listed["VersionCount"]) == ("_f-schema", 2)

        schemas.delete_schema_version(**names, SchemaVersion="2")
        assert schemas.describe_schema(**names)["SchemaVersion"] == "1"
        # Numbers are not given out again.
        assert schemas.update_schema(**names, Content=content("third"))["SchemaVersion"] == "3"

    def test_a_description_is_no_version(self, schemas, registry, make):
        make("s")
        changed = schemas.update_schema(RegistryName=registry, SchemaName="s", Description="new")
        assert (changed["Description"], changed["SchemaVersion"]) == ("new", "1")

    def test_with_the_last_version_the_schema_goes(self, schemas, registry, make, refused):
        make("s")
        names = {"RegistryName": registry, "SchemaName": "s"}
        schemas.delete_schema_version(**names, SchemaVersion="1")
        told = refused("describe_schema", **names)
        assert told == (404, "NotFoundException", f"Schema with name s not found in registry {registry}.")

    def test_no_change_is_a_conflict(self, registry, make, refused):
        """What the SAM CLI takes for "nothing to do"."""
        make("s", "same")
        status, code, message = refused("update_schema", RegistryName=registry, SchemaName="s", Content=content("same"))
        assert (status, code) == (409, "ConflictException")
        assert "No change since the previous" in message

    def test_the_number_of_versions_has_a_limit(self, schemas, registry, make, refused):
        make("s")
        names = {"RegistryName": registry, "SchemaName": "s"}
        for number in range(2, 101):
            schemas.update_schema(**names, Content=content(str(number)))
        assert refused("update_schema", **names, Content=content("101"))[:2] == (400, "BadRequestException")
        pages = schemas.get_paginator("list_schema_versions").paginate(**names, PaginationConfig={"PageSize": 60})
        assert [len(page["SchemaVersions"]) for page in pages] == [60, 40]

    def test_lists_and_searches(self, schemas, registry, make):
        make("order-placed", "Blue shoes")
        make("order-sent", "red shoes")
        make("user", "nothing")

        def searched(words):
            found = schemas.search_schemas(RegistryName=registry, Keywords=words)["Schemas"]
            return [(each["SchemaName"], len(each["SchemaVersions"])) for each in found]

        assert searched("shoes") == [("order-placed", 1), ("order-sent", 1)]
        assert searched("SHOES blue") == [("order-placed", 1)]
        assert searched("user") == [("user", 1)]
        pages = schemas.get_paginator("list_schemas").paginate(
            RegistryName=registry, SchemaNamePrefix="order-", PaginationConfig={"PageSize": 1}
        )
        assert [[each["SchemaName"] for each in page["Schemas"]] for page in pages] == [
            ["order-placed"],
            ["order-sent"],
        ]

    @pytest.mark.parametrize(
        ("members", "status", "code"),
        [
            ({"Content": "no json"}, 400, "BadRequestException"),
            ({"Content": "{}"}, 400, "BadRequestException"),
            ({"Type": "Avro"}, 400, "BadRequestException"),
            ({"SchemaName": "a b"}, 400, "BadRequestException"),
            ({"RegistryName": "nowhere"}, 404, "NotFoundException"),
            ({"SchemaName": "there"}, 409, "ConflictException"),
        ],
    )
    def test_refuses(self, registry, make, refused, members, status, code):
        make("there")
        asked = {"RegistryName": registry, "SchemaName": "new", "Type": "OpenApi3", "Content": content(), **members}
        assert refused("create_schema", **asked)[:2] == (status, code)

    @pytest.mark.parametrize("version", ["2", "0", "x", "99999999999999999999"])
    def test_versions_that_are_not_there(self, registry, make, refused, version):
        make("s")
        asked = {"RegistryName": registry, "SchemaName": "s", "SchemaVersion": version}
        assert refused("describe_schema", **asked)[:2] == (404, "NotFoundException")

    def test_own_schemas_cannot_be_exported(self, registry, make, refused):
        make("s")
        told = refused("export_schema", RegistryName=registry, SchemaName="s", Type="JSONSchemaDraft4")
        assert told[:2] == (403, "ForbiddenException")

    def test_a_schema_is_discovered_from_events(self, schemas):
        answer = schemas.get_discovered_schema(Type="OpenApi3", Events=['{"a": 1}', '{"a": 2}'])
        assert json.loads(answer["Content"])["components"]["schemas"]["Event"]["required"] == ["a"]


class TestTags:
    def test_of_registries_and_schemas(self, schemas, registry, make, refused):
        arns = [
            make("s", Tags={"a": "1"})["SchemaArn"],
            schemas.describe_registry(RegistryName=registry)["RegistryArn"],
        ]
        for arn in arns:
            schemas.tag_resource(ResourceArn=arn, Tags={"a": "2", "b": "3"})
            schemas.untag_resource(ResourceArn=arn, TagKeys=["b"])
            assert schemas.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"a": "2"}
        assert refused("list_tags_for_resource", ResourceArn=f"{arns[0]}x")[:2] == (404, "NotFoundException")
        assert refused("list_tags_for_resource", ResourceArn="x")[:2] == (400, "BadRequestException")
