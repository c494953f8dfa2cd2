"""Histories as events."""

from pathlib import Path

import pytest
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from gateway.feed.projection import RunProjection
from workflows.contract.base import CommandId
from workflows.contract.events import CommandFinished, SessionEvent
from workflows.contract.sandbox import CommandOutcome

RECORDED = Path(__file__).parents[2] / "workflows" / "histories"


def history(name: str) -> list[HistoryEvent]:
    return list(WorkflowHistory.from_json(name, (RECORDED / f"{name}.json").read_text()).events)


def project(events: list[HistoryEvent]) -> tuple[RunProjection, list[SessionEvent]]:
    projection = RunProjection()
    return projection, [shown for event in events for shown in projection.take(event)]


@pytest.mark.parametrize("name", ["interrupted", "proposed_and_closed", "sandbox_lost"])
def test_a_recorded_session_is_told_from_its_start_to_its_end(name: str) -> None:
    """Cursors sort, and what began has ended."""
    projection, shown = project(history(name))
    cursors = [event.cursor for event in shown]
    assert cursors == sorted(set(cursors))
    kinds = [event.event.kind for event in shown]
    assert kinds[0] == "session.started"
    assert "prompt.arrived" in kinds
    assert kinds.count("step.asked") >= kinds.count("step.taken") >= 1
    assert projection.commands == frozenset()


def test_a_lost_command_is_told_as_such() -> None:
    """And the sandbox that came after it."""
    _, shown = project(history("sandbox_lost"))
    ends = [event.event for event in shown if isinstance(event.event, CommandFinished)]
    assert CommandOutcome.LOST in {end.outcome for end in ends}
    kinds = [event.event.kind for event in shown]
    assert kinds.count("sandbox.opened") == kinds.count("sandbox.opening") > 1


def test_a_command_runs_from_its_start_to_its_end() -> None:
    """At every moment of the history, it is known which commands run."""
    projection = RunProjection()
    running: set[CommandId] = set()
    seen: set[CommandId] = set()
    for event in history("interrupted"):
        for shown in projection.take(event):
            if shown.event.kind in ("command.started", "check.started"):
                running.add(shown.event.command_id)
        running &= projection.commands
        assert running == projection.commands
        seen |= running
    assert seen


def test_a_command_ends_once() -> None:
    """A stop that raced with the command's own end shows nothing a second time."""
    events = history("interrupted")
    _, once = project(events)
    assert sum(event.event.kind == "command.finished" for event in once) >= 1
    projection = RunProjection()
    twice: list[SessionEvent] = []
    for event in events:
        ends_command = event.HasField("activity_task_completed_event_attributes")
        scheduled = event.activity_task_completed_event_attributes.scheduled_event_id
        name = projection.pending.get(scheduled, "")
        twice += projection.take(event)
        if ends_command and name in ("sandbox.run_command", "sandbox.stop_command"):
            projection.pending[scheduled] = name
            twice += projection.take(event)
    assert twice == once


def test_what_cannot_be_read_is_left_out() -> None:
    """One event of other code than ours takes nothing else with it."""
    events = history("proposed_and_closed")
    _, whole = project(events)
    broken = next(
        each for each in events if each.HasField("activity_task_completed_event_attributes")
    )
    broken.activity_task_completed_event_attributes.result.payloads[0].data = b"{}"
    _, rest = project(events)
    assert len(rest) == len(whole) - 1
