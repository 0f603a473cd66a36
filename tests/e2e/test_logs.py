"""CloudWatch Logs through boto3 and the AWS CLI."""

import itertools
import os
import queue
import subprocess
import threading
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

DAY_MS = 86_400_000
AWS_V2 = Path("/usr/bin/aws")
"""Debian's package; what lies in the virtual environment is version 1."""
_names = itertools.count(1)


def now_ms():
    return time.time_ns() // 1_000_000


@pytest.fixture
def group(logs):
    name = f"/test/logs/{os.getpid()}/{next(_names)}"
    logs.create_log_group(logGroupName=name)
    yield name
    logs.delete_log_group(logGroupName=name)


@pytest.fixture
def put(logs, group):
    """Puts messages into a stream, a millisecond apart from ``start_ms`` on."""
    streams = set()

    def put_into(stream, *texts, start_ms=None):
        if stream not in streams:
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
            streams.add(stream)
        start_ms = start_ms or now_ms() - 60_000
        events = [{"timestamp": start_ms + number, "message": text} for number, text in enumerate(texts)]
        return logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    return put_into


def code_of(refusal):
    return refusal.value.response["Error"]["Code"], refusal.value.response["Error"]["Message"]


class TestGroupsAndStreams:
    def test_describe_groups_in_pages(self, logs, group):
        names = [f"{group}/{number:02}" for number in range(7)]
        for name in names:
            logs.create_log_group(logGroupName=name, tags={"n": name[-2:]})
        pages = logs.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=f"{group}/", PaginationConfig={"PageSize": 3}
        )
        found = [[shown["logGroupName"] for shown in page["logGroups"]] for page in pages]
        assert found == [names[:3], names[3:6], names[6:]]
        (found,) = logs.describe_log_groups(logGroupNamePattern=f"{group}/03")["logGroups"]
        assert found["logGroupName"] == names[3]
        (shown,) = logs.describe_log_groups(logGroupNamePrefix=names[3])["logGroups"]
        assert shown["arn"] == f"arn:aws:logs:us-east-1:000000000000:log-group:{names[3]}:*"
        assert shown["logGroupArn"] == shown["arn"][:-2]
        assert shown["storedBytes"] == 0
        assert "retentionInDays" not in shown
        for name in names:
            logs.delete_log_group(logGroupName=name)
        assert logs.describe_log_groups(logGroupNamePrefix=f"{group}/")["logGroups"] == []

    def test_what_is_there_already_and_what_is_not(self, logs, group):
        with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=group)
        for call in (
            lambda: logs.delete_log_group(logGroupName="/none"),
            lambda: logs.create_log_stream(logGroupName="/none", logStreamName="s"),
            lambda: logs.describe_log_streams(logGroupName="/none"),
            lambda: logs.delete_log_stream(logGroupName=group, logStreamName="none"),
            lambda: logs.get_log_events(logGroupName=group, logStreamName="none"),
            lambda: logs.filter_log_events(logGroupName="/none"),
            lambda: logs.filter_log_events(logGroupName=group, logStreamNames=["none"]),
            lambda: logs.put_retention_policy(logGroupName="/none", retentionInDays=1),
            lambda: logs.put_log_events(
                logGroupName=group, logStreamName="none", logEvents=[{"timestamp": 1, "message": "x"}]
            ),
        ):
            with pytest.raises(logs.exceptions.ResourceNotFoundException):
                call()

    def test_describe_streams(self, logs, group, put):
        for stream, start_ms in (("b", 3000), ("a1", 2000), ("a2", 1000)):
            put(stream, "x", "y", start_ms=now_ms() - 100_000 + start_ms)
        by_name = logs.describe_log_streams(logGroupName=group)["logStreams"]
        assert [shown["logStreamName"] for shown in by_name] == ["a1", "a2", "b"]
        by_time = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True, limit=2)
        assert [shown["logStreamName"] for shown in by_time["logStreams"]] == ["b", "a1"]
        rest = logs.describe_log_streams(
            logGroupName=group, orderBy="LastEventTime", descending=True, limit=2, nextToken=by_time["nextToken"]
        )
        assert [shown["logStreamName"] for shown in rest["logStreams"]] == ["a2"]
        assert "nextToken" not in rest
        some = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="a")["logStreams"]
        assert [shown["logStreamName"] for shown in some] == ["a1", "a2"]
        assert some[0]["lastEventTimestamp"] == some[0]["firstEventTimestamp"] + 1
        with pytest.raises(logs.exceptions.InvalidParameterException):
            logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", logStreamNamePrefix="a")
        logs.delete_log_stream(logGroupName=group, logStreamName="b")
        assert len(logs.describe_log_streams(logGroupName=group)["logStreams"]) == 2

    def test_tags(self, logs, group):
        arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"
        logs.tag_resource(resourceArn=arn, tags={"a": "1", "b c": "ü"})
        assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "1", "b c": "ü"}
        logs.untag_resource(resourceArn=arn, tagKeys=["a", "never"])
        assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b c": "ü"}
        with pytest.raises(logs.exceptions.TooManyTagsException):
            logs.tag_resource(resourceArn=arn, tags={f"k{number}": "" for number in range(50)})

    def test_an_arn_of_elsewhere_is_not_the_group_of_here(self, logs, group, put):
        put("s", "mine")
        other_region = f"arn:aws:logs:eu-west-1:000000000000:log-group:{group}"
        other_account = f"arn:aws:logs:us-east-1:999999999999:log-group:{group}"
        for arn in (other_region, other_account):
            with pytest.raises(logs.exceptions.ResourceNotFoundException):
                logs.filter_log_events(logGroupIdentifier=arn)
        with pytest.raises(logs.exceptions.ResourceNotFoundException):
            logs.list_tags_for_resource(resourceArn=other_region)
        with pytest.raises(logs.exceptions.ClientError, match="AccessDeniedException"):
            logs.list_tags_for_resource(resourceArn=other_account)
        here = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"
        assert len(logs.filter_log_events(logGroupIdentifier=here)["events"]) == 1

    def test_retention(self, logs, group, put):
        put("s", "old", start_ms=now_ms() - 2 * DAY_MS)
        put("s", "young")
        logs.put_retention_policy(logGroupName=group, retentionInDays=1)
        shown = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
        assert shown["retentionInDays"] == 1
        assert [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]] == ["young"]
        answer = put("s", "too old now", "x", start_ms=now_ms() - 2 * DAY_MS)
        assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 2}
        logs.delete_retention_policy(logGroupName=group)
        assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
        with pytest.raises(
            logs.exceptions.InvalidParameterException, match=r"Member must satisfy enum value set: \[1, 3"
        ):
            logs.put_retention_policy(logGroupName=group, retentionInDays=2)


