"""Browsers sign in for a cookie, and what a cookie opens to whom, on a real gateway."""

import base64
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from temporalio.client import Client
from websockets.exceptions import InvalidStatus

from gateway.browsers import Browsers
from runtime.settings import gateway_token
from tests.gateway.conftest import SESSIONS, Gateway, workers
from tests.gateway.test_handshake import closed, opened, own_origin
from tests.gateway.test_handshake import ticket as socket_ticket
from tests.gateway.test_process import gateway_process, until
from tests.patience import PATIENCE_SECONDS
from workflows.contract.socket import PROTOCOL

SIGN_IN = "/api/v1/browser"
DAYS_30 = 30 * 24 * 3_600


@asynccontextmanager
async def nobody(edge: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that keeps no cookies and sends no token."""
    async with httpx2.AsyncClient(base_url=own_origin(edge), timeout=PATIENCE_SECONDS) as http:
        yield http


async def sign_in(edge: Gateway, **body: str) -> httpx2.Response:
    """Sign in as the page does."""
    async with nobody(edge) as http:
        return await http.post(SIGN_IN, json=body, headers={"origin": own_origin(edge)})


async def signed_in(edge: Gateway) -> str:
    """Return the cookie of a browser that is signed in, as it sends it."""
    answer = await sign_in(edge, token=gateway_token(edge.settings))
    assert answer.status_code == 204, answer.text
    return str(answer.headers["set-cookie"].partition(";")[0])


async def sign_in_ticket(edge: Gateway) -> str:
    answer = await edge.http.post(f"{SIGN_IN}/tickets", json={})
    assert answer.status_code == 201, answer.text
    assert answer.json()["expires_in_seconds"] == 120
    return str(answer.json()["ticket"])


async def listed(edge: Gateway, cookie: str, **headers: str) -> int:
    """Return the status of a list asked for with a cookie."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with nobody(edge) as http:
        answer = await http.get(SESSIONS, headers={"cookie": cookie} | named)
    return answer.status_code


async def test_the_token_makes_a_cookie_that_scripts_cannot_read(edge: Gateway) -> None:
    """For 30 days, for this origin's own requests alone, and not encrypted where nothing is."""
    answer = await sign_in(edge, token=gateway_token(edge.settings))
    assert (answer.status_code, answer.content) == (204, b"")
    pair, *flags = answer.headers["set-cookie"].split("; ")
    assert re.fullmatch(r"overnight-[0-9a-f]{8}=[A-Za-z0-9_-]{75}", pair)
    assert {flag.lower() for flag in flags} == {
        "httponly",
        "samesite=strict",
        "path=/",
        f"max-age={DAYS_30}",
    }
    assert await listed(edge, pair) == 200


async def test_behind_a_proxy_with_tls_the_cookie_is_sent_encrypted_only(edge: Gateway) -> None:
    """The gateway itself speaks HTTP; the page's origin tells."""
    origin = own_origin(edge).replace("http:", "https:")
    async with nobody(edge) as http:
        body = {"token": gateway_token(edge.settings)}
        answer = await http.post(SIGN_IN, json=body, headers={"origin": origin})
        assert "; Secure" in answer.headers["set-cookie"]
        cookie = answer.headers["set-cookie"].partition(";")[0]
        headers = {"origin": origin, "cookie": cookie}
        answer = await http.delete(SIGN_IN, headers=headers)
        assert "; Secure" in answer.headers["set-cookie"]


async def test_a_ticket_signs_one_browser_in(edge: Gateway) -> None:
    """It is taken once; the second use is refused with what to do."""
    ticket = await sign_in_ticket(edge)
    assert (await sign_in(edge, ticket=ticket)).status_code == 204
    again = await sign_in(edge, ticket=ticket)
    assert (again.status_code, again.json()["code"]) == (401, "unauthenticated")
    assert "overnight open" in again.json()["hint"]
    assert "set-cookie" not in again.headers


async def test_tickets_are_good_for_one_purpose(edge: Gateway) -> None:
    """A socket's ticket signs no browser in, and a browser's ticket opens no socket."""
    assert (await sign_in(edge, ticket=await socket_ticket(edge))).status_code == 401
    offered = (PROTOCOL, f"ticket.{await sign_in_ticket(edge)}")
    async with opened(edge, token=None, origin=own_origin(edge), protocols=offered) as socket:
        assert (await closed(socket))[0] == 4401


async def test_tickets_are_for_those_who_are_known(edge: Gateway) -> None:
    """A stranger cannot make one; a signed-in browser can, for another one."""
    async with nobody(edge) as http:
        assert (await http.post(f"{SIGN_IN}/tickets", json={})).status_code == 401
        headers = {"cookie": await signed_in(edge), "origin": own_origin(edge)}
        answer = await http.post(f"{SIGN_IN}/tickets", json={}, headers=headers)
    assert (await sign_in(edge, ticket=answer.json()["ticket"])).status_code == 204


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"token": "wrong"}, 401, "unauthenticated"),
        ({"token": ""}, 401, "unauthenticated"),
        ({"token": "töken"}, 401, "unauthenticated"),
        ({"ticket": "wrong"}, 401, "unauthenticated"),
        ({"ticket": ""}, 401, "unauthenticated"),
        ({"ticket": "é~"}, 401, "unauthenticated"),
        ({"token": "x" * 1_001}, 422, "invalid_request"),
        ({"token": "a", "ticket": "b"}, 422, "invalid_request"),
        ({"token": None}, 422, "invalid_request"),
        ({"user": "a"}, 422, "invalid_request"),
        ({}, 422, "invalid_request"),
    ],
)
async def test_who_is_not_known_gets_no_cookie(
    edge: Gateway, body: dict[str, str], status: int, code: str
) -> None:
    """A wrong token or ticket is refused with a hint, and what was sent is not told back."""
    answer = await sign_in(edge, **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["hint"]
    assert "set-cookie" not in answer.headers
    assert "x" * 100 not in answer.text


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
async def test_another_site_signs_nobody_in(edge: Gateway, origin: str) -> None:
    """Not even with the right token, nor as a form, which any site can send."""
    async with nobody(edge) as http:
        body = {"token": gateway_token(edge.settings)}
        answer = await http.post(SIGN_IN, json=body, headers={"origin": origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
        answer = await http.post(SIGN_IN, data=body, headers={"origin": own_origin(edge)})
        assert (answer.status_code, answer.json()["code"]) == (415, "media_type_not_supported")


def forgeries(edge: Gateway, value: str) -> list[str]:
    """Return what is almost a cookie's value."""
    browsers = Browsers(gateway_token(edge.settings))
    past = int(time.time() - 1).to_bytes(8, "big") + bytes(16)
    expired = base64.urlsafe_b64encode(past + browsers._sign(past)).decode().rstrip("=")
    longer = base64.urlsafe_b64decode(value + "=")
    later = (int.from_bytes(longer[:8], "big") + 1).to_bytes(8, "big") + longer[8:]
    return [
        "",
        "~~~",
        "é",
        value[:-2],
        *(value[:at] + ("B" if value[at] == "A" else "A") + value[at + 1 :] for at in (10, 20, 60)),
        base64.urlsafe_b64encode(later).decode().rstrip("="),
        expired,
        Browsers("another token").sign_in(),
        gateway_token(edge.settings),
    ]


async def test_a_cookie_that_is_not_ours_opens_nothing(edge: Gateway) -> None:
    """Forged, cut, prolonged, expired or of another installation: 401, and a socket asks on."""
    name, _, value = (await signed_in(edge)).partition("=")
    for forged in forgeries(edge, value):
        cookie = f"{name}={forged}"
        async with nobody(edge) as http:
            answer = await http.get(SESSIONS, headers={b"cookie": cookie.encode()})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), forged
    expired = forgeries(edge, value)[8]
    assert expired.startswith("AAAA")
    async with opened(edge, token=None, origin=own_origin(edge), cookie=f"{name}={expired}") as on:
        await on.send('{"type": "subscribe"}')
        assert (await closed(on))[0] == 4401


async def test_two_stacks_on_one_host_have_cookies_of_their_own(edge: Gateway) -> None:
    """A browser sends both to both, since cookies know no ports; each takes its own."""
    cookie = await signed_in(edge)
    other = Browsers("another token")
    foreign = f"{other.cookie_name}={other.sign_in()}"
    assert other.cookie_name != cookie.partition("=")[0]
    assert await listed(edge, f"{foreign}; {cookie}") == 200
    assert await listed(edge, f"{cookie}; {foreign}") == 200
    assert await listed(edge, foreign) == 401


async def test_a_planted_cookie_keeps_nobody_out(edge: Gateway) -> None:
    """Of several cookies of our name one good one is enough, in whatever place."""
    cookie = await signed_in(edge)
    planted = f"{cookie.partition('=')[0]}=planted"
    assert await listed(edge, f"{planted}; {cookie}") == 200
    assert await listed(edge, f"a=b;{cookie};{planted};  ;=;x") == 200
    assert await listed(edge, f"{planted}; {planted}") == 401


async def test_a_token_decides_before_a_cookie(edge: Gateway) -> None:
    """A wrong one is refused whatever cookie comes with it."""
    cookie = await signed_in(edge)
    assert await listed(edge, cookie, authorization="Bearer wrong") == 401
    assert await listed(edge, cookie, authorization="") == 401
    right = f"Bearer {gateway_token(edge.settings)}"
    assert await listed(edge, f"{cookie}x", authorization=right) == 200
    async with opened(edge, token="wrong", origin=own_origin(edge), cookie=cookie) as socket:
        assert (await closed(socket))[0] == 4401


@pytest.mark.parametrize(
    ("site", "status"),
    [("same-origin", 200), ("none", 200), ("same-site", 403), ("cross-site", 403), ("new", 403)],
)
async def test_a_cookie_reads_for_our_own_page_only(edge: Gateway, site: str, status: int) -> None:
    """To a browser another port of this host is the same site, so it sends the cookie there."""
    assert await listed(edge, await signed_in(edge), sec_fetch_site=site) == status


async def test_a_cookie_changes_nothing_without_our_origin(edge: Gateway) -> None:
    """Every method that does something needs it; only the right one will do."""
    cookie = await signed_in(edge)
    async with nobody(edge) as http:
        for method, path in (
            ("POST", SESSIONS),
            ("POST", f"{SIGN_IN}/tickets"),
            ("PATCH", f"{SESSIONS}/s-{'0' * 20}"),
            ("PUT", f"{SESSIONS}/s-{'0' * 20}/prompts/x"),
            ("DELETE", SIGN_IN),
        ):
            for origin in (None, "null", "http://127.0.0.1:1", "http://evil.example"):
                headers = {"cookie": cookie} | ({"origin": origin} if origin else {})
                body: dict[str, str] | None = None if method == "DELETE" else {}
                answer = await http.request(method, path, json=body, headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
    assert await listed(edge, cookie) == 200


async def test_a_cookie_opens_a_socket_to_our_own_page(edge: Gateway) -> None:
    """At once, without a ticket; a page of another port of this host is refused."""
    cookie = await signed_in(edge)
    async with opened(edge, token=None, origin=own_origin(edge), cookie=cookie) as socket:
        await socket.send('{"type": "subscribe"}')
        assert (await closed(socket))[0] == 4404
    for origin in ("http://127.0.0.1:1", "http://localhost:1", "null", None):
        with pytest.raises(InvalidStatus) as refused:
            async with opened(edge, token=None, origin=origin, cookie=cookie):
                pass
        assert refused.value.response.status_code == 403


async def test_a_browser_that_signed_out_is_a_stranger(edge: Gateway) -> None:
    """It is told to forget its cookie, a copy of which opens nothing; other browsers stay in."""
    cookie, other = await signed_in(edge), await signed_in(edge)
    async with nobody(edge) as http:
        headers = {"cookie": cookie, "origin": own_origin(edge)}
        answer = await http.delete(SIGN_IN, headers=headers)
        assert answer.status_code == 204
        pair, *flags = answer.headers["set-cookie"].split("; ")
        assert pair.partition("=")[0] == cookie.partition("=")[0]
        assert "Max-Age=0" in flags
        assert (await http.delete(SIGN_IN, headers=headers)).status_code == 401
    assert await listed(edge, cookie) == 401
    assert await listed(edge, other) == 200


@pytest.mark.parametrize("message", [None, '{"type": "ping", "id": "1"}'])
async def test_signing_out_closes_the_sockets_of_that_browser(
    gateway: Gateway, client: Client, message: str | None
) -> None:
    """Also of one that says nothing; another browser's socket goes on."""
    cookie, other = await signed_in(gateway), await signed_in(gateway)
    origin = own_origin(gateway)
    async with workers(client):
        path = await gateway.create()
        async with (
            opened(gateway, path=path, token=None, origin=origin, cookie=cookie) as leaving,
            opened(gateway, path=path, token=None, origin=origin, cookie=other) as staying,
            nobody(gateway) as http,
        ):
            for socket in (leaving, staying):
                await socket.send('{"type": "subscribe"}')
                assert "hello" in str(await socket.recv())
            await http.delete(SIGN_IN, headers={"cookie": cookie, "origin": origin})
            if message is not None:
                await leaving.send(message)
            code, reason = await closed(leaving)
            await staying.send('{"type": "ping", "id": "1"}')
            while "pong" not in str(await staying.recv()):
                pass
    assert code == 4401
    assert "sign in again" in reason


async def test_a_cookie_is_good_on_every_gateway_of_the_installation(edge: Gateway) -> None:
    """So a restart signs nobody out."""
    assert Browsers(gateway_token(edge.settings)).knows([await signed_in(edge)])


async def test_a_sign_in_leaves_no_secret_behind(
    tmp_path: Path, take_port: Callable[[], int]
) -> None:
    """Neither token nor ticket nor cookie stands in the log, nor in an answer's text."""
    port = take_port()
    async with (
        gateway_process(tmp_path, port, take_port()) as process,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS) as http,
    ):
        await until(http, "/healthz", 200)
        token = (tmp_path / "token").read_text()
        bearer = {"authorization": f"Bearer {token}"}
        made = await http.post(f"{SIGN_IN}/tickets", json={}, headers=bearer)
        ticket = made.json()["ticket"]
        secrets = [token, ticket]
        answers = []
        for body in ({"token": token}, {"ticket": ticket}, {"token": token, "ticket": ticket}):
            answers.append(await http.post(SIGN_IN, json=body))
            answers.append(await http.post(SIGN_IN, json=body | {"more": token}))
        secrets += [value for _, value in http.cookies.items()]
        answers.append(await http.post(SIGN_IN, json={"ticket": ticket}))
        answers.append(await http.get(f"{SESSIONS}?limit={token}", headers=bearer))
        process.terminate()
        _, log = await process.communicate()
    assert len(secrets) == 3
    assert [each.status_code for each in answers] == [204, 422, 204, 422, 422, 422, 401, 422]
    assert b"browser.signed_in" in log
    for secret in secrets:
        assert secret.encode() not in log
        assert not any(secret in each.text for each in answers)


def test_another_token_ends_every_sign_in() -> None:
    """Its cookies have another name too, and the name does not hold the token."""
    before, after = Browsers("one"), Browsers("two")
    value = before.sign_in()
    assert before.knows([f"{before.cookie_name}={value}"])
    assert not after.knows([f"{after.cookie_name}={value}"])
    assert before.cookie_name != after.cookie_name
