"""Who may open a socket, and what becomes of clients that do not keep to the protocol."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from temporalio.client import Client
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from runtime.settings import gateway_token
from tests.gateway.conftest import Gateway, serving, settings_at
from tests.patience import PATIENCE_SECONDS
from workflows.contract.socket import PROTOCOL

UNKNOWN = f"/api/v1/sessions/s-{uuid.uuid4().hex[:20]}"


@asynccontextmanager
async def opened(  # noqa: PLR0913 - what a client may vary
    gateway: Gateway,
    *,
    path: str = UNKNOWN,
    token: str | None = "right",
    origin: str | None = None,
    cookie: str | None = None,
    protocols: tuple[str, ...] = (PROTOCOL,),
    host: str = "127.0.0.1",
) -> AsyncIterator[ClientConnection]:
    headers = {} if cookie is None else {"Cookie": cookie}
    if token is not None:
        known = gateway_token(gateway.settings)
        headers["Authorization"] = f"Bearer {known if token == 'right' else token}"
    async with connect(
        f"ws://{host}:{gateway.port}{path}/ws",
        host="127.0.0.1",
        port=gateway.port,
        subprotocols=[Subprotocol(each) for each in protocols] or None,
        additional_headers=headers,
        origin=None if origin is None else Origin(origin),
        compression=None,
    ) as socket:
        yield socket


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """Wait until the gateway closes; returns code and reason."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        with suppress(ConnectionClosed):
            while True:
                await socket.recv()
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


async def test_a_trusted_client_of_no_session_is_told_so(edge: Gateway) -> None:
    """The session is looked for only after the client said who it is."""
    async with opened(edge) as socket:
        assert socket.subprotocol == PROTOCOL
        await socket.send('{"type": "subscribe"}')
        code, reason = await closed(socket)
    assert code == 4404
    assert "session_unknown" in reason


@pytest.mark.parametrize(
    ("origin", "token"),
    [
        ("http://evil.example", "right"),
        ("null", "right"),
        ("http://127.0.0.1:1", "right"),
        ("http://sub.127.0.0.1", None),
        (None, None),
    ],
)
async def test_other_sites_are_refused_at_the_handshake(
    edge: Gateway, origin: str | None, token: str | None
) -> None:
    """Whatever token they send; so is a client with neither origin nor token."""
    with pytest.raises(InvalidStatus) as refused:
        async with opened(edge, origin=origin, token=token):
            pass
    assert refused.value.response.status_code == 403
    problem = json.loads(refused.value.response.body or b"")
    assert problem["code"] == "origin_not_allowed"


async def test_another_host_name_is_refused_at_the_handshake(edge: Gateway) -> None:
    """DNS rebinding does not reach the socket."""
    port = edge.port
    with pytest.raises(InvalidStatus) as refused:
        async with opened(edge, host="evil.example", origin=f"http://evil.example:{port}"):
            pass
    assert refused.value.response.status_code == 421


async def test_a_wrong_token_closes(edge: Gateway) -> None:
    """With 4401, at once."""
    async with opened(edge, token="wrong") as socket:
        assert (await closed(socket))[0] == 4401


async def test_another_protocol_closes(edge: Gateway) -> None:
    """A client of another version is told which one there is."""
    async with opened(edge, protocols=()) as socket:
        code, reason = await closed(socket)
    assert code == 4409
    assert PROTOCOL in reason


def own_origin(gateway: Gateway) -> str:
    return f"http://127.0.0.1:{gateway.port}"


async def ticket(gateway: Gateway) -> str:
    answer = await gateway.http.post("/api/v1/tickets", json={})
    assert answer.status_code == 201
    assert answer.json()["expires_in_seconds"] == 30
    return str(answer.json()["ticket"])