class TestPut:
    def refused(self, logs, group, events):
        with pytest.raises(logs.exceptions.InvalidParameterException) as refusal:
            logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
        return code_of(refusal)[1]

    def test_limits_of_a_batch(self, logs, group, put):
        """A megabyte with 26 bytes for each event, 10,000 events, in order, within a day."""
        put("s", "first")
        moment = now_ms()
        full = [{"timestamp": moment, "message": "ü" * 262_131}, {"timestamp": moment, "message": "x" * 524_262}]
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=full)
        full[1]["message"] += "y"
        assert self.refused(logs, group, full) == "Upload too large: 1048577 bytes exceeds limit of 1048576"
        many = [{"timestamp": moment, "message": "x"}] * 10_001
        assert "Member must have length less than or equal to 10000" in self.refused(logs, group, many)
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=many[1:])
        disorder = [{"timestamp": moment, "message": "x"}, {"timestamp": moment - 1, "message": "x"}]
        assert "must be in chronological order" in self.refused(logs, group, disorder)
        days = [{"timestamp": moment - DAY_MS - 1, "message": "x"}, {"timestamp": moment, "message": "x"}]
        assert "cannot span more than 24 hours" in self.refused(logs, group, days)

    def test_events_that_are_too_old_or_too_new_are_named_and_the_others_kept(self, logs, group, put):
        put("s", "first")
        moment = now_ms()
        times = [moment - 15 * DAY_MS, moment - 14 * DAY_MS - 1000, moment, moment + 1, moment + 3 * 3_600_000]
        answer = logs.put_log_events(
            logGroupName=group,
            logStreamName="s",
            logEvents=[{"timestamp": time, "message": str(number)} for number, time in enumerate(times)],
        )
        assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 2, "tooNewLogEventStartIndex": 4}
        found = logs.filter_log_events(logGroupName=group, startTime=moment - 1)["events"]
        assert [event["message"] for event in found] == ["2", "3"]
        assert "rejectedLogEventsInfo" not in put("s", "fine")


