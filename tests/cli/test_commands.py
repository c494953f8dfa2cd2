"""The command line as a person meets it: texts and exit codes, as separate processes."""

import json
import os
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tests.cli.happenings import event, finished, frame, gateway, hello, seen, started, whole
from tests.cli.running import (
    ROOT,
    clean_environment,
    overnight,
    seated,
    started_overnight,
)
from tests.cli.scripted_gateway import Reply, Script, problem
from tests.cli.scripted_socket import Peer
from tests.cli.sessions import (
    SESSION,
    ended,
    pull_request,
    resource,
    verdict,
)
from tests.cli.terminal import sitting
from tests.patience import PATIENCE_SECONDS
from workflows.contract.base import CommandId
from workflows.contract.output import Channel
from workflows.contract.socket import Events, OutputSkipped, Trouble

RUN = ("run", "Fix it", "--repo", "https://github.com/a/b", "--base", "main")


def judged(word: str, *, passed: bool) -> dict[str, object]:
    """Return a session that finished with a verdict."""
    found = ended("finished", passed=passed)
    found["view"]["verdict"] = verdict(word, counts={"new": 2}, shown=["a.py:1 it is wrong"])
    return found


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, str]:
    """Return an environment with an empty data folder and no gateway."""
    return clean_environment(tmp_path / "home")


@pytest.fixture
def remote(alone: dict[str, str], script: Script) -> dict[str, str]:
    """Return an environment that names the scripted gateway."""
    return {**alone, "OVERNIGHT_URL": script.url, "OVERNIGHT_TOKEN": "secret"}


def test_help_imports_nothing_heavy():
    """The first answer does not wait for settings, HTTP, Temporal or Rich."""
    code = (
        "import sys, cli.main\n"
        "try: cli.main.app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'httpx2', 'websockets', 'temporalio', 'fastapi', 'litellm'}\n"
        "heavy |= {'rich.console'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"Exit codes" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["nonsense"], 2, "nonsense"),
        (["run"], 2, "Missing argument"),
        (["run", "x", "--steps", "0"], 2, "steps"),
        (["run", " ", "--repo", "https://x/y"], 2, "the prompt is empty"),
        (["run", "x", "--repo", "https://github.com/a/b"], 2, "OVERNIGHT_MODEL"),
        (
            ["run", "x", "--repo", "https://x/y", "--minutes", "-1"],
            2,
            "--minutes must be more than 0",
        ),
        (["run", "x", "--repo", "https://x/y", "--cost", "1e7"], 2, "--cost must be at most 1,000"),
        (["run", "x", "--repo", "https://x/y", "--model", "gpt 5"], 2, "--model must be one word"),
        (
            ["run", "x", "--repo", "https://x/y", "--fallback", ""],
            2,
            "--fallback must not be empty",
        ),
        (
            ["run", "x", "--repo", "https://x/" + "y" * 2_000],
            2,
            "--repo must have at most 2,000 characters",
        ),
        (["run", "\udcff", "--repo", "https://x/y"], 2, "not UTF-8"),
        (["--url", "nonsense", "ps"], 2, "--url must be an http or https URL, not 'nonsense'"),
        (["--url", "http://x", "ps"], 2, "--url names the gateway 'http://x', but no token"),
        (["--url", "http://x:y", "--token", "t", "ps"], 2, "--url must be an http or https URL"),
        (["--url", "http://x", "--token", "t\u00fc", "ps"], 2, "--token must be plain text"),
        (["--token", "t", "ps"], 2, "--token is given, but no URL"),
        (["--token", "t", "run", "x", "--repo", "https://x/y"], 2, "--token is given, but no URL"),
        (["--url", "http://x", "down"], 2, "about the local stack"),
        (["--url", "http://x", "--token", "t", "up", "-d"], 2, "about the local stack"),
        (["--token", "t", "models"], 2, "about the local stack"),
        (["run", "x", "--repo", "/nonexistent"], 3, "nothing at '/nonexistent'"),
        (["ps"], 5, "overnight up"),
        (["stop", "s-1"], 5, "no stack runs"),
        (["down"], 0, "no stack runs"),
    ],
)
def test_expected_errors_are_two_lines_and_a_status(
    alone: dict[str, str], arguments: list[str], status: int, said: str
):
    """A mistake is answered with what is wrong and its exit code, never with a traceback."""
    done = overnight(*arguments, environment=alone)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_version_is_what_is_installed(alone: dict[str, str]):
    """It is what the gateway and the package index call it."""
    done = overnight("--version", environment=alone)
    assert (done.returncode, done.stdout) == (0, f"{metadata.version('overnight')}\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OVERNIGHT_GATEWAY_PORT", "x"),
        ("OVERNIGHT_MODEL", "gpt 5"),
        ("OVERNIGHT_MODEL_BASE_URL", "localhost:8000"),
        ("OVERNIGHT_MODEL_FALLBACKS", "openai/x, gpt 5"),
        ("OVERNIGHT_MODEL_FALLBACKS", "a,b,c,d,e,f"),
        ("OVERNIGHT_MODLE", "openai/gpt"),
    ],
)
def test_a_wrong_setting_is_named(alone: dict[str, str], name: str, value: str):
    """A variable that does not fit is an error that names it."""
    done = overnight("ps", environment={**alone, name: value})
    assert done.returncode == 1
    assert name in done.stderr


