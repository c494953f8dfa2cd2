"""A browser signs in and out, and what it is let do with its sign-in, in a real one."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.chromium import PATIENCE_MILLISECONDS, Troubles, settled
from tests.end_to_end.local_stack import LocalStack, until

DAYS_30 = 30 * 24 * 3_600
LIST = "() => fetch('/api/v1/sessions').then(answer => answer.status)"

HARMFUL = """
<script>window.canary = 'script'</script>
<img src="/page/none.svg" onerror="window.canary = 'handler'">
<svg onload="window.canary = 'svg'"></svg>
<iframe srcdoc="<script>parent.canary = 'frame'</script>"></iframe>
<a id="link" href="javascript:window.canary = 'link'">link</a>
"""

SINKS = """() => {
  const tries = [
    () => { document.body.innerHTML = '<b>x</b>'; },
    () => document.body.insertAdjacentHTML('beforeend', '<b>x</b>'),
    () => document.write('<b>x</b>'),
    () => new DOMParser().parseFromString('<b>x</b>', 'text/html'),
    () => { document.createElement('iframe').srcdoc = '<b>x</b>'; },
    () => { document.createElement('script').src = '/page/app.js'; },
    () => setTimeout('document.title = 1'),
    () => window.trustedTypes.createPolicy('default', {}),
  ];
  return tries.map((attempt) => {
    try { attempt(); return 'done'; } catch (error) { return error.name; }
  });
}"""

ATTACK = """async (gateway) => {
  const attempt = (path, more) => fetch(gateway + path, { credentials: 'include', ...more })
    .then(() => 'answered', () => 'refused');
  const body = JSON.stringify({ ticket: '' });
  const opaque = { mode: 'no-cors' };
  const socket = new Promise((done) => {
    const path = '/api/v1/sessions/s-00000000000000000000/ws';
    const made = new WebSocket(gateway.replace('http', 'ws') + path, ['overnight.v1']);
    made.onopen = () => done('answered');
    made.onerror = () => done('refused');
  });
  return [
    await attempt('/api/v1/sessions', {}),
    await attempt('/api/v1/sessions', opaque),
    await attempt('/api/v1/browser/tickets', { method: 'POST', body, ...opaque }),
    await attempt('/api/v1/browser', { method: 'DELETE' }),
    await socket,
  ];
}"""


@pytest.fixture
def other_port() -> Iterator[str]:
    """The address of another program's empty page on this host."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>other</title><link rel=icon href=data:,>")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def link_of(stack: LocalStack, *session: str) -> str:
    """Return what `overnight open` prints."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "cli.main", "open", "--print", *session],
        env=stack.environment(),
        cwd=stack.base,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def token_of(stack: LocalStack) -> str:
    return stack.settings.token_path.read_text().strip()


def is_signed_in(page: Page) -> None:
    """Wait until the page says so, and ask the gateway."""
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert page.evaluate(LIST) == 200


def is_stranger(page: Page) -> None:
    """Wait until the page asks for the token, and ask the gateway."""
    expect(page.get_by_label("Token")).to_be_visible()
    assert page.evaluate(LIST) == 401


@pytest.mark.parametrize("path", ["/", f"/s/s-{'0' * 20}"])
def test_a_link_signs_in_and_leaves_the_address(
    stranger: Page, stack: LocalStack, troubles: Troubles, path: str
) -> None:
    """Its ticket is gone from the address and from the way back; the browser stays signed in."""
    troubles.expect("status of 404")
    stranger.goto(path)
    is_stranger(stranger)
    link = link_of(stack, *[part for part in [path.removeprefix("/s/")] if part != "/"])
    assert f"{path}#ticket=" in link
    stranger.goto(link)
    is_signed_in(stranger)
    assert stranger.evaluate("location.pathname + location.hash") == path
    stranger.reload()
    is_signed_in(stranger)
    stranger.go_back()
    assert "ticket" not in stranger.url


def test_a_link_signs_one_browser_in(
    stranger: Page, stack: LocalStack, context: BrowserContext
) -> None:
    """Who opens it again is told why that does not do, and may paste the token."""
    link = link_of(stack)
    stranger.goto(link)
    is_signed_in(stranger)
    context.clear_cookies()
    again = context.new_page()
    again.goto(link)
    expect(again.get_by_role("alert")).to_contain_text("the ticket is wrong, expired or used")
    is_stranger(again)
    assert "ticket" not in again.url


def test_the_token_signs_in(stranger: Page, stack: LocalStack) -> None:
    """Pasted into the field, which does not show it, and gone from the page afterwards."""
    stranger.goto("/")
    is_stranger(stranger)
    field = stranger.get_by_label("Token")
    assert field.get_attribute("type") == "password"
    field.fill(f" {token_of(stack)}\n")
    stranger.get_by_role("button", name="Sign in").click()
    is_signed_in(stranger)
    assert token_of(stack) not in stranger.content()
    assert stranger.evaluate("document.getElementById('token')?.value ?? ''") == ""
    assert stranger.evaluate("JSON.stringify([localStorage, sessionStorage])") == "[{},{}]"


def test_a_wrong_token_is_refused(stranger: Page, stack: LocalStack) -> None:
    """The page says so beside the field, and the right one is taken next."""
    stranger.goto("/")
    field = stranger.get_by_label("Token")
    field.fill("wrong")
    field.press("Enter")
    expect(stranger.get_by_role("alert")).to_contain_text("the token is wrong")
    is_stranger(stranger)
    field.fill(token_of(stack))
    field.press("Enter")
    is_signed_in(stranger)
    expect(stranger.get_by_text("the token is wrong")).to_be_hidden()


def test_signing_out_ends_it(page: Page, context: BrowserContext, troubles: Troubles) -> None:
    """In this browser, and for a copy of its cookie."""
    troubles.expect("status of 401")
    page.goto("/")
    is_signed_in(page)
    copies = context.cookies()
    page.get_by_role("button", name="Sign out").click()
    is_stranger(page)
    assert context.cookies() == []
    context.add_cookies(copies)  # type: ignore[arg-type]  # what it gave is what it takes
    page.reload()
    is_stranger(page)


def test_the_cookie_is_out_of_reach_of_scripts(page: Page, context: BrowserContext) -> None:
    """As the browser has it: HttpOnly, SameSite=Strict, of this host, for 30 days."""
    page.goto("/")
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["secure"]) == (True, "Strict", False)
    assert (cookie["domain"], cookie["path"]) == ("127.0.0.1", "/")
    assert abs(cookie["expires"] - time.time() - DAYS_30) < 600
    assert page.evaluate("document.cookie") == ""


def test_a_script_in_the_page_does_not_run(page: Page, troubles: Troubles) -> None:
    """Were a hostile text part of the page after all, the browser would refuse to run it."""

    def infect(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("<body>", f"<body>{HARMFUL}"))

    page.route("**/", infect)
    page.goto("/")
    is_signed_in(page)
    page.evaluate("document.getElementById('link').click()")
    assert page.evaluate("window.canary") is None
    # The script, two handlers, the script in the frame and the link.
    found: list[str] = []
    until(lambda: len(refused(page, troubles, found)) >= 5, "the browser has refused five times")
    assert len(refused(page, troubles, found)) == 5
    troubles.expect("none.svg")


def refused(page: Page, troubles: Troubles, found: list[str]) -> list[str]:
    """Add what the browser has kept the page from since, and return all of it."""
    settled(page)
    found += troubles.take("Content Security Policy")
    return found


def test_no_text_becomes_markup(page: Page, troubles: Troubles) -> None:
    """The browser refuses every way in which the page's own scripts could do so."""
    page.goto("/")
    is_signed_in(page)
    assert set(page.evaluate(SINKS)) == {"TypeError"}
    troubles.expect("Trusted|Content Security Policy")


