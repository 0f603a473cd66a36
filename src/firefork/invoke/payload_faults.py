"""What AWS says of a payload that is no JSON: the words and the place are those of its parser, Jackson.

Observed: fact sheet section 6.2, recordings of Invoke, and answers that users pasted. The states follow the grammar as
jackson-core's UTF8StreamJsonParser does; columns count bytes.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NoReturn

READABLE: Final = 65_536
"""Bytes of payload up to which the fault is searched for: the search takes about a microsecond a byte."""

_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_STRING_BODY: Final = re.compile(rb'(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
_NUMBER: Final = re.compile(rb"-?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]*)?")
_WORDS: Final = {ord("t"): b"true", ord("f"): b"false", ord("n"): b"null"}
_EXPECTED: Final = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_IDENTIFIER_START: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "Sc", "Pc"})
_IDENTIFIER_PART: Final = _IDENTIFIER_START | {"Nd", "Mc", "Mn", "Cf"}
_COMMENT: Final = (
    "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not enabled for parser)"
)


class Fault(Exception):
    """Where reading ended, and why."""

    def __init__(self, payload: bytes, text: str, at: int) -> None:
        super().__init__(f"{text}\n at {_place(payload, at)}")


def describe(payload: bytes) -> str | None:
    """The parser's words for what is wrong; ``None`` if it would have found nothing."""
    try:
        _Reader(payload).read()
    except Fault as fault:
        return str(fault)
    return None


