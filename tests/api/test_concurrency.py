"""The operations of reserved and provisioned concurrency as boto3 sees them: shapes, statuses, AWS's words."""

import pytest
from botocore.exceptions import ClientError

HELLO = "def handler(event, context):\n    return 1\n"


@pytest.fixture(scope="module")
def published(make_function, lambda_):
    """A function with version 1."""
    function = make_function(HELLO)
    lambda_.publish_version(FunctionName=function.name)
    return function


@pytest.fixture
def name(published, lambda_):
    """The same, with nothing configured before or after."""

    def clear():
        lambda_.delete_provisioned_concurrency_config(FunctionName=published.name, Qualifier="1")
        lambda_.delete_function_concurrency(FunctionName=published.name)

    clear()
    yield published.name
    clear()


def refused(operation, **parameters):
    """Status, code and message of an answer that has to be an error."""
    with pytest.raises(ClientError) as caught:
        operation(**parameters)
    answer = caught.value.response
    return (
        answer["ResponseMetadata"]["HTTPStatusCode"],
        answer["Error"]["Code"],
        answer["Error"]["Message"],
    )


def status_of(answer):
    return answer["ResponseMetadata"]["HTTPStatusCode"]


def limits(lambda_):
    return lambda_.get_account_settings()["AccountLimit"]


class TestReserved:
    def test_put_get_delete(self, name, lambda_):
        assert "ReservedConcurrentExecutions" not in lambda_.get_function_concurrency(FunctionName=name)
        assert "Concurrency" not in lambda_.get_function(FunctionName=name)
        put = lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=7)
        assert (status_of(put), put["ReservedConcurrentExecutions"]) == (200, 7)
        assert lambda_.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 7
        assert lambda_.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 7}
        assert status_of(lambda_.delete_function_concurrency(FunctionName=name)) == 204
        assert status_of(lambda_.delete_function_concurrency(FunctionName=name)) == 204
        assert "Concurrency" not in lambda_.get_function(FunctionName=name)

    def test_the_account_s_unreserved_concurrency_is_what_is_left(self, name, lambda_):
        before = limits(lambda_)
        lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=40)
        after = limits(lambda_)
        assert after["ConcurrentExecutions"] == before["ConcurrentExecutions"] == 1000
        assert before["UnreservedConcurrentExecutions"] - after["UnreservedConcurrentExecutions"] == 40

    def test_a_hundred_stay_unreserved(self, name, lambda_):
        most = limits(lambda_)["UnreservedConcurrentExecutions"] - 100
        assert refused(lambda_.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=most + 1) == (
            400,
            "InvalidParameterValueException",
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            "below its minimum value of [100].",
        )
        lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=most)
        assert limits(lambda_)["UnreservedConcurrentExecutions"] == 100
        lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=most)

    @pytest.mark.parametrize("qualifier", ["1", "live"])
    def test_is_of_functions_only(self, name, lambda_, qualifier):
        assert refused(
            lambda_.put_function_concurrency, FunctionName=f"{name}:{qualifier}", ReservedConcurrentExecutions=1
        ) == (
            400,
            "InvalidParameterValueException",
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
            "Please specify either a function name or an unqualified function ARN.",
        )

    @pytest.mark.parametrize(
        ("operation", "more"),
        [
            ("get_function_concurrency", {}),
            ("delete_function_concurrency", {}),
            ("list_provisioned_concurrency_configs", {}),
        ],
    )
    def test_of_a_function_that_does_not_exist(self, lambda_, operation, more):
        status, code, message = refused(getattr(lambda_, operation), FunctionName="nobody", **more)
        assert (status, code) == (404, "ResourceNotFoundException")
        assert message == "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody"

    def test_is_not_less_than_what_is_provisioned(self, name, lambda_):
        lambda_.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=2)
        assert refused(lambda_.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=1) == (
            400,
            "InvalidParameterValueException",
            " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2].",
        )
        lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)

    def test_ends_with_its_function(self, make_function, lambda_):
        before = limits(lambda_)
        function = make_function(HELLO)
        lambda_.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=5)
        lambda_.delete_function(FunctionName=function.name)
        assert limits(lambda_) == before
        again = make_function(HELLO, FunctionName=function.name)
        assert "Concurrency" not in lambda_.get_function(FunctionName=again.name)


