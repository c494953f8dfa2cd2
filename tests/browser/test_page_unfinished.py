"""What a person wrote and is not done yet is neither lost nor done twice; a sign-out ends it."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.chromium import Troubles
from tests.browser.watching import (
    command,
    ended,
    held,
    let_go,
    open_session,
    prompt_box,
    row,
    send,
    start,
)
from tests.end_to_end.conftest import CODE
from tests.end_to_end.local_stack import LocalStack, Reply, bash, finish, make_repository

CUT_OFF = "ERR_CONNECTION_FAILED"
STARTS = re.compile(r"/api/v1/sessions$")
PROMPTS = re.compile(r"/prompts(/|$)")
WAITING = """async ([session, count]) => {
  const answer = await fetch(`/api/v1/sessions/${session}`);
  return (await answer.json()).view.queued === count;
}"""


@pytest.fixture(scope="module")
def scripts() -> dict[str, list[Reply]]:
    return {
        "wait": [held("echo waiting", "echo over"), finish("waited")],
        "next": [bash("echo the next turn"), finish("went on")],
    }


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("code") / "calculator", CODE)


def cut_off(route: Route) -> None:
    route.abort("connectionfailed")


def open_held(page: Page, stack: LocalStack, repository: Path) -> str:
    """Show a session whose turn runs until it is let go; return its id."""
    session = stack.run(repository, "wait").id
    open_session(page, session)
    expect(command(page, "waiting")).to_contain_text("running")
    return session


def rewrite(page: Page, text: str) -> None:
    """Write a new text for the one prompt that waits, without replacing it."""
    queue = page.get_by_role("region", name="Waiting prompts")
    queue.get_by_role("button", name="Edit").click()
    queue.get_by_role("textbox", name="The prompt's new text").fill(text)


def sign_in_anew(page: Page, stack: LocalStack) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.unroute_all()
    page.get_by_label("Token").fill(stack.settings.token_path.read_text().strip())
    page.get_by_label("Token").press("Enter")
    expect(page.get_by_label("Token")).to_be_hidden()


def test_a_prompt_that_begins_leaves_its_new_text_in_the_box(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """What has replaced the prompt is gone from the page's hands, what has not yet is kept."""
    session = open_held(page, stack, repository)
    send(page, "next, as first thought")
    queue = page.get_by_role("region", name="Waiting prompts")
    rewrite(page, "next, as replaced")
    queue.get_by_role("button", name="Replace").click()
    expect(queue.locator(".name")).to_have_text("next, as replaced")
    rewrite(page, "next, as it\nshould be")
    expect(prompt_box(page)).to_have_value("")
    let_go(stack, session)
    expect(ended(page, 2, "finished")).to_be_visible()
    expect(prompt_box(page)).to_have_value("next, as it\nshould be")
    # Enter is a new line in the one field, and sends in the other.
    expect(prompt_box(page)).not_to_be_focused()
    stack.close([session])


def test_a_text_that_came_too_late_is_in_the_box(
    page: Page, stack: LocalStack, repository: Path, troubles: Troubles
) -> None:
    """The refusal comes when the prompt's row is gone already."""
    troubles.expect(f"{CUT_OFF}|status of 409")
    session = open_held(page, stack, repository)
    send(page, "next, as first thought")
    rewrite(page, "next, too late")
    page.route(PROMPTS, cut_off)
    queue = page.get_by_role("region", name="Waiting prompts")
    queue.get_by_role("button", name="Replace").click()
    expect(queue).to_contain_text("The gateway does not answer")
    let_go(stack, session)
    expect(ended(page, 2, "finished")).to_be_visible()
    expect(queue).to_be_hidden()
    expect(prompt_box(page)).to_have_value("")
    page.unroute_all()
    expect(prompt_box(page)).to_have_value("next, too late")
    stack.close([session])


def test_an_unsent_prompt_is_sent_whatever_is_shown(
    page: Page, stack: LocalStack, repository: Path, troubles: Troubles
) -> None:
    """Who goes to the list, or loads it anew, stops no prompt that is on its way."""
    troubles.expect(CUT_OFF)
    session = open_held(page, stack, repository)
    queue = page.get_by_role("region", name="Waiting prompts")
    page.route(PROMPTS, cut_off)
    send(page, "next, from the list")
    expect(queue).to_contain_text("again and again")
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    expect(row(page, "Running", "wait")).to_be_visible()
    page.unroute_all()
    page.wait_for_function(WAITING, arg=[session, 1])
    row(page, "Running", "wait").click()
    expect(queue).to_contain_text("1 prompt waiting")
    page.route(PROMPTS, cut_off)
    send(page, "next, from a new page")
    expect(queue).to_contain_text("again and again")
    page.goto("/")
    expect(row(page, "Running", "wait")).to_be_visible()
    page.unroute_all()
    page.wait_for_function(WAITING, arg=[session, 2])
    let_go(stack, session)
    row(page, "Running", "wait").click()
    expect(ended(page, 3, "finished")).to_be_visible()
    expect(page.locator(".prompt", has_text="next, from")).to_have_count(2)
    stack.close([session])


def test_what_was_unsent_at_a_sign_out_is_never_sent(
    page: Page, stack: LocalStack, repository: Path, troubles: Troubles
) -> None:
    """Neither by the view that is shown after the next sign-in nor behind it."""
    troubles.expect(f"{CUT_OFF}|status of 401")
    session = open_held(page, stack, repository)
    page.route(PROMPTS, cut_off)
    send(page, "next, a secret")
    queue = page.get_by_role("region", name="Waiting prompts")
    expect(queue).to_contain_text("again and again")
    sign_in_anew(page, stack)
    expect(command(page, "waiting")).to_contain_text("running")
    send(page, "next, after it")
    expect(queue).to_contain_text("1 prompt waiting")
    expect(queue.locator(".name")).to_have_text("next, after it")
    let_go(stack, session)
    expect(ended(page, 2, "finished")).to_be_visible()
    stack.close([session])


def test_a_session_that_is_being_started_is_one_and_ends_by_a_sign_out(
    page: Page, stack: LocalStack, repository: Path, troubles: Troubles
) -> None:
    """A key starts no second one meanwhile; none is made after the next sign-in."""
    troubles.expect(f"{CUT_OFF}|status of 401")
    asked: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST" and STARTS.search(request.url):
            asked.append(json.loads(request.post_data or "")["prompt"]["id"])

    page.on("request", note)
    page.route(STARTS, cut_off)
    start(page, "next, once only", repository)
    expect(page.get_by_text("Trying again").first).to_be_visible()
    page.get_by_role("textbox", name="New session").fill("next, once more")
    page.get_by_role("textbox", name="New session").press("Control+Enter")
    for _ in range(2):
        page.wait_for_event("request", lambda each: STARTS.search(each.url) is not None)
    assert len(set(asked)) == 1
    sign_in_anew(page, stack)
    asked.clear()
    expect(page.get_by_role("textbox", name="New session")).to_have_value("")
    # Longer than any pause between two attempts.
    page.wait_for_timeout(2_500)
    assert asked == []
    assert not [each for each in stack.gateway.sessions() if each.title.startswith("next, once")]
