"""Structured logs on stderr: JSON, or coloured lines when stderr is a terminal.

Workflows log through `workflow.logger`, which arrives here by the standard library.
"""

import logging
import os
import sys
import traceback
from collections.abc import Iterator

import structlog

from runtime.settings import wants_colour
from workflows.contract import cause

WORKFLOW_FIELDS = ("failure", "turn", "outcome")
"""What workflows' lines say besides; all else that comes with them would be repeated."""


def configure(process: str) -> None:
    """Set up logging for this process, whose name is in every line.

    A line also names the prompt and session that it was written for, and their trace if any.
    """

    def name_process(
        _logger: structlog.typing.WrappedLogger, _method: str, line: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        # Not by a context variable: threads that others start, such as workflows', have none.
        line["process"] = process
        return line

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        name_process,
        _name_cause,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _outline_error,
    ]
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if sys.stderr.isatty():
        renderer = structlog.dev.ConsoleRenderer(colors=wants_colour())
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(WORKFLOW_FIELDS), *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    to_stderr = logging.StreamHandler(sys.stderr)
    to_stderr.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[to_stderr], force=True)
    # Their lines repeat what our own canonical lines say.
    for name in ("httpx", "httpx2", "httpcore", "uvicorn.access", "git", "opentelemetry"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _name_cause(
    _logger: structlog.typing.WrappedLogger, _method: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Name the prompt that a line was written for, its session and its trace."""
    now = cause.current()
    for name, value in (
        ("session", now.session),
        ("prompt", now.prompt),
        ("trace_id", now.trace_id),
    ):
        if value:
            line.setdefault(name, value)
    return line


def _outline_error(
    _logger: structlog.typing.WrappedLogger, _method: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Say of an error its class or code and where it was raised, but not its text.

    The text may quote a provider, a prompt or a command, whoever raised it: what a model worker
    could not read as well as what the Temporal SDK logs of an activity that failed.
    """
    given = line.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        line["exception"] = "\n".join(_outline(error))
    return line


def _outline(error: BaseException) -> Iterator[str]:
    """Name each error of the chain with the frames that it passed, the newest error first."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield _name_of(found)
        for frame in traceback.extract_tb(found.__traceback__):
            yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _name_of(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    code = getattr(error, "type", None)
    if isinstance(code, str):
        return f"{name}: {code}"
    number = getattr(error, "errno", None)
    return f"{name}: {os.strerror(number)}" if isinstance(number, int) else name
