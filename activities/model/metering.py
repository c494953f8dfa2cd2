"""Counts, times and traces one request to a provider."""

import time
from collections.abc import Awaitable, Callable

from temporalio.exceptions import ApplicationError

from activities.model.wire import Answer
from runtime import telemetry, tracing
from runtime.telemetry import FewNames
from workflows.contract import metrics

MICRODOLLARS = 1_000_000

FINISHES = frozenset({"stop", "length", "tool_calls", "function_call", "content_filter"})
"""What a span says of an end; a provider can say anything."""


class Meter:
    """The numbers of one model worker."""

    def __init__(self) -> None:
        self._names = FewNames()

    async def ask(self, model: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask, and count what came of it; nothing of what was asked or said is looked at."""
        started = time.monotonic()
        name, outcome = self._names.label(model), "interrupted"
        asked = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": model.partition("/")[0],
            "gen_ai.request.model": model,
        }
        with tracing.span(f"chat {model}", asked, kind="CLIENT"):
            try:
                answer = await ask()
                outcome = "ok"
            except ApplicationError as error:
                outcome = error.type or "failed"
                raise
            finally:
                telemetry.count(metrics.MODEL_REQUESTS, model=name, outcome=outcome)
                telemetry.measure(metrics.MODEL_SECONDS, time.monotonic() - started, model=name)
            _note(name, answer)
        return answer


def _note(name: str, answer: Answer) -> None:
    telemetry.count(metrics.INPUT_TOKENS, answer.input_tokens, model=name)
    telemetry.count(metrics.OUTPUT_TOKENS, answer.output_tokens, model=name)
    telemetry.count(metrics.COST, round((answer.cost_usd or 0) * MICRODOLLARS), model=name)
    tracing.note(
        {
            "gen_ai.usage.input_tokens": answer.input_tokens,
            "gen_ai.usage.output_tokens": answer.output_tokens,
            "gen_ai.response.finish_reasons": (
                answer.finish if answer.finish in FINISHES else "other",
            ),
        }
    )
