"""The page shows what happens in real sessions, and a person steers them with it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

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
    shown_session,
    start,
)
from tests.end_to_end.conftest import CODE
from tests.end_to_end.local_stack import LocalStack, Reply, bash, edit, finish, make_repository

SUMMARY = "Add instead of subtracting\n\n`add` subtracted. **Verified** with pytest."
QUESTION = {"question": "Which **rounding**?", "options": ["up", "to the nearest"]}
DANGER = "echo removing; rm -rf precious"


@pytest.fixture(scope="module")
def scripts() -> dict[str, list[Reply]]:
    return {
        "mend": [
            held("echo first words; echo oops >&2", "echo last words", text="I *look* first."),
            edit("calc.py", "a - b", "a + b"),
            bash("exit 3"),
            finish(SUMMARY),
        ],
        "wait": [held("echo waiting", "echo over"), finish("waited")],
        "next": [bash("echo the next turn"), finish("went on")],
        "ask": [
            {"calls": [{"name": "ask", "arguments": QUESTION}]},
            bash("echo answered"),
            finish("asked"),
        ],
        "danger": [bash(DANGER), finish("removed")],
        "long": [*(bash(f"echo part {n}") for n in range(40)), finish("long")],
    }


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("code") / "calculator", CODE)


def test_a_session_is_followed_live_to_its_pull_request(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """From the form to the merge command nothing is reloaded; output is there while it runs."""
    page.goto("/")
    expect(page.get_by_text("No sessions yet.")).to_be_visible()
    start(page, "mend the sum", repository)
    session = shown_session(page)
    running = command(page, "first words")
    expect(running.locator(".output")).to_contain_text("first words")
    expect(running.locator(".output .stderr")).to_have_text("oops")
    expect(running).to_contain_text("running")
    expect(running).to_have_attribute("open", "")
    expect(page.locator(".track [aria-current=step]")).to_have_text("Work")
    page.evaluate("window.notReloaded = true")
    let_go(stack, session)
    # It did well and is folded; the failed one is open.
    expect(running).to_contain_text("exit 0")
    expect(running).not_to_have_attribute("open", "")
    expect(command(page, "exit 3")).to_have_attribute("open", "")
    expect(ended(page, 1, "finished")).to_be_visible()
    _assert_made(page, stack.pull_requests(session)[0].merge_command)
    # What was folded is read again when it is opened.
    running.locator("summary").click()
    expect(running.locator(".output")).to_contain_text("last words")
    expect(running.locator(".output .stderr")).to_have_text("oops")
    assert page.evaluate("window.notReloaded")
    page.keyboard.press("u")
    expect(row(page, "Done", "mend the sum")).to_contain_text("green")
    stack.close([session])


def test_the_list_groups_sessions_and_follows_them(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """Who asks, who runs and who is done stand apart, and change places by themselves."""
    asking = stack.run(repository, "ask").id
    waiting = stack.run(repository, "wait").id
    stack.until_asking(asking)
    page.goto("/")
    expect(row(page, "Needs you", "ask")).to_contain_text("Which **rounding**?")
    expect(row(page, "Running", "wait")).to_contain_text("calculator · overnight/")
    link = row(page, "Running", "wait")
    link.focus()
    page.evaluate("window.kept = document.activeElement")
    let_go(stack, waiting)
    expect(row(page, "Done", "wait")).to_contain_text("finished")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("k")
    expect(row(page, "Needs you", "ask")).to_be_focused()
    page.keyboard.press("Enter")
    assert shown_session(page) == asking
    page.go_back()
    expect(row(page, "Needs you", "ask")).to_be_visible()
    stack.close([asking, waiting])


def test_what_cannot_be_started_says_why_beneath_the_form(page: Page, troubles: Troubles) -> None:
    """An error of the interface has its detail, its hint and its code; the text stays."""
    troubles.expect("status of 4(22|04)")
    start(page, "mend what is elsewhere", Path("over/there"))
    problem = page.get_by_role("form", name="New session").get_by_role("alert")
    expect(problem).to_contain_text("repository_refused")
    expect(problem).to_contain_text("What to do: ")
    task = page.get_by_role("textbox", name="New session")
    expect(task).to_have_value("mend what is elsewhere")
    page.goto("/s/s-00000000000000000000")
    expect(page.get_by_role("alert")).to_contain_text("session_unknown")


def test_a_session_that_failed_needs_a_person_and_says_why(
    page: Page, stack: LocalStack, tmp_path: Path
) -> None:
    """What failed is said once, with what is to be done, and the list calls for a person."""
    start(page, "mend what is nowhere", tmp_path / "nothing")
    session = shown_session(page)
    expect(ended(page, 1, "failed")).to_be_visible()
    expect(page.get_by_text("is no git repository; name the top folder of one")).to_have_count(1)
    page.keyboard.press("u")
    expect(row(page, "Needs you", "mend what is nowhere")).to_contain_text("failed")
    stack.close([session])


def test_prompts_wait_are_changed_and_the_turn_is_stopped(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """What waits may be replaced or taken back; a stop ends the turn, then the next one runs."""
    session = stack.run(repository, "wait", "and be stopped").id
    open_session(page, session)
    expect(command(page, "waiting").locator(".output")).to_contain_text("waiting")
    send(page, "not this one")
    send(page, "nor this")
    queue = page.get_by_role("region", name="Waiting prompts")
    expect(queue).to_contain_text("2 prompts waiting")
    queue.locator("li", has_text="not this one").get_by_role("button", name="Withdraw").click()
    expect(queue).to_contain_text("1 prompt waiting")
    queue.get_by_role("button", name="Edit").click()
    field = queue.get_by_role("textbox", name="The prompt's new text")
    expect(field).to_have_value("nor this")
    field.fill("next, please")
    queue.get_by_role("button", name="Replace").click()
    expect(queue.locator(".name")).to_have_text("next, please")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(ended(page, 1, "stopped by a person")).to_be_visible()
    expect(ended(page, 2, "finished")).to_be_visible()
    expect(page.locator(".prompt.withdrawn")).to_contain_text("not this one")
    expect(queue).to_be_hidden()
    stack.close([session])


def test_a_steering_prompt_and_a_follow_up_are_sent_with_a_key(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """Ctrl+Enter steers the turn that runs, Enter begins the next one; closed, it is reopened."""
    session = stack.run(repository, "wait", "and be steered").id
    open_session(page, session)
    expect(command(page, "waiting")).to_contain_text("running")
    send(page, "next, in this turn", "Control+Enter")
    expect(page.locator(".prompt", has_text="next, in this turn")).to_contain_text("steered")
    let_go(stack, session)
    expect(ended(page, 1, "finished")).to_be_visible()
    expect(command(page, "the next turn")).to_have_count(1)
    stack.close([session])
    expect(page.get_by_role("button", name="Reopen with this")).to_be_visible()
    send(page, "next, after all")
    expect(ended(page, 2, "finished")).to_be_visible()
    expect(command(page, "the next turn")).to_have_count(2)
    stack.close([session])


def test_a_question_is_answered_in_the_page(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """The model's question has its choices; the chosen one is told to the model."""
    session = stack.run(repository, "ask", "me").id
    asked = stack.until_asking(session)
    open_session(page, session)
    question = page.get_by_role("region", name="Question")
    expect(question.locator("strong")).to_have_text("rounding")
    expect(question).to_contain_text(asked.id)
    question.get_by_role("button", name="to the nearest").click()
    expect(question).to_be_hidden()
    expect(page.locator(".note.decision")).to_contain_text("to the nearest")
    expect(ended(page, 1, "finished")).to_be_visible()
    stack.close([session])


