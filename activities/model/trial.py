"""Tries one model as a session would use it: `python -m activities.model.trial MODEL`.

A process of its own, for programs that may not import litellm; needs the model worker's
environment. Prints a `ModelTrial` as one line of JSON. At most two requests are sent: one that
asks for a call of a tool, and one that brings the tool's result.
"""

import asyncio
import re
import sys
import time

from temporalio.exceptions import ApplicationError

from activities.model import chat, errors, listening, replies, wire
from activities.model.errors import Trouble
from runtime.settings import Settings, adopt_model_keys
from workflows.contract.health import ModelTrial, Row, Status
from workflows.contract.transcript import Message, ToolMessage, ToolName, UserMessage

SILENCE_SECONDS = 30.0
"""A session waits longer; whoever looks on wants to know sooner."""

REQUEST_SECONDS = 60.0

SYSTEM = "You are tried out. Do exactly what you are asked, with the tools you have."
TASK = (
    "Call the tool bash with the command `cat trial.txt`. When you have its output, call the tool"
    " finish and give exactly that output as the summary."
)
OUTPUT = "lantern-4917"
"""Stands in the tool's result alone, so that only a model that read it can say it."""

_CURES = {
    Trouble.QUOTA: "raise the account's quota with the provider",
    Trouble.RATE_LIMIT: "try again later, or raise the limit with the provider",
    Trouble.UNKNOWN_MODEL: "check the model's name (such as anthropic/…) and "
    "OVERNIGHT_MODEL_BASE_URL",
    Trouble.UNREACHABLE: "check the network, a proxy (HTTPS_PROXY) and OVERNIGHT_MODEL_BASE_URL",
    Trouble.TIMEOUT: "check that the endpoint is up and OVERNIGHT_MODEL_BASE_URL leads there",
    Trouble.PROVIDER: "try again later; sessions do so by themselves",
    Trouble.BROKEN: "check OVERNIGHT_MODEL_BASE_URL, and that the endpoint streams",
    Trouble.TOO_LONG: "choose a model that takes more tokens",
    Trouble.DECLINED: "choose another model",
    Trouble.REDIRECTED: "set OVERNIGHT_MODEL_BASE_URL to the endpoint itself, where the key may go",
    Trouble.REFUSED: "see the provider's words; choose another model, or correct its settings",
}
_NO_TOOLS = "choose a model, or start its server so, that it calls tools"


class _Watch:
    """Counts the chunks of an answer and times the first."""

    def __init__(self) -> None:
        self.chunks = 0
        self.first_seconds = 0.0
        self._began = time.monotonic()

    def hear(self, _text: str) -> None:
        if not self.chunks:
            self.first_seconds = self.seconds
        self.chunks += 1

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began


async def attempt(model: str, settings: Settings) -> ModelTrial:
    """Try a model; whatever is wrong with it is a row."""
    rows = [*await _converse(model, _hurried(settings)), _price(model), _context(model, settings)]
    return ModelTrial(model=model, rows=tuple(rows))


def _hurried(settings: Settings) -> Settings:
    limits = {
        "model_stall_seconds": min(settings.model_stall_seconds, SILENCE_SECONDS),
        "model_cap_seconds": min(settings.model_cap_seconds, REQUEST_SECONDS),
    }
    return settings.model_copy(update=limits)


async def _converse(model: str, settings: Settings) -> list[Row]:
    history: list[Message] = [UserMessage(text=TASK, from_person=True)]
    watch = _Watch()
    try:
        answer = await chat.ask(wire.request(model, SYSTEM, history), "1_1", settings, watch.hear)
    except ApplicationError as error:
        return _failed(error, model)
    heard = listening.last()
    rows = [Row.ok("reached", heard.host), _streaming(watch, heard), _usage(answer, heard)]
    called = _call(answer)
    rows.append(called)
    if called.status is Status.FAIL:
        return rows
    result = ToolMessage(call_id=answer.message.calls[0].id, text=OUTPUT)
    again = wire.request(model, SYSTEM, [*history, answer.message, result])
    return [*rows, await _understood(again, settings)]


async def _understood(request: wire.Request, settings: Settings) -> Row:
    try:
        answer = await chat.ask(request, "1_2", settings, _Watch().hear)
    except ApplicationError as error:
        trouble, finding = _trouble(error, request.model)
        return Row.fail("tool result", finding, _cure(trouble, request.model))
    said = " ".join([answer.message.text, *(call.arguments for call in answer.message.calls)])
    if OUTPUT in said:
        return Row.ok("tool result", "the model read what the tool printed")
    return Row.fail(
        "tool result",
        "the model did not repeat what the tool printed",
        "choose a model that follows instructions with tools",
    )


