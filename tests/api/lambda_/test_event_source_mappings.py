"""Event source mappings through boto3; shapes and messages as recorded on AWS where a recording is known."""

import datetime
import itertools
import json

import pytest

numbers = itertools.count(1)


def queue(kind="sqs", suffix=""):
    return f"arn:aws:{kind}:us-east-1:000000000000:queue-{next(numbers)}{suffix}"


def stream():
    return f"arn:aws:kinesis:us-east-1:000000000000:stream/s-{next(numbers)}"


def table():
    return f"arn:aws:dynamodb:us-east-1:000000000000:table/t-{next(numbers)}/stream/2026-01-01T00:00:00.000"


@pytest.fixture
def create(lambda_, name):
    def call(source, **options):
        return lambda_.create_event_source_mapping(**{"FunctionName": name, "EventSourceArn": source, **options})

    return call


@pytest.fixture
def settled(lambda_, eventually):
    """Waits until nothing is in progress; the mapping."""

    def wait(uuid, state="Enabled"):
        def look():
            mapping = lambda_.get_event_source_mapping(UUID=uuid)
            return mapping if mapping["State"] == state else None

        return eventually(look)

    return wait


class TestLife:
    def test_a_queue(self, create, settled, lambda_, name, arn_of, eventually, refusal):
        source = queue()
        created = create(source)
        uuid = created["UUID"]
        assert created["ResponseMetadata"]["HTTPStatusCode"] == 202
        shown = {key: value for key, value in created.items() if key not in ("ResponseMetadata", "LastModified")}
        assert shown == {
            "UUID": uuid,
            "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:000000000000:event-source-mapping:{uuid}",
            "BatchSize": 10,
            "EventSourceArn": source,
            "FunctionArn": arn_of(name),
            "FunctionResponseTypes": [],
            "MaximumBatchingWindowInSeconds": 0,
            "State": "Creating",
            "StateTransitionReason": "USER_INITIATED",
        }
        settled(uuid)
        updated = lambda_.update_event_source_mapping(UUID=uuid, BatchSize=5, Enabled=False)
        assert (updated["State"], updated["BatchSize"]) == ("Disabling", 5)
        settled(uuid, "Disabled")
        assert lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)["State"] == "Enabling"
        settled(uuid)
        assert lambda_.update_event_source_mapping(UUID=uuid, BatchSize=6)["State"] == "Updating"
        settled(uuid)
        assert lambda_.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
        eventually(lambda: not lambda_.list_event_source_mappings(EventSourceArn=source)["EventSourceMappings"])
        answer = refusal(lambda_.get_event_source_mapping, UUID=uuid)
        assert answer["Message"] == "The resource you requested does not exist."

    def test_a_queue_that_is_not_to_be_read_yet(self, create, settled, lambda_):
        """Recorded: localstack's test_fifo_message_group_parallelism."""
        created = create(queue(suffix=".fifo"), BatchSize=1, Enabled=False)
        assert (created["State"], created["ResponseMetadata"]["HTTPStatusCode"]) == ("Disabled", 202)
        assert lambda_.update_event_source_mapping(UUID=created["UUID"], Enabled=True)["State"] == "Enabling"
        settled(created["UUID"])

    @pytest.mark.parametrize(
        "pattern",
        [
            {"body": {"test2": [{"exists": True}]}},
            {"body": {"test2": [{"numeric": [">=", 100, "<", 200]}], "testItem": ["test24", "test45"]}},
            {"body": {"test2": [{"prefix": "us-1"}]}},
            {"$or": [{"a": ["x", None, 1.5, True]}, {"b": [{"anything-but": ["y"]}]}]},
        ],
    )
    def test_filters_are_shown_as_they_were_given(self, create, pattern):
        filters = {"Filters": [{"Pattern": json.dumps(pattern)}]}
        assert create(queue(), FilterCriteria=filters)["FilterCriteria"] == filters

    @pytest.mark.parametrize("source", [stream(), table()])
    def test_a_stream(self, create, settled, source):
        created = create(source, StartingPosition="TRIM_HORIZON", Enabled=False)
        defaults = {
            "BatchSize": 100,
            "BisectBatchOnFunctionError": False,
            "DestinationConfig": {"OnFailure": {}},
            "FunctionResponseTypes": [],
            "LastProcessingResult": "No records processed",
            "MaximumBatchingWindowInSeconds": 0,
            "MaximumRecordAgeInSeconds": -1,
            "MaximumRetryAttempts": -1,
            "ParallelizationFactor": 1,
            "StartingPosition": "TRIM_HORIZON",
            "StateTransitionReason": "User action",
            "TumblingWindowInSeconds": 0,
        }
        assert {key: created.get(key) for key in defaults} == defaults
        settled(created["UUID"], "Disabled")

    def test_a_position_in_time_reads_back(self, create):
        moment = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
        created = create(stream(), StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=moment)
        assert created["StartingPositionTimestamp"] == moment

    def test_self_managed_kafka(self, lambda_, name, refusal):
        source = {
            "FunctionName": name,
            "SelfManagedEventSource": {
                "Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["a.example.com:9092", "b.example.com:9092"]}
            },
            "Topics": ["topic"],
        }
        answer = refusal(lambda_.create_event_source_mapping, **source)
        assert answer["message"] == "Required 'sourceAccessConfigurations' parameter is missing."
        source["SourceAccessConfigurations"] = [{"Type": "VPC_SUBNET", "URI": "subnet:subnet-1"}]
        created = lambda_.create_event_source_mapping(**source)
        assert created["SelfManagedEventSource"] == source["SelfManagedEventSource"]
        assert "EventSourceArn" not in created
        answer = refusal(lambda_.create_event_source_mapping, **source)
        assert answer["Error"]["Code"] == "ResourceConflictException"
        lambda_.create_event_source_mapping(**source | {"Topics": ["other"]})

    def test_what_is_in_progress_is_left_alone(self, create, lambda_, refusal):
        uuid = create(queue())["UUID"]
        answer = refusal(lambda_.update_event_source_mapping, UUID=uuid, BatchSize=1)
        assert answer["Error"]["Code"] == "ResourceInUseException"
        assert answer["Error"]["Message"] == "Cannot update the event source mapping because it is in use."

    def test_qualifiers_are_kept_as_given(self, create, lambda_, name, arn_of):
        lambda_.publish_version(FunctionName=name)
        lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        for target, arn in (
            (name, arn_of(name)),
            (f"000000000000:function:{name}:$LATEST", f"{arn_of(name)}:$LATEST"),
            (f"{arn_of(name)}:1", f"{arn_of(name)}:1"),
            (f"{name}:live", f"{arn_of(name)}:live"),
        ):
            assert create(queue(), FunctionName=target)["FunctionArn"] == arn

    def test_list_by_function_and_by_source(self, lambda_, plain):
        name, other, source = plain(), plain(), queue()
        for function, where in ((name, source), (name, queue()), (name, queue()), (other, source)):
            lambda_.create_event_source_mapping(FunctionName=function, EventSourceArn=where)
        pages = lambda_.get_paginator("list_event_source_mappings").paginate(
            FunctionName=name, PaginationConfig={"PageSize": 2}
        )
        assert [len(page["EventSourceMappings"]) for page in pages] == [2, 1]
        assert len(lambda_.list_event_source_mappings(EventSourceArn=source)["EventSourceMappings"]) == 2
        both = lambda_.list_event_source_mappings(FunctionName=other, EventSourceArn=source)
        assert len(both["EventSourceMappings"]) == 1

    def test_a_mapping_outlives_its_function(self, create, settled, lambda_, name):
        uuid = create(queue())["UUID"]
        lambda_.delete_function(FunctionName=name)
        assert settled(uuid)["State"] == "Enabled"


