"""What the tests of the page say and see in it."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.end_to_end.local_stack import LocalStack, Reply, bash

HOLD = "touch begun; while [ ! -e go ]; do sleep 0.05; done; rm -f begun go"
"""A command that runs until the test lets it go."""

RECORD_BANNERS = """() => {
  const banner = document.querySelector('.banner');
  window.banners = [];
  const note = () => { if (!banner.hidden) window.banners.push(banner.textContent); };
  new MutationObserver(note).observe(
    banner, { attributes: true, characterData: true, childList: true, subtree: true });
}"""

IS_RECORDED = "(text) => window.banners.some((each) => each.includes(text))"


def held(before: str, after: str, **more: object) -> Reply:
    """Return the reply of a model that runs a command which waits for the test in the middle."""
    return bash(f"{before}; {HOLD}; {after}", **more)


def let_go(stack: LocalStack, session: str) -> None:
    """Let the session's held command go on, once it has begun."""
    stack.until_sandbox_file(session, "begun")
    (stack.workspace(session) / "go").touch()


def open_session(page: Page, session: str) -> None:
    page.goto(f"/s/{session}")


def record_banners(page: Page) -> None:
    """From now on note what the shown session's banner says: some of it passes in seconds."""
    expect(page.locator(".banner")).to_have_count(1)
    page.evaluate(RECORD_BANNERS)


def until_said(page: Page, text: str) -> None:
    """Wait until the banner says, or has said since it was recorded, this text."""
    page.wait_for_function(IS_RECORDED, arg=text)


def shown_session(page: Page) -> str:
    """Return the session that the page shows."""
    page.wait_for_url("**/s/*")
    return page.url.rpartition("/")[2]


def ended(page: Page, turn: int, why: str = "") -> Locator:
    """Return the place that says how a turn ended."""
    return page.locator(".end", has_text=re.compile(f"Turn {turn} ended: .*{why}"))


def command(page: Page, text: str) -> Locator:
    """Return the one command or check of the conversation that has this text."""
    return page.locator("details.command", has_text=text)


def row(page: Page, group: str, title: str) -> Locator:
    """Return the rows of a session's title in a group of the list."""
    name = re.compile(f"^{re.escape(title)} ")
    return page.get_by_role("region", name=group).get_by_role("link", name=name)


def start(page: Page, task: str, repository: Path) -> None:
    """Start a session by the form above the list."""
    page.goto("/")
    page.get_by_role("textbox", name="New session").fill(task)
    page.get_by_label("Repository").fill(str(repository))
    page.get_by_role("button", name="Start", exact=True).click()


def prompt_box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Prompt", exact=True)


def send(page: Page, text: str, key: str = "Enter") -> None:
    """Type a prompt and press a key."""
    prompt_box(page).fill(text)
    prompt_box(page).press(key)
    expect(prompt_box(page)).to_have_value("")