class _Reader:
    """Reads one value, and raises Fault where Jackson would stop."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._at = 0
        self._open: list[int] = []
        """Where the objects and arrays begin that are not closed yet."""

    def read(self) -> None:
        self._space(between=False)
        if self._at == len(self._payload):
            return
        self._value()
        while self._open:
            self._space(between=False)
            byte = self._payload[self._at]
            if not self._close(byte):
                if byte != ord(","):
                    self._unexpected(byte, f"was expecting comma to separate {self._kind} entries")
                self._at += 1
                self._space()
                self._entry()

    def _entry(self) -> None:
        """A value, in an object with its name before it."""
        if self._kind == "Object":
            byte = self._payload[self._at]
            if byte != ord('"'):
                self._unexpected(byte, "was expecting double-quote to start field name")
            self._string("field name", "name")
            self._space()
            if self._payload[self._at] != ord(":"):
                self._unexpected(self._payload[self._at], "was expecting a colon to separate field name and value")
            self._at += 1
            self._space()
        self._value()

    def _value(self) -> None:
        byte = self._payload[self._at]
        if byte in b"]}" and not self._open:
            self._mismatched(byte, "line: 1, column: 0")
        elif byte in b"{[":
            self._open.append(self._at)
            self._at += 1
            self._space(between=False)
            if not self._close(self._payload[self._at]):
                self._entry()
        elif byte == ord('"'):
            self._string("VALUE_STRING", "string value")
        elif byte in b"-0123456789":
            self._number()
        elif byte in _WORDS:
            self._word(_WORDS[byte])
        elif byte in b",}" or (byte == ord("]") and self._kind == "Array"):
            self._unexpected(byte, "expected a value")
        elif unicodedata.category(chr(byte)) in _IDENTIFIER_START:
            self._at += 1
            self._no_word(chr(byte))
        else:
            self._unexpected(byte, f"expected a valid value {_EXPECTED}")

    @property
    def _kind(self) -> str:
        if not self._open:
            return "root"
        return "Object" if self._payload[self._open[-1]] == ord("{") else "Array"

    def _close(self, byte: int) -> bool:
        """Whether this ends an object or array."""
        if byte not in b"]}":
            return False
        if (byte == ord("}")) != (self._kind == "Object"):
            self._mismatched(byte, _line_and_column(self._payload, self._open[-1]))
        self._open.pop()
        self._at += 1
        return True

    def _mismatched(self, byte: int, begin: str) -> NoReturn:
        expected = "]" if byte == ord("}") else "}"
        self._fail(
            f"Unexpected close marker '{chr(byte)}': expected '{expected}' (for {self._kind} starting at "
            f"{_source(begin)})",
            self._at,
        )

    def _space(self, *, between: bool = True) -> None:
        """To what follows the white space; ``between`` entries, or where a close marker may stand."""
        found = _SPACE.match(self._payload, self._at)
        self._at = found.end() if found else self._at
        if self._at == len(self._payload):
            if self._kind == "root":
                return
            if between:
                self._fail(f"Unexpected end-of-input within/between {self._kind} entries", self._at)
            self._fail(
                f"Unexpected end-of-input: expected close marker for {self._kind} (start marker at "
                f"{_place(self._payload, self._open[-1])})",
                self._at,
            )
        byte = self._payload[self._at]
        if byte < ord(" "):
            spaces = r"only regular white space (\r, \n, \t) is allowed between tokens"
            self._fail(f"Illegal character ({_name(byte)}): {spaces}", self._at)
        if byte == ord("/"):
            self._unexpected(byte, _COMMENT)

    def _string(self, where: str, what: str) -> None:
        begin = self._at + 1
        body = _STRING_BODY.match(self._payload, begin)
        end = body.end() if body else begin
        try:
            self._payload[begin:end].decode()
        except UnicodeDecodeError as bad:
            if bad.reason == "invalid start byte":
                self._fail(_start_byte(self._payload[begin + bad.start]), begin + bad.start + 1)
            wrong = begin + bad.end
            self._fail(_middle_byte(self._payload[wrong]) if wrong < len(self._payload) else _ended(where), wrong + 1)
        if end == len(self._payload):
            self._fail(_ended(where), end)
        byte = self._payload[end]
        self._at = end
        if byte == ord('"'):
            self._at += 1
        elif byte == ord("\\"):
            self._escape()
        else:
            self._fail(
                f"Illegal unquoted character ({_name(byte)}): has to be escaped using backslash to be included in "
                f"{what}",
                end,
            )

    def _escape(self) -> NoReturn:
        rest = self._payload[self._at + 1 : self._at + 6]
        if rest[:1] not in (b"", b"u"):
            self._fail(f"Unrecognized character escape {_name(rest[0])}", self._at + 1)
        for place, byte in enumerate(rest[1:], self._at + 2):
            if byte not in b"0123456789abcdefABCDEF":
                self._at = place
                self._unexpected(byte, "expected a hex-digit for character escape sequence")
        self._fail(_ended("character escape sequence"), len(self._payload))

    def _number(self) -> None:
        found = _NUMBER.match(self._payload, self._at)
        if found is None:  # a minus sign alone
            self._at += 1
            if self._at == len(self._payload):
                self._fail("Unexpected end-of-input", self._at)
            self._wrong_digit("expected digit (0-9) to follow minus sign, for valid numeric value")
        digits = found[0].lstrip(b"-")
        if digits[:1] == b"0" and digits[1:2].isdigit():
            self._fail("Invalid numeric value: Leading zeroes not allowed", found.end() - len(digits) + 1)
        self._at = found.end()
        if found[2] and not found[2][-1:].isdigit():
            self._wrong_digit("Exponent indicator not followed by a digit")
        if found[1] == b".":
            self._at -= len(found[2] or b"")
            self._wrong_digit("Decimal point not followed by a digit")
        if not self._open and self._at < len(self._payload) and self._payload[self._at] not in b" \t\r\n":
            self._unexpected(self._payload[self._at], "Expected space separating root-level values")

    def _wrong_digit(self, problem: str) -> NoReturn:
        """What stands where a digit should; at the end of the payload the character before it."""
        place = min(self._at, len(self._payload) - 1)
        self._fail(f"Unexpected character ({_name(self._payload[place])}) in numeric value: {problem}", place)

    def _word(self, word: bytes) -> None:
        same = 1
        while same < len(word) and self._payload[self._at + same : self._at + same + 1] == word[same : same + 1]:
            same += 1
        self._at += same
        following = self._payload[self._at : self._at + 1].decode("latin-1")
        if same < len(word) or _is_part(following):
            self._no_word(word[:same].decode())

    def _no_word(self, text: str) -> NoReturn:
        """Read on to where the word ends. A letter beyond ASCII is decoded, and may turn out to be none."""
        while self._at < len(self._payload):
            character = self._character()
            if not _is_part(character):
                break
            text += character
            if len(text) >= 256:
                text += "..."
                break
        self._fail(f"Unrecognized token '{text}': was expecting {_EXPECTED}", self._at)

    def _character(self) -> str:
        first = self._payload[self._at]
        self._at += 1
        if first < 0x80:
            return chr(first)
        length = next((count for count, low, high in _LENGTHS if low <= first < high), 0)
        if not length:
            self._fail(_start_byte(first), self._at)
        code = first & (0x3F >> length)
        for byte in self._payload[self._at : self._at + length]:
            self._at += 1
            if byte & 0xC0 != 0x80:
                self._fail(_middle_byte(byte), self._at)
            code = code << 6 | byte & 0x3F
        return chr(code & 0xFFFF)

    def _unexpected(self, code: int, problem: str) -> NoReturn:
        self._fail(f"Unexpected character ({_name(code)}): {problem}", self._at)

    def _fail(self, text: str, at: int) -> NoReturn:
        raise Fault(self._payload, text, at)


_LENGTHS: Final = ((1, 0xC0, 0xE0), (2, 0xE0, 0xF0), (3, 0xF0, 0xF8))
"""How many bytes follow a first byte in a range."""


def _place(payload: bytes, at: int) -> str:
    return _source(_line_and_column(payload, at))


def _line_and_column(payload: bytes, at: int) -> str:
    ends = [found.end() for found in _LINE_END.finditer(payload, 0, at)]
    return f"line: {len(ends) + 1}, column: {at - (ends[-1] if ends else 0) + 1}"


def _source(where: str) -> str:
    return f"[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); {where}]"


def _name(code: int) -> str:
    if code < 0x20 or 0x7F <= code < 0xA0:
        return f"(CTRL-CHAR, code {code})"
    return f"'{chr(code)}' (code {code})"


def _is_part(character: str) -> bool:
    """Whether it can go on a word: Java's isJavaIdentifierPart."""
    if not character:
        return False
    code = ord(character)
    return unicodedata.category(character) in _IDENTIFIER_PART or (
        code < 9 or 0x0E <= code < 0x1C or 0x7F <= code < 0xA0
    )


def _start_byte(byte: int) -> str:
    return f"Invalid UTF-8 start byte 0x{byte:x}"


def _middle_byte(byte: int) -> str:
    return f"Invalid UTF-8 middle byte 0x{byte:x}"


def _ended(where: str) -> str:
    return f"Unexpected end-of-input in {where}"
