"""Each fault of the proxy is what a real client and a real server on loopback see."""

import errno
import hashlib
import random
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.chaos.proxy import HOST, ChaosProxy
from tests.end_to_end.local_stack import until
from tests.patience import PATIENCE_SECONDS

SEED = 7
TEXT = random.Random(SEED).randbytes(3_000_000)  # no secret


class Server:
    """Keeps the sockets that it accepts, for the test to use."""

    def __init__(self) -> None:
        self.listener = socket.create_server((HOST, 0))
        self.listener.settimeout(PATIENCE_SECONDS)
        self.port: int = self.listener.getsockname()[1]
        self.ends: list[socket.socket] = []

    def next(self) -> socket.socket:
        end, _ = self.listener.accept()
        end.settimeout(PATIENCE_SECONDS)
        self.ends.append(end)
        return end

    def close(self) -> None:
        for end in (self.listener, *self.ends):
            end.close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def proxy(server: Server) -> Iterator[ChaosProxy]:
    with ChaosProxy(server.port, SEED) as made:
        yield made


@pytest.fixture
def client(proxy: ChaosProxy) -> Iterator[socket.socket]:
    with connect(proxy) as end:
        yield end


def connect(proxy: ChaosProxy) -> socket.socket:
    return socket.create_connection((HOST, proxy.port), PATIENCE_SECONDS)


def read_all(end: socket.socket) -> tuple[bytes, int]:
    """Return what arrived until the end, and the error that ended it or 0."""
    received = bytearray()
    try:
        while data := end.recv(65_536):
            received += data
    except ConnectionError as error:
        return bytes(received), error.errno or 0
    return bytes(received), 0


