"""Makes streamed output safe to show; pure.

Escape sequences (ECMA-48 in its 7-bit and 8-bit form) are left out, colours among them. So are
control characters; other characters without a shape of their own are replaced. What is cut into
pieces anywhere comes out as if it were whole.
"""

import codecs
import re
import unicodedata
from enum import Enum, auto

SEQUENCE_CHARACTERS = 4_096
"""An unfinished sequence ends after so many characters, lest it hides what follows."""

_PLAIN = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f-\x9f]+")
_ESCAPE = "\x1b"
_BELL = "\x07"
_CSI = "\x9b"
_STRING_END = "\x9c"
_STRINGS = "\x90\x98\x9d\x9e\x9f"
"""DCS, SOS, OSC, PM and APC; the 7-bit forms follow ESC and are 64 lower."""

_ESCAPED_STRINGS = frozenset(chr(ord(each) - 64) for each in _STRINGS)


class _State(Enum):
    TEXT = auto()
    ESCAPE = auto()
    CSI = auto()
    STRING = auto()
    STRING_ESCAPE = auto()


class InertText:
    """Text of one source; a lone CR starts a new line.

    A line longer than `line_limit` characters is cut there and marked.
    """

    def __init__(self, line_limit: int | None = None) -> None:
        self._limit = line_limit
        self._column = 0
        self._state = _State.TEXT
        self._length = 0
        self._has_just_returned = False
        self._next = {
            _State.TEXT: _in_text,
            _State.ESCAPE: _in_escape,
            _State.CSI: _in_csi,
            _State.STRING: _in_string,
            _State.STRING_ESCAPE: _in_string_escape,
        }

    def feed(self, text: str) -> str:
        """Take the next piece and return what may be shown of it."""
        shown: list[str] = []
        position = 0
        while position < len(text):
            plain = _PLAIN.match(text, position) if self._state is _State.TEXT else None
            if plain is not None:
                shown.append(self._line_part(plain.group()))
                position = plain.end()
            else:
                shown.append(self._control(text[position]))
                position += 1
        return "".join(shown)

    def _control(self, character: str) -> str:
        """Take a control character, or any within a sequence."""
        if character in "\n\r":
            self._state = _State.TEXT
            return self._line_end(character)
        state = self._next[self._state](character)
        self._length = self._length + 1 if state is self._state else 0
        was_text = self._state is _State.TEXT
        self._state = _State.TEXT if self._length > SEQUENCE_CHARACTERS else state
        # What is no part of any sequence ended one, and is shown.
        if not was_text and state is _State.TEXT and character >= "\xa0":
            return self._line_part(character)
        return ""

    def _line_end(self, character: str) -> str:
        is_return = character == "\r"
        is_second = self._has_just_returned and not is_return
        is_idle = is_return and self._column == 0
        if not is_idle:
            self._has_just_returned = is_return
        if is_second or is_idle:
            return ""
        self._column = 0
        return "\n"

    def _line_part(self, text: str) -> str:
        self._has_just_returned = False
        before = self._column
        self._column += len(text)
        if self._limit is None or self._column <= self._limit:
            return _shaped(text)
        mark = "…" if before <= self._limit else ""
        return _shaped(text[: max(self._limit - before, 0)]) + mark


class InertBytes:
    """Bytes of one source, in UTF-8; what is not is replaced."""

    def __init__(self, line_limit: int | None = None) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = InertText(line_limit)

    def feed(self, data: bytes) -> str:
        """Take the next piece and return what may be shown of it."""
        return self._text.feed(self._decoder.decode(data))

    def end(self) -> str:
        """Return what is shown of a character that was never finished."""
        return self._text.feed(self._decoder.decode(b"", final=True))


def _shaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        character
        if character == "\t" or unicodedata.category(character)[0] != "C"
        else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def _in_text(character: str) -> _State:
    if character == _ESCAPE:
        return _State.ESCAPE
    if character == _CSI:
        return _State.CSI
    return _State.STRING if character in _STRINGS else _State.TEXT


def _in_escape(character: str) -> _State:
    if character == "[":
        return _State.CSI
    if character in _ESCAPED_STRINGS:
        return _State.STRING
    # Intermediate bytes, as in the choice of a character set.
    return _State.ESCAPE if " " <= character <= "/" else _in_text(character)


def _in_csi(character: str) -> _State:
    return _State.CSI if " " <= character <= "?" else _in_text(character)


def _in_string(character: str) -> _State:
    if character in (_BELL, _STRING_END):
        return _State.TEXT
    return _State.STRING_ESCAPE if character == _ESCAPE else _State.STRING


def _in_string_escape(character: str) -> _State:
    return _State.TEXT if character == "\\" else _in_escape(character)
