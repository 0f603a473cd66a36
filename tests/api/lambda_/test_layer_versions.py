"""Layer versions through boto3; shapes and messages as recorded on AWS."""

import pytest


@pytest.fixture(scope="module")
def layer(lambda_, zipped):
    """A layer whose versions 1 to 3 are there; version 2 is for another runtime."""
    name = "three-versions"
    for number in range(3):
        lambda_.publish_layer_version(
            LayerName=name,
            Content={"ZipFile": zipped({"python/m.py": str(number)})},
            CompatibleRuntimes=["python3.11" if number == 1 else "python3.12"],
            CompatibleArchitectures=["x86_64"],
            LicenseInfo="MIT",
        )
    return name


class TestReading:
    def test_one_version_by_name_and_by_arn(self, lambda_, layer):
        shown = lambda_.get_layer_version(LayerName=layer, VersionNumber=2)
        assert shown["LayerVersionArn"] == f"arn:aws:lambda:us-east-1:000000000000:layer:{layer}:2"
        assert (shown["CompatibleRuntimes"], shown["LicenseInfo"], shown["Version"]) == (["python3.11"], "MIT", 2)
        by_arn = lambda_.get_layer_version_by_arn(Arn=shown["LayerVersionArn"])
        assert by_arn["Content"]["CodeSha256"] == shown["Content"]["CodeSha256"]

    def test_lists_newest_first_in_pages_with_filters(self, lambda_, layer):
        pages = lambda_.get_paginator("list_layer_versions").paginate(LayerName=layer, PaginationConfig={"PageSize": 2})
        assert [[version["Version"] for version in page["LayerVersions"]] for page in pages] == [[3, 2], [1]]
        fitting = lambda_.list_layer_versions(LayerName=layer, CompatibleRuntime="python3.11")["LayerVersions"]
        assert [version["Version"] for version in fitting] == [2]
        assert lambda_.list_layer_versions(LayerName="nothing-here")["LayerVersions"] == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("version", "code", "message"),
        [
            (9, "ResourceNotFoundException", "The resource you requested does not exist."),
            (0, "InvalidParameterValueException", "Layer Version Cannot be less than 1"),
            (-1, "InvalidParameterValueException", "Layer Version Cannot be less than 1"),
        ],
    )
    def test_get(self, lambda_, layer, refusal, version, code, message):
        answer = refusal(lambda_.get_layer_version, LayerName=layer, VersionNumber=version)
        assert answer["Error"] == {"Code": code, "Message": message}

    def test_delete(self, lambda_, layer, refusal):
        lambda_.delete_layer_version(LayerName=layer, VersionNumber=9)  # no error, as on AWS
        answer = refusal(lambda_.delete_layer_version, LayerName=layer, VersionNumber=-1)
        assert answer["Error"]["Message"] == "Layer Version Cannot be less than 1"
