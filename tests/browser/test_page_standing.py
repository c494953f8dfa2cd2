"""The page says how a session stands: also one that broke, is not reached or not followed."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Request, Route, expect
from temporalio.client import Client

from tests.browser.chromium import Troubles
from tests.browser.watching import (
    command,
    ended,
    held,
    let_go,
    open_session,
    record_banners,
    until_said,
)
from tests.end_to_end.conftest import CODE
from tests.end_to_end.local_stack import LocalStack, Reply, bash, finish, make_repository
from workflows.contract.explanations.table import TABLE

CUT_OFF = "ERR_CONNECTION_FAILED"
HINTED = """async (problem) => {
  const { parts } = await import('/page/problem.js');
  return parts(problem).at(-1)?.textContent;
}"""


@pytest.fixture(scope="module")
def scripts() -> dict[str, list[Reply]]:
    return {
        "wait": [held("echo waiting", "echo over"), finish("waited")],
        "danger": [bash("rm -rf precious"), finish("removed")],
        "steps": [*(bash(f"echo part {n}") for n in range(4)), finish("stepped")],
        "fail": [*(bash(f"echo failure {n}.; seq 3000; exit 1") for n in range(12)), finish()],
    }


@pytest.fixture(scope="module")
def stack(
    scripts: dict[str, list[Reply]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalStack]:
    """A stack whose gateway serves one socket only."""
    stack = LocalStack(tmp_path_factory.mktemp("stack"), scripts)
    stack.variables = {"OVERNIGHT_SOCKETS_LIMIT": "1"}
    try:
        stack.start()
        yield stack
    finally:
        stack.end()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("code") / "calculator", CODE)


def head(page: Page) -> Locator:
    return page.locator(".session-head")


def cut_off(route: Route) -> None:
    route.abort("connectionfailed")


def terminate(stack: LocalStack, session: str) -> None:
    """End the session's workflow as an operator would, without its doing anything about it."""

    async def end() -> None:
        client = await Client.connect(stack.record().temporal_address)
        await client.get_workflow_handle(session).terminate(reason="by an operator")

    # The browser's driver has the loop of this thread.
    with ThreadPoolExecutor() as threads:
        threads.submit(asyncio.run, end()).result()


def end_sandbox(stack: LocalStack, session: str) -> None:
    """End what a session that could not do so itself has left running."""
    for pid in stack.processes():
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if any(f"{session}-" in word for word in process.cmdline()):
                process.kill()


