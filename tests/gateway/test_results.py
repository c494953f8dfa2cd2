"""What activities are asked for and answer, as events."""

import pytest

from gateway.feed import results
from workflows.contract import events
from workflows.contract.base import CommitSha, SessionId, Sha256
from workflows.contract.checks import Baseline, CheckFacts, FilesFixed
from workflows.contract.model import TranscriptCompacted, Usage
from workflows.contract.sandbox import (
    Opened,
    OpenSandbox,
    Repository,
    SandboxBinding,
    SandboxClosed,
    SandboxReady,
)
from workflows.contract.transcript import TranscriptHead

SESSION = SessionId("s-0123456789abcdef0123")
COMMIT = CommitSha("c" * 40)


def opening(sandbox: str) -> bytes:
    request = OpenSandbox(
        session=SESSION,
        sandbox_id=sandbox,
        repository=Repository(url="/r", base="main"),
        branch="b",
    )
    return request.model_dump_json().encode()


def opened(sandbox: str) -> bytes:
    ready = SandboxReady(
        session=SESSION,
        binding=SandboxBinding(sandbox_id=sandbox, queue="q", workspace="/w"),
        how=Opened.CREATED,
        provider="fake",
        base_commit=COMMIT,
        setup="none",
        seconds=0,
    )
    return ready.model_dump_json().encode()


def closed(sandbox: str) -> bytes:
    return SandboxClosed(session=SESSION, sandbox_id=sandbox).model_dump_json().encode()


@pytest.mark.parametrize(
    ("sandbox", "shown"),
    [
        (f"{SESSION}-r0", 1),
        (f"{SESSION}-r12", 1),
        (f"{SESSION}-r0-gate-t1-1", 0),
        (f"{SESSION}-base", 0),
        ("s-ffffffffffffffffffff-r0", 0),
    ],
)
def test_only_the_sessions_own_sandbox_is_shown(sandbox: str, shown: int):
    """Those of the gate and of the baseline come and go unseen."""
    assert len(results.asked("sandbox.open", opening(sandbox))) == shown
    assert len(results.answered("sandbox.open", opened(sandbox))) == shown
    assert len(results.answered("sandbox.close", closed(sandbox))) == shown


def test_a_baseline_tells_what_each_check_said():
    """A check that could not be run has not failed."""
    facts = {"findings": 0, "tests": None, "report": None}
    baseline = Baseline(
        session=SESSION,
        commit=COMMIT,
        results=(
            CheckFacts(name="lint", passed=True, runnable=True, **facts),  # type: ignore[arg-type]
            CheckFacts(name="types", passed=False, runnable=True, **facts),  # type: ignore[arg-type]
            CheckFacts(name="tests", passed=False, runnable=False, **facts),  # type: ignore[arg-type]
        ),
        cached=True,
        seconds=1,
    )
    (shown,) = results.answered("checks.baseline", baseline.model_dump_json().encode())
    assert isinstance(shown, events.BaselineReady)
    assert shown.checks == ("lint passed", "types failed", "tests could not be run")


def test_fixers_that_changed_nothing_show_nothing():
    """Only changed files are news."""
    for changed, shown in (((), 0), (("a.py",), 1)):
        fixed = FilesFixed(session=SESSION, turn=1, changed=changed)
        assert len(results.answered("checks.fix", fixed.model_dump_json().encode())) == shown


def test_a_shortened_transcript_is_shown_with_its_lengths():
    """Before and after."""
    compacted = TranscriptCompacted(
        session=SESSION,
        turn=1,
        step=9,
        head=TranscriptHead(manifest=Sha256("a" * 64), messages=7),
        messages_before=90,
        usage=Usage(),
        seconds=1,
    )
    (shown,) = results.answered("model.compact", compacted.model_dump_json().encode())
    assert isinstance(shown, events.TranscriptCompacted)
    assert (shown.messages_before, shown.messages) == (90, 7)


def test_what_only_concerns_the_machinery_shows_nothing():
    """Also an activity that this code does not know."""
    assert results.asked("archive.run", b"{}") == []
    assert results.answered("checks.examine", b"{}") == []
