"""The port `Model` by litellm: transcript in, journaled answer, longer transcript out."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import closing

import structlog
from temporalio import activity

from activities import failures, progress
from activities.model import tools, wire
from activities.model.journal import Journal
from activities.model.live import LiveReply
from activities.model.prompt import system_prompt
from runtime.settings import Settings
from runtime.store.base import MissingObjectError, Store, sha256
from runtime.transcript import Transcripts, keep_arguments
from workflows.contract.base import SessionId, Sha256
from workflows.contract.failures import Failure
from workflows.contract.model import ModelCall, ModelStep, PromptText, Usage
from workflows.contract.tools import Arguments, canonical
from workflows.contract.transcript import (
    FromNode,
    FromPrompt,
    FromWorkflow,
    Message,
    NewMessage,
    RefusedCall,
    RequestedCall,
    ToolCall,
    ToolMessage,
    ToolName,
    UserMessage,
)
from workflows.ports import Model

CALLS_LIMIT = 16
"""Calls of one reply that are carried out, and as many that are refused by name."""

TEXT_CHARACTERS = 4_000
CUT = "the reply was cut at the model's output limit, so this call may be incomplete; make it again"
TOO_MANY = f"only the first {CALLS_LIMIT} calls of a reply are carried out; make this one again"

log = structlog.get_logger()

Ask = Callable[[wire.Request, str, Settings, Callable[[str], None]], Awaitable[wire.Answer]]


class LiteLlmModel(Model):
    """Any model that litellm reaches; holds nothing but the store."""

    def __init__(self, settings: Settings, store: Store) -> None:
        """Begin to import litellm; a worker polls before the seconds that takes are over."""
        threading.Thread(target=_import_ask, name="import-litellm", daemon=True).start()
        self._settings = settings
        self._store = store
        self._transcripts = Transcripts(store)

    @activity.defn(name="model.step")
    async def step(self, request: ModelCall) -> ModelStep:
        """Ask for one reply; a repeat returns the journaled answer without a new request.

        Two attempts at once agree on the answer that was kept first. Heartbeats show the text of
        an answer while it comes in.
        """
        async with progress.beating() as beats:
            try:
                new = [await self._resolve(request.session, item) for item in request.new]
                history = [*await self._transcripts.load(request.head), *new]
            except MissingObjectError as error:
                message = f"the transcript is incomplete: {error}; restore the store's folder"
                raise failures.permanent(Failure.MODEL_FATAL, message) from error
            asked = wire.request(request.model, system_prompt(request.facts), history)
            journal = Journal(self._store, request, asked)
            answer = await journal.find()
            is_repeated = answer is not None
            if answer is None:
                await journal.begin()
                step = f"{request.turn}_{request.step}"
                ask = await asyncio.to_thread(_import_ask)
                with closing(LiveReply(request, beats)) as live:
                    said = await ask(asked, step, self._settings, live.add)
                answer = await journal.keep(said)
            taken = await self._take(request, new, answer, await journal.begun())
        _log(request, taken, is_repeated=is_repeated)
        return taken

    async def _resolve(self, session: SessionId, new: NewMessage) -> Message:
        match new:
            case FromPrompt():
                data = await self._store.read_async(f"prompts/{session}/{new.prompt_id}")
                return UserMessage(text=PromptText.model_validate_json(data).text)
            case FromNode():
                return await self._transcripts.get(new.sha256)
            case FromWorkflow():
                if new.call_id is None:
                    return UserMessage(text=new.text)
                return ToolMessage(call_id=new.call_id, text=new.text)

    async def _take(
        self, request: ModelCall, new: list[Message], answer: wire.Answer, requests: int
    ) -> ModelStep:
        calls: list[ToolCall] = []
        refused: list[RefusedCall] = []
        kept: list[Awaitable[Sha256]] = []
        for call in answer.message.calls:
            arguments = _obstacle(answer.finish, len(calls)) or tools.parse(call)
            if isinstance(arguments, str):
                refused.append(_refused(call, arguments))
            else:
                data = canonical(arguments)
                calls.append(_accepted(call, arguments, sha256(data)))
                kept.append(keep_arguments(self._store, data))
        # Side by side: each object is synced, and none needs another.
        appended = self._transcripts.append(request.head, [*new, answer.message])
        head, _ = await asyncio.gather(appended, asyncio.gather(*kept))
        return ModelStep(
            session=request.session,
            turn=request.turn,
            step=request.step,
            head=head,
            text=tools.harmless(answer.message.text)[:TEXT_CHARACTERS],
            calls=tuple(calls),
            # What is not even named here is answered as interrupted by the next request.
            refused=tuple(refused[:CALLS_LIMIT]),
            usage=Usage(
                requests=requests,
                input_tokens=answer.input_tokens,
                output_tokens=answer.output_tokens,
                cost_usd=answer.cost_usd,
            ),
            seconds=answer.seconds,
        )


def _refused(call: RequestedCall, reason: str) -> RefusedCall:
    return RefusedCall(id=call.id, name=tools.harmless(call.name[:100]), reason=reason)


def _accepted(call: RequestedCall, arguments: Arguments, source: Sha256) -> ToolCall:
    return ToolCall(
        id=call.id, name=ToolName(call.name), summary=tools.summarise(arguments), source=source
    )


def _import_ask() -> Ask:
    from activities.model.chat import ask

    return ask


def _obstacle(finish: str, taken: int) -> str | None:
    if finish == "length":
        return CUT
    return TOO_MANY if taken >= CALLS_LIMIT else None


def _log(request: ModelCall, step: ModelStep, *, is_repeated: bool) -> None:
    log.info(
        "model.answered",
        session_id=request.session,
        turn=request.turn,
        step=request.step,
        model=request.model,
        repeated=is_repeated,
        calls=len(step.calls),
        refused=len(step.refused),
        requests=step.usage.requests,
        input_tokens=step.usage.input_tokens,
        output_tokens=step.usage.output_tokens,
        cost_usd=step.usage.cost_usd,
        seconds=step.seconds,
    )