def test_a_session_that_breaks_is_over(page: Page, stack: LocalStack, repository: Path) -> None:
    """It asks nothing and cannot be stopped any more, on an open page as on one loaded later."""
    session = stack.run(repository, "danger", held=("rm *",)).id
    stack.until_asking(session)
    open_session(page, session)
    question = page.get_by_role("region", name="Question")
    expect(question).to_be_visible()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    terminate(stack, session)
    for _ in range(2):
        expect(page.get_by_text("session broke: by an operator")).to_be_visible()
        expect(page.locator(".now")).to_have_text("It broke. Only a new session can go on.")
        expect(page.locator(".track [aria-current=step]")).to_have_text("Done")
        expect(page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()
        expect(page.get_by_role("button", name="Close session")).to_be_hidden()
        expect(question).to_be_hidden()
        expect(page).to_have_title("danger · Overnight")
        page.reload()
    end_sandbox(stack, session)


def test_outputs_that_failed_are_read_when_they_are_near(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """A page that is loaded reads those at its end only, and others as a person comes to them."""
    session = stack.run(repository, "fail").id
    stack.until_waiting(session)
    read: list[str] = []

    def note(request: Request) -> None:
        if "/output" in request.url:
            read.append(request.url)

    page.on("request", note)
    open_session(page, session)
    expect(command(page, "failure 11.").locator(".output")).to_contain_text("3000")
    assert 1 <= len(read) <= 4
    first = command(page, "failure 0.")
    expect(first).to_have_attribute("open", "")
    expect(first.locator(".output")).to_have_count(0)
    page.locator(".scroller").evaluate("(each) => { each.scrollTop = 0; }")
    expect(first.locator(".output")).to_contain_text("3000")
    assert len(set(read)) == len(read) < 12
    # Folded and opened by a person, it is read again.
    first.locator("summary").click()
    expect(first.locator(".output")).to_have_count(0)
    first.locator("summary").click()
    expect(first.locator(".output")).to_contain_text("3000")
    stack.close([session])


def test_a_stop_that_failed_says_so_until_it_means_nothing(
    page: Page, stack: LocalStack, context: BrowserContext, repository: Path, troubles: Troubles
) -> None:
    """Neither a new connection nor the turn's end leaves it there; why there is none is said."""
    troubles.expect(CUT_OFF)
    session = stack.run(repository, "wait").id
    other = context.new_page()
    open_session(other, session)
    expect(command(other, "waiting").locator(".output")).to_contain_text("waiting")
    open_session(page, session)
    banner = page.locator(".banner")
    expect(banner).to_contain_text("too_many_sockets: 1 sockets are open already")
    page.route("**/interrupt", cut_off)
    stop = page.get_by_role("button", name="Stop", exact=True)
    stop.click()
    failure = head(page).get_by_role("alert")
    expect(failure).to_contain_text("Not stopped: The gateway does not answer")
    record_banners(page)
    other.close()
    until_said(page, "Resumed")
    expect(failure).to_be_hidden()
    stop.click()
    expect(failure).to_contain_text("Not stopped")
    let_go(stack, session)
    expect(ended(page, 1, "finished")).to_be_visible()
    expect(failure).to_be_hidden()
    stack.close([session])


def test_a_close_that_is_on_its_way_is_seen_and_ends_by_a_sign_out(
    page: Page, stack: LocalStack, repository: Path, troubles: Troubles
) -> None:
    """It is asked for once, again and again; who signs out asks no longer."""
    troubles.expect(f"{CUT_OFF}|status of 401")
    session = stack.run(repository, "steps").id
    stack.until_waiting(session)
    open_session(page, session)
    expect(page.locator(".now")).to_have_text("Waits for a prompt.")
    page.route("**/close", cut_off)
    page.get_by_role("button", name="Close session").click()
    failure = head(page).get_by_role("alert")
    expect(failure).to_contain_text("Not closed yet: The gateway does not answer")
    page.wait_for_event("request", lambda each: each.url.endswith("/close"))
    expect(page.get_by_role("button", name="Closing …")).to_be_disabled()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.unroute_all()
    page.get_by_label("Token").fill(stack.settings.token_path.read_text().strip())
    page.get_by_label("Token").press("Enter")
    close = page.get_by_role("button", name="Close session")
    expect(close).to_be_enabled()
    # Longer than any pause between two attempts.
    page.wait_for_timeout(2_500)
    expect(page.locator(".now")).to_have_text("Waits for a prompt.")
    close.click()
    expect(page.locator(".now")).to_have_text("Closed. A prompt reopens it.")
    expect(close).to_be_hidden()
    stack.close([session])


def test_steps_beyond_the_budget_are_granted_ones(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """After a person has granted more, the budget is no total."""
    session = stack.run(repository, "steps", steps=1).id
    open_session(page, session)
    steps = page.locator(".meters div", has_text="Steps").locator("dd")
    question = page.get_by_role("region", name="Question")
    expect(question).to_be_visible()
    expect(steps).to_have_text("1 of 1")
    question.get_by_role("button", name="Approve").click()
    expect(steps).to_have_text("2 (more than 1 are allowed)")
    stack.close([session])


def test_a_session_that_is_not_there_has_no_head(page: Page, troubles: Troubles) -> None:
    """The refusal alone is shown, in the middle, with the way back."""
    troubles.expect("status of 404")
    for width in (1_280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto("/s/s-00000000000000000000")
        refusal = page.get_by_role("alert")
        expect(refusal).to_contain_text("What to do: go back to the list of all sessions")
        expect(refusal.get_by_role("link", name="All sessions")).to_be_visible()
        expect(page.get_by_role("button", name="Close session")).to_be_hidden()
        box = refusal.bounding_box()
        assert box is not None
        assert box["x"] >= 16
        assert abs(2 * box["x"] + box["width"] - width) <= 1


def test_no_hint_speaks_of_requests(page: Page) -> None:
    """What the gateway tells programs to send, the page tells people to do."""
    page.goto("/")
    for code, row in TABLE.items():
        hint = str(page.evaluate(HINTED, {"title": row.title, "code": code, "hint": row.cure}))
        assert not re.search(r"GET |POST |DELETE |/api/|/readyz", hint), code
