"""What a person wrote and is not done yet is neither lost nor done twice; a sign-out ends it."""

import json
import re
from collections.abc import Callable
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
CROWD = """async (session) => {
  const { keepText } = await import('/page/outbox.js');
  for (let n = 0; n < 8; n += 1) keepText(session, `p-${n}`, 'x'.repeat(600_000));
  sessionStorage.setItem('elsewhere', 'x'.repeat(3_000_000));
}"""
"""Many long texts were sent; with what is not of the page, hardly anything else has room."""

SENT = "session => sessionStorage.getItem(`overnight.outbox.${session}`) === null"
WAITING = """async ([session, count]) => {
  const answer = await fetch(`/api/v1/sessions/${session}`);
  return (await answer.json()).view.queued === count;
}"""

DRAFTS = """Object.keys(sessionStorage).filter(
  (name) => /^overnight[.](draft|edit)[.]/.test(name))"""


@pytest.fixture(scope="module")
def scripts() -> dict[str, list[Reply]]:
    return {
        "wait": [held("echo waiting", "echo over"), finish("waited")],
        "next": [bash("echo the next turn"), finish("went on")],
        "danger": [bash("rm -rf precious"), finish("removed")],
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


def until_waiting(page: Page, session: str, count: int) -> None:
    """Wait until so many prompts wait, and the page knows of none that does not."""
    page.wait_for_function(WAITING, arg=[session, count])
    page.wait_for_function(SENT, arg=session)


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
    """Who goes to the list, or loads it anew, stops no prompt that is on its way.

    Whoever closes the tab is asked first, but only then; what was sent makes room for what was not.
    """
    troubles.expect(f"{CUT_OFF}|dialog: beforeunload")
    session = open_held(page, stack, repository)
    queue = page.get_by_role("region", name="Waiting prompts")
    page.route(PROMPTS, cut_off)
    send(page, "next, from the list")
    expect(queue).to_contain_text("again and again")
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    expect(row(page, "Running", "wait")).to_be_visible()
    page.unroute_all()
    until_waiting(page, session, 1)
    row(page, "Running", "wait").click()
    expect(queue.get_by_role("listitem")).to_have_count(1)
    page.reload()
    assert troubles.take("dialog") == []
    page.evaluate(CROWD, session)
    page.route(PROMPTS, cut_off)
    send(page, "next, from a new page\n" + "y" * 500_000)
    expect(queue).to_contain_text("again and again")
    page.goto("/")
    assert troubles.take("dialog") == ["dialog: beforeunload"]
    expect(row(page, "Running", "wait")).to_be_visible()
    page.unroute_all()
    until_waiting(page, session, 2)
    let_go(stack, session)
    row(page, "Running", "wait").click()
    expect(ended(page, 3, "finished")).to_be_visible()
    expect(page.locator(".prompt", has_text="next, from")).to_have_count(2)
    stack.close([session])


def refuse(status: int, code: str, title: str) -> Callable[[Route], None]:
    """Return what answers a request so."""
    problem = {"title": title, "status": status, "code": code, "detail": "…", "hint": "…"}
    return lambda route: route.fulfill(
        status=status, json=problem, content_type="application/problem+json"
    )


def test_a_prompt_that_is_put_off_says_why_and_comes_back(
    page: Page, stack: LocalStack, repository: Path, troubles: Troubles
) -> None:
    """It is in the box again and is not sent; one that may have been taken is told of as such."""
    troubles.expect("status of (429|503)")
    session = open_held(page, stack, repository)
    queue = page.get_by_role("region", name="Waiting prompts")
    back = queue.get_by_role("button", name="Back into the box")
    page.route(PROMPTS, refuse(429, "queue_full", "Too many prompts wait"))
    send(page, "next, too many")
    expect(queue).to_contain_text("again and again")
    expect(queue).to_contain_text("Too many prompts wait")
    expect(queue).not_to_contain_text("may have been taken")
    back.click()
    expect(queue).to_be_hidden()
    expect(prompt_box(page)).to_have_value("next, too many")
    page.unroute_all()
    page.route(PROMPTS, refuse(503, "outcome_unknown", "Whether it was done is not known"))
    send(page, "next, of doubt")
    expect(queue).to_contain_text("Whether it was done is not known")
    expect(queue).to_contain_text("may have been taken")
    back.click()
    expect(prompt_box(page)).to_have_value("next, of doubt")
    page.unroute_all()
    send(page, "next, and only this")
    expect(queue).to_contain_text("1 prompt waiting")
    expect(queue.locator(".name")).to_have_text("next, and only this")
    let_go(stack, session)
    expect(ended(page, 2, "finished")).to_be_visible()
    expect(page.locator(".prompt", has_text="next, ")).to_have_count(1)
    stack.close([session])


def test_a_new_text_for_a_prompt_is_there_when_the_session_is_shown_again(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """Until it is taken or given up."""
    session = open_held(page, stack, repository)
    send(page, "next, as first thought")
    queue = page.get_by_role("region", name="Waiting prompts")
    field = queue.get_by_role("textbox", name="The prompt's new text")
    shown = page.locator(f"a.row[href='/s/{session}']")

    def leave_and_return() -> None:
        page.get_by_role("link", name="Overnight", exact=True).click()
        shown.click()
        queue.get_by_role("button", name="Edit").click()

    rewrite(page, "next, half\nwritten")
    leave_and_return()
    expect(field).to_have_value("next, half\nwritten")
    queue.get_by_role("button", name="Cancel").click()
    leave_and_return()
    expect(field).to_have_value("next, as first thought")
    field.fill("next, as replaced")
    queue.get_by_role("button", name="Replace").click()
    expect(queue.locator(".name")).to_have_text("next, as replaced")
    page.wait_for_function(f"{DRAFTS}.length === 0")
    let_go(stack, session)
    expect(ended(page, 2, "finished")).to_be_visible()
    stack.close([session])


def test_a_new_text_for_a_prompt_that_begins_unseen_is_in_the_box(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """Nobody looks when the prompt that was to be replaced is taken up."""
    session = open_held(page, stack, repository)
    send(page, "next, as first thought")
    rewrite(page, "next, as it should be")
    page.get_by_role("link", name="Overnight", exact=True).click()
    let_go(stack, session)
    # Where it stays: a row that moves may be missed.
    done = page.get_by_role("region", name="Done").locator(f"a.row[href='/s/{session}']")
    expect(done).to_contain_text("finished")
    stack.until_waiting(session, 2)
    expect(done).to_be_visible()
    done.click()
    expect(ended(page, 2, "finished")).to_be_visible()
    expect(prompt_box(page)).to_have_value("next, as it should be")
    assert page.evaluate(DRAFTS) == [f"overnight.draft.{session}"]
    stack.close([session])


def test_a_decision_that_is_on_its_way_ends_by_a_sign_out(
    page: Page, stack: LocalStack, repository: Path, troubles: Troubles
) -> None:
    """What was refused for the time being is not sent by whoever signs in next."""
    troubles.expect("status of (401|503)")
    session = stack.run(repository, "danger", held=("rm *",)).id
    asked = stack.until_asking(session)
    open_session(page, session)
    question = page.get_by_role("region", name="Question")
    page.route("**/decisions", refuse(503, "outcome_unknown", "Whether it was done is not known"))
    question.get_by_role("button", name="Reject").click()
    expect(question).to_contain_text("again and again")
    sign_in_anew(page, stack)
    expect(question).to_be_visible()
    # Longer than any pause between two attempts.
    page.wait_for_timeout(2_500)
    assert stack.gateway.session(session).view.asked == asked
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


def test_a_session_is_started_once_whatever_is_shown(
    page: Page, stack: LocalStack, repository: Path, troubles: Troubles
) -> None:
    """The next form shows that it is being started, and then has room; other words stay in it."""
    troubles.expect(CUT_OFF)
    task = page.get_by_role("textbox", name="New session")
    button = page.get_by_role("button", name="Start", exact=True)
    page.route(STARTS, cut_off)
    for text, words in (("next, started once", ""), ("next, and another", "half a task")):
        start(page, text, repository)
        expect(page.get_by_text("Trying again").first).to_be_visible()
        page.get_by_role("link", name="Overnight", exact=True).click()
        expect(page.get_by_text("Trying again").first).to_be_visible()
        expect(task).to_have_value(text)
        expect(button).to_be_disabled()
        if words:
            task.fill(words)
        page.unroute_all()
        expect(button).to_be_enabled()
        expect(task).to_have_value(words)
        expect(row(page, "Done", text)).to_have_count(1)
        page.reload()
        expect(task).to_have_value(words)
        expect(button).to_be_enabled()
        page.route(STARTS, cut_off)
    assert page.url.endswith("/")
    titles = {"next, started once", "next, and another"}
    started = [each.id for each in stack.gateway.sessions() if each.title in titles]
    assert len(started) == 2
    stack.close(started)


def test_what_is_wrong_in_a_folded_field_is_shown(page: Page, repository: Path) -> None:
    """Otherwise the browser would start nothing and say nothing."""
    page.goto("/")
    page.get_by_text("Budget and approval").click()
    steps = page.get_by_label("Steps a turn")
    steps.fill("20000")
    page.get_by_text("Budget and approval").click()
    expect(steps).to_be_hidden()
    page.get_by_role("textbox", name="New session").fill("next, with too many steps")
    page.get_by_label("Repository").fill(str(repository))
    page.get_by_role("button", name="Start", exact=True).click()
    expect(steps).to_be_visible()
    expect(steps).to_be_focused()


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
