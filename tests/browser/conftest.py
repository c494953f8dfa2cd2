"""A real stack with a scripted model, and a browser that looks at its page.

A module says what the model replies by a fixture `scripts` of its own; see `LocalStack`.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.chromium import PATIENCE_MILLISECONDS, Troubles, running, settled
from tests.end_to_end.local_stack import LocalStack, Reply


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Of a module: as long as it runs, no test can run a loop of asyncio.
    with running() as browser:
        yield browser


@pytest.fixture(scope="module")
def scripts() -> dict[str, list[Reply]]:
    """What the model replies to each prompt, by the prompt's first line."""
    return {}


@pytest.fixture(scope="module")
def stack(
    scripts: dict[str, list[Reply]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalStack]:
    """A stack that runs for all tests of a module."""
    stack = LocalStack(tmp_path_factory.mktemp("stack"), scripts)
    try:
        stack.start()
        yield stack
    finally:
        stack.end()


@pytest.fixture
def address(stack: LocalStack) -> str:
    """Where the page is, without a slash at the end."""
    return stack.record().gateway_url


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """A browser's fresh profile, not signed in."""
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield context
    context.close()


@pytest.fixture
def troubles(context: BrowserContext, address: str) -> Iterator[Troubles]:
    """What went wrong in the browser; a test fails when that is anything it did not expect."""
    troubles = Troubles(context, address)
    yield troubles
    for page in context.pages:
        settled(page)
    assert troubles.unexpected == [], "\n".join(troubles.unexpected)


@pytest.fixture
def stranger(context: BrowserContext, troubles: Troubles) -> Page:
    """An empty page of a browser that is not signed in."""
    # What a browser says of every refused request.
    troubles.expect(r"status of 401")
    return context.new_page()


@pytest.fixture
def page(context: BrowserContext, troubles: Troubles, stack: LocalStack, address: str) -> Page:
    """An empty page of a browser that is signed in."""
    token = stack.settings.token_path.read_text().strip()
    answer = context.request.post(
        f"{address}/api/v1/browser", data={"token": token}, timeout=PATIENCE_MILLISECONDS
    )
    assert answer.status == 204, answer.text()
    assert troubles.unexpected == []
    return context.new_page()