def test_a_page_of_another_port_can_do_nothing(
    page: Page,
    context: BrowserContext,
    troubles: Troubles,
    stack: LocalStack,
    address: str,
    other_port: str,
) -> None:
    """To a browser it is the same site, so the cookie comes along: the gateway refuses it."""
    troubles.expect(other_port)
    troubles.expect("WebSocket connection to .* 403|ERR_FAILED|NotSameOrigin|CORS policy")
    troubles.expect("status of 403")
    attacker = context.new_page()
    attacker.goto(other_port)
    until_served(stack, context, address)
    before = len(served(stack))
    assert attacker.evaluate(ATTACK, address) == ["refused"] * 5
    until(lambda: len(served(stack)) >= before + 4, "the log has four answers more")
    # Without the cookie it would have been 401.
    assert served(stack)[before:] == [403] * 4
    page.goto("/")
    is_signed_in(page)


def until_served(stack: LocalStack, context: BrowserContext, address: str) -> None:
    """Wait until all that was answered so far is in the log: it is written after the answer."""
    answer = context.request.get(f"{address}/api/v1/sessions", timeout=PATIENCE_MILLISECONDS)
    last = answer.headers["x-request-id"]
    log = stack.settings.home / "logs" / "gateway.log"
    until(lambda: last in log.read_text(), "the log has the last answer")


def served(stack: LocalStack) -> list[int]:
    """Return the statuses of the gateway's answers so far, but for probes."""
    log = (stack.settings.home / "logs" / "gateway.log").read_text().splitlines()
    lines = [json.loads(line) for line in log if "request.served" in line]
    return [line["status"] for line in lines]
