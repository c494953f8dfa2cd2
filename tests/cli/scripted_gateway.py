"""A real HTTP server that answers as a test scripts it, and speaks live where that is scripted."""

import json
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from tests.cli.scripted_socket import Conversation, speak


class Reply(NamedTuple):
    """One answer; status 0 closes the connection without one."""

    status: int
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()


class Asked(NamedTuple):
    """One request as it arrived."""

    method: str
    path: str
    authorization: str
    body: Any


class Script:
    """Answers by method and path without query, in order; the last answer stays."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.url = ""
        self._replies: dict[str, list[Reply]] = defaultdict(list)
        self._conversations: list[Conversation] = []

    def live(self, *conversations: Conversation) -> None:
        """Hold these with the websockets that are opened, in order; the last one stays."""
        self._conversations += conversations

    def next_conversation(self) -> Conversation:
        """Return what is said to the next websocket."""
        if len(self._conversations) > 1:
            return self._conversations.pop(0)
        return self._conversations[0] if self._conversations else lambda peer: peer.accept(404)

    def on(self, request: str, *replies: Reply) -> None:
        """Answer `GET /path` under `/api/v1` with these, one after the other."""
        method, path = request.split()
        self._replies[f"{method} /api/v1{path}"] += replies

    def replace(self, request: str, *replies: Reply) -> None:
        """Answer with these from now on, instead of what was said before."""
        method, path = request.split()
        self._replies[f"{method} /api/v1{path}"] = [*replies]

    def next(self, asked: Asked) -> Reply:
        """Note a request and return its answer."""
        self.asked.append(asked)
        replies = self._replies[f"{asked.method} {asked.path.partition('?')[0]}"]
        if not replies:
            return problem(404, "not_found", "nothing is scripted here")
        return replies.pop(0) if len(replies) > 1 else replies[0]


def problem(status: int, code: str, detail: str, **headers: str) -> Reply:
    """Return an error as the gateway gives it."""
    body = {"title": "No", "status": status, "detail": detail, "code": code, "hint": "do this"}
    return Reply(
        status, body, tuple((name.replace("_", "-"), value) for name, value in headers.items())
    )


@contextmanager
def serving(script: Script) -> Iterator[None]:
    """Serve the script on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            begun: bytes = self.request.recv(65_536, socket.MSG_PEEK)
            if b"upgrade: websocket" in begun.lower():
                speak(self.request, script.next_conversation(), None)
            else:
                super().handle()

        def answer(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            token = self.headers.get("authorization", "")
            reply = script.next(Asked(self.command, self.path, token, body))
            self.close_connection = True
            if not reply.status:
                return
            raw = isinstance(reply.body, bytes)
            content = reply.body if raw else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("connection", "close")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the server's names

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        script.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
