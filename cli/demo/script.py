"""The script of a scripted model: which reply a conversation gets, and how it is written.

The form of the script and the rule are told in `cli/demo/scripted_model.py`.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

WAIT_LIMIT_SECONDS = 120.0
"""A reply that waits for a file is given after this even if the file never comes."""

POLL_SECONDS = 0.02
PIECE_CHARACTERS = 24
CHARACTERS_PER_TOKEN = 4

Json = dict[str, Any]

THE_END: Json = {
    "text": "",
    "calls": [{"name": "finish", "arguments": {"summary": "The script has ended."}}],
}


class Place(NamedTuple):
    """Where in the script a conversation stands."""

    marker: str
    number: int
    """Index of the reply."""


class Script:
    """The replies to be given, and the record of the requests that asked for them."""

    def __init__(self, replies: dict[str, list[Json]], journal: Path) -> None:
        self._replies = replies
        self._journal = journal

    @property
    def markers(self) -> list[str]:
        """All markers, for error messages."""
        return sorted(self._replies)

    def find(self, messages: list[Json]) -> Place | None:
        """Return where the conversation stands; none when no user message holds a marker."""
        for position in reversed(range(len(messages))):
            if messages[position].get("role") != "user":
                continue
            text = text_of(messages[position])
            found = [(text.rfind(marker), len(marker), marker) for marker in self._replies]
            place, _, marker = max(found, default=(-1, 0, ""))
            if place >= 0:
                later = messages[position + 1 :]
                return Place(marker, sum(item.get("role") == "assistant" for item in later))
        return None

    def reply(self, place: Place) -> Json:
        """Return the reply at a place; the end when the script has no more."""
        replies = self._replies[place.marker]
        return replies[place.number] if place.number < len(replies) else THE_END

    def record(self, place: Place | None, body: bytes) -> None:
        """Append a request to the journal, whole even when several processes write to it."""
        line = {
            "marker": place.marker if place else None,
            "index": place.number if place else None,
            "sha256": hashlib.sha256(body).hexdigest(),
            "t": time.time(),
        }
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        descriptor = os.open(self._journal, flags, 0o644)
        try:
            os.write(descriptor, json.dumps(line).encode() + b"\n")
        finally:
            os.close(descriptor)


def text_of(message: Json) -> str:
    """Return a message's text, whether it is sent as a string or as a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in content)


def hold(reply: Json) -> None:
    """Wait as long as the reply says: its delay, then its file."""
    time.sleep(float(reply.get("delay_s", 0)))
    if "wait_for_file" not in reply:
        return
    awaited = Path(reply["wait_for_file"])
    deadline = time.monotonic() + WAIT_LIMIT_SECONDS
    while not awaited.exists() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def tool_calls(reply: Json, body: bytes) -> list[Json]:
    """Return the reply's calls in OpenAI's form; the ids follow from the request."""
    name = hashlib.sha256(body).hexdigest()[:16]
    return [
        {
            "index": number,
            "id": f"call_{name}_{number}",
            "type": "function",
            "function": {"name": call["name"], "arguments": written(call["arguments"])},
        }
        for number, call in enumerate(reply.get("calls", []))
    ]


def written(arguments: Json | str) -> str:
    """Return arguments as the model writes them; a string is sent as it is, even if broken."""
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def usage(reply: Json, body: bytes) -> Json:
    """Count a token for every four characters."""
    asked = len(body) // CHARACTERS_PER_TOKEN
    said = len(json.dumps(reply)) // CHARACTERS_PER_TOKEN
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def deltas(text: str, calls: list[Json]) -> Iterator[Json]:
    """Cut a reply into the pieces in which it is streamed."""
    yield {"role": "assistant", "content": ""}
    for piece in pieces(text):
        yield {"content": piece}
    for call in calls:
        function = {"name": call["function"]["name"], "arguments": ""}
        yield {"tool_calls": [{**call, "function": function}]}
        for piece in pieces(call["function"]["arguments"]):
            yield {"tool_calls": [{"index": call["index"], "function": {"arguments": piece}}]}


def pieces(text: str) -> Iterator[str]:
    """Cut a text into short pieces, never more than a hundred."""
    size = max(PIECE_CHARACTERS, len(text) // 100 + 1)
    for start in range(0, len(text), size):
        yield text[start : start + size]
