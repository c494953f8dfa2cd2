"""The page can be used by everybody: by keyboard, on a phone, with a screen reader, in the dark."""

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.watching import command, ended, held, let_go, open_session, prompt_box, row
from tests.end_to_end.conftest import CODE
from tests.end_to_end.local_stack import LocalStack, Reply, bash, edit, finish, make_repository

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SERIOUS = ("serious", "critical")
AT_END = """(place) => {
  const { scrollTop, clientHeight, scrollHeight } = document.querySelector(place);
  return scrollTop > 0 && scrollTop + clientHeight >= scrollHeight - 2;
}"""


@pytest.fixture(scope="module")
def scripts() -> dict[str, list[Reply]]:
    words = "# Plan\n- look\n- `mend` it, see https://example.invalid/\n\n```\ncode\n```"
    colours = "".join(f"\\033[{n}mcolour\\033[0m " for n in (*range(31, 38), *range(90, 98)))
    return {
        "mend": [
            held(f"printf '{colours}'; echo oops >&2", "exit 4", text=words),
            edit("calc.py", "a - b", "a + b"),
            finish("Add"),
        ],
        "danger": [bash("rm -rf precious"), finish("removed")],
        "print": [held("seq 300", "echo over"), finish("printed")],
    }


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("code") / "calculator", CODE)


def faults(page: Page) -> list[str]:
    """Return what axe finds serious or critical, in light and dark, with the place of each."""
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for fault in Axe().run(page).response["violations"]:
            if fault["impact"] in SERIOUS:
                places = [node["html"][:120] for node in fault["nodes"][:3]]
                found.append(f"{scheme}: {fault['id']} {places}")
    return found


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def test_axe_finds_nothing_serious_in_any_view(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """Neither in the list, nor in a session that runs, asks or is done, nor in the help."""
    running = stack.run(repository, "mend").id
    asking = stack.run(repository, "danger", held=("rm *",)).id
    stack.until_asking(asking)
    page.goto("/")
    expect(row(page, "Needs you", "danger")).to_be_visible()
    expect(row(page, "Running", "mend")).to_be_visible()
    assert faults(page) == []
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    assert faults(page) == []
    open_session(page, running)
    expect(command(page, "printf").locator(".output .stderr")).to_have_text("oops")
    assert faults(page) == []
    open_session(page, asking)
    expect(page.get_by_role("region", name="Question")).to_contain_text("rm -rf precious")
    assert faults(page) == []
    let_go(stack, running)
    open_session(page, running)
    expect(ended(page, 1, "finished")).to_be_visible()
    expect(page.locator(".diff .added")).to_be_visible()
    expect(command(page, "printf").locator(".output .ink-1")).to_have_text("colour")
    assert faults(page) == []
    stack.close([running, asking])


def test_axe_finds_nothing_serious_in_the_sign_in(stranger: Page) -> None:
    """Nor where nobody is signed in."""
    stranger.goto("/")
    expect(stranger.get_by_role("button", name="Sign in")).to_be_visible()
    assert faults(stranger) == []


def test_a_phone_shows_one_part_at_a_time(page: Page, stack: LocalStack, repository: Path) -> None:
    """At 360 pixels nothing is cut off at the side, and a command can be read and approved."""
    page.set_viewport_size({"width": 360, "height": 740})
    session = stack.run(repository, "danger", held=("rm *",)).id
    stack.until_asking(session)
    page.goto("/")
    expect(row(page, "Needs you", "danger").first).to_be_visible()
    assert overflow(page) <= 0
    open_session(page, session)
    expect(page.locator(".subject")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Approve")).to_be_in_viewport()
    assert overflow(page) <= 0
    work = page.get_by_role("complementary", name="Work")
    expect(work).to_be_hidden()
    page.get_by_role("button", name="Work", exact=True).click()
    expect(work).to_be_visible()
    assert overflow(page) <= 0
    page.get_by_role("button", name="Conversation", exact=True).click()
    page.get_by_role("button", name="Reject").click()
    expect(ended(page, 1, "finished")).to_be_visible()
    stack.close([session])


def test_the_keyboard_reaches_everything(page: Page, stack: LocalStack, repository: Path) -> None:
    """Letters lead to the composer, the help and back, and do nothing while somebody types."""
    session = stack.run(repository, "danger", held=("rm *",)).id
    page.goto("/")
    expect(page.get_by_role("link", name="danger").first).to_be_visible()
    page.keyboard.press("c")
    task = page.get_by_role("textbox", name="New session")
    expect(task).to_be_focused()
    page.keyboard.type("cj?")
    expect(task).to_have_value("cj?")
    page.keyboard.press("Escape")
    expect(task).not_to_be_focused()
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keyboard")
    expect(help_).to_be_visible()
    page.keyboard.press("Escape")
    expect(help_).to_be_hidden()
    open_session(page, session)
    expect(page.get_by_role("region", name="Question")).to_be_visible()
    page.keyboard.press("/")
    expect(prompt_box(page)).to_be_focused()
    # The state is told to who cannot see it, without being asked for.
    expect(page.get_by_role("status")).to_have_text("The session asks a person")
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    expect(page).to_have_url("/")
    stack.close([session])


def test_the_end_key_is_left_to_what_has_an_end_of_its_own(
    page: Page, stack: LocalStack, repository: Path
) -> None:
    """It leads to the newest of a conversation, unless an output or the list is to be scrolled."""
    session = stack.run(repository, "print").id
    page.set_viewport_size({"width": 1280, "height": 200})
    page.goto("/")
    expect(row(page, "Running", "print")).to_be_attached()
    page.get_by_role("button", name="Start", exact=True).focus()
    page.evaluate("document.querySelector('.view').scrollTop = 0")
    page.keyboard.press("End")
    page.wait_for_function(AT_END, arg=".view")
    page.set_viewport_size({"width": 1280, "height": 800})
    open_session(page, session)
    running = command(page, "seq 300")
    output = running.locator(".output")
    expect(output).to_contain_text("300")
    output.focus()
    output.evaluate("each => { each.scrollTop = 0; }")
    page.keyboard.press("End")
    page.wait_for_function(AT_END, arg=".output")
    expect(output).to_be_focused()
    running.locator("summary").focus()
    page.keyboard.press("End")
    expect(page.locator(".scroller")).to_be_focused()
    let_go(stack, session)
    stack.close([session])
