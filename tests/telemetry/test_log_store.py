"""The log store on a real database."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from firefork.aws.errors import LogsResourceNotFound, ResourceAlreadyExists
from firefork.aws.scope import Scope
from firefork.telemetry.log_event import LogEvent
from firefork.telemetry.log_store import DAY_MS, LogStore, Position


def messages(store, scope, group="g", **options):
    return [event.message for event in store.events(scope, group, **options)]


class TestAppend:
    def test_what_was_appended_is_read_at_once(self, store, scope):
        """Readers never wait for the writer's timer, and group and stream are made on the way."""
        store.append(scope, "g", "s", [LogEvent(1000, "one"), LogEvent(1001, "two")])
        assert messages(store, scope) == ["one", "two"]
        assert [stream.name for stream in store.streams(scope, "g")] == ["s"]

    def test_it_survives_another_start(self, database, store, scope):
        store.append(scope, "g", "s", [LogEvent(1000, "kept \x00 \N{SNOWMAN}\nwhole")])
        store.close()
        again = LogStore(database)
        assert messages(again, scope) == ["kept \x00 \N{SNOWMAN}\nwhole"]
        again.close()

    def test_a_hundred_thousand_lines_lose_none(self, store, scope):
        for start in range(0, 100_000, 500):
            store.append(
                scope, "g", "s", [LogEvent(1000 + number, str(number)) for number in range(start, start + 500)]
            )
        assert messages(store, scope) == [str(number) for number in range(100_000)]

    def test_readers_are_not_held_by_others_who_go_on_appending(self, store, scope):
        stop = threading.Event()

        def chatter():
            number = 0
            while not stop.is_set():
                number += 1
                store.append(scope, "chatty", "s", [LogEvent(number, "x")])

        thread = threading.Thread(target=chatter)
        thread.start()
        try:
            store.append(scope, "g", "s", [LogEvent(1, "mine")])
            assert messages(store, scope) == ["mine"]
        finally:
            stop.set()
            thread.join()

    def test_events_are_kept_while_the_database_does_not_take_them(self, database, store, scope, monkeypatch):
        """The reader is told what is wrong and does not hang; afterwards nothing is missing."""
        real, broken = database.write, threading.Event()

        def fail():
            broken.set()
            raise OperationalError("INSERT", {}, Exception("disk is full"))

        monkeypatch.setattr(database, "write", fail)
        store.append(scope, "g", "s", [LogEvent(1, "patient")])
        with pytest.raises(LogsResourceNotFound):
            store.events(scope, "g")
        assert broken.is_set()
        monkeypatch.setattr(database, "write", real)
        store.flush()
        while not store.groups(scope):
            store.flush()
        assert messages(store, scope) == ["patient"]

    def test_a_stream_that_was_deleted_meanwhile_is_made_anew(self, store, scope):
        """Ids are not given out twice: nothing lands in a stream that came later."""
        store.append(scope, "old", "s", [LogEvent(1, "gone")])
        store.delete_group(scope, "old")
        store.append(scope, "new", "s", [LogEvent(2, "new")])
        store.append(scope, "old", "s", [LogEvent(3, "old again")])
        assert messages(store, scope, "new") == ["new"]
        assert messages(store, scope, "old") == ["old again"]


class TestEvents:
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
    @given(
        batches=st.lists(st.tuples(st.sampled_from("abc"), st.lists(st.integers(0, 40), max_size=6)), max_size=8),
        start=st.none() | st.integers(0, 40),
        end=st.none() | st.integers(0, 40),
    )
    def test_interleaved_streams_come_in_order_of_time(self, store, scope, batches, start, end):
        """Whatever the order of arrival: by time, then by arrival; and backwards exactly the reverse."""
        store.append(scope, "g", "x", [LogEvent(0, "made")])
        store.delete_group(scope, "g")
        store.create_group(scope, "g", {})
        expected = []
        for stream, times in batches:
            store.append(scope, "g", stream, [LogEvent(time, f"{stream}{time}") for time in times])
            store.flush()
            expected += [(time, f"{stream}{time}") for time in times]
        wanted = [
            text
            for time, text in sorted(expected, key=lambda pair: pair[0])
            if (start is None or time >= start) and (end is None or time < end)
        ]
        found = list(store.events(scope, "g", start_ms=start, end_ms=end))
        assert [event.message for event in found] == wanted
        backwards = list(store.events(scope, "g", start_ms=start, end_ms=end, backwards=True))
        assert backwards == found[::-1]
        for index in range(0, len(found), 3):
            position = found[index].position
            assert list(store.events(scope, "g", start_ms=start, end_ms=end, after=position)) == found[index + 1 :]
            before = store.events(scope, "g", start_ms=start, end_ms=end, before=position, backwards=True)
            assert list(before) == found[:index][::-1]

    def test_some_streams_only(self, store, scope):
        for stream in ("a1", "a2", "b"):
            store.append(scope, "g", stream, [LogEvent(1, stream)])
        assert messages(store, scope, streams=["a1", "b"]) == ["a1", "b"]
        assert messages(store, scope, stream_prefix="a") == ["a1", "a2"]
        with pytest.raises(LogsResourceNotFound, match="stream does not exist"):
            store.events(scope, "g", streams=["a1", "zz"])
        with pytest.raises(LogsResourceNotFound, match="group does not exist"):
            store.events(scope, "other")

    def test_event_ids_are_unique(self, store, scope):
        store.append(scope, "g", "a", [LogEvent(1, "x"), LogEvent(1, "x")])
        store.flush()
        store.append(scope, "g", "b", [LogEvent(1, "x")])
        found = list(store.events(scope, "g"))
        assert len({event.event_id for event in found}) == 3
        assert max(event.position for event in found) > Position(1, 0)


