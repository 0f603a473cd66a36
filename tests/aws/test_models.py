"""Which operation a request is for."""

import pytest

from firefork.aws import models


class TestRouter:
    @pytest.mark.parametrize(
        ("method", "path", "query", "operation"),
        [
            ("GET", "/2015-03-31/functions/", "", "ListFunctions"),
            ("GET", "/2015-03-31/functions", "", "ListFunctions"),
            ("POST", "/2015-03-31/functions/f/invocations", "", "Invoke"),
            ("GET", "/2018-10-31/layers", "find=LayerVersion&Arn=x", "GetLayerVersionByArn"),
            ("GET", "/2018-10-31/layers", "", "ListLayers"),
            ("GET", "/2018-10-31/layers/l/versions/3", "", "GetLayerVersion"),
        ],
    )
    def test_finds_the_operation(self, method, path, query, operation):
        found = models.router("lambda").find(method, path, query)
        assert found is not None
        assert found[0] == operation

    def test_labels_are_decoded(self):
        path = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af/code"
        assert models.router("lambda").find("PUT", path, "") == (
            "UpdateFunctionCode",
            {"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:f"},
        )

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("PATCH", "/2015-03-31/functions/"),
            ("GET", "/"),
            ("GET", ""),
            ("GET", "/2015-03-31/functions/a/b/c/d"),
            ("GET", "/%00/%ff"),
        ],
    )
    def test_what_no_operation_has(self, method, path):
        assert models.router("lambda").find(method, path, "") is None


class TestDeviations:
    def test_ordinary_functions_keep_the_documented_quotas(self):
        """botocore's larger maxima are for managed instances."""
        shape = models.operation_model("lambda", "CreateFunction").input_shape
        assert shape.members["MemorySize"].metadata == {"min": 128, "max": 10240}
        assert shape.members["Timeout"].metadata == {"min": 1, "max": 900}