class TestRefusals:
    @pytest.mark.parametrize(
        ("source", "options", "message"),
        [
            (None, {}, "Unrecognized event source."),
            ("arn:aws:s3:::bucket", {}, "Unrecognized event source."),
            (queue(), {"FunctionName": "doesnotexist"}, "Function does not exist"),
            (
                stream(),
                {},
                "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member "
                "must not be null.",
            ),
            (
                stream(),
                {"StartingPosition": "LATEST", "StartingPositionTimestamp": 1},
                "Timestamp only valid with StartingPosition AT_TIMESTAMP",
            ),
            (queue(), {"StartingPosition": "LATEST"}, "StartingPosition is not valid for SQS event sources."),
            (
                queue(),
                {"BatchSize": 11},
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
            ),
            (
                queue(),
                {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::b"}}},
                "Unsupported DestinationConfig parameter for given event source mapping type.",
            ),
            (
                stream(),
                {
                    "StartingPosition": "LATEST",
                    "DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:s3:::b"}},
                },
                "Unsupported DestinationConfig parameter for given event source mapping type.",
            ),
            *(
                (queue(), {"FilterCriteria": {"Filters": [{"Pattern": pattern}]}}, "Invalid filter pattern definition.")
                for pattern in ("null", "not json", '{"eventSource": "aws:sqs"}', '{"eventSource": []}', '{"a": [[1]]}')
            ),
            (
                table(),
                {
                    "StartingPosition": "LATEST",
                    "FilterCriteria": {"Filters": [{"Pattern": '[{"eventName": ["INSERT"=123}]'}]},
                },
                "Invalid filter pattern definition.",
            ),
        ],
    )
    def test_create(self, lambda_, name, refusal, source, options, message):
        given = {"FunctionName": name, **({"EventSourceArn": source} if source else {}), **options}
        answer = refusal(lambda_.create_event_source_mapping, **given)
        assert (answer["Error"]["Code"], answer["message"]) == ("InvalidParameterValueException", message)
        assert not lambda_.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]

    def test_dynamodb_has_no_positions_in_time(self, create, refusal):
        source = table()
        answer = refusal(create, source=source, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=1)
        assert answer["message"] == f"Unsupported starting position for arn type: {source}"

    @pytest.mark.parametrize(
        ("source", "options", "told"),
        [
            (
                queue(),
                {},
                'An event source mapping with SQS arn (" {source} ") and function (" {name} ") already exists.',
            ),
            (
                stream(),
                {"StartingPosition": "LATEST"},
                'The event source arn (" {source} ") and function (" {name} ") provided mapping already exists.',
            ),
        ],
    )
    def test_a_second_mapping_of_the_same_two(self, create, name, refusal, source, options, told):
        uuid = create(source, **options)["UUID"]
        answer = refusal(create, source=source, **options)
        assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["message"]) == (
            409,
            f"{told.format(source=source, name=name)} Please update or delete the existing mapping with UUID {uuid}",
        )

    def test_an_update_is_checked_as_a_whole(self, create, settled, lambda_, refusal):
        uuid = create(queue(suffix=".fifo"))["UUID"]
        settled(uuid)
        answer = refusal(lambda_.update_event_source_mapping, UUID=uuid, BatchSize=20)
        assert answer["Error"]["Code"] == "InvalidParameterValueException"
        assert lambda_.get_event_source_mapping(UUID=uuid)["BatchSize"] == 10

    def test_unknown_uuids(self, lambda_, refusal):
        uuid = "00000000-0000-0000-0000-000000000000"
        for operation in ("get", "update", "delete"):
            answer = refusal(getattr(lambda_, f"{operation}_event_source_mapping"), UUID=uuid)
            assert (answer["Error"]["Code"], answer["Message"]) == (
                "ResourceNotFoundException",
                "The resource you requested does not exist.",
            )
