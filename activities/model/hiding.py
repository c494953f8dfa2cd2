"""Takes what was sent to a provider out of what the provider says.

An error may repeat the key and the prompt; what it says goes into Temporal's history and to people.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter

import httpx

from activities.model.tools import Json

HIDDEN = "[hidden]"

TEXT_RUN = 16
"""So many characters in a row that are in a message too are a quotation of it."""

KEY_RUN = 8

READ_CHARACTERS = 1_000
"""More of a provider's words is not looked at."""

_WORDS = re.compile(r"\w(?:.*\w)?")
"""All of a line but spaces and marks at its ends."""

_KEY_HEADERS = ("authorization", "key", "token", "secret", "cookie")


class Sent:
    """What one request told a provider."""

    def __init__(self, messages: tuple[Json, ...] = ()) -> None:
        self._messages = messages
        self._keys: list[str] = []

    def note_keys(self, url: httpx.URL, headers: Mapping[str, str]) -> None:
        """Remember what in an address and in headers can be a key."""
        self._keys += [value for _, value in url.params.multi_items()]
        self._keys += [
            value
            for name, value in headers.items()
            if any(word in name.lower() for word in _KEY_HEADERS)
        ]

    def hide(self, words: str) -> str:
        """Return the words on one line, at most 1,000 characters, without what was sent.

        Shorter pieces than 16 characters of a message, or 8 of a key, are left.
        """
        line = " ".join(words.split())[:READ_CHARACTERS]
        shared = bytearray(len(line))
        _mark(shared, line, "\n".join(self._keys), KEY_RUN)
        if len(line) < TEXT_RUN:
            return _without(line, shared)
        texts = "\n".join(_texts(self._messages))
        # Providers often repeat the request as they got it, as JSON.
        forms = (texts, json.dumps(texts), json.dumps(texts, ensure_ascii=False))
        for form in (" ".join(form.split()) for form in forms):
            _mark(shared, line, form, TEXT_RUN)
        return _without(line, shared)


def _mark(shared: bytearray, line: str, source: str, run: int) -> None:
    """Set every place of the line that is in a run of characters of the source.

    The source, which may be long, is looked at once, in steps of half a run: each run holds a
    whole step.
    """
    half = run // 2
    steps = {line[at : at + half] for at in range(len(line) - half + 1)}
    around = {
        source[max(0, place - half) : place + run]
        for place in range(0, len(source), half)
        if source[place : place + half] in steps
    }
    runs = {text[at : at + run] for text in around for at in range(len(text) - run + 1)}
    for start in range(len(line) - run + 1):
        if line[start : start + run] in runs:
            shared[start : start + run] = b"\1" * run


def _without(line: str, shared: bytearray) -> str:
    runs = groupby(zip(line, shared, strict=True), key=itemgetter(1))
    pieces = []
    for is_shared, run in runs:
        text = "".join(character for character, _ in run)
        pieces.append(_WORDS.sub(HIDDEN, text) if is_shared else text)
    return "".join(pieces)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