@pytest.mark.parametrize(
    ("end", "proposal", "status", "said"),
    [
        (ended("finished"), pull_request(), 0, "git merge overnight/"),
        (ended("finished", proposed=False), None, 0, "it proposed nothing"),
        (
            ended("finished", passed=False),
            pull_request(passed=False),
            11,
            "checks   red (a draft): tests failed",
        ),
        (ended("finished", passed=None), pull_request(passed=None), 0, "has no checks"),
        (ended("failed", proposed=False), None, 10, "what was done"),
        (ended("interrupted", proposed=False), None, 12, "stopped by a person"),
        (ended("stuck", proposed=False), None, 10, "went round in circles"),
        (ended("step_budget"), pull_request(), 13, "its steps are used up"),
        (ended("time_budget", proposed=False), None, 13, "overnight prompt"),
        (ended("token_budget", proposed=False), None, 13, "its tokens are used up"),
        (ended("cost_budget", proposed=False), None, 13, "--cost"),
        (ended("checks_failed", proposed=False), None, 11, "overnight show"),
        (ended("rejected", proposed=False), None, 12, "refused its proposal"),
        (judged("red", passed=False), pull_request(passed=False), 11, "verdict: red, 2 new"),
        (judged("no_worse", passed=False), pull_request(passed=False), 0, "no worse than before"),
        (resource(phase="closed"), None, 12, "closed before"),
    ],
)
def test_run_shows_the_way_and_ends_with_the_turns_outcome(
    script: Script,
    remote: dict[str, str],
    end: dict[str, object],
    proposal: dict[str, object] | None,
    status: int,
    said: str,
):
    """Progress goes to stderr once per change, the outcome decides text and exit code."""
    working = seen(resource(step=4, activity="bash: pytest -q"))
    script.on("POST /sessions", Reply(202, resource(phase="preparing", step=0)))
    script.on(f"GET /sessions/{SESSION}", Reply(200, resource()))
    script.live(gateway([working, *whole("c1", frame(b"1 passed\n")), working, seen(end)]))
    if proposal:
        script.on(f"GET /sessions/{SESSION}/pull-request", Reply(200, proposal))
    done = overnight(*RUN, environment=remote)
    assert done.returncode == status, done.stderr
    assert said in done.stdout + done.stderr
    assert done.stderr.count("working    step 4  bash: pytest -q") == 1
    assert "│ 1 passed\n" in done.stderr
    assert "$0.0123, 3 model requests" in done.stdout
    sent = script.asked[0].body
    assert sent["prompt"]["text"] == "Fix it"
    assert sent["repository"]["base"] == "main"


