"""Logs Insights by boto3 against a real server."""

import json
import re
import time
import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def group(logs):
    name = f"/insights/{uuid.uuid4().hex}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    now = int(time.time() * 1000)
    events = [{"timestamp": now - 60_000 + n, "message": json.dumps({"n": n, "even": n % 2 == 0})} for n in range(20)]
    logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=events)
    return name


def ask(logs, group, query, **more):
    now = int(time.time())
    query_id = logs.start_query(logGroupName=group, startTime=now - 3600, endTime=now + 60, queryString=query, **more)[
        "queryId"
    ]
    return await_end(logs, query_id)


def await_end(logs, query_id):
    while True:
        answer = logs.get_query_results(queryId=query_id)
        if answer["status"] not in ("Scheduled", "Running"):
            return answer


def table(answer):
    return [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]]


def code(refusal):
    return refusal.value.response["Error"]["Code"]


class TestQueries:
    def test_newest_first_with_a_pointer_to_the_whole_record(self, logs, group):
        answer = ask(logs, group, "fields n | limit 2")
        assert answer["status"] == "Complete"
        first, second = table(answer)
        assert (first["n"], second["n"]) == ("19", "18")
        record = logs.get_log_record(logRecordPointer=first["@ptr"])["logRecord"]
        assert record["n"] == "19"
        assert record["@message"] == '{"n": 19, "even": false}'
        assert record["@logStream"] == "s"
        assert record["@log"].endswith(f":{group}")

    def test_statistics_of_the_scan(self, logs, group):
        answer = ask(logs, group, "filter even = 1 | stats sum(n) as total by even")
        assert table(answer) == [{"even": "1", "total": "90"}]
        assert answer["statistics"]["recordsScanned"] == 20
        assert answer["statistics"]["recordsMatched"] == 10
        assert answer["statistics"]["bytesScanned"] > 0

    def test_a_limit_beside_the_query(self, logs, group):
        assert len(ask(logs, group, "fields n", limit=3)["results"]) == 3

    def test_pages(self, logs, group):
        query_id = logs.start_query(logGroupName=group, startTime=0, endTime=10**10, queryString="fields n")["queryId"]
        await_end(logs, query_id)
        first = logs.get_query_results(queryId=query_id, maxItems=15)
        second = logs.get_query_results(queryId=query_id, maxItems=15, nextToken=first["nextToken"])
        assert [len(first["results"]), len(second["results"])] == [15, 5]
        assert "nextToken" not in second

    def test_several_groups_and_milliseconds(self, logs, group):
        other = f"{group}-other"
        logs.create_log_group(logGroupName=other)
        query_id = logs.start_query(
            logGroupNames=[group, other], startTime=0, endTime=10**13, queryString="stats count(*) as n by @log"
        )["queryId"]
        answer = await_end(logs, query_id)
        assert [row["n"] for row in table(answer)] == ["20"]
        assert answer["statistics"]["logGroupsScanned"] == 2

    def test_reports_of_a_function(self, logs, make_function):
        function = make_function({"app.py": "def handler(event, context):\n    print('seen', event)\n"})
        for _ in range(3):
            function.invoke({})
        query = (
            'filter @type = "REPORT" '
            "| stats count(*) as invokes, count_distinct(@requestId) as ids, max(@memorySize) as size"
        )
        assert table(ask(logs, f"/aws/lambda/{function.name}", query)) == [
            {"invokes": "3", "ids": "3", "size": "512000000"}
        ]

    def test_they_are_described(self, logs, group):
        end = int(time.time())
        query_id = logs.start_query(logGroupName=group, startTime=0, endTime=end, queryString="fields x")["queryId"]
        await_end(logs, query_id)
        described = logs.describe_queries(logGroupName=group, status="Complete")["queries"]
        assert described[0]["queryId"] == query_id
        assert described[0]["queryString"] == f'SOURCE "{group}" START=0 END={end}999 | fields x'


class TestRefusals:
    def test_a_query_that_cannot_be_read(self, logs, group):
        with pytest.raises(ClientError) as refusal:
            ask(logs, group, "fields n | bogus")
        assert code(refusal) == "MalformedQueryException"
        error = refusal.value.response["queryCompileError"]
        assert error["location"] == {"startCharOffset": 11, "endCharOffset": 16}
        assert error["message"] == "unexpected symbol found bogus at line 1 and position 11"

    def test_what_is_not_there(self, logs, group):
        for call in (
            lambda: ask(logs, "/none", "fields n"),
            lambda: logs.get_query_results(queryId=str(uuid.uuid4())),
            lambda: logs.stop_query(queryId=str(uuid.uuid4())),
        ):
            with pytest.raises(ClientError) as refusal:
                call()
            assert code(refusal) == "ResourceNotFoundException"

    def test_a_group_that_is_not_there_is_named(self, logs):
        """As recorded: localstack's test_logs_queries.snapshot.json, 2026."""
        with pytest.raises(ClientError) as refusal:
            ask(logs, "/none", "fields n")
        assert re.fullmatch(
            r"Log group '/none' does not exist for account ID '000000000000' \(Service: AWSLogs; Status Code: 400; "
            r"Error Code: ResourceNotFoundException; Request ID: [0-9a-f-]{36}; Proxy: null\)",
            refusal.value.response["Error"]["Message"],
        )

    def test_a_time_in_which_there_was_no_group(self, logs, group):
        """As in several published answers of 2025 and 2026, with the place of the whole query."""
        with pytest.raises(ClientError) as refusal:
            logs.start_query(logGroupName=group, startTime=0, endTime=1, queryString="fields @message")
        assert code(refusal) == "MalformedQueryException"
        assert refusal.value.response["Error"]["Message"] == (
            "Query's end date and time is either before the log groups creation time or exceeds the log groups log "
            "retention settings ([0,14])"
        )

    def test_the_last_second_counts_as_a_whole(self, logs, group):
        """As the query string that DescribeQueries shows says: END=…999."""
        late = {"logGroupName": f"{group}-late"}
        logs.create_log_group(**late)
        logs.create_log_stream(**late, logStreamName="s")
        now = int(time.time())
        logs.put_log_events(**late, logStreamName="s", logEvents=[{"timestamp": now * 1000 + 900, "message": "m"}])
        query_id = logs.start_query(**late, startTime=now, endTime=now, queryString="fields @message")["queryId"]
        assert len(await_end(logs, query_id)["results"]) == 1

    def test_parameters_that_contradict(self, logs, group):
        for parameters in (
            {"logGroupName": group, "startTime": 2, "endTime": 1},
            {"startTime": 0, "endTime": 1},
            {"logGroupName": group, "logGroupNames": [group], "startTime": 0, "endTime": 1},
            {"logGroupName": group, "startTime": 0, "endTime": 1, "queryLanguage": "SQL"},
        ):
            with pytest.raises(ClientError) as refusal:
                logs.start_query(queryString="fields n", **parameters)
            assert code(refusal) == "InvalidParameterException"

    def test_an_ended_query_cannot_be_stopped(self, logs, group):
        query_id = logs.start_query(logGroupName=group, startTime=0, endTime=10**10, queryString="fields n")["queryId"]
        await_end(logs, query_id)
        with pytest.raises(ClientError) as refusal:
            logs.stop_query(queryId=query_id)
        assert code(refusal) == "InvalidParameterException"

    def test_pointers_that_nobody_gave(self, logs):
        with pytest.raises(ClientError) as refusal:
            logs.get_log_record(logRecordPointer="nonsense")
        assert code(refusal) == "InvalidParameterException"
