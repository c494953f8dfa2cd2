"""Events and output as a gateway would send them, and a gateway that sends them honestly."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count

from tests.cli.scripted_socket import Peer
from tests.cli.sessions import resource
from workflows.contract import events
from workflows.contract.api import SessionResource
from workflows.contract.base import CommandId
from workflows.contract.events import Cursor, Happened, SessionEvent
from workflows.contract.output import FRAME_HEADER, Channel
from workflows.contract.sandbox import CommandOutcome
from workflows.contract.session import SessionView
from workflows.contract.socket import (
    CaughtUp,
    Events,
    Hello,
    OutputEnded,
    OutputMessage,
    Subscribe,
)

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def event(number: int, happened: Happened) -> SessionEvent:
    return SessionEvent(cursor=Cursor(f"0000.{number:08d}.00"), at=AT, event=happened)


def hello(head: int | None = None, **view: object) -> Hello:
    session = SessionResource.model_validate(resource(**view))  # type: ignore[arg-type]
    cursor = None if head is None else Cursor(f"0000.{head:08d}.00")
    return Hello(session=session, head=cursor)


def seen(found: Mapping[str, object]) -> Happened:
    """Return the event that a session's view became that of a resource."""
    return events.ViewChanged(view=SessionView.model_validate(found["view"]))


def started(command: str, shell: str = "make") -> Happened:
    return events.CommandStarted(turn=1, step=1, command_id=CommandId(command), shell=shell)


def finished(command: str, log: bytes, exit_code: int = 0) -> Happened:
    return events.CommandFinished(
        turn=1,
        step=1,
        command_id=CommandId(command),
        outcome=CommandOutcome.EXITED,
        exit_code=exit_code,
        seconds=1.5,
        stdout_bytes=0,
        stderr_bytes=0,
        output_end=len(log),
    )


def frame(data: bytes, channel: Channel = Channel.STDOUT, time_ns: int = 7) -> bytes:
    """Return one frame of a log."""
    return FRAME_HEADER.pack(channel, time_ns, len(data)) + data


def out(command: str, offset: int, data: bytes) -> OutputMessage:
    return OutputMessage(CommandId(command), offset, data)


def whole(command: str, log: bytes) -> list[Happened | tuple[str, bytes]]:
    """Return a command as a story tells it: its start, its log, its end."""
    return [started(command), (command, log), finished(command, log)]


Story = list[Happened | tuple[str, bytes]]


def gateway(
    story: Story,
    chunk: Callable[[], int] = lambda: 1_000,
    *,
    then: Callable[[Peer], None] | None = None,
) -> Callable[[Peer], None]:
    """Return a conversation that sends what a client has not got yet, as the gateway does."""

    def converse(peer: Peer) -> None:
        peer.accept()
        wanted = peer.subscribed()
        numbers = count(1)
        told = [each if isinstance(each, tuple) else event(next(numbers), each) for each in story]
        newest = [each.cursor for each in told if isinstance(each, SessionEvent)][-1]
        peer.send(hello().model_copy(update={"head": newest}))
        _tell(peer, wanted, told, chunk)
        peer.send(CaughtUp())
        if then is None:
            peer.close(1000)
        else:
            then(peer)

    return converse


def _tell(
    peer: Peer,
    wanted: Subscribe,
    told: list[SessionEvent | tuple[str, bytes]],
    chunk: Callable[[], int],
) -> None:
    after = wanted.after or ""
    for index, each in enumerate(told):
        if isinstance(each, SessionEvent):
            if each.cursor > after:
                peer.send(Events(items=(each,)))
            continue
        following = told[index + 1]
        assert isinstance(following, SessionEvent)
        if following.cursor > after and _wants(wanted, each[0]):
            _send_log(peer, wanted, each, chunk)


def _send_log(
    peer: Peer, wanted: Subscribe, log: tuple[str, bytes], chunk: Callable[[], int]
) -> None:
    command, data = CommandId(log[0]), log[1]
    offset = wanted.output.at.get(command, 0)
    while offset < len(data):
        size = chunk()
        peer.send(OutputMessage(command, offset, data[offset : offset + size]))
        offset += size
    peer.send(OutputEnded(command_id=command, end=len(data)))


def _wants(wanted: Subscribe, command: str) -> bool:
    choice = wanted.output
    return choice.mode != "none" and (choice.commands is None or command in choice.commands)
