"""What the HTTP server does with clients that send too slowly, too much, or no HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from runtime.settings import gateway_token
from tests.gateway.conftest import SESSIONS, Gateway, serving, settings_at
from tests.patience import PATIENCE_SECONDS

MIB = 1024 * 1024


async def spoken(edge: Gateway, *, sent: bytes) -> tuple[int, dict[str, object]]:
    """Send bytes, keep the connection open, and return the answer once the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    try:
        writer.write(sent)
        await writer.drain()
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    assert b"cache-control: no-store" in head.lower()
    assert b"x-request-id: " in head.lower()
    return int(head.split()[1]), json.loads(body)


def head_of(edge: Gateway, *more: str) -> bytes:
    lines = [
        f"POST {SESSIONS} HTTP/1.1",
        f"Host: 127.0.0.1:{edge.port}",
        f"Authorization: Bearer {gateway_token(edge.settings)}",
        "Content-Type: application/json",
        *more,
    ]
    return "\r\n".join(lines).encode()


async def test_slow_clients_are_given_up(edge: Gateway):
    """A silent connection, headers and a body that never end are answered with 408 in 10 s."""
    silent = b""
    headers = head_of(edge)
    body = head_of(edge, "Content-Length: 100") + b'\r\n\r\n{"prompt"'
    started = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as tasks:
        slow = [tasks.create_task(spoken(edge, sent=sent)) for sent in (silent, headers, body)]
        # Meanwhile others are served.
        assert (await edge.http.get(SESSIONS)).status_code == 200
    for each in slow:
        status, problem = each.result()
        assert (status, problem["code"]) == (408, "request_timeout")
    assert asyncio.get_running_loop().time() - started > 9


async def test_a_kept_connection_outlives_the_header_clock(edge: Gateway):
    """Requests one after another on one connection are not taken for slow headers."""
    for _ in range(3):
        assert (await edge.http.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"no http at all\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_a_problem_too(edge: Gateway, sent: bytes):
    """A broken request is answered with 400 and a code like everything else."""
    status, problem = await spoken(edge, sent=sent)
    assert (status, problem["code"]) == (400, "malformed_request")


async def test_a_large_body_is_refused_by_its_declared_length(edge: Gateway):
    """A body that says it is too large is refused before it is sent."""
    sent = head_of(edge, "Connection: close", f"Content-Length: {100 * MIB}") + b"\r\n\r\n"
    status, problem = await spoken(edge, sent=sent)
    assert (status, problem["code"]) == (413, "body_too_large")


async def test_a_large_chunked_body_is_refused_on_the_way(edge: Gateway):
    """A body without a length is refused at the limit, and the client can read why."""

    async def growing() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * MIB

    headers = {"content-type": "application/json"}
    answer = await edge.http.post(SESSIONS, content=growing(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert (await edge.http.get("/healthz")).status_code == 200


async def test_a_body_that_never_ends_is_cut(edge: Gateway):
    """After its refusal a client that goes on sending is hung up on within seconds."""
    _, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(head_of(edge, "Transfer-Encoding: chunked") + b"\r\n\r\n")
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(send_for_ever(writer), PATIENCE_SECONDS)
    writer.transport.abort()


async def send_for_ever(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"100000\r\n" + b" " * MIB + b"\r\n")
        await writer.drain()


async def test_one_connection_too_many_is_told_so(tmp_path: Path) -> None:
    """By a problem as everything else; those that are served are not touched by it."""
    async with serving(settings_at(tmp_path), None, connections_limit=3) as full:
        assert (await full.http.get("/healthz")).status_code == 200
        others = [await asyncio.open_connection("127.0.0.1", full.port) for _ in range(2)]
        status, problem = await spoken(full, sent=b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (status, problem["code"]) == (503, "too_many_connections")
        assert problem["hint"]
        assert (await full.http.get("/healthz")).status_code == 200
        for _, writer in others:
            writer.close()
            await writer.wait_closed()
        while True:
            address = f"http://127.0.0.1:{full.port}/healthz"
            answer = await asyncio.to_thread(httpx2.get, address, timeout=PATIENCE_SECONDS)
            if answer.status_code == 200:
                break
