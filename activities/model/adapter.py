"""The port `Model` by litellm: transcript in, journaled answer, another transcript out."""

import asyncio
from contextlib import closing

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import failures, progress
from activities.model import compaction, errors, prompt, replies, tools, wire
from activities.model.journal import Journal
from activities.model.live import LiveReply
from activities.model.purchase import Buyer, Purchase, take_any
from runtime import telemetry
from runtime.settings import Settings
from runtime.store.base import MissingObjectError, Store
from runtime.transcript import Transcripts, keep_arguments, read_instructions
from workflows.contract import metrics
from workflows.contract.base import SessionId, Sha256
from workflows.contract.failures import Failure
from workflows.contract.model import (
    CompactTranscript,
    ModelCall,
    ModelStep,
    PromptText,
    TranscriptCompacted,
    Usage,
    WorkingFacts,
)
from workflows.contract.transcript import (
    FromNode,
    FromPrompt,
    FromWorkflow,
    Message,
    NewMessage,
    ToolMessage,
    TranscriptHead,
    UserMessage,
)
from workflows.ports import Model

TEXT_CHARACTERS = 4_000
CACHED_INSTRUCTIONS = 64

REQUESTS_LIMIT = 3
"""Attempts to sum up, each half as long as the one before that was too long."""

TOO_LONG = "too_long"
"""Journaled as the end of an answer that was none, so that it is not asked for again."""

log = structlog.get_logger()


