"""Structured logs on stderr: JSON, or coloured lines when stderr is a terminal.

Workflows log through `workflow.logger`, which arrives here by the standard library.
"""

import logging
import sys

import structlog

from runtime.settings import wants_colour


def configure(process: str) -> None:
    """Set up logging for this process and bind its name to every line."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if sys.stderr.isatty():
        renderer = structlog.dev.ConsoleRenderer(colors=wants_colour())
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    to_stderr = logging.StreamHandler(sys.stderr)
    to_stderr.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[to_stderr], force=True)
    # Their lines repeat what our own canonical lines say.
    for name in ("httpx", "httpx2", "httpcore", "uvicorn.access", "git"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
