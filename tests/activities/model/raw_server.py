"""A server that sends exactly the bytes it is told to, and the two wire formats as bytes."""

import json
import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

Json = dict[str, object]

HANG = None
"""In a response: send nothing more and keep the connection until the test is over."""

Response = list[bytes | None]


class Received(NamedTuple):
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


class RawServer(socketserver.ThreadingTCPServer):
    """Answers one request after the other with the bytes of its turn, then hangs up."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, responses: tuple[Response, ...]) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self._responses = responses
        self._news = threading.Condition()
        self.requests: list[Received] = []
        self.is_over = threading.Event()

    def take(self, request: Received) -> Response:
        """Note a request and return what it is answered; the last answer is for all others."""
        with self._news:
            self.requests.append(request)
            self._news.notify_all()
            return self._responses[min(len(self.requests), len(self._responses)) - 1]

    def wait_for(self, count: int) -> None:
        """Return when so many requests have come."""
        with self._news:
            self._news.wait_for(lambda: len(self.requests) >= count)

    @property
    def hangs(self) -> bool:
        """Whether a client would wait in vain for one of the answers."""
        return any(HANG in response for response in self._responses)

    @property
    def host(self) -> str:
        """Name and port it is reached at."""
        return f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away while they were answered."""


class _Connection(socketserver.StreamRequestHandler):
    server: RawServer

    def handle(self) -> None:
        path = self.rfile.readline().split()[1].decode()
        headers = {}
        while line := self.rfile.readline().strip().decode("latin-1"):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        for piece in self.server.take(Received(path, headers, body)):
            if piece is HANG:
                self.server.is_over.wait()
                return
            self.wfile.write(piece)


@contextmanager
def serving(*responses: Response) -> Iterator[RawServer]:
    """Run a server within the block."""
    with RawServer(responses) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.is_over.set()
            server.shutdown()
            thread.join()


def whole(status: int, body: bytes, **headers: str) -> Response:
    """Return a response of known length."""
    named = {"Content_Type": "application/json", **headers, "Content-Length": str(len(body))}
    lines = [f"HTTP/1.1 {status} Status", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in named.items()]
    return ["\r\n".join(lines).encode() + b"\r\n\r\n", body]


def streamed(pieces: Sequence[bytes | None], *, is_ended: bool = True) -> Response:
    """Return an event stream sent in these pieces; one that is not ended is cut off."""
    head = (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    chunks = [
        piece if piece is None else f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
        for piece in pieces
        if piece != b""
    ]
    return [head, *chunks, *([b"0\r\n\r\n"] if is_ended else [])]


class Wire(NamedTuple):
    """One of the two formats: how its events are written."""

    model: str
    text: Callable[[str], bytes]
    """The event of a piece of text."""

    call: Callable[[list[str]], list[bytes]]
    """The events of a call of `bash` whose arguments come in these pieces."""

    start: bytes
    usage: bytes
    finish: Callable[[str], bytes]
    """The event that says why it stopped, in the words of the format."""

    done: bytes
    reasons: dict[str, str]
    """Its words for OpenAI's."""

    error: Callable[[str, str], Json]
    """The body of an error, by type and message."""

    event_error: Callable[[str, str], bytes]

    def answer(self, *events: bytes, finish: str = "stop") -> list[bytes]:
        """Return a whole answer."""
        said = self.reasons.get(finish, finish)
        return [self.start, *events, self.finish(said), self.usage, self.done]


def _openai(delta: Json, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _line({**_CHUNK, "choices": [choice]})


_CHUNK: Json = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def _line(value: Json) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def _openai_call(pieces: list[str]) -> list[bytes]:
    function = {"name": "bash", "arguments": ""}
    first = {"index": 0, "id": "call_1", "type": "function", "function": function}
    rest = [{"index": 0, "function": {"arguments": piece}} for piece in pieces]
    return [_openai({"tool_calls": [call]}) for call in (first, *rest)]


OPENAI = Wire(
    model="openai/scripted",
    text=lambda text: _openai({"content": text}),
    call=_openai_call,
    start=_openai({"role": "assistant", "content": ""}),
    usage=_line({**_CHUNK, "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}),
    finish=lambda reason: _openai({}, reason),
    done=b"data: [DONE]\n\n",
    reasons={},
    error=lambda code, message: {"error": {"message": message, "type": code, "code": code}},
    event_error=lambda code, message: _line(
        {"error": {"message": message, "type": code, "code": code}}
    ),
)


def _anthropic(kind: str, **fields: object) -> bytes:
    value = {"type": kind, **fields}
    return f"event: {kind}\n".encode() + _line(value)


def _block(kind: Json, deltas: list[Json]) -> list[bytes]:
    return [
        _anthropic("content_block_start", index=0, content_block=kind),
        *(_anthropic("content_block_delta", index=0, delta=delta) for delta in deltas),
        _anthropic("content_block_stop", index=0),
    ]


def _anthropic_call(pieces: list[str]) -> list[bytes]:
    block: Json = {"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {}}
    return _block(block, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces])


ANTHROPIC = Wire(
    model="anthropic/claude-scripted",
    text=lambda text: b"".join(
        _block({"type": "text", "text": ""}, [{"type": "text_delta", "text": text}])
    ),
    call=_anthropic_call,
    start=_anthropic(
        "message_start",
        message={
            "id": "m",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [],
            "stop_reason": None,
            "usage": {"input_tokens": 9, "output_tokens": 0},
        },
    ),
    usage=b"",
    finish=lambda reason: _anthropic(
        "message_delta",
        delta={"stop_reason": reason, "stop_sequence": None},
        usage={"output_tokens": 3},
    ),
    done=_anthropic("message_stop"),
    reasons={"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"},
    error=lambda code, message: {"type": "error", "error": {"type": code, "message": message}},
    event_error=lambda code, message: _anthropic("error", error={"type": code, "message": message}),
)
WIRES = {"openai": OPENAI, "anthropic": ANTHROPIC}


def base_url(wire: Wire, server: RawServer) -> str:
    """Return what `OVERNIGHT_MODEL_BASE_URL` would be."""
    return f"http://{server.host}/v1" if wire is OPENAI else f"http://{server.host}"
