"""A session followed over real sockets that break."""

import random
from itertools import pairwise

import pytest

from cli.problems import CliProblem
from cli.stream.items import Item, Output, Reconnected, Waiting
from tests.cli.happenings import Story, event, frame, gateway, hello, out, started, whole
from tests.cli.scripted_socket import Conversation, Peer, SocketServer
from tests.cli.sessions import SESSION
from tests.cli.stream.following import PACE, following, stream
from workflows.contract.events import SessionEvent
from workflows.contract.output import Channel
from workflows.contract.problems import ExitCode
from workflows.contract.socket import (
    CaughtUp,
    Events,
    Ping,
    Pong,
    Text,
    Trouble,
)


def output_of(items: list[Item], channel: Channel) -> bytes:
    outputs = [item for item in items if isinstance(item, Output)]
    frames = [each for output in outputs for each in output.frames]
    return b"".join(each.data for each in frames if each.channel is channel)


def random_log(chance: random.Random) -> tuple[bytes, bytes, bytes]:
    """Return a log with what it holds of stdout and of stderr."""
    log = {Channel.STDOUT: b"", Channel.STDERR: b""}
    frames = b""
    for _ in range(chance.randrange(1, 40)):
        channel = chance.choice(list(Channel))
        data = chance.randbytes(chance.randrange(0, 2_000))
        frames += frame(data, channel)
        log[channel] += data
    return frames, log[Channel.STDOUT], log[Channel.STDERR]


@pytest.mark.parametrize("seed", range(25))
def test_a_session_is_whole_over_any_cuts(seed: int):
    """Connections that end after any byte, in any frame of any layer, lose and repeat nothing."""
    chance = random.Random(seed)
    logs = [random_log(chance) for _ in range(4)]
    story: Story = [
        each for number, (log, _, _) in enumerate(logs) for each in whole(f"c{number}", log)
    ]
    cuts = tuple(chance.randrange(1, 30_000) for _ in range(30))
    conversation = gateway(story, lambda: chance.randrange(1, 5_000))
    with SocketServer(conversation, cuts=cuts).serving() as server:
        items = list(stream(server).items())
    assert output_of(items, Channel.STDOUT) == b"".join(out for _, out, _ in logs)
    assert output_of(items, Channel.STDERR) == b"".join(err for _, _, err in logs)
    events = [item for item in items if isinstance(item, SessionEvent)]
    assert len(events) == 2 * len(logs)
    assert all(one.cursor < other.cursor for one, other in pairwise(events))
    assert server.connections > 1


def test_the_token_and_the_protocol_are_offered():
    """A connection names the session, carries the token and speaks this version."""
    seen: list[Peer] = []

    def converse(peer: Peer) -> None:
        peer.accept()
        seen.append(peer)
        peer.subscribed()
        peer.close(1000)

    with following(converse) as session:
        assert list(session.items()) == []
    assert seen[0].authorization == "Bearer secret"
    assert seen[0].path == f"/api/v1/sessions/{SESSION}/ws"


def test_everything_is_passed_on_in_order():
    """Text, trouble and all else come as they were sent; a sign of life is no item."""
    text = Text(turn=1, step=1, epoch=1, start=0, text="Hm")
    trouble = Trouble(text="again")
    sent = [
        hello(),
        Events(items=(event(1, started("c1")),)),
        text,
        trouble,
        Pong(id=""),
    ]

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(*sent, CaughtUp())
        peer.close(1000)

    with following(converse) as session:
        items = list(session.items())
    assert items == [hello(), event(1, started("c1")), text, trouble, CaughtUp()]


@pytest.mark.parametrize(
    ("code", "name", "status"),
    [
        (4400, "answer_not_understood", ExitCode.ERROR),
        (4401, "unauthenticated", ExitCode.NOT_AUTHENTICATED),
        (4404, "session_unknown", ExitCode.NOT_FOUND),
        (4409, "answer_not_understood", ExitCode.ERROR),
    ],
)
def test_a_final_close_is_an_error_with_a_cure(code: int, name: str, status: ExitCode):
    """What another attempt would not mend ends the stream and says what would."""

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.close(code, "because")

    with following(converse) as session, pytest.raises(CliProblem) as caught:
        list(session.items())
    assert (caught.value.code, caught.value.exit_code) == (name, status)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("status", "name"),
    [(401, "unauthenticated"), (404, "session_unknown"), (426, "answer_not_understood")],
)
def test_a_refused_handshake_is_an_error_with_a_cure(status: int, name: str):
    """A gateway that opens no socket for this is not asked again."""
    with (
        following(lambda peer: peer.accept(status)) as session,
        pytest.raises(CliProblem) as caught,
    ):
        list(session.items())
    assert caught.value.code == name


def test_what_is_not_understood_is_an_error():
    """A message of another version ends the stream with the cure, not with a traceback."""

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send_text('{"type":"novelty"}')
        peer.wait_for_end()

    with following(converse) as session, pytest.raises(CliProblem) as caught:
        list(session.items())
    assert caught.value.code == "answer_not_understood"


@pytest.mark.parametrize("code", [1001, 1011, 1012, 1013, 4408])
def test_a_passing_close_is_come_back_from(code: int):
    """A gateway that restarts, fails or is busy is asked again, and the events are counted."""

    def first(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(), Events(items=(event(1, started("c1")),)), CaughtUp())
        peer.close(code)

    def second(peer: Peer) -> None:
        peer.accept()
        assert peer.subscribed().after == event(1, started("c1")).cursor
        peer.send(hello(), Events(items=(event(2, started("c2")),)), CaughtUp())
        peer.close(1000)

    refused: Conversation = lambda peer: peer.accept(503)  # noqa: E731
    with following(first, refused, Peer.cut, second) as session:
        assert list(session.items())[-1] == Reconnected(1)


def test_a_longer_outage_is_told_once():
    """A person who waits learns that, and why; a moment is not worth a line."""
    failed = 0

    def converse(peer: Peer) -> None:
        nonlocal failed
        failed += 1
        if failed < 40:
            peer.cut()
        peer.accept()
        peer.close(1000)

    with SocketServer(converse).serving() as server:
        assert list(stream(server).items()) == [Waiting(server.url)]


def test_a_gateway_that_is_gone_for_good_is_not_waited_for():
    """When the local stack has ended, the first loss is the last."""
    with (
        SocketServer(Peer.cut).serving() as server,
        pytest.raises(CliProblem) as caught,
    ):
        list(stream(server, may_return=False).items())
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert server.connections == 1


def test_a_silent_gateway_is_asked_and_then_left():
    """A connection that carries nothing is tested, and replaced when it still carries nothing."""

    def silent(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        assert isinstance(peer.receive(), Ping)
        peer.wait_for_end()

    def quiet(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        assert isinstance(peer.receive(), Ping)
        peer.send(Pong(id=""))
        assert isinstance(peer.receive(), Ping)
        peer.close(1000)

    with following(silent, quiet, pace=PACE._replace(quiet=0.05)) as session:
        assert list(session.items()) == []


def test_closing_ends_the_iteration():
    """Who has seen enough leaves, whatever the gateway still has to say."""

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(), out("c1", 0, frame(b"x")))
        peer.wait_for_end()

    with following(converse) as session:
        for _ in session.items():
            session.close()
        assert list(session.items()) == []
