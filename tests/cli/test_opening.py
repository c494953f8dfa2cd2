"""`overnight open`: a link that signs a browser in, and a browser where a person can see one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import clean_environment, overnight, seated
from tests.cli.scripted_gateway import Reply, Script, problem, serving
from tests.cli.sessions import OTHER, SESSION, resource
from tests.cli.terminal import sitting
from tests.patience import PATIENCE_SECONDS

TICKET = Reply(201, {"ticket": "one-time", "expires_in_seconds": 120})


@pytest.fixture
def script() -> Iterator[Script]:
    """Return a script that is served and gives tickets."""
    script = Script()
    script.on("POST /browser/tickets", TICKET)
    page = {"data": [resource(SESSION), resource(OTHER)], "has_more": False}
    script.on("GET /sessions", Reply(200, page))
    with serving(script):
        yield script


@pytest.fixture
def opened(tmp_path: Path) -> Path:
    """Return the file in which the browser below notes what it was given."""
    return tmp_path / "opened"


@pytest.fixture
def seeing(tmp_path: Path, script: Script, opened: Path) -> dict[str, str]:
    """Return the environment of a person with a display and a browser, and no other program."""
    programs = tmp_path / "bin"
    programs.mkdir()
    browser = programs / "browser"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {opened}\n')
    browser.chmod(0o755)
    return clean_environment(
        tmp_path / "home",
        PATH=str(programs),
        BROWSER=str(browser),
        DISPLAY=":9",
        OVERNIGHT_URL=script.url,
        OVERNIGHT_TOKEN="secret",
    )


def typed(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Type the command at a terminal; return its status and what was shown."""
    with sitting() as terminal, seated(terminal, *arguments, environment=environment) as run:
        status = run.wait(timeout=PATIENCE_SECONDS)
    return status, terminal.shown.decode()


@pytest.mark.parametrize(
    ("arguments", "path"),
    [((), "/"), ((SESSION,), f"/s/{SESSION}"), ((SESSION[:-1],), f"/s/{SESSION}")],
)
def test_the_link_is_printed_and_opened(
    script: Script,
    seeing: dict[str, str],
    opened: Path,
    arguments: tuple[str, ...],
    path: str,
):
    """To the list, or to a session by a beginning of its id; the ticket stands in the fragment."""
    status, shown = typed(seeing, "open", *arguments)
    link = f"{script.url}{path}#ticket=one-time"
    assert (status, opened.read_text()) == (0, f"{link}\n")
    assert link in shown
    assert "once, within 120 seconds" in shown
    assert "secret" not in shown


@pytest.mark.parametrize("missing", ["terminal", "display", "wish"])
def test_where_nobody_can_see_it_no_browser_starts(
    script: Script, seeing: dict[str, str], opened: Path, missing: str
):
    """Without a terminal or a display, or with --print, the link is printed and that is all."""
    if missing == "terminal":
        done = overnight("open", environment=seeing)
        status, shown = done.returncode, done.stdout
        assert shown == f"{script.url}/#ticket=one-time\n"
    elif missing == "display":
        status, shown = typed(seeing | {"DISPLAY": ""}, "open")
    else:
        status, shown = typed(seeing, "open", "--print")
    assert status == 0
    assert f"{script.url}/#ticket=one-time" in shown
    assert not opened.exists()


def test_a_browser_that_does_not_start_is_told_of(seeing: dict[str, str]):
    """The link is there to be opened by hand."""
    status, shown = typed(seeing | {"BROWSER": "/nonexistent/browser"}, "open")
    assert status == 0
    assert "no browser could be started here" in shown


@pytest.mark.parametrize(
    ("session", "status", "said"),
    [("s-zz", 3, "no session begins with 's-zz'"), ("s-", 2, "2 sessions begin with 's-'")],
)
def test_a_session_that_is_not_clear_opens_nothing(
    script: Script, seeing: dict[str, str], session: str, status: int, said: str
):
    """It is refused as by every other command, and no ticket is made."""
    done = overnight("open", session, environment=seeing)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert not any("tickets" in asked.path for asked in script.asked)


def test_a_wrong_token_makes_no_link(tmp_path: Path):
    """Nobody gets into the page by `open` who could not use the gateway."""
    script = Script()
    script.on("POST /browser/tickets", problem(401, "unauthenticated", "the token is wrong"))
    with serving(script):
        environment = clean_environment(
            tmp_path / "home", OVERNIGHT_URL=script.url, OVERNIGHT_TOKEN="wrong"
        )
        done = overnight("open", "--print", environment=environment)
    assert (done.returncode, done.stdout) == (4, "")
    assert "the token is wrong" in done.stderr
