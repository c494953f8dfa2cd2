"""What these tests stand on: a browser that is found or asked for, and eyes for what goes wrong."""

import subprocess
import sys

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import NAMES, Troubles, settled
from tests.end_to_end.local_stack import ROOT

FIND = "from tests.browser.chromium import find_browser; find_browser()"
HERE = "http://127.0.0.1:1"

TROUBLES = {
    "console: mistaken": "console.error('mistaken')",
    "page error: thrown": "setTimeout(() => { throw 'thrown' })",
    "dialog: asked": "alert('asked')",
    "foreign request: http://127.0.0.1:2/": "await fetch('http://127.0.0.1:2/x').catch(() => {})",
    # Its request leaves from another process, some time later.
    "foreign request: ws://127.0.0.1:2/": """
        await new Promise(done => { new WebSocket('ws://127.0.0.1:2/x').onerror = done })
    """,
}


@pytest.mark.parametrize("named", [{}, {"OVERNIGHT_TEST_BROWSER": "/nonexistent/chrome"}])
def test_a_machine_without_a_browser_is_told_how_to_get_one(named: dict[str, str]) -> None:
    """The tests fail there; they are not left out."""
    done = subprocess.run(
        [sys.executable, "-c", FIND],
        cwd=ROOT,
        env={"PATH": "/nonexistent", **named},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "sudo apt-get install -y chromium" in done.stderr
    assert all(value in done.stderr for value in named.values())


def test_make_looks_for_the_same_browsers() -> None:
    """So that it never installs one beside one that the tests would have found."""
    assert f"OVERNIGHT_TEST_BROWSER:-{' '.join(NAMES)}}}" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_no_trouble_goes_unseen(browser: Browser, trouble: str) -> None:
    """Whatever a test has to do without is noticed, unless it says that it expects it."""
    context = browser.new_context()
    troubles = Troubles(context, HERE)
    page = context.new_page()
    page.evaluate(f"async () => {{ {TROUBLES[trouble]} }}")
    settled(page)
    assert any(each.startswith(trouble) for each in troubles.unexpected)
    troubles.expect(r"127\.0\.0\.1:2")
    assert troubles.take(trouble)
    assert troubles.unexpected == []
    context.close()