class TestGet:
    def read(self, logs, group, **options):
        answer = logs.get_log_events(logGroupName=group, logStreamName="s", **options)
        return [event["message"] for event in answer["events"]], answer

    def test_tokens_forward(self, logs, group, put):
        """The end answers the token that was given; what comes later is behind it."""
        put("s", *"abcde")
        found, answer = self.read(logs, group, startFromHead=True, limit=2)
        assert found == ["a", "b"]
        found, answer = self.read(logs, group, limit=2, nextToken=answer["nextForwardToken"])
        assert found == ["c", "d"]
        back, _ = self.read(logs, group, nextToken=answer["nextBackwardToken"])
        assert back == ["a", "b"]
        found, answer = self.read(logs, group, limit=2, nextToken=answer["nextForwardToken"])
        assert found == ["e"]
        token = answer["nextForwardToken"]
        found, answer = self.read(logs, group, nextToken=token)
        assert found == []
        assert answer["nextForwardToken"] == token
        put("s", "f", start_ms=now_ms())
        found, _ = self.read(logs, group, nextToken=token)
        assert found == ["f"]

    def test_tokens_backward(self, logs, group, put):
        """Without a direction the newest page comes first, itself in order of time."""
        put("s", *"abcde")
        found, answer = self.read(logs, group, limit=2)
        assert found == ["d", "e"]
        found, answer = self.read(logs, group, limit=2, nextToken=answer["nextBackwardToken"])
        assert found == ["b", "c"]
        forward, _ = self.read(logs, group, nextToken=answer["nextForwardToken"])
        assert forward == ["d", "e"]
        found, answer = self.read(logs, group, limit=2, nextToken=answer["nextBackwardToken"])
        assert found == ["a"]
        token = answer["nextBackwardToken"]
        found, answer = self.read(logs, group, limit=2, nextToken=token)
        assert found == []
        assert answer["nextBackwardToken"] == token

    def test_a_stream_that_was_empty_can_be_followed(self, logs, group, put):
        logs.create_log_stream(logGroupName=group, logStreamName="s")
        _, answer = self.read(logs, group, startFromHead=True)
        logs.put_log_events(
            logGroupName=group, logStreamName="s", logEvents=[{"timestamp": now_ms() - 5000, "message": "first"}]
        )
        assert self.read(logs, group, nextToken=answer["nextForwardToken"])[0] == ["first"]

    def test_the_end_of_the_range_is_left_out(self, logs, group, put):
        start = now_ms() - 60_000
        put("s", *"abc", start_ms=start)
        assert self.read(logs, group, startTime=start + 1, endTime=start + 2)[0] == ["b"]

    @pytest.mark.parametrize("token", ["x", "f/1-2", "f/99999999999999999999999-1/s", "g/1-1/s"])
    def test_a_token_that_is_none(self, logs, group, put, token):
        put("s", "a")
        with pytest.raises(logs.exceptions.InvalidParameterException, match="The specified nextToken is invalid"):
            self.read(logs, group, nextToken=token)


