"""The one rule by which text of tools is made harmless and short before it becomes a finding."""

import re

MARK = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
# Controls, what turns a line around (CVE-2021-42574), what is invisible, and halves of characters.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_CONTROLS = bytes([*range(0x09), *range(0x0B, 0x20), 0x7F])
_BREAKS = str.maketrans("\r\n\t", "   ")


def inert(text: str) -> str:
    """Drop escape sequences and mark all else, but newline and tab, that a terminal could obey."""
    if text.isascii() and (text.isprintable() or _is_plain(text.encode())):
        return text
    if "\x1b" in text:
        text = _ESCAPE.sub("", text)
    return _HARMFUL.sub(MARK, text.replace("\r\n", "\n"))


def _is_plain(text: bytes) -> bool:
    """Tell whether nothing in it is harmful: in a third of the time that the pattern takes."""
    return len(text.translate(None, _CONTROLS)) == len(text)


def one_line(text: str, limit: int) -> str:
    """Return inert text without line breaks, at most so many characters."""
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text.strip()
    # Escape sequences fall away, so that some more than the limit is looked at.
    return cut(inert(text[: 4 * limit].translate(_BREAKS)).strip(), limit)


def cut(text: str, limit: int) -> str:
    """Return the beginning of the text, marked when something is missing."""
    return text if len(text) <= limit else text[: limit - 1] + ELLIPSIS


def end(text: str, limit: int) -> str:
    """Return the end of the text, inert, from the beginning of a line when there is one."""
    rest = inert(text[-4 * limit :]).strip("\n")
    if len(rest) <= limit:
        return rest
    rest = rest[1 - limit :]
    _, newline, whole_lines = rest.partition("\n")
    return f"{ELLIPSIS}{newline}{whole_lines}" if newline else ELLIPSIS + rest


def middle_cut(text: str, head: int, limit: int) -> str:
    """Return the first `head` characters and the end of the text, at most `limit` in all."""
    if len(text) <= limit:
        return text
    mark = f"\n{ELLIPSIS}\n"
    return text[:head] + mark + text[len(text) - (limit - head - len(mark)) :]


def decoded(content: bytes) -> str:
    """Return the bytes as text, whatever they are."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