def test_run_asks_for_what_was_typed(script: Script, remote: dict[str, str]):
    """Limits, fallbacks and approvals reach the gateway; what was not typed is the default."""
    script.on("POST /sessions", Reply(202, resource()))
    limits = ("--tokens", "9000", "--cost", "1.5", "--minutes", "3")
    models = ("--model", "openai/x", "--fallback", "openai/y", "--fallback", "openai/z")
    approvals = ("--approve-command", "git push*", "--approve-pull-request")
    done = overnight(*RUN, "-d", *limits, *models, *approvals, environment=remote)
    assert done.returncode == 0, done.stderr
    sent = script.asked[0].body
    assert sent["budget"] == {"steps": 100, "minutes": 3, "tokens": 9_000, "cost_usd": 1.5}
    assert (sent["model"], sent["fallbacks"]) == ("openai/x", ["openai/y", "openai/z"])
    assert sent["approvals"] == {"commands": ["git push*"], "pull_request": True}


def test_a_command_that_failed_is_told_beneath_its_output(script: Script, remote: dict[str, str]):
    """A person who watches need not guess from the output; success says nothing."""
    log = frame(b"1 failed")
    bad = [started("c2"), ("c2", log), finished("c2", log, exit_code=3)]
    script.on("POST /sessions", Reply(202, resource()))
    script.on(f"GET /sessions/{SESSION}", Reply(200, resource()))
    end = seen(ended("failed", proposed=False))
    script.live(gateway([*whole("c1", frame(b"1 passed\n")), *bad, end]))
    said = overnight(*RUN, environment=remote).stderr
    assert "│ 1 passed\n│ 1 failed\n│ exit 3\n" in said
    assert "exit" not in overnight(*RUN, "-o", "json", environment=remote).stderr


@pytest.mark.parametrize("arguments", [("ps", "-a"), ("watch", "s-01"), ("stop", "s-09")])
def test_no_colour_is_shown_where_none_is_wanted(
    script: Script, remote: dict[str, str], arguments: tuple[str, ...]
):
    """With NO_COLOR not even a terminal gets an escape sequence; without, headings are bold."""
    log = frame(b"1 failed\n", Channel.STDERR)
    failed = [started("c1"), ("c1", log), finished("c1", log, exit_code=3)]
    script.on("GET /sessions", Reply(200, {"data": [resource()], "has_more": False}))
    script.on(f"GET /sessions/{SESSION}", Reply(200, resource()))
    script.on(f"GET /sessions/{SESSION}/pull-request", Reply(200, pull_request()))
    script.live(gateway([*failed, seen(ended("finished"))]))
    shown = {}
    for wish in ("", "1"):
        environment = {**remote, "TERM": "xterm", "NO_COLOR": wish}
        with sitting() as terminal, seated(terminal, *arguments, environment=environment) as run:
            run.wait(PATIENCE_SECONDS)
        shown[wish] = terminal.shown
    assert b"\x1b" in shown[""]
    assert b"\x1b" not in shown["1"]


def test_run_prints_json_for_programs(script: Script, remote: dict[str, str]):
    """`-o json` is one document with the session and its pull request."""
    script.on("POST /sessions", Reply(202, resource()))
    script.on(f"GET /sessions/{SESSION}", Reply(200, resource()))
    script.on(f"GET /sessions/{SESSION}/pull-request", Reply(200, pull_request()))
    script.live(gateway([*whole("c1", frame(b"1 passed\n")), seen(ended("finished"))]))
    done = overnight(*RUN, "-o", "json", environment=remote)
    assert "1 passed" not in done.stderr
    document = json.loads(done.stdout)
    assert document["session"]["view"]["phase"] == "waiting"
    assert document["session"]["id"] == SESSION
    assert document["pull_request"]["branch"] == f"overnight/{SESSION}"


def test_detached_run_reads_stdin_and_prints_the_id(script: Script, remote: dict[str, str]):
    """`-` takes the prompt from stdin; `--detach -o id` prints nothing but the session's id."""
    script.on("POST /sessions", Reply(202, resource()))
    arguments = ("run", "-", *RUN[2:], "--steps", "7", "--detach", "-o", "id")
    done = overnight(*arguments, environment=remote, typed="From a pipe")
    assert done.stdout == f"{SESSION}\n"
    assert script.asked[0].body["prompt"]["text"] == "From a pipe"
    assert script.asked[0].body["budget"]["steps"] == 7