def _failed(error: ApplicationError, model: str) -> list[Row]:
    trouble, finding = _trouble(error, model)
    heard = listening.last()
    cure = _cure(trouble, model)
    if heard.status is None:
        where = f"{heard.host}: " if heard.host else ""
        return [Row.fail("reached", where + finding, cure)]
    return [Row.ok("reached", heard.host), Row.fail("answer", finding, cure)]


def _trouble(error: ApplicationError, model: str) -> tuple[Trouble, str]:
    """Name what is wrong, and say it in the provider's words where there are any."""
    heard = listening.last()
    fault = heard.fault or heard.correct(errors.fault_of(error))
    if not heard.host and heard.fault is None:
        return _refused(model, error.message)
    trouble = errors.trouble_of(fault)
    # Litellm makes up a status where nothing was sent.
    status = f" (status {fault.status})" if heard.host and fault.status else ""
    said = error.message if trouble is Trouble.BROKEN else errors.words_of(fault, heard.sent)
    return trouble, f"{trouble}{status}: {said}"


def _refused(model: str, reason: str) -> tuple[Trouble, str]:
    """Say why we ourselves sent nothing: a name that cannot be one, or a key that is missing."""
    if re.fullmatch(r"[!-~]+", model) is None:
        return Trouble.UNKNOWN_MODEL, f"{Trouble.UNKNOWN_MODEL}: {reason}"
    return Trouble.AUTH, f"{Trouble.AUTH}: nothing was sent, since the provider's key is missing"


def _cure(trouble: Trouble, model: str) -> str:
    if trouble is Trouble.AUTH:
        keys = " or ".join(chat.key_names(model))
        return f"set a valid {keys} in the environment of `overnight up`"
    return _CURES[trouble]


def _streaming(watch: _Watch, heard: listening.Heard) -> Row:
    times = f"the first after {watch.first_seconds:.2f} s, all after {watch.seconds:.2f} s"
    finding = f"{watch.chunks} chunks, {times}"
    if heard.content_type not in listening.EVENT_TYPES or watch.chunks <= 1:
        cure = "nothing is lost, but what it writes is shown only when it is whole"
        return Row.warn("streaming", finding, cure)
    return Row.ok("streaming", finding)


def _usage(answer: wire.Answer, heard: listening.Heard) -> Row:
    tokens = f"{answer.input_tokens:,} tokens in, {answer.output_tokens:,} out"
    if heard.has_usage:
        return Row.ok("usage", f"reported by the provider: {tokens}")
    finding = f"not reported; estimated: {tokens}"
    return Row.warn("usage", finding, "budgets of tokens and cost count estimates")


def _call(answer: wire.Answer) -> Row:
    reply = replies.read(answer)
    if reply.refused:
        refused = reply.refused[0]
        return Row.fail("tool call", f"{refused.name!r}: {refused.reason}", _NO_TOOLS)
    if not reply.calls:
        return Row.fail(
            "tool call", "the model answered in words instead of calling bash", _NO_TOOLS
        )
    call = reply.calls[0]
    if call.name is not ToolName.BASH:
        return Row.fail("tool call", f"the model called {call.name} instead of bash", _NO_TOOLS)
    return Row.ok("tool call", f"bash: {call.summary}")


def _price(model: str) -> Row:
    price = chat.price(model)
    if price is None:
        finding = "LiteLLM knows none, so costs are not counted"
        return Row.warn("price", finding, "limit sessions by --tokens instead of --cost")
    return Row.ok("price", f"${price[0]:,.2f} in, ${price[1]:,.2f} out, per million tokens")


def _context(model: str, settings: Settings) -> Row:
    limit = chat.context_limit(model, settings)
    if not limit:
        finding = "LiteLLM knows no limit: a transcript is shortened only once it was refused"
        return Row.warn(
            "context", finding, "set OVERNIGHT_MODEL_CONTEXT_TOKENS to what the model takes"
        )
    return Row.ok("context", f"{limit:,} tokens")


def main() -> int:
    """Try the model named on the command line."""
    if len(sys.argv) != 2:  # noqa: PLR2004  # the program and its argument
        sys.stderr.write("usage: python -m activities.model.trial MODEL\n")
        return 2
    settings = Settings()
    adopt_model_keys(settings)
    found = asyncio.run(attempt(sys.argv[1], settings))
    sys.stdout.write(f"{found.model_dump_json()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
