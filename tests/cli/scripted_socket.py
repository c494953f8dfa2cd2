"""A real websocket server for one session, which may break off after any byte."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from pydantic import BaseModel
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from workflows.contract.socket import (
    CLIENT_MESSAGE,
    PROTOCOL,
    ClientMessage,
    OutputMessage,
    Subscribe,
)

Message = BaseModel | OutputMessage
REQUEST_BYTES = 64 * 1024


class BrokenOffError(Exception):
    """The connection has ended, by either side."""


class Peer:
    """One client's connection; `cut_after` bytes to the client, everything is gone."""

    def __init__(self, connection: socket.socket, cut_after: int | None = None) -> None:
        self._socket = connection
        self._left = cut_after
        self._protocol = ServerProtocol(subprotocols=[Subprotocol(PROTOCOL)])
        self._received: list[ClientMessage] = []
        self.authorization = ""
        self.path = ""

    def accept(self, status: int = 101) -> None:
        """Answer the handshake."""
        while not (events := self._protocol.events_received()):
            self._read()
        request = events[0]
        assert isinstance(request, Request)
        self.authorization = request.headers.get("authorization", "")
        self.path = request.path
        response = self._protocol.accept(request)
        if status != response.status_code:
            response = self._protocol.reject(status, "no\n")
        self._protocol.send_response(response)
        self._flush()

    def receive(self) -> ClientMessage:
        """Return the client's next message."""
        while not self._received:
            self._read()
            for event in self._protocol.events_received():
                if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                    self._received.append(CLIENT_MESSAGE.validate_json(bytes(event.data)))
        return self._received.pop(0)

    def subscribed(self) -> Subscribe:
        """Return what the client begins with."""
        message = self.receive()
        assert isinstance(message, Subscribe)
        return message

    def send(self, *messages: Message) -> None:
        """Send messages."""
        for message in messages:
            if isinstance(message, OutputMessage):
                self._protocol.send_binary(message.pack())
            else:
                self._protocol.send_text(message.model_dump_json().encode())
            self._flush()

    def send_text(self, text: str) -> None:
        """Send what may be no message."""
        self._protocol.send_text(text.encode())
        self._flush()

    def close(self, code: int, reason: str = "") -> None:
        """Close as the gateway would, and wait for the client's answer."""
        self._protocol.send_close(code, reason)
        self._flush()
        self.wait_for_end()

    def wait_for_end(self) -> None:
        """Read until the client has gone."""
        with suppress(BrokenOffError):
            while True:
                self._read()
                self._protocol.events_received()

    def cut(self) -> None:
        """End the connection without a word."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        raise BrokenOffError

    def _read(self) -> None:
        try:
            data = self._socket.recv(REQUEST_BYTES)
        except OSError:
            data = b""
        if not data:
            raise BrokenOffError
        self._protocol.receive_data(data)
        if self._protocol.state is not State.CONNECTING:
            self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if not data:
                self.cut()
            sent = data if self._left is None else data[: self._left]
            try:
                self._socket.sendall(sent)
            except OSError:
                raise BrokenOffError from None
            if self._left is not None:
                self._left -= len(sent)
                if self._left <= 0:
                    self.cut()


Conversation = Callable[[Peer], None]


def speak(connection: socket.socket, conversation: Conversation, cut_after: int | None) -> None:
    """Hold one conversation and end the connection."""
    with connection, suppress(BrokenOffError, ConnectionClosed):
        conversation(Peer(connection, cut_after))


class SocketServer:
    """Holds a conversation with each client in turn; the last one with all that follow."""

    def __init__(self, *conversations: Conversation, cuts: tuple[int, ...] = ()) -> None:
        self._conversations = list(conversations)
        self._cuts = list(cuts)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0

    @contextmanager
    def serving(self) -> Iterator["SocketServer"]:
        """Serve while the block runs."""
        accepting = threading.Thread(target=self._accept)
        accepting.start()
        try:
            yield self
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            self._listener.close()
            for thread in self._threads:
                thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            is_last = len(self._conversations) == 1
            conversation = self._conversations[0] if is_last else self._conversations.pop(0)
            cut = self._cuts.pop(0) if self._cuts else None
            thread = threading.Thread(target=speak, args=(connection, conversation, cut))
            self._threads.append(thread)
            thread.start()
