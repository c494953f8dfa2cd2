"""Traces by OpenTelemetry over OTLP/HTTP, off unless an endpoint is named.

`OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` switches them on; without,
its SDK is not imported. A collector that is slow or gone costs spans, nothing else.
"""

import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, Literal

from runtime.settings import wants_traces
from workflows.contract import cause

if typing.TYPE_CHECKING:
    from runtime.exporting import Spans

Attributes = Mapping[str, str | int | float | bool | tuple[str, ...]]
Kind = Literal["INTERNAL", "SERVER", "CLIENT", "CONSUMER"]


class _Process:
    """What this process traces with, set once like its logging; none without traces."""

    spans: "ClassVar[Spans | None]" = None


def configure(process: str) -> None:
    """Begin to trace, if that is wanted; `process` ends the service's name."""
    if not wants_traces():
        return
    # Takes 50 ms, which nobody waits for without traces (measured).
    from runtime.exporting import Spans

    _Process.spans = Spans(f"overnight-{process}")


def stop() -> None:
    """Send what waits, for two seconds at most."""
    if _Process.spans is not None:
        _Process.spans.stop()


@contextmanager
def span(
    name: str, attributes: Attributes, *, kind: Kind = "INTERNAL", parent: str = ""
) -> Iterator[None]:
    """Trace a block, and have it work in that span.

    Args:
        name: takes few values.
        attributes: no text of prompts, models or commands.
        kind: as in OpenTelemetry.
        parent: a `traceparent`; none continues the span there is, or begins a trace.
    """
    spans = _Process.spans
    if spans is None:
        yield
        return
    now = cause.current()
    with spans.span(name, kind, parent, {**_ids(now), **attributes}) as traceparent:
        before = cause.CAUSE.set(now._replace(trace=traceparent))
        try:
            yield
        finally:
            cause.CAUSE.reset(before)


def note(attributes: Attributes, *, name: str = "") -> None:
    """Add to the span there is, also the prompt that it is for; or name it anew."""
    if _Process.spans is not None:
        _Process.spans.note({**_ids(cause.current()), **attributes}, name)


def _ids(now: cause.Cause) -> dict[str, str]:
    named = {"overnight.session": now.session, "overnight.prompt": now.prompt}
    return {name: value for name, value in named.items() if value}
