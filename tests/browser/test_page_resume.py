"""A page whose gateway goes away is right again by itself, and loses nothing that was typed."""

import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import Troubles
from tests.browser.watching import (
    command,
    ended,
    let_go,
    open_session,
    prompt_box,
    record_banners,
    send,
    until_said,
)
from tests.end_to_end.conftest import CODE
from tests.end_to_end.local_stack import LocalStack, Reply, bash, finish, make_repository, until

COUNTING = (
    "touch begun; i=0; while [ ! -e go ]; do i=$((i+1)); echo number $i; sleep 0.1; done; "
    "rm -f begun go"
)
GONE = (
    "ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection"
    "|status of 503"  # of a gateway that has not found Temporal yet
)


@pytest.fixture(scope="module")
def scripts() -> dict[str, list[Reply]]:
    return {
        "count": [bash(COUNTING), finish("counted")],
        "then": [bash("echo the next turn"), finish("went on")],
    }


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("code") / "calculator", CODE)


def test_a_killed_gateway_costs_nothing(
    page: Page, stack: LocalStack, repository: Path, troubles: Troubles
) -> None:
    """The same page goes on: no byte is missing or doubled, what was typed is sent once."""
    troubles.expect(GONE)
    session = stack.run(repository, "count").id
    open_session(page, session)
    counting = command(page, "number")
    expect(counting.locator(".output")).to_contain_text("number 5")
    page.evaluate("window.card = document.querySelector('details.command')")
    prompt_box(page).fill("half a thought")
    record_banners(page)
    stack.freeze_supervisor()
    try:
        stack.kill_for_good("gateway")
        until_said(page, "Reconnecting")
        expect(prompt_box(page)).to_have_value("half a thought")
        send(page, "then go on")
        expect(page.locator(".queue")).to_contain_text("sending")
    finally:
        stack.thaw_supervisor()
    until_said(page, "Resumed")
    _assert_goes_on(page)
    expect(page.get_by_role("region", name="Waiting prompts")).to_contain_text("1 prompt waiting")
    let_go(stack, session)
    expect(ended(page, 2, "finished")).to_be_visible()
    assert page.evaluate("window.card === document.querySelector('details.command')")
    expect(page.locator(".prompt", has_text="then go on")).to_have_count(1)
    expect(command(page, "the next turn")).to_have_count(1)
    _assert_counted(page)
    stack.close([session])


def test_a_gateway_that_is_silent_is_found_out_when_the_page_is_seen_again(
    page: Page, stack: LocalStack, repository: Path, troubles: Troubles
) -> None:
    """After a sleep no connection is trusted: it is tried at once, and replaced."""
    troubles.expect(GONE)
    session = stack.run(repository, "count").id
    open_session(page, session)
    expect(command(page, "number").locator(".output")).to_contain_text("number 5")
    record_banners(page)
    gateway = stack.record().processes["gateway"]
    os.kill(gateway, signal.SIGSTOP)
    try:
        page.evaluate("window.dispatchEvent(new Event('pageshow'))")
        until_said(page, "Reconnecting")
    finally:
        os.kill(gateway, signal.SIGCONT)
    until_said(page, "Resumed")
    _assert_goes_on(page)
    let_go(stack, session)
    expect(ended(page, 1, "finished")).to_be_visible()
    _assert_counted(page)
    stack.close([session])


def test_a_prompt_outlives_the_page_itself(
    page: Page, stack: LocalStack, repository: Path, troubles: Troubles
) -> None:
    """What was sent while the gateway was away is sent by the page that is loaded after it."""
    # It is asked before it is left, unless the prompt is sent by then.
    troubles.expect(f"{GONE}|dialog: beforeunload")
    session = stack.run(repository, "count").id
    open_session(page, session)
    expect(command(page, "number")).to_contain_text("running")
    stack.freeze_supervisor()
    try:
        stack.kill_for_good("gateway")
        send(page, "then, after a reload")
        expect(page.locator(".queue")).to_contain_text("again and again")
    finally:
        stack.thaw_supervisor()
    until(lambda: _is_served(page), "the gateway serves")
    page.goto("about:blank")
    open_session(page, session)
    expect(page.locator(".prompt", has_text="then, after a reload")).to_have_count(1)
    let_go(stack, session)
    expect(ended(page, 2, "finished")).to_be_visible()
    expect(command(page, "the next turn")).to_have_count(1)
    stack.close([session])


def _is_served(page: Page) -> bool:
    return bool(page.evaluate("() => fetch('/page/app.js').then(a => a.ok, () => false)"))


def _assert_counted(page: Page) -> None:
    """All that was printed is there when the command is opened again."""
    counting = command(page, "number")
    counting.locator("summary").click()
    expect(counting.locator(".output")).to_contain_text("number 1\n")
    _assert_contiguous(page)


def _assert_goes_on(page: Page) -> None:
    """More comes to what was there before the outage, with nothing missing in between."""
    output = command(page, "number").locator(".output")
    expect(output).to_contain_text(f"number {_assert_contiguous(page) + 5}\n")
    _assert_contiguous(page)


def _assert_contiguous(page: Page) -> int:
    """Every line of the counting is there, once and in order; return the last one."""
    text = command(page, "number").locator(".output").inner_text()
    numbers = [int(number) for number in re.findall(r"number (\d+)", text)]
    assert numbers == list(range(1, len(numbers) + 1))
    return len(numbers)
