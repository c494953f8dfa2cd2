"""A person decides what was seen whole, and nothing that was meant for something else."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.chromium import Troubles
from tests.browser.watching import command, ended, open_session, prompt_box
from tests.end_to_end.conftest import CODE
from tests.end_to_end.local_stack import LocalStack, Reply, bash, finish, make_repository
from workflows.contract.api import CreateSession
from workflows.contract.sandbox import Repository
from workflows.contract.session import Approvals

LONG = "rm -rf precious # " + "really " * 100 + "all of it"
ASK: Reply = {"calls": [{"name": "ask", "arguments": {"question": "Which rounding?"}}]}
WATCH = """() => {
  window.seen = {};
  const place = document.querySelector('.question');
  new MutationObserver(() => {
    const id = place.querySelector('.question-id')?.textContent;
    if (id === undefined || id in window.seen) return;
    window.seen[id] = [...place.querySelectorAll('button')].map((each) => each.disabled);
  }).observe(place, { childList: true, subtree: true });
}"""


@pytest.fixture(scope="module")
def scripts() -> dict[str, list[Reply]]:
    return {
        "long": [bash(LONG), finish("removed")],
        "twice": [bash("rm one"), bash("rm two"), finish("removed")],
        "big": [bash("seq 600000 > big.txt; echo hidden > zzz.txt"), finish("counted")],
        "ask": [ASK, bash("echo answered"), finish("asked")],
    }


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("code") / "calculator", CODE)


def test_only_what_is_shown_whole_can_be_approved(
    page: Page, stack: LocalStack, repository: Path, troubles: Troubles
) -> None:
    """Until then it can be rejected only; an outage is said, and the page tries by itself."""
    troubles.expect("ERR_CONNECTION_FAILED")
    session = stack.run(repository, "long", held=("rm *",)).id
    asked = stack.until_asking(session)
    waiting: list[Route] = []
    released = False

    def hold(route: Route) -> None:
        if released:
            route.continue_()
        else:
            waiting.append(route)

    page.route(re.compile(r"/question$"), hold)
    open_session(page, session)
    question = page.get_by_role("region", name="Question")
    expect(question.locator(".subject")).to_contain_text("rm -rf precious")
    expect(question.get_by_role("button", name="Reject")).to_be_enabled()
    approve = question.get_by_role("button", name="Approve")
    expect(approve).to_be_disabled()
    waiting.pop().abort("connectionfailed")
    expect(question).to_contain_text("Trying again")
    expect(approve).to_be_disabled()
    released = True
    for route in waiting:
        route.continue_()
    expect(question.locator(".subject")).to_have_text(LONG)
    expect(approve).to_be_enabled()
    approve.click()
    expect(page.locator(".note.decision")).to_be_visible()
    assert asked.subject != LONG
    expect(ended(page, 1, "finished")).to_be_visible()
    stack.close([session])


def test_a_diff_that_is_too_long_to_be_shown_is_downloaded_before_it_is_approved(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """The page shows its beginning and says so; until it was had whole it can be rejected only."""
    body = CreateSession(
        prompt=stack.prompt("big"),
        repository=Repository(url=str(repository), base="main"),
        approvals=Approvals(pull_request=True),
    )
    session = stack.gateway.create(body).id
    stack.until_asking(session)
    open_session(page, session)
    question = page.get_by_role("region", name="Question")
    approve = question.get_by_role("button", name="Approve")
    expect(question).to_contain_text(re.compile(r"Only the first 1\.9 MiB of \d\.\d MiB are here"))
    expect(question).to_contain_text("once you have downloaded the whole diff")
    expect(question.locator(".path")).to_have_text(["big.txt"])
    expect(question.get_by_role("button", name="Reject")).to_be_enabled()
    expect(approve).to_be_disabled()
    question.locator("summary").click()
    expect(question.locator(".diff-row")).to_have_count(5_000)
    expect(question).to_contain_text(re.compile(r"\d more lines are not shown here"))
    with page.expect_download() as downloaded:
        question.get_by_role("link", name="the whole diff").click()
    assert "+hidden" in downloaded.value.path().read_text()
    approve.click()
    expect(page.locator(".card.proposed")).to_be_visible()
    stack.close([session])


def test_a_new_question_cannot_be_decided_at_once(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """When another question takes the place of one, all its buttons rest for a moment."""
    session = stack.run(repository, "twice", held=("rm *",)).id
    first = stack.until_asking(session)
    open_session(page, session)
    question = page.get_by_role("region", name="Question")
    approve = question.get_by_role("button", name="Approve")
    expect(approve).to_be_enabled()
    page.evaluate(WATCH)
    stack.answer(session, first)
    expect(question.locator(".subject")).to_have_text("rm two")
    expect(approve).to_be_enabled()
    assert list(page.evaluate("Object.values(window.seen)")) == [[True, True]]
    approve.click()
    expect(ended(page, 1, "finished")).to_be_visible()
    stack.close([session])


def test_an_answer_being_typed_stays_when_the_question_goes(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """Somebody else was faster: the words stay to be read, the keys lead nowhere."""
    session = stack.run(repository, "ask").id
    asked = stack.until_asking(session)
    open_session(page, session)
    question = page.get_by_role("region", name="Question")
    field = question.get_by_label("Your answer")
    field.press_sequentially("to the near")
    stack.answer(session, asked, "up")
    expect(question).to_contain_text("no longer open")
    page.keyboard.type("u/c?")
    expect(field).to_have_value("to the near")
    expect(question.get_by_role("button", name="Answer")).to_be_disabled()
    expect(prompt_box(page)).to_have_value("")
    expect(ended(page, 1, "finished")).to_be_visible()
    expect(command(page, "echo answered")).to_have_count(1)
    assert page.url.endswith(session)
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    stack.close([session])
