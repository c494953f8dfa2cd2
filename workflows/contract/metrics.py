"""Every metric of ours: what it counts, in which unit, by which labels.

Labels take few values: never a session, a repository, a path or anything a model said. The list
in `docs/observability.md` is made from this table (`make docs`).
"""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """How values of a metric are put together."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


class Metric(NamedTuple):
    """One metric, made by the Temporal SDK's runtime."""

    name: str
    unit: str
    meaning: str
    labels: tuple[str, ...] = ()
    kind: Kind = Kind.COUNTER

    @property
    def exported(self) -> str:
        """The name that Prometheus sees."""
        return f"{self.name}_total" if self.kind is Kind.COUNTER else self.name


SESSIONS_STARTED = Metric("overnight_sessions_started", "sessions", "Sessions begun")
SESSIONS_ENDED = Metric(
    "overnight_sessions_ended",
    "sessions",
    "Sessions closed, by how their last turn ended; `none` without one",
    ("outcome",),
)
TURNS = Metric(
    "overnight_turns",
    "turns",
    "Turns ended, by stop reason and, when finished, the verdict on their work",
    ("outcome", "verdict"),
)
JUDGEMENTS = Metric("overnight_judgements", "judgements", "Verdicts on work", ("verdict",))
PROMPTS_REFUSED = Metric(
    "overnight_prompts_refused", "prompts", "Prompts refused by a session whose queue is full"
)
STEPS = Metric("overnight_steps", "steps", "Replies of models taken into a session")
MODEL_REQUESTS = Metric(
    "overnight_model_requests",
    "requests",
    "Requests to models: `ok`, or why there was no answer",
    ("model", "outcome"),
)
MODEL_SECONDS = Metric(
    "overnight_model_seconds",
    "seconds",
    "Time of a request to a model, also of one that failed",
    ("model",),
    Kind.HISTOGRAM,
)
INPUT_TOKENS = Metric("overnight_input_tokens", "tokens", "Tokens sent to models", ("model",))
OUTPUT_TOKENS = Metric("overnight_output_tokens", "tokens", "Tokens of replies", ("model",))
COST = Metric(
    "overnight_cost_microdollars",
    "millionths of a dollar",
    "Price of the answers, where it is known",
    ("model",),
)
COMMANDS = Metric(
    "overnight_commands", "commands", "Commands of models and checks, by end", ("outcome",)
)
COMMAND_SECONDS = Metric(
    "overnight_command_seconds",
    "seconds",
    "Time that a command ran",
    ("outcome",),
    Kind.HISTOGRAM,
)
OUTPUT_BYTES = Metric("overnight_output_bytes", "bytes", "Output of commands put into the store")
CHECKS = Metric(
    "overnight_checks",
    "runs",
    "Runs of checks by the kind of their report: `passed`, `failed` or `unrunnable`",
    ("reader", "outcome"),
)
PULL_REQUESTS = Metric(
    "overnight_pull_requests", "proposals", "Proposals pushed: `ready` or `draft`", ("kind",)
)
PROMPTS = Metric(
    "overnight_prompts",
    "prompts",
    "Prompts that reached the gateway: `accepted`, or the code of the refusal",
    ("outcome",),
)
REQUESTS = Metric(
    "overnight_requests",
    "requests",
    "HTTP requests served",
    ("route", "method", "status"),
)
REQUEST_SECONDS = Metric(
    "overnight_request_seconds",
    "seconds",
    "Time until an answer was sent whole; streams of events are long",
    ("route", "method"),
    Kind.HISTOGRAM,
)
SOCKETS = Metric("overnight_sockets", "sockets", "Open websockets", kind=Kind.GAUGE)

ALL = (
    SESSIONS_STARTED,
    SESSIONS_ENDED,
    TURNS,
    JUDGEMENTS,
    PROMPTS_REFUSED,
    STEPS,
    MODEL_REQUESTS,
    MODEL_SECONDS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    COST,
    COMMANDS,
    COMMAND_SECONDS,
    OUTPUT_BYTES,
    CHECKS,
    PULL_REQUESTS,
    PROMPTS,
    REQUESTS,
    REQUEST_SECONDS,
    SOCKETS,
)