class TestSeparation:
    def test_accounts_and_regions_do_not_see_each_other(self, store):
        scopes = [
            Scope(account, region) for account in ("111111111111", "222222222222") for region in ("a-b-1", "a-b-2")
        ]
        for scope in scopes:
            store.append(scope, "g", "s", [LogEvent(1, str(scope))])
        for scope in scopes:
            assert messages(store, scope) == [str(scope)]
            assert len(store.groups(scope)) == 1
        store.delete_group(scopes[0], "g")
        assert messages(store, scopes[1]) == [str(scopes[1])]


class TestGroups:
    def test_names_differ_by_case(self, store, scope):
        for name in ("/aws/a", "/AWS/a", "/aws/b_c", "/aws/bxc"):
            store.create_group(scope, name, {})
        assert [group.name for group in store.groups(scope, prefix="/aws")] == ["/aws/a", "/aws/b_c", "/aws/bxc"]
        assert [group.name for group in store.groups(scope, prefix="/aws/b_")] == ["/aws/b_c"]
        assert [group.name for group in store.groups(scope, pattern="WS/")] == ["/AWS/a"]
        assert [group.name for group in store.groups(scope, names=["/aws/a", "/none"])] == ["/aws/a"]

    def test_made_once(self, store, scope):
        store.create_group(scope, "g", {"a": "b"})
        with pytest.raises(ResourceAlreadyExists):
            store.create_group(scope, "g", {})
        store.create_stream(scope, "g", "s")
        with pytest.raises(ResourceAlreadyExists):
            store.create_stream(scope, "g", "s")

    def test_stored_bytes_count_messages_and_26_for_each(self, store, scope):
        store.append(scope, "g", "s", [LogEvent(1, "12345"), LogEvent(2, "1")])
        assert store.group(scope, "g").stored_bytes == 6 + 2 * 26

    def test_a_streams_times(self, store, scope, clock):
        store.append(scope, "g", "s", [LogEvent(50, "b")])
        store.append(scope, "g", "s", [LogEvent(20, "a"), LogEvent(90, "c")])
        (stream,) = store.streams(scope, "g")
        assert (stream.first_event_ms, stream.last_event_ms) == (20, 90)
        assert stream.last_ingestion_ms == stream.created_ms == clock.ms


class TestRetention:
    def test_what_is_too_old_is_not_shown_and_then_deleted(self, store, scope, clock):
        old, young = clock.ms - 2 * DAY_MS, clock.ms - DAY_MS // 2
        store.append(scope, "g", "s", [LogEvent(old, "old")])
        store.flush()
        store.append(scope, "g", "s", [LogEvent(young, "young")])
        store.append(scope, "other", "s", [LogEvent(old, "kept for ever")])
        before = store.group(scope, "g").stored_bytes
        store.set_retention(scope, "g", 1)
        assert messages(store, scope) == ["young"]
        assert store.expire() == 1
        assert store.group(scope, "g").stored_bytes < before
        store.set_retention(scope, "g", None)
        assert messages(store, scope) == ["young"], "deleted, not hidden"
        assert messages(store, scope, "other") == ["kept for ever"]

    def test_it_goes_by_the_clock(self, store, scope, clock):
        store.append(scope, "g", "s", [LogEvent(clock.ms, "x")])
        store.set_retention(scope, "g", 3)
        clock.ms += 3 * DAY_MS
        assert store.expire() == 0
        clock.ms += 1
        assert store.expire() == 1

    def test_a_start_deletes_what_expired_meanwhile(self, database, store, scope, clock):
        store.append(scope, "g", "s", [LogEvent(clock.ms, "x")])
        store.set_retention(scope, "g", 1)
        store.close()
        clock.ms += 2 * DAY_MS
        again = LogStore(database, clock=clock)
        again.append(scope, "other", "s", [LogEvent(clock.ms, "the writer has been through its start")])
        again.flush()
        assert again.group(scope, "g").stored_bytes == 0
        again.close()