def read(end: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        data = end.recv(size - len(received))
        assert data, f"the end came after {len(received)} of {size} bytes"
        received += data
    return bytes(received)


def write_until_stalled(end: socket.socket) -> int:
    """Return how much of the text was taken before nothing more was."""
    sent = 0
    try:
        while sent < len(TEXT):
            sent += end.send(TEXT[sent : sent + 65_536])
    except TimeoutError:
        pass
    return sent


def test_nothing_is_harmed_unasked(
    server: Server, proxy: ChaosProxy, client: socket.socket
) -> None:
    """Bytes and ends arrive both ways as they were sent, and are counted."""
    end = server.next()
    for source, target in ((client, end), (end, client)):
        sending = threading.Thread(target=source.sendall, args=(TEXT,))
        sending.start()
        assert hashlib.sha256(read(target, len(TEXT))).digest() == hashlib.sha256(TEXT).digest()
        sending.join()
    client.shutdown(socket.SHUT_WR)
    assert end.recv(1) == b""
    end.sendall(b"still open")
    assert read(client, 10) == b"still open"
    end.close()
    assert client.recv(1) == b""
    assert (proxy.connections, proxy.to_server.bytes) == (1, len(TEXT))
    assert proxy.to_client.bytes == len(TEXT) + 10
    until(lambda: proxy.open_connections == 0, "the connection is over")


def test_latency_delays_and_keeps_the_order(
    server: Server, proxy: ChaosProxy, client: socket.socket
) -> None:
    """Bytes are on their way for so long, and jitter does not mix them."""
    proxy.to_server.latency_seconds, proxy.to_server.jitter_seconds = 0.1, 0.05
    end = server.next()
    started = time.monotonic()
    for number in range(100):
        client.sendall(bytes([number]))
    assert read(end, 100) == bytes(range(100))
    assert time.monotonic() - started >= 0.05


def test_a_rate_is_not_exceeded(server: Server, proxy: ChaosProxy, client: socket.socket) -> None:
    """So many bytes take at least so long."""
    proxy.to_client.bytes_per_second = 100_000
    end = server.next()
    started = time.monotonic()
    end.sendall(TEXT[:30_000])
    assert read(client, 30_000) == TEXT[:30_000]
    # The last slice may arrive before its time has passed.
    assert time.monotonic() - started >= 0.25


def test_a_stalled_reader_pushes_back(server: Server, client: socket.socket) -> None:
    """The proxy buffers little: a writer is stopped soon, and nothing is lost when it goes on."""
    end = server.next()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
    client.settimeout(1.0)
    sent = write_until_stalled(client)
    assert sent < len(TEXT)
    client.shutdown(socket.SHUT_WR)
    received, _ = read_all(end)
    assert received == TEXT[:sent]


def test_a_held_connection_is_silent(
    server: Server, proxy: ChaosProxy, client: socket.socket
) -> None:
    """It is accepted, carries nothing, and all of it once it is let go."""
    proxy.hold()
    client.sendall(b"hello")
    end = server.next()
    end.settimeout(0.2)
    with pytest.raises(TimeoutError):
        end.recv(1)
    proxy.hold(held=False)
    end.settimeout(PATIENCE_SECONDS)
    assert read(end, 5) == b"hello"


def test_a_cut_is_exact(server: Server, proxy: ChaosProxy, client: socket.socket) -> None:
    """A connection ends both ways after exactly so many bytes."""
    proxy.to_client.cut_between = (100_001, 100_001)
    end = server.next()
    end.sendall(TEXT[:200_000])
    received, _ = read_all(client)
    assert received == TEXT[:100_001]
    assert read_all(end)[0] == b""


def test_random_cuts_follow_from_the_seed(server: Server) -> None:
    """Each connection is cut elsewhere, within the bounds, and a seed repeats itself."""

    def lengths(seed: int) -> list[int]:
        with ChaosProxy(server.port, seed) as proxy:
            proxy.to_client.cut_between = (1_000, 60_000)
            found = []
            for _ in range(5):
                with connect(proxy) as client:
                    server.next().sendall(TEXT[:100_000])
                    found.append(len(read_all(client)[0]))
            return found

    first = lengths(SEED)
    assert lengths(SEED) == first
    assert lengths(SEED + 1) != first
    assert len(set(first)) == 5
    assert all(1_000 <= length <= 60_000 for length in first)


def test_all_is_cut_now(server: Server, proxy: ChaosProxy, client: socket.socket) -> None:
    """Both ends read an end, and new connections are as before."""
    end = server.next()
    client.sendall(b"x")
    assert read(end, 1) == b"x"
    proxy.cut()
    assert (client.recv(1), end.recv(1)) == (b"", b"")
    assert proxy.open_connections == 0
    with connect(proxy) as other:
        server.next().sendall(b"again")
        assert read(other, 5) == b"again"


def test_a_reset_is_a_reset(server: Server, proxy: ChaosProxy, client: socket.socket) -> None:
    """Both ends are told that the connection was reset."""
    end = server.next()
    client.sendall(b"x")
    assert read(end, 1) == b"x"
    proxy.reset()
    assert read_all(client) == (b"", errno.ECONNRESET)
    assert read_all(end) == (b"", errno.ECONNRESET)


@pytest.mark.parametrize("way", ["to_client", "to_server"])
def test_one_direction_ends_and_the_other_goes_on(
    server: Server, proxy: ChaosProxy, client: socket.socket, way: str
) -> None:
    """A half-closed connection still carries bytes the other way."""
    end = server.next()
    client.sendall(b"x")
    assert read(end, 1) == b"x"
    ended, alive = (client, end) if way == "to_client" else (end, client)
    proxy.end_to_client() if way == "to_client" else proxy.end_to_server()
    assert ended.recv(1) == b""
    ended.sendall(b"I still speak")
    assert read(alive, 13) == b"I still speak"


def test_a_refused_port_comes_back(
    server: Server, proxy: ChaosProxy, client: socket.socket
) -> None:
    """New connections are refused, old ones go on, and the port is the same afterwards."""
    end = server.next()
    client.sendall(b"x")
    assert read(end, 1) == b"x"
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    end.sendall(b"old")
    assert read(client, 3) == b"old"
    proxy.accept()
    with connect(proxy) as other:
        server.next().sendall(b"new")
        assert read(other, 3) == b"new"


def test_the_upstream_can_change(server: Server, proxy: ChaosProxy) -> None:
    """New connections lead to where it is now; where nobody listens they are reset."""
    other = Server()
    proxy.upstream = other.port
    with connect(proxy) as client:
        other.next().sendall(b"other")
        assert read(client, 5) == b"other"
    proxy.upstream = server.port
    with connect(proxy) as client:
        server.next().sendall(b"first")
        assert read(client, 5) == b"first"
    other.close()
    with socket.socket() as silent:
        silent.bind((HOST, 0))  # to keep the port from others who might listen there
        proxy.upstream = silent.getsockname()[1]
        # The reset may be there before connecting has returned.
        with pytest.raises(ConnectionResetError), connect(proxy) as client:
            client.recv(1)


async def test_a_test_with_a_loop_uses_it_too(server: Server) -> None:
    """It serves while the test's own loop waits for it."""
    with ChaosProxy(server.port) as proxy, connect(proxy) as client:
        server.next().sendall(b"hello")
        assert read(client, 5) == b"hello"
        proxy.cut()
