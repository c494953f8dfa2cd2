"""The commands that steer an open session, as separate processes."""

import os
import signal

import pytest

from tests.cli.running import overnight, seated, wait_until
from tests.cli.scripted_gateway import Asked, Reply, Script, problem
from tests.cli.sessions import SESSION, asking, question, resource, verdict
from tests.cli.terminal import sitting
from tests.patience import PATIENCE_SECONDS

ID = "0123456789abcdef"
WAITING = "00000000-0000-4000-8000-0000000000aa"
QUEUED = {"id": WAITING, "mode": "steer", "excerpt": "left \x1b[31m"}
COMMAND = "rm -rf " + "x" * 600


@pytest.fixture
def script(script: Script) -> Script:
    """Let the session take decisions."""
    taken = {"question": ID, "approved": True}
    script.on(f"POST /sessions/{SESSION}/decisions", Reply(202, taken))
    return script


def ask(script: Script, kind: str, whole: str = "", **fields: object) -> None:
    """Let the session ask."""
    script.on(f"GET /sessions/{SESSION}", Reply(200, asking(kind, **fields)))
    found = {"asked": question(kind, **fields), "whole": whole}
    script.on(f"GET /sessions/{SESSION}/question", Reply(200, found))


def sent(script: Script) -> list[Asked]:
    return [asked for asked in script.asked if asked.method != "GET"]


def test_a_question_is_answered_with_words(script: Script, remote: dict[str, str]):
    """The whole question is shown; the answer is bound to its id; a number chooses."""
    ask(script, "question", whole="Which port of the many?", options=["80", "8080"])
    done = overnight("answer", "s-01", "the", "second", environment=remote)
    assert done.returncode == 0, done.stderr
    assert "Which port of the many?" in done.stderr
    assert sent(script)[0].body == {"question": ID, "approved": True, "text": "the second"}
    chosen = overnight("answer", "s-01", "2", environment=remote)
    assert 'answered: "8080"' in chosen.stdout
    assert overnight("answer", "s-01", "3", environment=remote).returncode == 2
    assert len(sent(script)) == 2
    assert sent(script)[1].body["text"] == "8080"
    assert overnight("approve", "s-01", "--yes", environment=remote).returncode == 6


def test_an_approval_is_given_for_what_is_shown(script: Script, remote: dict[str, str]):
    """All of the command is shown; without a terminal nothing is allowed unasked."""
    ask(script, "command", whole=COMMAND, subject=COMMAND[:500])
    unsure = overnight("approve", "s-01", environment=remote)
    assert (unsure.returncode, sent(script)) == (2, [])
    assert "--yes" in unsure.stderr
    other = overnight("approve", "s-01", "--yes", "--question", "f" * 16, environment=remote)
    assert (other.returncode, sent(script)) == (6, [])
    done = overnight("approve", "s-01", "-y", "--question", ID, environment=remote)
    assert done.returncode == 0, done.stderr
    assert COMMAND in done.stderr
    assert sent(script)[0].body == {"question": ID, "approved": True, "text": ""}
    assert overnight("answer", "s-01", "y", environment=remote).returncode == 6


def test_a_command_nobody_can_read_is_not_allowed(script: Script, remote: dict[str, str]):
    """Its beginning says nothing of its end; it can be refused."""
    ask(script, "command", subject=COMMAND[:500])
    assert overnight("approve", "s-01", "--yes", environment=remote).returncode == 1
    assert sent(script) == []
    assert overnight("reject", "s-01", "too long", environment=remote).returncode == 0
    assert sent(script)[0].body == {"question": ID, "approved": False, "text": "too long"}


@pytest.mark.parametrize(
    ("typed", "status", "decisions"), [("y\n", 0, 1), ("\n", 12, 0), ("\x04", 12, 0)]
)
def test_in_a_terminal_a_person_is_asked(
    script: Script, remote: dict[str, str], typed: str, status: int, decisions: int
):
    """Enter alone allows nothing."""
    ask(script, "budget")
    with sitting() as terminal, seated(terminal, "approve", "s-01", environment=remote) as run:
        wait_until(lambda: b"allow it?" in terminal.shown)
        terminal.type(typed)
        assert run.wait(PATIENCE_SECONDS) == status
    assert b"the budget is used up" in terminal.shown
    assert len(sent(script)) == decisions


def test_ctrl_c_at_the_question_decides_nothing(script: Script, remote: dict[str, str]):
    """It exits as everywhere, with 130, and is no refusal."""
    ask(script, "budget")
    with sitting() as terminal, seated(terminal, "approve", "s-01", environment=remote) as run:
        wait_until(lambda: b"allow it?" in terminal.shown)
        os.kill(run.pid, signal.SIGINT)
        assert run.wait(PATIENCE_SECONDS) == 130
    assert b"Traceback" not in terminal.shown
    assert sent(script) == []


