"""Sessions as `overnight ps` lists them."""

import json

from tests.cli.running import overnight, seated, wait_until
from tests.cli.scripted_gateway import Reply, Script
from tests.cli.sessions import OTHER, SESSION, resource
from tests.cli.terminal import sitting
from tests.patience import PATIENCE_SECONDS


def test_ps_shows_inert_text_and_all_forms(script: Script, remote: dict[str, str]):
    """A title cannot drive the terminal; `-o id` and `-o json` are for programs."""
    page = {"data": [resource(), resource(OTHER)], "has_more": False}
    script.on("GET /sessions", Reply(200, page))
    shown = overnight("ps", "-a", environment=remote).stdout
    assert SESSION in shown
    assert "\x1b" not in shown
    assert overnight("ps", "-o", "id", environment=remote).stdout.split() == [SESSION, OTHER]
    document = json.loads(overnight("ps", "-a", "-o", "json", environment=remote).stdout)
    assert [each["id"] for each in document] == [SESSION, OTHER]


def test_ps_fits_a_terminal_and_is_whole_elsewhere(script: Script, remote: dict[str, str]):
    """Titles and what is done are cut there."""
    long = {**resource(activity="bash: " + "b" * 60), "title": "t" * 60}
    script.replace("GET /sessions", Reply(200, {"data": [long], "has_more": False}))
    assert len(overnight("ps", "-a", environment=remote).stdout.splitlines()[1]) > 130
    narrow = {**remote, "COLUMNS": "100", "NO_COLOR": "1"}
    with sitting() as terminal, seated(terminal, "ps", "-a", environment=narrow) as run:
        assert run.wait(PATIENCE_SECONDS) == 0
        wait_until(lambda: terminal.shown.count(b"\n") == 2)
    assert {len(line) for line in terminal.shown.decode().splitlines()} <= set(range(101))
    assert "ttt…" in terminal.shown.decode()
