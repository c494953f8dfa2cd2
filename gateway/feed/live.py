"""What the heartbeats of a session's running activities show: output, text, trouble.

Nothing here is a truth. The output is in the store before a heartbeat tells of it, and the text of
a model is repeated whole by its result.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import WorkflowExecutionDescription

from gateway.sessions.resources import trouble_of
from workflows.contract.base import CommandId
from workflows.contract.output import Live, LiveOutput, LiveText

_LIVE: TypeAdapter[Live] = TypeAdapter(Live)
_DETAILS = 2
"""A heartbeat that shows something has a header and a window."""


class OutputWindow(NamedTuple):
    """The newest bytes of a command's log, and how much of it is in the store."""

    start: int
    end: int
    data: bytes

    def since(self, offset: int, limit: int) -> bytes | None:
        """Return at most `limit` bytes from an offset on; none when the window begins later."""
        if not self.start <= offset <= self.end:
            return None
        begin = offset - self.start
        return self.data[begin : begin + limit]


class TextWindow(NamedTuple):
    """The newest text of a reply that is being written."""

    turn: int
    step: int
    epoch: int
    start: int
    """Bytes before the window."""

    data: bytes


class Picture(NamedTuple):
    """What one look at a session's running activities showed."""

    outputs: dict[CommandId, OutputWindow]
    text: TextWindow | None
    trouble: str


NOTHING = Picture({}, None, "")


def picture(description: WorkflowExecutionDescription) -> Picture:
    """Read the heartbeats of all running activities."""
    outputs: dict[CommandId, OutputWindow] = {}
    text: TextWindow | None = None
    for header, window in _beats(description.raw_description.pending_activities):
        if isinstance(header, LiveOutput):
            outputs[header.command_id] = OutputWindow(header.start, header.end, window)
        else:
            text = TextWindow(header.turn, header.step, header.epoch, header.start, window)
    return Picture(outputs, text, trouble_of(description))


def later(known: OutputWindow | None, seen: OutputWindow) -> OutputWindow:
    """Return the window that tells of more: an attempt that was given up may still report."""
    return seen if known is None or seen.end >= known.end else known


def _beats(
    activities: Iterable[PendingActivityInfo],
) -> Iterator[tuple[LiveOutput | LiveText, bytes]]:
    for pending in activities:
        details = pending.heartbeat_details.payloads
        if len(details) != _DETAILS:
            continue
        try:
            header = _LIVE.validate_json(details[0].data)
        except ValidationError:
            continue
        yield header, details[1].data
