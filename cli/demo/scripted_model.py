"""A model that answers from a script, behind the OpenAI chat completions interface.

    python -m cli.demo.scripted_model --port 0 --script script.json --journal requests.jsonl

Prints `listening on PORT` when it is ready. Its answers depend on nothing but the request, so a
request that is repeated, by whomever and after whatever crash, gets the same answer.

The script is a JSON object of markers, each with a list of replies:

    {"fix the parser": [{"text": "Looking.", "calls": [{"name": "bash", "arguments": {…}}],
                         "delay_s": 0.1, "wait_for_file": "/tmp/go"}]}

A call's arguments may be a string, which is sent as it is, and a reply may name another
`finish_reason`, such as `length`.

A marker is looked for in the user messages, from the last to the first; the first message that
holds any decides, and in it the marker that occurs last (of two at one place, the longer). The
reply's index is the number of assistant messages after that message. After the last reply the
model calls `finish`. A request without a marker is refused with 400.

Each request is written to the journal as one JSON line when it arrives, before it is answered:
`{"marker", "index", "sha256" of the body, "t" in seconds since the epoch}`.
"""

import argparse
import hashlib
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cli.demo.script import Json, Script, deltas, hold, tool_calls, usage

BODY_LIMIT_BYTES = 64 * 1024 * 1024


class Endpoint(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "ScriptedModel"

    def do_POST(self) -> None:
        """Answer `/v1/chat/completions`, streamed or whole."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), BODY_LIMIT_BYTES))
        if not self.path.endswith("/chat/completions"):
            return self._send(404, _error(f"nothing is at {self.path}"))
        try:
            request = json.loads(body)
            place = self.server.script.find(request["messages"])
        except (ValueError, KeyError, TypeError) as error:
            return self._send(400, _error(f"the request cannot be read: {error!r}"))
        self.server.script.record(place, body)
        if place is None:
            known = ", ".join(map(repr, self.server.script.markers))
            return self._send(400, _error(f"no user message holds a marker of: {known}"))
        reply = self.server.script.reply(place)
        hold(reply)
        answer = {
            "id": f"chatcmpl-{hashlib.sha256(body).hexdigest()[:24]}",
            "created": 0,
            "model": request.get("model", "scripted"),
        }
        calls = tool_calls(reply, body)
        if request.get("stream"):
            return self._stream(answer, reply, calls, usage(reply, body))
        return self._send(200, _whole(answer, reply, calls, usage(reply, body)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Say nothing: the journal has it."""

    def _stream(self, answer: Json, reply: Json, calls: list[Json], used: Json) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        head = {**answer, "object": "chat.completion.chunk"}
        for delta in deltas(reply.get("text", ""), calls):
            self._event({**head, "choices": [{"index": 0, "delta": delta}]})
        end = {"index": 0, "delta": {}, "finish_reason": _finish(reply, calls)}
        self._event({**head, "choices": [end]})
        self._event({**head, "choices": [], "usage": used})
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _event(self, value: Json) -> None:
        self._chunk(b"data: " + json.dumps(value).encode() + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _send(self, status: int, value: Json) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class ScriptedModel(ThreadingHTTPServer):
    """The server; every request is answered in its own thread."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, script: Script) -> None:
        super().__init__(("127.0.0.1", port), Endpoint)
        self.script = script

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away while they were answered."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # typeshed's socket


def _whole(answer: Json, reply: Json, calls: list[Json], used: Json) -> Json:
    message: Json = {"role": "assistant", "content": reply.get("text", "")}
    if calls:
        message["tool_calls"] = [
            {key: value for key, value in call.items() if key != "index"} for call in calls
        ]
    choice = {"index": 0, "message": message, "finish_reason": _finish(reply, calls)}
    return {**answer, "object": "chat.completion", "choices": [choice], "usage": used}


def _finish(reply: Json, calls: list[Json]) -> str:
    return str(reply.get("finish_reason", "tool_calls" if calls else "stop"))


def _error(message: str) -> Json:
    return {"error": {"message": message, "type": "invalid_request_error"}}


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="A model that answers from a script.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--journal", type=Path, required=True)
    arguments = parser.parse_args()
    replies = json.loads(arguments.script.read_text("utf-8"))
    with ScriptedModel(arguments.port, Script(replies, arguments.journal)) as server:
        sys.stdout.write(f"listening on {server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
