"""One connection to the supervisor: bytes in, one request at a time, bytes out."""

import json
import selectors
import socket
import time

from activities.sandbox.inside import wire

READ_BYTES = 256 * 1024


class Client:
    """A connected client. Its next request is looked at only when the one before is answered."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(0)
        self.connection = connection
        self._inbox = bytearray()
        self._outbox = bytearray()
        self._request: wire.Request | None = None
        self._since = 0.0
        self._closed = False

    @property
    def is_waiting(self) -> bool:
        """A request is still without its answer."""
        return self._request is not None

    @property
    def is_done(self) -> bool:
        """The other end is closed and there is nothing left to say."""
        return self._closed and not self._outbox

    def pump(self) -> None:
        """Move bytes both ways as far as they go; raises `OSError` when the connection broke."""
        self._send()
        try:
            chunk = self.connection.recv(READ_BYTES)
        except BlockingIOError:
            return
        self._inbox += chunk
        self._closed = not chunk
        if len(self._inbox) > wire.MAX_REQUEST_BYTES:
            message = f"a request is at most {wire.MAX_REQUEST_BYTES} bytes long"
            raise wire.RefusedError(message)

    def request(self) -> wire.Request | None:
        """Return the request to answer, the same one until `reply` is called."""
        if self._request is None and not self._outbox:
            end = self._inbox.find(b"\n")
            if end < 0:
                return None
            line = bytes(self._inbox[:end])
            del self._inbox[: end + 1]
            self._request = wire.parse(line)
            self._since = time.monotonic()
        return self._request

    def waited_s(self) -> float:
        """Return for how many seconds the request has been waiting."""
        return time.monotonic() - self._since

    def due(self) -> float | None:
        """Return the monotonic time at which the waiting request wants an answer at the latest."""
        if self._request is None or self._request["op"] not in ("wait", "keep_output"):
            return None
        if self._request["op"] == "keep_output":
            return self._since  # its next slice can be written at once
        patience_s = wire.seconds(self._request, "wait_s", 0)
        return self._since + min(patience_s, wire.MAX_WAIT_S)

    def reply(self, reply: wire.Reply) -> None:
        """Answer the request."""
        self._request = None
        self._outbox += json.dumps(reply).encode() + b"\n"
        self._send()

    def refuse(self, reason: str) -> None:
        """Say why the connection is closed, if the other end still listens."""
        try:
            self.reply({"error": reason})
        except OSError:
            self._closed = True

    def events(self) -> int:
        """Return what to wait for; a client that has hung up is no longer listened to."""
        reading = 0 if self._closed else selectors.EVENT_READ
        return reading | (selectors.EVENT_WRITE if self._outbox else 0)

    def _send(self) -> None:
        while self._outbox:
            try:
                sent = self.connection.send(self._outbox)
            except BlockingIOError:
                return
            del self._outbox[:sent]
