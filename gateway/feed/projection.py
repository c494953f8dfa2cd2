"""Shows Temporal's history of a session's run as session events. Pure.

What only concerns the machinery (workflow tasks, archives) shows nothing. Activities may be running
for long: `RunProjection.pending` holds those whose end the history does not have yet.
"""

from collections.abc import Callable
from datetime import UTC
from typing import ClassVar, TypeVar

import structlog
from pydantic import TypeAdapter, ValidationError
from temporalio.api.common.v1 import Payloads
from temporalio.api.history.v1 import HistoryEvent

from gateway.feed import results
from gateway.feed.cursors import Place
from workflows.contract import events, names
from workflows.contract.asking import DecideSignal
from workflows.contract.base import CommandId, Frozen
from workflows.contract.events import Happened, SessionEvent
from workflows.contract.session import (
    CloseSignal,
    ConfigureSignal,
    InterruptSignal,
    PreviousRun,
    PromptSignal,
    RevisePrompt,
    SessionInput,
    SessionView,
    WithdrawPrompt,
)

Value = TypeVar("Value", bound=Frozen)

_REFUSED: TypeAdapter[events.PromptRefused | events.DecisionRefused] = TypeAdapter(
    events.PromptRefused | events.DecisionRefused
)

log = structlog.get_logger()


class RunEnd(Frozen):
    """How a run ended."""

    next_run_id: str | None = None
    """The run that goes on at once; none when the session is closed."""


