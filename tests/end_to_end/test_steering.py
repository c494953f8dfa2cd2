"""A person decides, findings go back, and crashes meanwhile change neither."""

from pathlib import Path

from tests.end_to_end.conftest import CODE, StackFactory
from tests.end_to_end.local_stack import bash, edit, finish, git, make_repository, until
from tests.end_to_end.onlooker import Onlooker
from workflows.contract.asking import AskedKind
from workflows.contract.events import BaselineReady, CheckFinished, CheckStarted
from workflows.contract.judging import Verdict
from workflows.contract.transcript import AssistantMessage, Message, ToolMessage

FIX = edit("calc.py", "a - b", "a + b")
COUNT = bash("echo run >> runs")
ASK = {"name": "ask", "arguments": {"question": "Which unit?", "options": ["grams", "kilograms"]}}

ASKING = {
    "a question": [{"calls": [*COUNT["calls"], ASK]}, FIX, finish("Add")],
    "an approval": [COUNT, FIX, finish("Add")],
    "a budget": [COUNT, FIX, finish("Add")],
}
KINDS = [AskedKind.QUESTION, AskedKind.COMMAND, AskedKind.BUDGET]

HELD_CHECK = """
[checks]
tests = '''echo run | tee -a runs
until test -e go; do sleep 0.05; done
python3 -m pytest -q --junit-xml="$OVERNIGHT_REPORT"'''
"""
GATE = "gate-t1-1"
CHECK = f"{GATE}-tests"

TWO = {
    "calc.py": "def add(a, b):\n    return a - b\n\n\ndef sub(a, b):\n    return a - b\n",
    "test_calc.py": "from calc import add, sub\n\n\n"
    "def test_add():\n    assert add(2, 3) == 5\n\n\n"
    "def test_sub():\n    assert sub(5, 3) == 2\n",
}


def test_three_open_questions_outlive_the_death_of_everything(
    stack_of: StackFactory, tmp_path: Path
) -> None:
    """The same questions are open afterwards; answered, each session ends with its work, once."""
    repository = make_repository(tmp_path / "repository", CODE)
    stack = stack_of(ASKING)
    stack.start()
    sessions = [
        stack.run(repository, "a question").id,
        stack.run(repository, "an approval", held=("echo*",)).id,
        stack.run(repository, "a budget", steps=2).id,
    ]
    before = [stack.until_asking(session) for session in sessions]
    assert [asked.kind for asked in before] == KINDS
    assert not (stack.workspace(sessions[1]) / "runs").exists()
    stack.kill_everything()
    stack.start()
    assert [stack.gateway.session(session).view.asked for session in sessions] == before
    for session, asked in zip(sessions, before, strict=True):
        stack.answer(session, asked, "kilograms" if asked.kind is AskedKind.QUESTION else "")
    for session, marker in zip(sessions, ASKING, strict=True):
        stack.until_waiting(session)
        (record,) = stack.pull_requests(session)
        assert record.passed is True
        assert git(repository, "show", f"{record.branch}:runs") == "run\n"
        assert [line["index"] for line in stack.requests(marker)] == [0, 1, 2]
    told = [each.text for each in stack.transcript(sessions[0]) if isinstance(each, ToolMessage)]
    assert "The person's answer: kilograms" in told
    stack.close(sessions)


def test_refused_work_is_mended_by_what_the_model_is_told(
    stack_of: StackFactory, tmp_path: Path
) -> None:
    """The broken test goes back to the model by name; only the mended work is proposed."""
    repository = make_repository(tmp_path / "repository", TWO)
    fix = edit("calc.py", "add(a, b):\n    return a - b", "add(a, b):\n    return a + b")
    harm = edit("calc.py", "sub(a, b):\n    return a - b", "sub(a, b):\n    return b - a")
    mend = edit("calc.py", "return b - a", "return a - b")
    both = {"calls": [*fix["calls"], *harm["calls"]]}
    stack = stack_of({"work": [both, finish("Add"), mend, finish("Add in add")]})
    stack.start()
    session = stack.run(repository, "work").id
    ended = stack.until_waiting(session)
    assert ended.view.verdict is not None
    assert (ended.view.verdict.verdict, ended.view.verdict.round) == (Verdict.GREEN, 2)
    assert ended.view.verdict.tests.passed == 2
    (record,) = stack.pull_requests(session)
    assert (record.passed, record.title) == (True, "Add in add")
    assert len(stack.requests("work")) == 4
    told = stack.transcript(session)
    wish = next(n for n, each in enumerate(told) if _calls(each) == ["finish"])
    assert [type(each) for each in told[wish + 1 : wish + 3]] == [ToolMessage, AssistantMessage]
    refusal = told[wish + 1]
    assert "test_sub" in refusal.text
    assert "test_add" not in refusal.text
    stack.close([session])


def _calls(message: Message) -> list[str]:
    return [call.name for call in message.calls] if isinstance(message, AssistantMessage) else []


def test_the_host_worker_is_killed_while_checks_run(stack_of: StackFactory, tmp_path: Path) -> None:
    """First those of the base commit, then those of the work: each runs once, nothing is left."""
    repository = make_repository(tmp_path / "repository", {**CODE, ".overnight.toml": HELD_CHECK})
    stack = stack_of({"work": [FIX, finish("Add")]})
    stack.start()
    session = stack.run(repository, "work").id
    with Onlooker(stack, session) as onlooker:
        base = stack.workspace(session, "base")
        until((base / "runs").exists, "the base commit is checked")
        # The handle outlives the folder.
        with (base / "runs").open() as runs:
            stack.kill("host")
            (base / "go").touch()
            until(lambda: onlooker.failure or onlooker.stdout(CHECK), "the work is checked")
            assert runs.read() == "run\n"
        stack.kill("host")
        (stack.workspace(session, GATE) / "go").touch()
        ended = stack.until_waiting(session)
        assert stack.sandboxes() == [f"{session}-r0"]
        stack.close([session])
        onlooker.wait()
    assert onlooker.stdout(CHECK).startswith(b"run\n")
    assert onlooker.stdout(CHECK).count(b"run\n") == 1
    told = (BaselineReady, CheckStarted, CheckFinished)
    events = [each.event for each in onlooker.events if isinstance(each.event, told)]
    assert [type(event) for event in events] == list(told)
    assert ended.view.verdict is not None
    assert ended.view.verdict.verdict is Verdict.GREEN
    (record,) = stack.pull_requests(session)
    assert record.passed is True