async def test_a_ticket_opens_one_socket(edge: Gateway) -> None:
    """It is taken once; the second use closes with 4401."""
    offered = (PROTOCOL, f"ticket.{await ticket(edge)}")
    async with opened(edge, token=None, origin=own_origin(edge), protocols=offered) as socket:
        assert socket.subprotocol == PROTOCOL
        await socket.send('{"type": "subscribe"}')
        assert (await closed(socket))[0] == 4404
    async with opened(edge, token=None, origin=own_origin(edge), protocols=offered) as socket:
        assert (await closed(socket))[0] == 4401


def flipped(text: str) -> str:
    """Return a text that differs in its last character."""
    return text[:-1] + ("B" if text.endswith("A") else "A")


@pytest.mark.parametrize("change", [flipped, lambda _: "", lambda _: "~~~"])
async def test_a_forged_ticket_closes(edge: Gateway, change: "object") -> None:
    """Whatever it looks like."""
    forged = change(await ticket(edge))  # type: ignore[operator]  # a function
    offered = (PROTOCOL, f"ticket.{forged}")
    async with opened(edge, token=None, origin=own_origin(edge), protocols=offered) as socket:
        assert (await closed(socket))[0] == 4401


async def test_the_first_message_may_authenticate(edge: Gateway) -> None:
    """The right token goes on, the wrong one and anything else close with 4401."""
    async with opened(edge, token=None, origin=own_origin(edge)) as socket:
        message = {"type": "authenticate", "token": gateway_token(edge.settings)}
        await socket.send(json.dumps(message))
        await socket.send('{"type": "subscribe"}')
        assert (await closed(socket))[0] == 4404
    long = json.dumps({"type": "authenticate", "token": "x" * 5_000})
    for wrong in ('{"type": "authenticate", "token": "no"}', '{"type": "subscribe"}', "junk", long):
        async with opened(edge, token=None, origin=own_origin(edge)) as socket:
            await socket.send(wrong)
            assert (await closed(socket))[0] == 4401


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        "null",
        '{"type": "nonsense"}',
        '{"type": "ping"}',
        '{"type": "subscribe", "after": "1.2.3"}',
        '{"type": "subscribe", "recent": -1}',
        '{"type": "subscribe", "recent": NaN}',
        '{"type": "subscribe", "output": {"at": {"s1-0": -1}}}',
        '{"type": "subscribe", "unknown": 1}',
        '{"type": "subscribe", "output": {"mode": "some"}}',
        '{"type": "subscribe", "after": "\\ud800"}',
        '{"type": "subscribe", "after": "\\u0000"}',
    ],
)
async def test_what_is_no_subscription_closes(edge: Gateway, message: str) -> None:
    """With 4400 and a reason."""
    async with opened(edge) as socket:
        await socket.send(message)
        code, reason = await closed(socket)
    assert code == 4400
    assert reason


async def test_binary_messages_close(edge: Gateway) -> None:
    """With 1003."""
    async with opened(edge) as socket:
        await socket.send(b"\x01")
        assert (await closed(socket))[0] == 1003


async def test_huge_messages_close(edge: Gateway) -> None:
    """With 1009, for more than 1 MiB."""
    async with opened(edge) as socket:
        await socket.send("x" * (1024 * 1024 + 1))
        assert (await closed(socket))[0] == 1009


async def test_text_that_is_not_utf8_closes(edge: Gateway) -> None:
    """With 1007."""
    async with opened(edge) as socket:
        await socket.send(b"\xff\xfe", text=True)
        assert (await closed(socket))[0] == 1007


async def test_one_too_many_is_asked_to_come_back(client: Client, tmp_path: Path) -> None:
    """With 1013 and the problem's code."""
    settings = settings_at(tmp_path).model_copy(update={"sockets_limit": 1})
    async with serving(settings, client) as gateway, opened(gateway):
        while gateway.services.sockets < 1:  # noqa: ASYNC110  # the gateway sends no event
            await asyncio.sleep(0.01)
        async with opened(gateway) as second:
            code, reason = await closed(second)
    assert code == 1013
    assert reason.startswith("too_many_sockets")