@pytest.mark.parametrize("arguments", [("answer", "s-01", "x"), ("approve", "s-01", "-y")])
def test_where_nothing_is_asked_nothing_is_sent(
    script: Script, remote: dict[str, str], arguments: tuple[str, ...]
):
    """The way to what it does is named."""
    script.on(f"GET /sessions/{SESSION}", Reply(200, resource()))
    done = overnight(*arguments, environment=remote)
    assert (done.returncode, sent(script)) == (6, [])
    assert f"overnight show {SESSION}" in done.stderr


def test_waiting_prompts_are_listed_changed_and_taken_back(script: Script, remote: dict[str, str]):
    """By a beginning of their ids; a replacement has an id of its own and the same mode."""
    script.on(f"GET /sessions/{SESSION}/prompts", Reply(200, {"data": [QUEUED], "waiting": 3}))
    listed = overnight("queue", "s-01", environment=remote)
    assert WAITING in listed.stdout
    assert "\x1b" not in listed.stdout
    assert "and 2 more" in listed.stderr
    assert overnight("queue", "s-01", "-o", "id", environment=remote).stdout == f"{WAITING}\n"
    script.on(f"PUT /sessions/{SESSION}/prompts/{WAITING}", Reply(200, {"waiting": 3}))
    edited = overnight("edit", "s-01", "0000", "right", "-o", "id", environment=remote)
    body = sent(script)[0].body
    assert (body["text"], body["mode"], edited.stdout) == ("right", "steer", f"{body['id']}\n")
    assert body["id"] != WAITING
    place = f"DELETE /sessions/{SESSION}/prompts/{WAITING}"
    script.on(place, Reply(200, {"waiting": 2}), problem(409, "prompt_not_waiting", "it is done"))
    assert "2 wait" in overnight("withdraw", "s-01", "0000", environment=remote).stdout
    assert overnight("withdraw", "s-01", WAITING, environment=remote).returncode == 6
    unknown = overnight("withdraw", "s-01", "ffff", environment=remote)
    assert unknown.returncode == 3
    assert f"overnight queue {SESSION}" in unknown.stderr


def test_a_session_is_configured(script: Script, remote: dict[str, str]):
    """Named limits change, the others stay; so they do with a prompt."""
    before = {**resource(), "budget": {"steps": 7, "minutes": 9, "tokens": 500}}
    script.on(f"GET /sessions/{SESSION}", Reply(200, before))
    script.on(f"PATCH /sessions/{SESSION}", Reply(202, before))
    accepted = {"id": "x", "session": SESSION, "repeated": False}
    script.on(f"POST /sessions/{SESSION}/prompts", Reply(202, accepted))
    limits = ("--steps", "8", "--cost", "2", "--fallback", "openai/y")
    assert overnight("configure", "s-01", *limits, environment=remote).returncode == 0
    budget = {"steps": 8, "minutes": 9, "tokens": 500, "cost_usd": 2}
    assert sent(script)[0].body == {"fallbacks": ["openai/y"], "budget": budget}
    overnight("prompt", "s-01", "More", "--model", "openai/z", environment=remote)
    assert [asked.method for asked in sent(script)[1:]] == ["PATCH", "POST"]
    assert sent(script)[1].body == {"model": "openai/z"}


def test_a_session_is_shown_with_all_about_it(script: Script, remote: dict[str, str]):
    """What it asks, what waits, what the checks said, which model, what it may use and has used."""
    shown = resource(
        phase="asking",
        model="openai/y",
        asked=question("command", subject=COMMAND[:500]),
        queue=[QUEUED],
        queued=2,
        verdict=verdict("red", counts={"new": 1}, shown=["a.py:1 wrong"], why="it fails"),
    )
    budget = {"steps": 7, "minutes": 9, "tokens": 5_000, "cost_usd": 2}
    approvals = {"commands": ["git push*"], "pull_request": True}
    extended = {**shown, "budget": budget, "approvals": approvals, "fallbacks": ["openai/y"]}
    script.on(f"GET /sessions/{SESSION}", Reply(200, extended))
    found = {"asked": question("command", subject=COMMAND[:500]), "whole": COMMAND}
    script.on(f"GET /sessions/{SESSION}/question", Reply(200, found))
    done = overnight("show", "s-01", environment=remote)
    assert done.returncode == 0, done.stderr
    for part in (
        "openai/y (chosen: openai/x), else openai/y",
        "7 steps and 9 minutes a turn, 5,000 tokens in all, $2 in all",
        "step 1 of 7, 1,500 of 5,000 tokens, $0.0123 of $2",
        "commands like git push*, every proposal",
        WAITING,
        "and 1 more",
        "verdict: red, 1 new",
        "a.py:1 wrong",
        f"│ {COMMAND}",
        f"overnight approve {SESSION}",
    ):
        assert part in done.stdout
    assert "\x1b" not in done.stdout
