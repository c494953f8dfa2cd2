"""Marks what is done to take a prompt, and counts and logs what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from gateway.problems import ProblemError
from runtime import telemetry
from workflows.contract import cause, metrics

log = structlog.get_logger()


@contextmanager
def taking(session: str, prompt: str) -> Iterator[None]:
    """Take a prompt in this block; what the request still does afterwards is for it too."""
    cause.work_for(session, prompt)
    try:
        yield
    except ProblemError as problem:
        telemetry.count(metrics.PROMPTS, outcome=problem.code)
        log.info("prompt.refused", code=problem.code.value)
        raise
    telemetry.count(metrics.PROMPTS, outcome="accepted")
    log.info("prompt.accepted")
