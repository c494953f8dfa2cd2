"""Spans by the OpenTelemetry SDK; imported by `runtime/tracing.py` once they are wanted."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

QUEUE_SPANS = 2_048
"""Spans that wait to be sent; what comes on top is dropped."""

SEND_EVERY_MILLISECONDS = 1_000
SEND_SECONDS = 5
"""A collector that takes longer is given up for this batch."""

LEAVE_SECONDS = 2.0
"""So long a process that stops waits for its last spans to be taken."""


class Spans:
    """What a process traces with: a queue of bounded length, emptied by a thread of its own."""

    def __init__(self, service: str) -> None:
        self._propagator = TraceContextTextMapPropagator()
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": service}), shutdown_on_exit=False
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                OTLPSpanExporter(timeout=SEND_SECONDS),
                max_queue_size=QUEUE_SPANS,
                schedule_delay_millis=SEND_EVERY_MILLISECONDS,
            )
        )
        self._tracer = self._provider.get_tracer("overnight")

    @contextmanager
    def span(self, name: str, kind: str, parent: str, attributes: Attributes) -> Iterator[str]:
        """Trace a block; yields the span's `traceparent`."""
        context = self._propagator.extract({"traceparent": parent}) if parent else None
        with self._tracer.start_as_current_span(
            name,
            context,
            SpanKind[kind],
            attributes,
            # Either would send the exception's text, which may repeat a prompt or a command.
            record_exception=False,
            set_status_on_exception=False,
        ) as begun:
            try:
                yield _traceparent(begun)
            except BaseException as error:
                begun.set_status(StatusCode.ERROR)
                begun.set_attribute("error.type", _type_of(error))
                raise

    def note(self, attributes: Attributes, name: str) -> None:
        """Add to the span there is; name it anew unless the name is empty."""
        span = get_current_span()
        span.set_attributes(dict(attributes or {}))
        if name:
            span.update_name(name)

    def stop(self) -> None:
        """Send what waits, within `LEAVE_SECONDS`."""
        # On a thread that nobody has to wait for: a collector may hang.
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(LEAVE_SECONDS)


def _type_of(error: BaseException) -> str:
    """Return the code of a failed activity, and the class of any other error."""
    code = getattr(error, "type", None)
    return code if isinstance(code, str) else type(error).__name__


def _traceparent(begun: Span) -> str:
    at = begun.get_span_context()
    return f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}"