def test_ctrl_c_leaves_the_session_working(script: Script, remote: dict[str, str]):
    """Ctrl-C ends only the watching, with status 130 and the ways back; nothing is stopped."""
    script.on("POST /sessions", Reply(202, resource()))

    def interrupt(peer: Peer) -> None:
        os.kill(running.pid, signal.SIGINT)
        peer.wait_for_end()

    script.live(gateway([seen(resource())], then=interrupt))
    running = started_overnight(*RUN, environment=remote)
    _, said = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 130
    assert f"overnight watch {SESSION}" in said
    assert f"overnight stop {SESSION}" in said
    assert [asked.method for asked in script.asked] == ["POST"]


def test_follow_ups_say_what_comes_next(script: Script, remote: dict[str, str]):
    """`prompt`, `stop` and `reopen` reach the session by a beginning of its id."""
    script.on("GET /sessions", Reply(200, {"data": [resource()], "has_more": False}))
    accepted = {"id": "x", "session": SESSION, "repeated": False}
    script.on(f"POST /sessions/{SESSION}/prompts", Reply(202, accepted))
    script.on(f"POST /sessions/{SESSION}/interrupt", Reply(202, resource()))
    script.on(f"POST /sessions/{SESSION}/close", Reply(202, resource()))
    script.on(f"POST /sessions/{SESSION}/reopen", problem(409, "session_open", "it is open"))
    done = overnight("prompt", "s-01", "More", "--mode", "steer", environment=remote)
    assert (done.returncode, SESSION in done.stdout) == (0, True)
    assert script.asked[-1].body["mode"] == "steer"
    assert "overnight prompt" in overnight("stop", "s-01", environment=remote).stderr
    interrupted = Reply(202, resource(queued=2))
    script.replace(f"POST /sessions/{SESSION}/interrupt", interrupted)
    said = overnight("stop", "s-01", environment=remote).stderr
    assert "2 prompts wait and are taken up now" in said
    assert f"overnight withdraw {SESSION} PROMPT" in said
    assert "stops and waits" not in said
    assert "overnight reopen" in overnight("stop", "s-01", "--close", environment=remote).stderr
    assert overnight("reopen", "s-01", "More", environment=remote).returncode == 6


def test_trouble_and_refusals_are_told_once(script: Script, remote: dict[str, str]):
    """Why it takes longer, what was refused and what was left out stands between the progress."""
    refused = seen(resource(refused="p-9: the queue is full"))
    skipped = OutputSkipped(command_id=CommandId("c1"), start=0, end=5_000)

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(), Trouble(text="attempt 2"), Trouble(text="attempt 2"), Trouble(text=""))
        peer.send(Events(items=(event(1, refused), event(2, refused))), skipped)
        peer.send(Events(items=(event(3, seen(ended("failed", proposed=False))),)))
        peer.wait_for_end()

    script.on("POST /sessions", Reply(202, resource()))
    script.on(f"GET /sessions/{SESSION}", Reply(200, resource()))
    script.live(converse)
    said = overnight(*RUN, environment=remote).stderr
    assert said.count("attempt 2") == 1
    assert said.count("refused: p-9: the queue is full") == 1
    assert "5,000 bytes left out" in said


def test_a_diff_is_printed_byte_by_byte(script: Script, remote: dict[str, str]):
    """`pr --diff` into a pipe can be applied by git; a reader that stops early is no error."""
    script.on("GET /sessions", Reply(200, {"data": [resource()], "has_more": False}))
    diff = b"diff --git a/x b/x\n\xff\x1b[31m\n" * 100_000
    script.on(f"GET /sessions/{SESSION}/pull-request/diff", Reply(200, diff))
    running = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "pr", "s-01", "--diff"],
        env={**remote, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None
    assert running.stdout.read(len(diff) // 2) == diff[: len(diff) // 2]
    running.stdout.close()
    assert running.stderr is not None
    with running.stderr as stderr:
        assert stderr.read() == b""
    running.wait(PATIENCE_SECONDS)
