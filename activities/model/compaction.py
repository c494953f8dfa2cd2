"""Sums up a transcript that has become too long: what is asked, and what is kept; no IO.

What is kept begins with the words of people, which no summary may change, and ends with the
newest exchanges, so that the model goes on in the middle of what it was doing.
"""

import json

from activities.model import wire
from workflows.contract.transcript import (
    AssistantMessage,
    Message,
    RequestedCall,
    ToolMessage,
    UserMessage,
)

KEPT_MESSAGES = 10
KEPT_CHARACTERS = 60_000
"""Of the newest messages, and of what people said; less when the model reads little."""

PROMPT_CHARACTERS = 4_000
"""Of each prompt, in the transcript that is left."""

SUMMARY_CHARACTERS = 24_000
ARGUMENT_CHARACTERS = 500
"""Of each text in the arguments of an old call, in what is to be summed up."""

CHARACTERS_PER_TOKEN = 3
"""Fewer than prose has: what is too long is refused, what is too short is only summed up less."""

UNKNOWN_LIMIT_TOKENS = 128_000

INSTRUCTION = (
    "[From Overnight: the transcript has become too long. Everything above, but for the last few"
    " messages and what people said, will be replaced by what you write now. Call no tool. Write"
    " a hand-over to yourself, in at most 1,500 words:\n"
    "1. The task, with every requirement and every answer that the person gave.\n"
    "2. What you found out about the repository: how it is built and tested, which places matter.\n"
    "3. Decisions made, and why; what was tried and did not work.\n"
    "4. Each file you touched, and what was done to it.\n"
    "5. The state of the checks, with the latest findings quoted literally.\n"
    "6. What is left to do, and the very next thing you meant to do.\n"
    "State only what is above; say so where you do not know.]"
)
SUMMARY = (
    "[From Overnight: the transcript had become too long and was summed up. Your own notes on what"
    " went before stand below; they are no instructions from the person. Look again at whatever"
    " you are about to change.]\n\n{}"
)
DROPPED = "[{:,} earlier messages are left out here: they did not fit]"
PROMPTS_DROPPED = "[{:,} prompts between the first and these are left out: they did not fit]"


def budget(limit_tokens: int) -> int:
    """Return how many characters of a model's context a request to sum up may take."""
    return (limit_tokens or UNKNOWN_LIMIT_TOKENS) * CHARACTERS_PER_TOKEN * 3 // 4


def request(model: str, system: str, history: list[Message], characters: int) -> wire.Request:
    """Build the request for a summary, of about so many characters unless people said more.

    Old results are left out of it, then the oldest exchanges, never what people said.
    """
    share = _share(characters)
    start = _kept_from(history, share)
    old = [_brief(message) for message in wire.blank(history[:start], start)]
    kept = _shortened(history[start:], share)
    # Nothing is known yet of what an open call led to, and it is kept anyway.
    kept = kept[: _answered(kept)]
    fixed = len(system) + len(INSTRUCTION) + _size(kept)
    old = _newest(old, characters - fixed)
    return wire.request(model, system, [*old, *kept, UserMessage(text=INSTRUCTION)])


def rest(history: list[Message], summary: str, characters: int) -> list[Message]:
    """Return the transcript that is left: prompts, the summary, the newest exchanges.

    Args:
        history: all messages; those that begin at an assistant's are kept up to the last ten.
        summary: what the model wrote.
        characters: how many the whole may have; a quarter each is for its three parts.
    """
    share = _share(characters)
    start = _kept_from(history, share)
    prompts = [item for item in history[:start] if isinstance(item, UserMessage)]
    said = _prompts([item for item in prompts if item.from_person], share)
    text = SUMMARY.format(wire.elide(summary, min(SUMMARY_CHARACTERS, share)))
    return [*said, UserMessage(text=text), *_shortened(history[start:], share)]


def _share(characters: int) -> int:
    return min(KEPT_CHARACTERS, characters // 4)


def _kept_from(history: list[Message], characters: int) -> int:
    starts = [at for at, item in enumerate(history) if isinstance(item, AssistantMessage)]
    if not starts:
        return len(history)
    # The last one always: the answers to its calls may only come with the next step.
    chosen = starts[-1]
    for start in reversed(starts):
        kept = history[start:]
        if len(kept) > KEPT_MESSAGES or _size(kept) > characters:
            break
        chosen = start
    return chosen


def _shortened(kept: list[Message], characters: int) -> list[Message]:
    if _size(kept) <= characters:
        return kept
    share = characters // len(kept)
    return [
        item
        if isinstance(item, AssistantMessage)
        else item.model_copy(update={"text": wire.elide(item.text, share)})
        for item in kept
    ]


def _answered(kept: list[Message]) -> int:
    """Return where the last exchange begins if its answers are still to come, else the end."""
    starts = [at for at, item in enumerate(kept) if isinstance(item, AssistantMessage)]
    last = kept[starts[-1]] if starts else None
    if not isinstance(last, AssistantMessage):
        return len(kept)
    said = {item.call_id for item in kept[starts[-1] :] if isinstance(item, ToolMessage)}
    return len(kept) if said.issuperset(call.id for call in last.calls) else starts[-1]


def _newest(old: list[Message], characters: int) -> list[Message]:
    """Drop the oldest exchanges until the rest fits; a call goes with its answers."""
    sizes = [_size([item]) for item in old]
    starts = [at for at, item in enumerate(old) if isinstance(item, AssistantMessage)]
    first = start = starts[0] if starts else len(old)
    left = sum(sizes)
    people: list[Message] = []
    for following in [*starts[1:], len(old)]:
        if left <= characters:
            break
        spoken = [at for at in range(start, following) if _is_from_person(old[at])]
        left -= sum(sizes[start:following]) - sum(sizes[at] for at in spoken)
        people += [old[at] for at in spoken]
        start = following
    dropped = start - first - len(people)
    note = [UserMessage(text=DROPPED.format(dropped))] if dropped else []
    return [*old[:first], *people, *note, *old[start:]]


def _brief(message: Message) -> Message:
    match message:
        case AssistantMessage():
            calls = tuple(_brief_call(call) for call in message.calls)
            return message.model_copy(update={"calls": calls})
        case _:
            return message


def _brief_call(call: RequestedCall) -> RequestedCall:
    try:
        arguments = json.loads(call.arguments)
    except (ValueError, RecursionError):
        return call.model_copy(update={"arguments": call.arguments[:ARGUMENT_CHARACTERS]})
    if not isinstance(arguments, dict):
        return call
    brief = {
        key: wire.elide(value, ARGUMENT_CHARACTERS) if isinstance(value, str) else value
        for key, value in arguments.items()
    }
    return call.model_copy(update={"arguments": json.dumps(brief)})


def _prompts(said: list[UserMessage], characters: int) -> list[Message]:
    """Shorten what people said; of very many prompts the first and the newest are left."""
    short = [
        item.model_copy(update={"text": wire.elide(item.text, PROMPT_CHARACTERS)}) for item in said
    ]
    left = _size([*short])
    dropped = 0
    for item in short[1:]:
        if left <= characters:
            break
        left -= _size([item])
        dropped += 1
    note = [UserMessage(text=PROMPTS_DROPPED.format(dropped))] if dropped else []
    return [*short[:1], *note, *short[1 + dropped :]]


def _is_from_person(message: Message) -> bool:
    return isinstance(message, UserMessage) and message.from_person


def _size(messages: list[Message]) -> int:
    return sum(len(message.model_dump_json()) for message in messages)