class TestFilter:
    def find(self, logs, group, pattern="", **options):
        events = logs.filter_log_events(logGroupName=group, filterPattern=pattern, **options)["events"]
        return [event["message"] for event in events]

    def test_patterns(self, logs, group, put):
        put("s", "ERROR one", "WARN two", '{"level": "ERROR", "ms": 12}', '{"level": "INFO", "user": {"ms": 3}}')
        assert self.find(logs, group, "ERROR -one") == ['{"level": "ERROR", "ms": 12}']
        assert self.find(logs, group, '?WARN ?"ERROR one"') == ["ERROR one", "WARN two"]
        assert self.find(logs, group, "{ $.ms > 11 }") == ['{"level": "ERROR", "ms": 12}']
        assert self.find(logs, group, "{ $.user.ms = 3 }") == ['{"level": "INFO", "user": {"ms": 3}}']
        assert self.find(logs, group, "%^WARN%") == ["WARN two"]
        with pytest.raises(logs.exceptions.InvalidParameterException, match="Invalid filter pattern"):
            self.find(logs, group, "{ $.ms > }")

    @pytest.mark.parametrize("from_head", [True, False])
    def test_pages_over_interleaved_streams(self, logs, group, put, from_head):
        """Each event once, by time, whatever the page size; and the other way round."""
        start = now_ms() - 100_000
        for number in range(5):
            put(f"s{number}", *(f"{number}.{line}" for line in range(7)), start_ms=start + number % 3)
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startFromHead=from_head, startTime=start, PaginationConfig={"PageSize": 4}
        )
        found = [event for page in pages for event in page["events"]]
        assert len({event["eventId"] for event in found}) == len(found) == 35
        times = [event["timestamp"] for event in found]
        assert times == sorted(times, reverse=not from_head)
        assert all(event["message"].startswith(event["logStreamName"][1:]) for event in found)

    def test_the_end_of_the_range_is_included(self, logs, group, put):
        start = now_ms() - 60_000
        put("s", *"abc", start_ms=start)
        assert self.find(logs, group, startTime=start + 1, endTime=start + 2) == ["b", "c"]
        assert self.find(logs, group, endTime=2**63 - 1) == ["a", "b", "c"]

    def test_streams_by_name_and_by_prefix(self, logs, group, put):
        for stream in ("a1", "a2", "b"):
            put(stream, stream)
        assert sorted(self.find(logs, group, logStreamNames=["a1", "b"])) == ["a1", "b"]
        assert sorted(self.find(logs, group, logStreamNamePrefix="a")) == ["a1", "a2"]
        with pytest.raises(logs.exceptions.InvalidParameterException):
            self.find(logs, group, logStreamNames=["a1"], logStreamNamePrefix="a")

    def test_a_page_holds_a_megabyte(self, logs, group, put):
        for _ in range(3):
            put("s", "x" * 700_000)
        first = logs.filter_log_events(logGroupName=group)
        assert len(first["events"]) == 1
        assert first["nextToken"]


class TestCommandLine:
    def test_tail_follow_shows_what_is_written_meanwhile(self, server, logs, group, put):
        """The real ``aws logs tail --follow`` process, which polls FilterLogEvents."""
        key, secret = server.keys()
        put("s", "before", start_ms=now_ms() - 1000)
        if not AWS_V2.exists():
            pytest.skip("no AWS CLI 2 here, version 1 has no `logs tail`: scripts/system-packages test installs it")
        command = [AWS_V2, "logs", "tail", group, "--follow", "--since", "1m", "--format", "short"]
        process = subprocess.Popen(
            [*command, "--endpoint-url", server.endpoint],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={
                "PATH": os.environ["PATH"],
                "AWS_ACCESS_KEY_ID": key,
                "AWS_SECRET_ACCESS_KEY": secret,
                "AWS_DEFAULT_REGION": "us-east-1",
                "PYTHONUNBUFFERED": "1",
            },
        )
        lines = queue.Queue()
        reader = threading.Thread(target=lambda: [lines.put(line) for line in process.stdout])
        reader.start()
        try:
            assert "before" in lines.get(timeout=60)
            put("s", "meanwhile", start_ms=now_ms())
            assert "meanwhile" in lines.get(timeout=60)
        finally:
            process.terminate()
            process.wait()
            reader.join()
            process.stdout.close()


class TestWire:
    def test_errors_are_those_of_the_protocol(self, logs):
        with pytest.raises(ClientError) as refusal:
            logs.describe_log_streams(logGroupName="/none")
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert code_of(refusal) == ("ResourceNotFoundException", "The specified log group does not exist.")
        assert refusal.value.response["ResponseMetadata"]["RequestId"]
