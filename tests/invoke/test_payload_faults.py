"""What Invoke says of a payload that is no JSON. Recorded: localstack's snapshots, and answers that users pasted."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.invoke.payload_faults import describe

_VALUE = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


def _source(column: int, line: int = 1) -> str:
    switch = "`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled"
    return f"[Source: REDACTED ({switch}); line: {line}, column: {column}]"


@pytest.mark.parametrize(
    ("payload", "text", "column"),
    [
        # test_lambda.py, test_invocation_with_malformed_json and its like: bytes at random
        (b"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt", "Invalid UTF-8 start byte 0x87", 3),
        (
            b"\x99\xeb,j\x07\xa1zYh",
            f"Unexpected character ((CTRL-CHAR, code 153)): expected a valid value {_VALUE}",
            1,
        ),
        (b"<", f"Unexpected character ('<' (code 60)): expected a valid value {_VALUE}", 1),
        (b"Hello World", f"Unrecognized token 'Hello': was expecting {_VALUE}", 7),
        (b"nul", f"Unrecognized token 'nul': was expecting {_VALUE}", 4),
        (b"truest", f"Unrecognized token 'truest': was expecting {_VALUE}", 7),
        (b"{cron", "Unexpected character ('c' (code 99)): was expecting double-quote to start field name", 2),
        (b'{"a" 1}', "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value", 6),
        (b'{"a":1 "b"}', "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries", 8),
        (b"[1;2]", "Unexpected character (';' (code 59)): was expecting comma to separate Array entries", 3),
        (b"[1,]", "Unexpected character (']' (code 93)): expected a value", 4),
        (b"{]", f"Unexpected close marker ']': expected '}}' (for Object starting at {_source(1)})", 2),
        (
            b"--x",
            "Unexpected character ('-' (code 45)) in numeric value: "
            "expected digit (0-9) to follow minus sign, for valid numeric value",
            2,
        ),
        (b"[012]", "Invalid numeric value: Leading zeroes not allowed", 3),
        (b"{", f"Unexpected end-of-input: expected close marker for Object (start marker at {_source(1)})", 2),
        (b'{"a":1,', "Unexpected end-of-input within/between Object entries", 8),
        (b'"abc', "Unexpected end-of-input in VALUE_STRING", 5),
        (b'{"abc', "Unexpected end-of-input in field name", 6),
        (b'"\\x"', "Unrecognized character escape 'x' (code 120)", 3),
        (
            b'"a\nb"',
            "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using backslash to be included in "
            "string value",
            3,
        ),
    ],
)
def test_words_and_place(payload: bytes, text: str, column: int) -> None:
    assert describe(payload) == f"{text}\n at {_source(column)}"


def test_a_place_on_a_later_line() -> None:
    said = describe(b'{\n  "a": 1\r\n  "b": 2}')

    assert said is not None
    assert said.endswith(_source(3, line=3))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
)


@given(_JSON)
def test_nothing_is_wrong_with_json(value: object) -> None:
    try:
        payload = orjson.dumps(value)
    except TypeError:  # a lone surrogate
        return
    assert describe(payload) is None


@given(st.binary() | st.text('{}[],:"\\ \n-+.eE019tfnulrasx/é€').map(str.encode))
def test_every_payload_is_answered(payload: bytes) -> None:
    said = describe(payload)

    try:
        orjson.loads(payload)
    except orjson.JSONDecodeError:
        assert said is None or "\n at [Source: REDACTED" in said
    else:
        assert said is None
