"""What a person is shown before deciding on files, as separate processes."""

import json
import subprocess
import sys

import pytest

from tests.cli.running import ROOT, overnight, seated, wait_until
from tests.cli.scripted_gateway import Asked, Reply, Script, problem
from tests.cli.sessions import SESSION, asking, question, resource, verdict
from tests.cli.terminal import sitting
from tests.patience import PATIENCE_SECONDS

ID = "0123456789abcdef"
DIFF = b"diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-old\n+new \x1b[2J\xff\n"
PLACE = f"/sessions/{SESSION}/question/diff"
RED = verdict("red", counts={"new": 1}, shown=["new: a.py:1 wrong"], why="it fails")
FINDING = {"check": "ruff", "kind": "lint", "path": "a.py", "line": 1, "message": "wrong"}


@pytest.fixture
def script(script: Script) -> Script:
    """Let the session take decisions."""
    taken = {"question": ID, "approved": True}
    script.on(f"POST /sessions/{SESSION}/decisions", Reply(202, taken))
    return script


def ask(script: Script, kind: str, diff: str = "there is one") -> None:
    """Let the session ask about files."""
    subject = f"tree {'d' * 40}"
    view = asking(kind, subject=subject)["view"] | {"verdict": RED}
    script.on(f"GET /sessions/{SESSION}", Reply(200, {**resource(), "view": view}))
    found = {"asked": question(kind, subject=subject), "diff": diff}
    script.on(f"GET /sessions/{SESSION}/question", Reply(200, found))
    script.on(f"GET {PLACE}", Reply(200, DIFF))


def looked(script: Script) -> list[Asked]:
    return [asked for asked in script.asked if "diff" in asked.path]


@pytest.mark.parametrize("kind", ["pull_request", "verdict"])
@pytest.mark.parametrize("arguments", [("approve", "-y"), ("reject",), ("show",)])
def test_the_files_in_question_are_shown(
    script: Script, remote: dict[str, str], arguments: tuple[str, ...], kind: str
):
    """Their names, their diff and the verdict, for exactly this question; not with --no-diff."""
    ask(script, kind)
    command, *options = arguments
    done = overnight(command, SESSION, *options, environment=remote)
    assert done.returncode == 0, done.stderr
    shown = done.stdout + done.stderr
    for part in ("+1 -1  x.py", "-old\n+new \N{REPLACEMENT CHARACTER}[2J", "verdict: red, 1 new"):
        assert part in shown
    assert "\x1b" not in shown
    assert [asked.path for asked in looked(script)] == [f"/api/v1{PLACE}?question={ID}"]
    without = overnight(command, SESSION, "--no-diff", *options, environment=remote)
    assert without.returncode == 0, without.stderr
    assert "+new" not in without.stdout + without.stderr
    assert len(looked(script)) == 1


def test_a_diff_that_nobody_kept_is_not_passed_over(script: Script, remote: dict[str, str]):
    """Who decides is told that there is none to be seen."""
    ask(script, "pull_request", diff="")
    done = overnight("approve", SESSION, "-y", environment=remote)
    assert done.returncode == 0, done.stderr
    assert "no diff can be shown" in done.stderr
    assert looked(script) == []


def test_the_wrong_question_is_refused_without_its_files(script: Script, remote: dict[str, str]):
    """An id of another question, or an answer in words: what is asked is told, nothing sent."""
    ask(script, "verdict")
    for arguments in (("approve", SESSION, "-y", "--question", "f" * 16), ("answer", SESSION, "y")):
        done = overnight(*arguments, environment=remote)
        assert done.returncode == 6
        assert ID in done.stderr
    assert looked(script) == []
    assert [asked.method for asked in script.asked if asked.method != "GET"] == []


@pytest.mark.parametrize(
    ("view", "place", "what"),
    [
        (asking("verdict")["view"] | {"verdict": RED}, PLACE, "asks about"),
        ({**resource()["view"], "verdict": RED}, f"/sessions/{SESSION}/diff", "judged last"),
        (resource()["view"], f"/sessions/{SESSION}/pull-request/diff", "proposed"),
    ],
)
def test_the_newest_diff_is_printed_byte_by_byte(
    script: Script, remote: dict[str, str], view: dict[str, object], place: str, what: str
):
    """What is asked about goes before what was judged, and that before what was proposed."""
    script.on(f"GET /sessions/{SESSION}", Reply(200, {**resource(), "view": view}))
    script.on(f"GET {place}", Reply(200, DIFF))
    with sitting() as terminal, seated(terminal, "diff", SESSION, environment=remote) as run:
        assert run.wait(PATIENCE_SECONDS) == 0
        wait_until(lambda: b"+new" in terminal.shown)
    assert what.encode() in terminal.shown
    assert b"\x1b[31m-old\x1b[0m" in terminal.shown
    assert b"\x1b[2J" not in terminal.shown
    piped = subprocess.run(
        [sys.executable, "-m", "cli.main", "diff", SESSION],
        env={**remote, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert piped.stdout == DIFF
    assert script.asked[-1].path.partition("?")[0] == f"/api/v1{place}"


def test_without_any_work_there_is_no_diff(script: Script, remote: dict[str, str]):
    """The way to what the session does is named."""
    script.on(f"GET /sessions/{SESSION}", Reply(200, resource(verdict=RED)))
    script.on(f"GET /sessions/{SESSION}/diff", problem(404, "no_diff", "none was kept"))
    script.on(f"GET /sessions/{SESSION}/pull-request/diff", problem(404, "no_pull_request", "no"))
    done = overnight("diff", SESSION, environment=remote)
    assert done.returncode == 3
    assert f"overnight show {SESSION}" in done.stderr


@pytest.mark.parametrize(
    ("given", "status"), [(RED, 11), (verdict("green"), 0), (verdict("unchecked"), 0), (None, 3)]
)
def test_the_findings_are_shown_and_red_is_a_status(
    script: Script, remote: dict[str, str], given: dict[str, object] | None, status: int
):
    """A table and each finding by its place; where nothing was judged an error that says so."""
    found = resource(verdict=given, checks=["ruff failed"] if given else [])
    script.on(f"GET /sessions/{SESSION}", Reply(200, found))
    report = {"check": "all", "findings": [FINDING] if status == 11 else []}
    is_judged = given is not None and given["verdict"] != "unchecked"
    none = problem(404, "not_judged", "nothing was judged")
    script.on(f"GET /sessions/{SESSION}/findings", Reply(200, report) if is_judged else none)
    done = overnight("checks", SESSION, environment=remote)
    assert done.returncode == status, done.stderr
    assert ("a.py:1: wrong [ruff]" in done.stdout) is (status == 11)
    assert ("error[not_judged]" in done.stderr) is (given is None)
    as_json = overnight("checks", SESSION, "-o", "json", environment=remote)
    assert as_json.returncode == status
    if given is None:
        assert (json.loads(as_json.stderr)["code"], as_json.stdout) == ("not_judged", "")
        return
    shown = json.loads(as_json.stdout)
    assert shown["verdict"]["verdict"] == given["verdict"]
    assert (shown["findings"] is not None) is is_judged