class LiteLlmModel(Model):
    """Any model that litellm reaches; holds the store and a cache of immutable objects."""

    def __init__(self, settings: Settings, store: Store) -> None:
        """Begin to import litellm in the background."""
        self._buyer = Buyer(settings)
        self._store = store
        self._transcripts = Transcripts(store)
        self._instructions: dict[Sha256, str] = {}

    @activity.defn(name="model.step")
    async def step(self, request: ModelCall) -> ModelStep:
        """Ask for one reply; a repeat returns the journaled answer without a new request.

        Two attempts at once agree on the answer that was kept first. Heartbeats show the text of
        an answer while it comes in.
        """
        async with progress.beating() as beats:
            system, history = await self._read(request.facts, request.head)
            new = await self._resolve_all(request)
            sent = wire.blank([*history, *new], request.blanked)
            asked = wire.request(request.model, system, sent)
            with closing(LiveReply(request, beats)) as live:
                bought = await self._buyer.buy(
                    Journal.of_step(self._store, request, asked),
                    asked,
                    f"{request.turn}_{request.step}",
                    live.add,
                    take_any,
                )
            taken = await self._take(request, new, bought)
        if not bought.is_repeated:
            telemetry.count(metrics.STEPS)
        _log(request, taken, is_repeated=bought.is_repeated)
        return taken

    @activity.defn(name="model.compact")
    async def compact(self, request: CompactTranscript) -> TranscriptCompacted:
        """Have the transcript summed up; a repeat returns the journaled summary.

        What people said stays as it is, each prompt up to 4,000 characters, and so do the last
        ten messages. A request that is too long is made again at half its length, twice at most.
        """
        async with progress.beating():
            system, history = await self._read(request.facts, request.head)
            purchases, characters = await self._sum_up(request, system, history)
            left = compaction.rest(history, purchases[-1].answer.message.text, characters)
            head = await self._transcripts.compact(request.head, left)
        log.info(
            "transcript.compacted",
            turn=request.turn,
            step=request.step,
            model=request.model,
            messages_before=len(history),
            messages=head.messages,
        )
        return TranscriptCompacted(
            session=request.session,
            turn=request.turn,
            step=request.step,
            head=head,
            messages_before=len(history),
            usage=_usage(purchases),
            seconds=round(sum(bought.answer.seconds for bought in purchases), 3),
        )

    async def _read(self, facts: WorkingFacts, head: TranscriptHead) -> tuple[str, list[Message]]:
        try:
            instructions = await self._read_instructions(facts.instructions)
            history = await self._transcripts.load(head)
        except MissingObjectError as error:
            raise _incomplete(error) from error
        return prompt.system_prompt(facts, instructions), history

    async def _read_instructions(self, name: Sha256 | None) -> str:
        if name is None:
            return ""
        if name not in self._instructions:
            if len(self._instructions) >= CACHED_INSTRUCTIONS:
                self._instructions.clear()
            self._instructions[name] = await read_instructions(self._store, name)
        return self._instructions[name]

    async def _resolve_all(self, request: ModelCall) -> list[Message]:
        try:
            return [await self._resolve(request.session, item) for item in request.new]
        except MissingObjectError as error:
            raise _incomplete(error) from error

    async def _resolve(self, session: SessionId, new: NewMessage) -> Message:
        match new:
            case FromPrompt():
                data = await self._store.read_async(f"prompts/{session}/{new.prompt_id}")
                text = PromptText.model_validate_json(data).text
                return UserMessage(text=text, from_person=True)
            case FromNode():
                return await self._transcripts.get(new.sha256)
            case FromWorkflow():
                if new.call_id is None:
                    return UserMessage(text=new.text)
                return ToolMessage(call_id=new.call_id, text=new.text)

    async def _take(self, request: ModelCall, new: list[Message], bought: Purchase) -> ModelStep:
        answer = bought.answer
        reply = replies.read(answer, request.held_commands)
        # Side by side: each object is synced, and none needs another.
        appended = self._transcripts.append(request.head, [*new, answer.message])
        kept = [keep_arguments(self._store, data) for data in reply.arguments]
        head, _ = await asyncio.gather(appended, asyncio.gather(*kept))
        return ModelStep(
            session=request.session,
            turn=request.turn,
            step=request.step,
            head=head,
            text=tools.harmless(answer.message.text)[:TEXT_CHARACTERS],
            calls=reply.calls,
            refused=reply.refused,
            usage=_usage([bought]),
            seconds=answer.seconds,
            context_limit=await self._buyer.context_limit(request.model),
        )

    async def _sum_up(
        self, request: CompactTranscript, system: str, history: list[Message]
    ) -> tuple[list[Purchase], int]:
        characters = compaction.budget(await self._buyer.context_limit(request.model))
        purchases: list[Purchase] = []
        for _ in range(REQUESTS_LIMIT):
            asked = compaction.request(request.model, system, history, characters)
            purchases.append(await self._buy_summary(request, asked))
            if purchases[-1].answer.finish != TOO_LONG:
                return purchases, characters
            characters = min(characters, len(asked.canonical())) // 2
        message = f"model {request.model!r} cannot even read what it should sum up"
        raise errors.make(Failure.MODEL_COMPACT, message)

    async def _buy_summary(self, request: CompactTranscript, asked: wire.Request) -> Purchase:
        journal = Journal.of_summary(self._store, request, asked)
        step = f"{request.turn}_{request.step}c"
        try:
            return await self._buyer.buy(journal, asked, step, _ignore, _demand_text)
        except ApplicationError as error:
            if error.type != Failure.MODEL_COMPACT:
                raise
            answer = await journal.keep(wire.nothing(TOO_LONG))
            return Purchase(answer, await journal.begun(), is_repeated=False)


def _incomplete(error: MissingObjectError) -> ApplicationError:
    message = f"the transcript is incomplete: {error}; restore the store's folder"
    return failures.permanent(Failure.MODEL_FATAL, message)


def _ignore(_text: str) -> None:
    """Show nothing of a summary: it is no reply to anybody."""


def _demand_text(answer: wire.Answer) -> None:
    if not answer.message.text.strip():
        message = "the model called a tool instead of summing up; it is asked again"
        raise errors.make(Failure.MODEL_RETRY, message)


def _usage(purchases: list[Purchase]) -> Usage:
    used = Usage()
    for bought in purchases:
        used = used.plus(
            Usage(
                requests=bought.requests,
                input_tokens=bought.answer.input_tokens,
                output_tokens=bought.answer.output_tokens,
                cost_usd=bought.answer.cost_usd,
            )
        )
    return used


def _log(request: ModelCall, step: ModelStep, *, is_repeated: bool) -> None:
    log.info(
        "model.answered",
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
