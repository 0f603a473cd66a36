"""From bytes that a runtime writes to log events."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from firefork.engine.log_lines import EVENT_LIMIT, FrameDecoder, LineSplitter

NOW_MS = 1_700_000_000_000


def chunks(data, sizes):
    position = 0
    for size in sizes:
        yield data[position : position + size]
        position += size
    yield data[position:]


def frame(text, timestamp_ms=NOW_MS):
    data = text.encode()
    return struct.pack("!IIq", 0xA55A0003, len(data), timestamp_ms * 1000) + data


class TestLineSplitter:
    @given(
        st.lists(st.text(alphabet=st.characters(exclude_characters="\n"), max_size=40)),
        st.lists(st.integers(0, 9)),
    )
    def test_every_line_is_one_event_however_the_bytes_arrive(self, lines, sizes):
        data = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
        splitter = LineSplitter()
        events = [event for chunk in chunks(data, sizes) for event in splitter.feed(chunk, NOW_MS)]
        assert "".join(event.message for event in events) == data.decode()
        assert len(events) == len(lines)
        assert splitter.flush(NOW_MS) == []

    def test_an_unfinished_line_waits_for_its_end_or_for_the_end_of_the_invoke(self):
        splitter = LineSplitter()
        assert splitter.feed(b"half", NOW_MS) == []
        assert [event.message for event in splitter.feed(b" whole\nrest", NOW_MS)] == ["half whole\n"]
        assert [event.message for event in splitter.flush(NOW_MS)] == ["rest"]
        assert splitter.flush(NOW_MS) == []

    def test_a_line_beyond_the_limit_goes_on_in_the_next_event_and_loses_nothing(self):
        splitter = LineSplitter()
        line = b"x" * (2 * EVENT_LIMIT + 10) + b"\n"
        events = [event for chunk in chunks(line, [65536] * 9) for event in splitter.feed(chunk, NOW_MS)]
        assert "".join(event.message for event in events) == line.decode()
        assert max(len(event.message) for event in events) <= EVENT_LIMIT

    @given(st.integers(0, 3), st.lists(st.integers(1, 65536), max_size=12))
    def test_no_character_is_cut_in_two(self, shift, sizes):
        line = "a" * shift + "€😀" * 60_000 + "\n"
        splitter = LineSplitter()
        events = [event for chunk in chunks(line.encode(), sizes) for event in splitter.feed(chunk, NOW_MS)]
        assert "".join(event.message for event in events) == line
        assert max(len(event.message.encode()) for event in events) <= EVENT_LIMIT

    def test_bytes_that_are_no_text_are_replaced(self):
        assert LineSplitter().feed(b"\xff\n", NOW_MS)[0].message == "\ufffd\n"


class TestFrameDecoder:
    @given(st.lists(st.text(max_size=40).filter(bool)), st.lists(st.integers(0, 30)))
    def test_a_record_of_many_lines_is_one_event_however_the_bytes_arrive(self, texts, sizes):
        texts = [text.encode("utf-8", "replace").decode() for text in texts]
        decoder = FrameDecoder()
        data = b"".join(frame(text) for text in texts)
        events = [event for chunk in chunks(data, sizes) for event in decoder.feed(chunk, NOW_MS)]
        assert [event.message for event in events] == texts

    def test_an_event_has_the_time_of_the_record(self):
        assert FrameDecoder().feed(frame("x", NOW_MS - 5), NOW_MS)[0].timestamp_ms == NOW_MS - 5

    def test_an_event_is_never_before_what_came_before_it(self):
        """Prints have the time of arrival: a record that was written after one may carry an earlier time."""
        assert FrameDecoder().feed(frame("x", NOW_MS - 5), NOW_MS, NOW_MS - 2)[0].timestamp_ms == NOW_MS - 2

    def test_a_time_that_cannot_be_is_replaced(self):
        assert FrameDecoder().feed(frame("x", NOW_MS + 10**9), NOW_MS)[0].timestamp_ms == NOW_MS

    @given(st.binary(max_size=200))
    def test_garbage_never_stops_what_comes_after_a_newline(self, garbage):
        decoder = FrameDecoder()
        decoder.feed(garbage, NOW_MS)  # must not raise; a function may write what it likes