class TestProvisioned:
    def test_put_get_list_delete(self, name, lambda_, eventually):
        put = lambda_.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=2
        )
        assert status_of(put) == 202
        shown = {
            "RequestedProvisionedConcurrentExecutions": 2,
            "AvailableProvisionedConcurrentExecutions": 0,
            "AllocatedProvisionedConcurrentExecutions": 0,
            "Status": "IN_PROGRESS",
            "LastModified": put["LastModified"],
        }
        assert {key: value for key, value in put.items() if key != "ResponseMetadata"} == shown

        def get():
            return lambda_.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")

        eventually(lambda: get()["Status"] == "READY")
        ready = {
            **shown,
            "Status": "READY",
            "AvailableProvisionedConcurrentExecutions": 2,
            "AllocatedProvisionedConcurrentExecutions": 2,
        }
        assert {key: value for key, value in get().items() if key != "ResponseMetadata"} == ready
        (item,) = lambda_.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
        arn = lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
        assert item == {**ready, "FunctionArn": f"{arn}:1"}
        deleted = lambda_.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
        assert status_of(deleted) == 204
        assert refused(lambda_.get_provisioned_concurrency_config, FunctionName=name, Qualifier="1") == (
            404,
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
        )

    def test_lists_in_pages(self, make_function, lambda_):
        function = make_function(HELLO)
        for description in ("one", "two", "three"):
            version = lambda_.publish_version(FunctionName=function.name, Description=description)["Version"]
            lambda_.put_provisioned_concurrency_config(
                FunctionName=function.name, Qualifier=version, ProvisionedConcurrentExecutions=1
            )
        pages = list(
            lambda_.get_paginator("list_provisioned_concurrency_configs").paginate(
                FunctionName=function.name, PaginationConfig={"PageSize": 2}
            )
        )
        found = [
            [item["FunctionArn"].rpartition(":")[2] for item in page["ProvisionedConcurrencyConfigs"]] for page in pages
        ]
        assert found == [["1", "2"], ["3"]]
        lambda_.delete_function(FunctionName=function.name, Qualifier="2")
        rest = lambda_.list_provisioned_concurrency_configs(FunctionName=function.name)
        assert [item["FunctionArn"][-1] for item in rest["ProvisionedConcurrencyConfigs"]] == ["1", "3"]
        lambda_.delete_function(FunctionName=function.name)

    def test_latest_cannot_be_provisioned(self, name, lambda_):
        latest = {"FunctionName": name, "Qualifier": "$LATEST"}
        assert refused(lambda_.put_provisioned_concurrency_config, **latest, ProvisionedConcurrentExecutions=1) == (
            400,
            "InvalidParameterValueException",
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
        )
        for operation in (
            lambda_.get_provisioned_concurrency_config,
            lambda_.delete_provisioned_concurrency_config,
        ):
            assert refused(operation, **latest) == (
                400,
                "InvalidParameterValueException",
                "The function resource provided must be an alias or a published version.",
            )

    def test_of_a_version_or_alias_that_does_not_exist(self, name, lambda_):
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
        put = lambda_.put_provisioned_concurrency_config
        wrong = {"FunctionName": name, "ProvisionedConcurrentExecutions": 1}
        assert refused(put, **wrong, Qualifier="10") == (
            404,
            "ResourceNotFoundException",
            f"Function not found: {arn}:10",
        )
        assert refused(put, **wrong, Qualifier="nowhere") == (
            404,
            "ResourceNotFoundException",
            f"Cannot find alias arn: {arn}:nowhere",
        )

    def test_of_an_alias_with_weights(self, make_function, lambda_):
        """Weights may come to an alias that is provisioned; until they go its configuration cannot be changed."""
        function = make_function(HELLO)
        for description in ("one", "two"):
            lambda_.publish_version(FunctionName=function.name, Description=description)
        alias = {"FunctionName": function.name, "Name": "live"}
        lambda_.create_alias(**alias, FunctionVersion="1")
        config = {"FunctionName": function.name, "Qualifier": "live"}
        put = lambda_.put_provisioned_concurrency_config
        put(**config, ProvisionedConcurrentExecutions=1)
        lambda_.update_alias(**alias, RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
        assert refused(put, **config, ProvisionedConcurrentExecutions=2) == (
            400,
            "InvalidParameterValueException",
            "Alias with weights can not be used with Provisioned Concurrency",
        )
        kept = lambda_.get_provisioned_concurrency_config(**config)
        assert kept["RequestedProvisionedConcurrentExecutions"] == 1
        lambda_.update_alias(**alias, RoutingConfig={"AdditionalVersionWeights": {}})
        put(**config, ProvisionedConcurrentExecutions=2)
        lambda_.delete_function(FunctionName=function.name)

    def test_is_not_more_than_what_is_reserved(self, name, lambda_):
        lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
        put = lambda_.put_provisioned_concurrency_config
        assert refused(put, FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=2) == (
            400,
            "InvalidParameterValueException",
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
        )
        put(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)

    def test_is_not_more_than_what_is_unreserved(self, name, lambda_):
        unreserved = limits(lambda_)["UnreservedConcurrentExecutions"]
        put = lambda_.put_provisioned_concurrency_config
        assert refused(put, FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=unreserved + 1) == (
            400,
            "InvalidParameterValueException",
            f"Specified ConcurrentExecutions for function is greater than account's unreserved concurrency "
            f"[{unreserved}].",
        )
        assert refused(put, FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=unreserved - 99) == (
            400,
            "InvalidParameterValueException",
            "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
            "minimum value of [100].",
        )

    def test_counts_against_the_unreserved_pool_unless_reserved(self, name, lambda_):
        before = limits(lambda_)["UnreservedConcurrentExecutions"]
        lambda_.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
        assert limits(lambda_)["UnreservedConcurrentExecutions"] == before - 1
        lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
        assert limits(lambda_)["UnreservedConcurrentExecutions"] == before - 3
