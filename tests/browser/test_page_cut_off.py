"""An answer that does not arrive whole says nothing: the page asks again, and all is done once."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, WebSocket, expect

from tests.browser.watching import (
    ended,
    held,
    let_go,
    open_session,
    row,
    send,
    shown_session,
    start,
)
from tests.end_to_end.conftest import CODE
from tests.end_to_end.local_stack import LocalStack, Reply, bash, finish, make_repository

CUT = """(() => {
  const ask = window.fetch;
  window.cut = [];
  window.fetch = async (path, options) => {
    const answer = await ask(path, options);
    const request = `${options?.method} ${path}`;
    if (options?.method !== 'POST' || window.cut.includes(request)) return answer;
    window.cut.push(request);
    const body = new ReadableStream({ start: (stream) => stream.error(new TypeError('cut off')) });
    return new Response(body, { status: answer.status, headers: answer.headers });
  };
})()"""
"""The network ends after the status of the first answer to each POST."""

BURST = "head -c 400000 /dev/zero | tr '\\0' y; echo"


@pytest.fixture(scope="module")
def scripts() -> dict[str, list[Reply]]:
    return {
        "danger": [bash("rm -rf precious"), finish("removed")],
        "next": [bash("echo the next turn"), finish("went on")],
        "burst": [held(BURST, "echo over"), finish("burst")],
    }


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("code") / "calculator", CODE)


def meter(page: Page, name: str) -> Locator:
    return page.locator(".meters div", has_text=name).locator("dd")


def test_what_was_done_is_not_told_as_refused(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """Session, prompt and decision are repeated with the same id: each of them is there once."""
    page.add_init_script(CUT)
    start(page, "next, and once", repository)
    session = shown_session(page)
    expect(ended(page, 1, "finished")).to_be_visible()
    expect(meter(page, "Time")).to_have_text(re.compile(r"\d"))
    send(page, "next, once more")
    expect(ended(page, 2, "finished")).to_be_visible()
    expect(page.locator(".prompt", has_text="next, once more")).to_have_count(1)
    page.wait_for_function("window.cut.length >= 2")
    assert page.evaluate("window.cut.length") == 2
    page.goto("/")
    expect(row(page, "Done", "next, and once")).to_have_count(1)
    asking = stack.run(repository, "danger", held=("rm *",)).id
    open_session(page, asking)
    question = page.get_by_role("region", name="Question")
    question.get_by_role("button", name="Approve").click()
    expect(question).to_be_hidden()
    # What is hidden because of an event may be hidden before the answer has come.
    page.wait_for_function("window.cut.some((each) => each.endsWith('/decisions'))")
    expect(ended(page, 1, "finished")).to_be_visible()
    stack.close([session, asking])


def test_the_same_start_after_a_reload_is_the_same_session(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """A request that was never answered is kept whole, and repeated by who starts it again."""
    page.add_init_script(CUT)
    page.goto("/")
    # The page never hears of what it did start.
    page.evaluate("window.cut.includes = () => false")
    page.get_by_role("textbox", name="New session").fill("next, over a reload")
    page.get_by_label("Repository").fill(str(repository))
    page.get_by_text("Budget and approval").click()
    page.get_by_label("Steps a turn").fill("7")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("Trying again")).to_be_visible()
    page.reload()
    page.evaluate("window.cut.includes = () => true")
    page.get_by_role("button", name="Start", exact=True).click()
    session = shown_session(page)
    expect(ended(page, 1, "finished")).to_be_visible()
    same = [each for each in stack.gateway.sessions() if each.title == "next, over a reload"]
    assert [each.id for each in same] == [session]
    assert same[0].budget.steps == 7
    stack.close([session])


def test_another_clients_prompt_is_not_taken_for_its_excerpt(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """Its line breaks are not known here: the page says so, and offers no text to be replaced."""
    session = stack.run(repository, "burst").id
    stack.until_sandbox_file(session, "begun")
    stack.gateway.prompt(session, stack.prompt("next\n- one\n- two"))
    open_session(page, session)
    queue = page.get_by_role("region", name="Waiting prompts")
    expect(queue).to_contain_text("next - one - two")
    queue.get_by_role("button", name="Edit").click()
    expect(queue).to_contain_text("only its beginning is known here")
    expect(queue.get_by_role("textbox", name="The prompt's new text")).to_have_value("")
    let_go(stack, session)
    expect(ended(page, 2, "finished")).to_be_visible()
    stack.close([session])


def test_output_of_a_command_whose_beginning_is_not_here_is_passed_over(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """The connection stays: what is left out counts, though the command has no card."""
    session = stack.run(repository, "burst").id
    stack.until_sandbox_file(session, "begun")
    stack.gateway.prompt(session, stack.prompt("next, please"))
    heard: set[WebSocket] = set()

    def note(socket: WebSocket) -> None:
        # One that a slow gateway never answers was no connection.
        socket.on("framereceived", lambda _: heard.add(socket))

    page.on("websocket", note)
    page.route(
        re.compile(r"/events\?limit=200$"),
        lambda route: route.continue_(url=route.request.url.replace("=200", "=1")),
    )
    open_session(page, session)
    expect(page.get_by_role("region", name="Waiting prompts")).to_contain_text("next, please")
    expect(page.locator("details.command")).to_have_count(0)
    # Nor is the beginning of the turn.
    expect(meter(page, "Time")).to_have_text("\u2013")
    let_go(stack, session)
    expect(ended(page, 2, "finished")).to_be_visible()
    assert len(heard) == 1
    stack.close([session])
