"""Any one process is killed in the middle of anything: nothing is lost and nothing is doubled."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.end_to_end.conftest import StackFactory
from tests.end_to_end.local_stack import LocalStack, bash, edit, finish, git, until
from workflows.contract.api import ReopenSession
from workflows.contract.base import CommandId, SessionId
from workflows.contract.output import stream_key
from workflows.contract.session import StopReason

TICKER = "echo run >> runs; touch started; while [ ! -e go ]; do echo tick; sleep 0.1; done; rm go"
FIX = edit("calc.py", "a - b", "a + b")


def assert_delivered(stack: LocalStack, repository: Path, session: str) -> None:
    """One branch with the fix, one record of it, the command run once."""
    branches = git(repository, "branch", "--list", "overnight/*", "--format=%(refname:short)")
    assert branches.split() == [f"overnight/{session}"]
    show = f"overnight/{session}:calc.py"
    assert git(repository, "show", show) == "def add(a, b):\n    return a + b\n"
    (record,) = stack.pull_requests(session)
    assert record.commit == git(repository, "rev-parse", f"overnight/{session}").strip()
    assert record.passed is True


@pytest.mark.parametrize("victim", ["sessions", "models", "host", "gateway", "temporal"])
def test_a_process_is_killed_in_the_middle_of_a_command(
    stack_of: StackFactory, repository: Path, victim: str
) -> None:
    """The session finishes by itself, the command ran once, no model call was repeated."""
    stack = stack_of({"work": [bash(TICKER), FIX, finish("Add in add")]})
    stack.start()
    session = stack.run(repository, "work").id
    output = stack.settings.store_path / stream_key(SessionId(session), CommandId("s1-0"))
    until(output.exists, "the command prints")
    stack.kill(victim)
    size = output.stat().st_size
    # The host worker's successor takes the running command over.
    until(lambda: output.stat().st_size > size, "its output goes on")
    (stack.workspace(session) / "go").touch()
    ended = stack.until_waiting(session)
    assert ended.view.last is not None
    assert ended.view.last.reason is StopReason.FINISHED
    assert_delivered(stack, repository, session)
    assert git(repository, "show", f"overnight/{session}:runs") == "run\n"
    assert len(stack.requests()) == 3
    stack.close([session])


@pytest.mark.parametrize("victim", ["models", "host"])
def test_a_worker_is_killed_in_the_middle_of_a_model_call(
    stack_of: StackFactory, repository: Path, tmp_path: Path, victim: str
) -> None:
    """At most one further request is made, and the session counts it."""
    go = tmp_path / "go"
    stack = stack_of({"work": [finish("x") | FIX | {"wait_for_file": str(go)}, finish("Add")]})
    stack.start()
    session = stack.run(repository, "work").id
    until(lambda: stack.requests("work"), "the model is asked")
    stack.kill(victim)
    go.touch()
    ended = stack.until_waiting(session)
    assert_delivered(stack, repository, session)
    extra = 1 if victim == "models" else 0
    assert len(stack.requests()) <= 2 + extra
    assert ended.view.usage.requests == len(stack.requests())
    stack.close([session])


@pytest.mark.parametrize("victim", ["models", "host"])
def test_a_worker_is_killed_in_the_middle_of_an_edit(
    stack_of: StackFactory, repository: Path, tmp_path: Path, victim: str
) -> None:
    """The edit is applied once, though its first answer was lost."""
    go = tmp_path / "go"
    # Applied twice, this edit would leave two added lines.
    grow = edit("calc.py", "def add", "# added\ndef add", wait_for_file=str(go))
    stack = stack_of({"work": [bash("true"), grow, finish("Note")]})
    stack.start()
    session = stack.run(repository, "work").id
    until(lambda: len(stack.requests("work")) == 2, "the model is asked for the edit")
    supervisor = box_pid(stack, session)
    os.kill(supervisor, signal.SIGSTOP)
    go.touch()
    until(
        lambda: stack.gateway.session(session).view.activity.startswith("edit"), "the edit begins"
    )
    stack.kill(victim)
    os.kill(supervisor, signal.SIGCONT)
    stack.until_waiting(session)
    text = git(repository, "show", f"overnight/{session}:calc.py")
    assert text == "# added\ndef add(a, b):\n    return a - b\n"
    stack.close([session])


def box_pid(stack: LocalStack, session: str) -> int:
    """Return the host's process id of the sandbox's supervisor."""
    status = stack.workspace(session).parent / "state" / "status.json"
    return int(json.JSONDecoder().raw_decode(status.read_text())[0]["child-pid"])


def test_an_interrupt_reaches_a_command_whose_host_worker_is_dead(
    stack_of: StackFactory, repository: Path
) -> None:
    """The command is gone when the worker is back, and the next prompt runs."""
    stack = stack_of({"work": [bash("touch started; sleep 3000")], "next": [FIX, finish("Add")]})
    stack.start()
    session = stack.run(repository, "work").id
    stack.until_sandbox_file(session, "started")
    stack.freeze_supervisor()
    try:
        stack.kill_for_good("host")
        stack.gateway.interrupt(session, "enough")
        until(
            lambda: stack.gateway.session(session).view.activity.startswith("stopping"),
            "the interrupt is taken",
        )
    finally:
        stack.thaw_supervisor()
    ended = stack.until_waiting(session)
    assert ended.view.last is not None
    assert ended.view.last.reason is StopReason.INTERRUPTED
    assert not any("sleep 3000" in line for line in stack.processes().values())
    stack.gateway.prompt(session, stack.prompt("next"))
    stack.until_waiting(session, turns=2)
    assert_delivered(stack, repository, session)
    stack.close([session])


def test_a_closed_session_is_reopened_with_its_work(
    stack_of: StackFactory, repository: Path
) -> None:
    """Work that was never proposed comes back after the sandbox was removed."""
    stack = stack_of({"work": [FIX, bash("touch started; sleep 3000")], "again": [finish("Add")]})
    stack.start()
    session = stack.run(repository, "work").id
    stack.until_sandbox_file(session, "started")
    stack.close([session])
    body = ReopenSession(prompt=stack.prompt("again"))
    stack.gateway.reopen(session, body)
    stack.until_waiting(session, turns=2)
    assert_delivered(stack, repository, session)
    archived = stack.settings.store_path / "histories" / session
    assert {path.name.split("-")[0] for path in archived.iterdir()} == {"000000"}
    stack.close([session])
