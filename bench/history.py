"""What Temporal recorded of a workflow: its activities and decisions with their times."""

from collections.abc import Iterable
from typing import NamedTuple

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client


class Activity(NamedTuple):
    """An activity that completed; times in seconds since the epoch."""

    name: str
    scheduled: float
    started: float
    closed: float
    result: bytes


class Decision(NamedTuple):
    """A workflow task that completed."""

    scheduled: float
    started: float
    completed: float


class History(NamedTuple):
    """Activities and decisions of all runs of one workflow, in order of their beginning."""

    activities: list[Activity]
    decisions: list[Decision]
    events: int


async def read(client: Client, workflow_id: str) -> History:
    """Read the whole chain of runs."""
    last = await client.get_workflow_handle(workflow_id).fetch_history()
    run = last.events[0].workflow_execution_started_event_attributes.first_execution_run_id
    activities: list[Activity] = []
    decisions: list[Decision] = []
    events = 0
    while run:
        handle = client.get_workflow_handle(workflow_id, run_id=run)
        found = (await handle.fetch_history()).events
        activities += _activities(found)
        decisions += _decisions(found)
        events += len(found)
        run = found[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return History(activities, decisions, events)


def _activities(events: Iterable[HistoryEvent]) -> list[Activity]:
    by_id = {event.event_id: event for event in events}
    found = []
    for event in by_id.values():
        if event.event_type != EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            continue
        done = event.activity_task_completed_event_attributes
        scheduled = by_id[done.scheduled_event_id]
        found.append(
            Activity(
                scheduled.activity_task_scheduled_event_attributes.activity_type.name,
                _at(scheduled),
                _at(by_id[done.started_event_id]),
                _at(event),
                done.result.payloads[0].data if done.result.payloads else b"",
            )
        )
    return found


def _decisions(events: Iterable[HistoryEvent]) -> list[Decision]:
    by_id = {event.event_id: event for event in events}
    found = []
    for event in by_id.values():
        if event.event_type != EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            continue
        done = event.workflow_task_completed_event_attributes
        found.append(
            Decision(
                _at(by_id[done.scheduled_event_id]), _at(by_id[done.started_event_id]), _at(event)
            )
        )
    return found


def _at(event: HistoryEvent) -> float:
    return event.event_time.ToNanoseconds() / 1e9