class RunProjection:
    """One run's events, taken in one by one and in order."""

    def __init__(self) -> None:
        self.index = 0
        """Of the run, known from its first event on."""

        self.previous: PreviousRun | None = None
        self.last_event = 0
        self.end: RunEnd | None = None
        self.pending: dict[int, str] = {}
        """Activities that have not ended: the event that scheduled each, and its name."""

        self._running: dict[int, CommandId] = {}
        self._ended: set[CommandId] = set()

    @property
    def commands(self) -> frozenset[CommandId]:
        """The commands that have been started and not ended."""
        return frozenset(self._running.values())

    @property
    def shows_live(self) -> bool:
        """Tell whether the heartbeats of anything that runs are worth a close look."""
        return bool(results.LIVE_ACTIVITIES.intersection(self.pending.values()))

    def take(self, event: HistoryEvent) -> list[SessionEvent]:
        """Take in the next event of the history and return what it shows."""
        self.last_event = event.event_id
        attribute = event.WhichOneof("attributes") or ""
        read = self._readers.get(attribute.removesuffix("_event_attributes"))
        if read is None:
            return []
        try:
            shown = read(self, event)
        except (ValidationError, IndexError) as error:
            # Written by other code than this gateway's: nothing else is lost for it.
            log.warning("event.unreadable", event_id=event.event_id, reason=type(error).__name__)
            return []
        at = event.event_time.ToDatetime(tzinfo=UTC)
        return [
            SessionEvent(cursor=Place(self.index, event.event_id, part).cursor(), at=at, event=each)
            for part, each in enumerate(shown)
        ]

    def _started(self, event: HistoryEvent) -> list[Happened]:
        attributes = event.workflow_execution_started_event_attributes
        start = _value(attributes.input, SessionInput)
        self.index, self.previous = start.run_index, start.previous
        if attributes.continued_execution_run_id:
            return []
        options = start.options
        return [
            events.Opening(
                kind="session.started" if start.previous is None else "session.reopened",
                repository=options.repository,
                branch=options.branch,
                model=options.model,
                title=options.title,
                budget=options.budget,
            )
        ]

    def _signaled(self, event: HistoryEvent) -> list[Happened]:
        attributes = event.workflow_execution_signaled_event_attributes
        match attributes.signal_name:
            case names.PROMPT_SIGNAL:
                prompt = _value(attributes.input, PromptSignal)
                return [
                    events.PromptArrived(
                        prompt_id=prompt.id,
                        mode=prompt.mode,
                        size=prompt.size,
                        excerpt=prompt.excerpt,
                    )
                ]
            case names.INTERRUPT_SIGNAL:
                interrupt = _value(attributes.input, InterruptSignal)
                return [events.StopRequested(kind="interrupt.requested", reason=interrupt.reason)]
            case names.CLOSE_SIGNAL:
                close = _value(attributes.input, CloseSignal)
                return [events.StopRequested(kind="close.requested", reason=close.reason)]
            case names.DECIDE_SIGNAL:
                decision = _value(attributes.input, DecideSignal)
                return [
                    events.DecisionMade(
                        question=decision.question, approved=decision.approved, text=decision.text
                    )
                ]
            case names.CONFIGURE_SIGNAL:
                change = _value(attributes.input, ConfigureSignal)
                return [
                    events.Configured(
                        model=change.model, fallbacks=change.fallbacks, budget=change.budget
                    )
                ]
            case _:
                return []

    def _update_accepted(self, event: HistoryEvent) -> list[Happened]:
        """Show a change of what waits: what cannot be done is refused before it is recorded."""
        asked = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
        match asked.name:
            case names.REVISE_UPDATE:
                revised = _value(asked.args, RevisePrompt)
                return [
                    events.PromptRevised(
                        prompt_id=revised.prompt,
                        replacement=revised.replacement.id,
                        excerpt=revised.replacement.excerpt,
                    )
                ]
            case names.WITHDRAW_UPDATE:
                withdrawn = _value(asked.args, WithdrawPrompt)
                return [events.PromptWithdrawn(prompt_id=withdrawn.prompt)]
            case _:
                return []

    def _memo_changed(self, event: HistoryEvent) -> list[Happened]:
        memo = event.workflow_properties_modified_event_attributes.upserted_memo.fields
        if names.VIEW_MEMO not in memo:
            return []
        view = SessionView.model_validate_json(memo[names.VIEW_MEMO].data)
        shown: list[Happened] = [events.ViewChanged(view=view)]
        if names.REFUSED_MEMO in memo:
            shown.append(_REFUSED.validate_json(memo[names.REFUSED_MEMO].data))
        return shown

    def _scheduled(self, event: HistoryEvent) -> list[Happened]:
        attributes = event.activity_task_scheduled_event_attributes
        name = attributes.activity_type.name
        self.pending[event.event_id] = name
        shown = results.asked(name, _data(attributes.input))
        for each in shown:
            if isinstance(each, events.CommandStarted | events.CheckStarted):
                self._running[event.event_id] = each.command_id
        return shown

    def _completed(self, event: HistoryEvent) -> list[Happened]:
        attributes = event.activity_task_completed_event_attributes
        name = self._end(attributes.scheduled_event_id)
        shown = results.answered(name, _data(attributes.result))
        return [each for each in shown if self._is_first_end(each)]

    def _end(self, scheduled: int) -> str:
        """Take note that an activity has ended, and return its name."""
        self._running.pop(scheduled, None)
        return self.pending.pop(scheduled, "")

    def _is_first_end(self, shown: Happened) -> bool:
        """Tell whether a command has not ended before: a stop can race with its own end."""
        if not isinstance(shown, events.CommandFinished | events.CheckFinished):
            return True
        is_first = shown.command_id not in self._ended
        self._ended.add(shown.command_id)
        # A stop may speak for an activity that never began and so never ends.
        self._running = {
            scheduled: command
            for scheduled, command in self._running.items()
            if command != shown.command_id
        }
        return is_first

    def _failed(self, event: HistoryEvent) -> list[Happened]:
        attributes = event.activity_task_failed_event_attributes
        name = self._end(attributes.scheduled_event_id)
        failure = attributes.failure
        return [
            events.WorkFailed(
                activity=name,
                failure=failure.application_failure_info.type,
                message=failure.message[:2_000],
            )
        ]

    def _timed_out(self, event: HistoryEvent) -> list[Happened]:
        attributes = event.activity_task_timed_out_event_attributes
        name = self._end(attributes.scheduled_event_id)
        return [events.WorkFailed(activity=name, failure="timeout", message="it took too long")]

    def _cancelled(self, event: HistoryEvent) -> list[Happened]:
        attributes = event.activity_task_canceled_event_attributes
        self._end(attributes.scheduled_event_id)
        return []

    def _continued(self, event: HistoryEvent) -> list[Happened]:
        attributes = event.workflow_execution_continued_as_new_event_attributes
        self.end = RunEnd(next_run_id=attributes.new_execution_run_id)
        return []

    def _closed(self, _event: HistoryEvent) -> list[Happened]:
        self._end_all()
        return [events.SessionEnded(kind="session.closed", reason="")]

    def _end_all(self) -> None:
        """Nothing goes on any more, whether its end was recorded or not."""
        self.end = RunEnd()
        self.pending.clear()
        self._running.clear()

    def _broken(self, event: HistoryEvent) -> list[Happened]:
        self._end_all()
        reasons = {
            "workflow_execution_failed_event_attributes": (
                event.workflow_execution_failed_event_attributes.failure.message
            ),
            "workflow_execution_terminated_event_attributes": (
                event.workflow_execution_terminated_event_attributes.reason or "terminated"
            ),
        }
        reason = reasons.get(event.WhichOneof("attributes") or "", "timed out or cancelled")
        return [events.SessionEnded(kind="session.broken", reason=reason[:2_000])]

    _readers: ClassVar[dict[str, Callable[["RunProjection", HistoryEvent], list[Happened]]]] = {
        "workflow_execution_started": _started,
        "workflow_execution_signaled": _signaled,
        "workflow_execution_update_accepted": _update_accepted,
        "workflow_properties_modified": _memo_changed,
        "activity_task_scheduled": _scheduled,
        "activity_task_completed": _completed,
        "activity_task_failed": _failed,
        "activity_task_timed_out": _timed_out,
        "activity_task_canceled": _cancelled,
        "workflow_execution_continued_as_new": _continued,
        "workflow_execution_completed": _closed,
        "workflow_execution_failed": _broken,
        "workflow_execution_terminated": _broken,
        "workflow_execution_timed_out": _broken,
        "workflow_execution_canceled": _broken,
    }


def _value(payloads: Payloads, kind: type[Value]) -> Value:
    return kind.model_validate_json(_data(payloads))


def _data(payloads: Payloads) -> bytes:
    return payloads.payloads[0].data
