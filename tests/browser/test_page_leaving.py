"""A link that is of no use takes no sign-in away, and who signs out leaves nothing behind."""

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.chromium import Troubles
from tests.browser.watching import command, ended, held, let_go, open_session
from tests.end_to_end.conftest import CODE
from tests.end_to_end.local_stack import LocalStack, Reply, finish, make_repository

KEPT = "Object.keys(sessionStorage).filter((name) => name.startsWith('overnight.'))"


@pytest.fixture(scope="module")
def scripts() -> dict[str, list[Reply]]:
    return {"watched": [held("echo before", "echo after"), finish("done")]}


@pytest.mark.parametrize("ticket", ["used-or-invented", "%E0%A4%A"])
def test_a_useless_ticket_leaves_a_browser_signed_in(
    page: Page, troubles: Troubles, ticket: str
) -> None:
    """The page looks whether it is needed at all, and goes on."""
    troubles.expect("status of 4(01|22)")
    page.goto(f"/#ticket={ticket}")
    expect(page.get_by_role("textbox", name="New session")).to_be_visible()
    expect(page.get_by_label("Token")).to_be_hidden()
    assert "ticket" not in page.url


def test_a_broken_ticket_asks_a_stranger_to_sign_in(stranger: Page, troubles: Troubles) -> None:
    """What cannot even be decoded is refused like any other, by a form."""
    troubles.expect("status of 4(01|22)")
    stranger.goto("/#ticket=%E0%A4%A")
    expect(stranger.get_by_label("Token")).to_be_visible()
    expect(stranger.get_by_role("alert")).to_be_visible()


def test_a_sign_in_by_token_gives_the_tab_its_name_back(stranger: Page, stack: LocalStack) -> None:
    """The sign-in names the tab only as long as it is in front of the list."""
    stranger.goto("/")
    expect(stranger).to_have_title("Sign in \u00b7 Overnight")
    stranger.get_by_label("Token").fill(stack.settings.token_path.read_text().strip())
    stranger.get_by_label("Token").press("Enter")
    expect(stranger).to_have_title("Sessions \u00b7 Overnight")


def test_who_signs_out_leaves_nothing_in_the_tab(page: Page, troubles: Troubles) -> None:
    """A sign-out that fails says so and keeps all; one that is done forgets drafts too."""
    troubles.expect("ERR_CONNECTION_FAILED|status of 401")
    page.goto("/")
    page.get_by_role("textbox", name="New session").fill("a secret task")
    assert page.evaluate(KEPT) == ["overnight.draft.new"]
    page.route("**/browser", lambda route: route.abort("connectionfailed"))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("alert")).to_contain_text("You are still signed in")
    page.unroute("**/browser")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.wait_for_function(f"{KEPT}.length === 0")


def test_signing_out_reaches_the_other_tabs(
    page: Page, context: BrowserContext, stack: LocalStack, troubles: Troubles, tmp_path: Path
) -> None:
    """A session that one of them shows is shown no longer; after a sign-in it goes on."""
    troubles.expect("status of 401")
    session = stack.run(make_repository(tmp_path / "calculator", CODE), "watched").id
    open_session(page, session)
    expect(command(page, "before").locator(".output")).to_contain_text("before")
    other = context.new_page()
    other.goto("/")
    other.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    let_go(stack, session)
    page.get_by_label("Token").fill(stack.settings.token_path.read_text().strip())
    page.get_by_label("Token").press("Enter")
    expect(ended(page, 1)).to_be_visible()
    stack.close([session])
