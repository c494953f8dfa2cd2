"""Takes the pictures of the documentation: `python -m tests.documents.screenshots`.

They show the demo's sessions, on a stack of its own, in the browser that the tests use.
"""

import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, expect

from cli.demo import scenario
from tests.browser.chromium import running
from tests.browser.watching import ended
from tests.end_to_end.local_stack import ROOT, LocalStack, bash, make_repository

FOLDER = ROOT / "docs/screenshots"
CHEAT = "Make the two failing tests of the quote pass"
ASK = "Ask which surcharge bulky parcels to islands get"
COUNT = "Count last week's parcels by weight band"
QUESTION = {
    "calls": [
        {"name": "ask", "arguments": {"question": "Which rounding do you want for bulky parcels?"}}
    ]
}
SCRIPTS = {
    **scenario.script(),
    CHEAT: scenario.cheat()[scenario.TASK],
    ASK: [QUESTION],
    COUNT: [bash("for n in $(seq 100000); do echo parcel $n; sleep 0.2; done")],
}


def main() -> None:
    """Run the sessions and take a picture of each view."""
    with tempfile.TemporaryDirectory(prefix="overnight-") as folder, running() as browser:
        base = Path(folder)
        stack = LocalStack(base, SCRIPTS)
        try:
            stack.start()
            _take(stack, browser, _project(base / "parcels"))
        finally:
            stack.end()


def _take(stack: LocalStack, browser: Browser, project: Path) -> None:
    done, cheated, asking = (stack.run(project, each).id for each in (scenario.TASK, CHEAT, ASK))
    stack.until_waiting(done)
    stack.until_asking(cheated)
    stack.until_asking(asking)
    counting = stack.run(project, COUNT).id
    stack.until_sandbox_file(counting, ".git")
    light, dark = _page(stack, browser, "light"), _page(stack, browser, "dark")
    light.goto(f"/s/{done}")
    expect(ended(light, 1, "finished")).to_be_visible()
    _save(light, "session")
    light.goto("/")
    expect(light.get_by_role("region", name="Running")).to_contain_text("step 1")
    _save(light, "list")
    dark.goto(f"/s/{cheated}")
    expect(dark.get_by_role("button", name="Approve")).to_be_enabled()
    _save(dark, "question-dark")
    stack.close([done, cheated, asking, counting])


def _page(stack: LocalStack, browser: Browser, scheme: Literal["light", "dark"]) -> Page:
    address = stack.record().gateway_url
    context = browser.new_context(
        base_url=address, viewport={"width": 1280, "height": 800}, color_scheme=scheme
    )
    token = stack.settings.token_path.read_text().strip()
    signed_in = context.request.post(f"{address}/api/v1/browser", data={"token": token})
    assert signed_in.ok, signed_in.text()
    return context.new_page()


def _save(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")


def _project(path: Path) -> Path:
    """Make a repository of the demo's project."""
    files = sorted((ROOT / "cli/demo/project").rglob("*"))
    top = ROOT / "cli/demo/project"
    return make_repository(
        path, {str(each.relative_to(top)): each.read_text() for each in files if each.is_file()}
    )


if __name__ == "__main__":
    main()
