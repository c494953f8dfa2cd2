"""The browser that the tests of the page drive, and all that goes wrong in it."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    WebSocket,
    expect,
    sync_playwright,
)

from tests.patience import PATIENCE_SECONDS

NAMES = ("chromium", "chromium-browser", "google-chrome")
"""As the Makefile looks for it too."""

PATIENCE_MILLISECONDS = PATIENCE_SECONDS * 1_000

WITHOUT_NETWORK = ("data:", "blob:", "about:")


def find_browser() -> str:
    """Return the browser's program; fail, saying how to get one, when there is none."""
    named = os.environ.get("OVERNIGHT_TEST_BROWSER")
    for name in (named,) if named else NAMES:
        found = shutil.which(name)
        if found:
            return found
    wanted = f"OVERNIGHT_TEST_BROWSER={named!r} is no program" if named else "there is no Chromium"
    pytest.fail(f"{wanted}; get one with: sudo apt-get install -y chromium", pytrace=False)


@contextmanager
def running() -> Iterator[Browser]:
    """Run a browser while the block does."""
    # As root Chromium refuses its own sandbox.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    program = find_browser()
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=arguments, timeout=PATIENCE_MILLISECONDS
        )
        try:
            yield browser
        finally:
            browser.close()


class Troubles:
    """Collects what must not happen in a browser: errors, violations, dialogs, foreign requests."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self._address = urlsplit(address).netloc
        self._found: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        context.on("console", self._note_message)
        context.on("weberror", lambda error: self._found.append(f"page error: {error.error}"))
        context.on("dialog", self._note_dialog)
        context.on("request", self._note_request)
        context.on("page", lambda page: page.on("websocket", self._note_socket))

    def expect(self, pattern: str) -> None:
        """Let what matches this regular expression happen in this test; who is asked leaves."""
        self._expected.append(re.compile(pattern))

    def take(self, pattern: str) -> list[str]:
        """Return what has happened and matches, and think of it no more."""
        wanted = re.compile(pattern)
        taken = [each for each in self._found if wanted.search(each)]
        self._found = [each for each in self._found if each not in taken]
        return taken

    @property
    def unexpected(self) -> list[str]:
        """All that has happened and was not expected."""
        return [each for each in self._found if not self._is_expected(each)]

    def _is_expected(self, trouble: str) -> bool:
        return any(pattern.search(trouble) for pattern in self._expected)

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            place = message.location.get("url", "")
            self._found.append(f"console: {message.text} ({place})")

    def _note_dialog(self, dialog: Dialog) -> None:
        is_leaving = dialog.type == "beforeunload"
        trouble = f"dialog: {dialog.type if is_leaving else dialog.message}"
        self._found.append(trouble)
        if is_leaving and self._is_expected(trouble):
            dialog.accept()
        else:
            dialog.dismiss()

    def _note_request(self, request: Request) -> None:
        self._note_address(request.url)

    def _note_socket(self, socket: WebSocket) -> None:
        self._note_address(socket.url)

    def _note_address(self, url: str) -> None:
        if not url.startswith(WITHOUT_NETWORK) and urlsplit(url).netloc != self._address:
            self._found.append(f"foreign request: {url[:200]}")


def settled(page: Page) -> None:
    """Wait until the page has done what it was about to do, so that its troubles are known."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
