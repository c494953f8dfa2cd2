"""A model's answer as what is to be carried out: calls taken, calls refused."""

from typing import NamedTuple

from activities.model import tools, wire
from activities.model.held import is_held
from runtime.store.base import sha256
from workflows.contract.tools import Arguments, BashArguments, canonical
from workflows.contract.transcript import RefusedCall, RequestedCall, ToolCall, ToolName

CALLS_LIMIT = 16
"""Calls of one reply that are carried out, and as many that are refused by name."""

CUT = "the reply was cut at the model's output limit, so this call may be incomplete; make it again"
TOO_MANY = f"only the first {CALLS_LIMIT} calls of a reply are carried out; make this one again"


class Reply(NamedTuple):
    """The calls of one answer."""

    calls: tuple[ToolCall, ...]
    refused: tuple[RefusedCall, ...]
    """What is not even named here is answered as interrupted by the next request."""

    arguments: tuple[bytes, ...]
    """What `ToolCall.source` names, to be kept before the calls are told."""


def read(answer: wire.Answer, held_commands: tuple[str, ...] = ()) -> Reply:
    """Tell which calls of an answer can be carried out; one that cannot hinders no other.

    Commands that fit a pattern of `held_commands` are marked: a person approves them first.
    """
    calls: list[ToolCall] = []
    refused: list[RefusedCall] = []
    kept: list[bytes] = []
    for call in answer.message.calls:
        arguments = _obstacle(answer.finish, len(calls)) or tools.parse(call)
        if isinstance(arguments, str):
            refused.append(_refused(call, arguments))
        else:
            kept.append(canonical(arguments))
            calls.append(_accepted(call, arguments, kept[-1], held_commands))
    return Reply(tuple(calls), tuple(refused[:CALLS_LIMIT]), tuple(kept))


def _obstacle(finish: str, taken: int) -> str | None:
    if finish == "length":
        return CUT
    return TOO_MANY if taken >= CALLS_LIMIT else None


def _refused(call: RequestedCall, reason: str) -> RefusedCall:
    return RefusedCall(id=call.id, name=tools.harmless(call.name[:100]), reason=reason)


def _accepted(
    call: RequestedCall, arguments: Arguments, data: bytes, held_commands: tuple[str, ...]
) -> ToolCall:
    command = arguments.command if isinstance(arguments, BashArguments) else ""
    return ToolCall(
        id=call.id,
        name=ToolName(call.name),
        summary=tools.summarise(arguments),
        options=tools.options(arguments),
        held=is_held(command, held_commands),
        source=sha256(data),
    )