@pytest.mark.parametrize("approved", [True, False])
def test_a_held_command_is_decided_in_the_page(
    page: Page, stack: LocalStack, repository: Path, *, approved: bool
) -> None:
    """The whole command is shown; approved it runs, rejected it does not and the reason is kept."""
    session = stack.run(repository, "danger", "ahead", held=("*rm -rf*",)).id
    stack.until_asking(session)
    open_session(page, session)
    question = page.get_by_role("region", name="Question")
    expect(question.locator(".subject")).to_have_text(DANGER)
    question.get_by_label("Reason").fill("as agreed")
    question.get_by_role("button", name="Approve" if approved else "Reject").click()
    expect(page.locator(".note.decision")).to_contain_text("as agreed")
    expect(ended(page, 1, "finished")).to_be_visible()
    expect(command(page, "removing")).to_have_count(1 if approved else 0)
    stack.close([session])


def test_a_long_session_shows_its_end_first_and_lets_go_of_it(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """The newest events come first, older ones on demand; who scrolls up is left there."""
    session = stack.run(repository, "long", "story").id
    stack.until_waiting(session, 1)
    open_session(page, session)
    expect(ended(page, 1, "finished")).to_be_in_viewport()
    expect(command(page, "echo part 39")).to_have_count(1)
    expect(page.get_by_text("session started on")).to_have_count(0)
    conversation = page.get_by_role("region", name="Conversation").last
    conversation.hover()
    page.mouse.wheel(0, -100_000)
    jump = page.get_by_role("button", name="Jump to newest")
    expect(jump).to_be_visible()
    older = page.get_by_role("button", name="Show what went before")
    older.click()
    expect(page.get_by_text("session started on")).to_have_count(1)
    expect(older).to_be_hidden()
    expect(ended(page, 1, "finished")).not_to_be_in_viewport()
    # Folded anew, nothing is there twice.
    expect(page.locator("details.command .shell", has_text="echo part")).to_have_count(40)
    jump.click()
    expect(ended(page, 1, "finished")).to_be_in_viewport()
    stack.close([session])


def test_what_is_typed_outlives_a_reload(page: Page, stack: LocalStack, repository: Path) -> None:
    """An unfinished prompt and an unfinished task are still there after the page was reloaded."""
    page.goto("/")
    page.get_by_role("textbox", name="New session").fill("half a task")
    page.reload()
    expect(page.get_by_role("textbox", name="New session")).to_have_value("half a task")
    session = stack.run(repository, "next", "once").id
    open_session(page, session)
    prompt_box(page).fill("half a prompt")
    page.reload()
    expect(prompt_box(page)).to_have_value("half a prompt")
    stack.close([session])


def _assert_made(page: Page, merge_command: str) -> None:
    """The work of the session is there: verdict, proposal and diff."""
    work = page.get_by_role("complementary", name="Work")
    expect(work.get_by_role("region", name="Checks")).to_contain_text("green")
    proposal = work.get_by_role("region", name="Pull request")
    expect(proposal.get_by_role("heading", level=3)).to_have_text("Add instead of subtracting")
    expect(proposal.locator("strong")).to_have_text("Verified")
    expect(proposal.locator(".merge")).to_have_text(merge_command)
    changes = work.get_by_role("region", name="Changes")
    expect(changes.locator(".added .text")).to_have_text("    return a + b")
    expect(changes.locator(".removed .text")).to_have_text("    return a - b")
