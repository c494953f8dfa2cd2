"""Which prompt the running code works for: for logs, traces and metrics, never for decisions.

A context variable, so that it follows tasks and threads by itself. The gateway sets it for a
request, the workflow for a turn, a worker for an activity (`runtime/causes.py`).
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import NamedTuple


class Cause(NamedTuple):
    """Why something is done; empty where nobody knows."""

    session: str = ""
    prompt: str = ""
    """The prompt's id, as its client made it."""

    trace: str = ""
    """A `traceparent` of W3C Trace Context; empty without traces."""

    @property
    def trace_id(self) -> str:
        """The 32 hexadecimal digits of the trace."""
        return self.trace[3:35]


CAUSE: ContextVar[Cause] = ContextVar("overnight_cause")

TRACES: ContextVar[Mapping[str, str] | None] = ContextVar("overnight_traces", default=None)
"""In a workflow: the traces of the prompts that came with one, by the prompts' ids."""


def current() -> Cause:
    """Return what the running code works for."""
    return CAUSE.get(Cause())


def work_for(session: str, prompt: str = "") -> None:
    """Work for a prompt from now on: a workflow in the prompt's own trace, others as before."""
    known = TRACES.get()
    trace = current().trace if known is None else known.get(prompt, "")
    CAUSE.set(Cause(session, prompt, trace))
