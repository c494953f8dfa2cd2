"""A person, or a program, at a live session."""

import json
import os
import signal
from base64 import b64decode

import pytest

from tests.cli.happenings import event, frame, gateway, hello, out, seen, started, whole
from tests.cli.running import (
    attached,
    overnight,
    seated,
    started_overnight,
    wait_until,
)
from tests.cli.scripted_gateway import Reply, Script
from tests.cli.scripted_socket import Peer
from tests.cli.sessions import SESSION, ended, resource
from tests.cli.terminal import Terminal, rows
from tests.patience import PATIENCE_SECONDS
from workflows.contract import events
from workflows.contract.api import Problem
from workflows.contract.base import PromptId
from workflows.contract.model import Usage
from workflows.contract.output import Channel
from workflows.contract.session import PromptMode
from workflows.contract.socket import (
    Ack,
    CaughtUp,
    Events,
    Interrupt,
    Nack,
    SendPrompt,
    Text,
    Trouble,
)

CLOSED = {**ended("finished")["view"], "phase": "closed"}
LOG = frame(b"one\x1b[31m\n") + frame("zwei ä".encode()[:-1], Channel.STDERR)
LATER = Problem(title="Not now", status=503, detail="no Temporal", code="temporal_unavailable")
REFUSAL = Problem(title="No", status=409, detail="it is closed", code="x", hint="reopen it")


def taken(step: int, text: str) -> events.StepTaken:
    return events.StepTaken(
        turn=1, step=step, text=text, calls=(), refused=(), usage=Usage(), seconds=1
    )


def test_a_session_is_shown_live_up_to_its_close(script: Script, remote: dict[str, str]):
    """Events, output beneath its command, the reply once; the exit code is the last turn's."""

    def converse(peer: Peer) -> None:
        peer.accept()
        assert peer.subscribed().recent == 50
        peer.send(hello(), Events(items=(event(1, started("c1", "make")),)), out("c1", 0, LOG))
        peer.send(Events(items=(event(2, events.SandboxClosed()),)), CaughtUp())
        peer.send(Text(turn=1, step=2, epoch=1, start=0, text="I sée "))
        peer.send(Text(turn=1, step=2, epoch=1, start=3, text="ée no"))
        peer.send(Trouble(text="it is tried again"))
        peer.send(Text(turn=1, step=2, epoch=1, start=99, text="late"))
        peer.send(Text(turn=1, step=2, epoch=2, start=0, text="Do"))
        done = hello(**CLOSED).session.view
        closed = events.SessionEnded(kind="session.closed", reason="")
        changed = events.ViewChanged(view=done)
        refused = events.PromptRefused(prompt_id=PromptId("p-9"), reason="full", excerpt="Do it")
        last = (
            event(3, taken(2, "Done\x07.")),
            event(4, refused),
            event(5, changed),
            event(6, closed),
        )
        peer.send(Events(items=last))
        peer.close(1000)

    script.live(converse)
    done = overnight("attach", "s-01", environment=remote)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "03:04:05  $ make  [c1]",
        "│ one",
        "│! zwei ",
        "03:04:05  sandbox closed",
        "  I sée no",
        "it is tried again",
        "  …late",
        "  Done.",
        "03:04:05  step 2: replied in 1.0s",
        "03:04:05  prompt not taken: full",
        "          Do it",
        "turn 1 has ended: finished",
        "  what was done",
        "03:04:05  session closed",
    ]
    assert "overnight reopen" in done.stderr


def test_a_program_gets_everything_as_json(script: Script, remote: dict[str, str]):
    """One object per line; output keeps its offsets, channels and every byte."""
    script.live(gateway([*whole("c1", LOG), seen(ended("failed", proposed=False))]))
    done = overnight("attach", "s-01", "-o", "json", environment=remote)
    assert done.returncode == 10
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.get("type") or line["event"]["kind"] for line in lines] == [
        *("hello", "command.started", "output", "output", "output.ended"),
        *("command.finished", "view.changed", "caught_up"),
    ]
    outputs = [line for line in lines if line.get("type") == "output"]
    assert [line["channel"] for line in outputs] == ["stdout", "stderr"]
    assert [line["offset"] for line in outputs] == [0, len(frame(b"one\x1b[31m\n"))]
    assert b64decode(outputs[1]["data_base64"]) == "zwei ä".encode()[:-1]


def test_what_is_typed_goes_to_the_session(
    script: Script, remote: dict[str, str], terminal: Terminal
):
    """Each line is a prompt in its mode; Ctrl-D leaves with the way back."""
    heard: list[tuple[str, PromptMode]] = []

    def hear(peer: Peer, line: str) -> None:
        terminal.type(line)
        message = peer.receive()
        assert isinstance(message, SendPrompt)
        heard.append((message.prompt.text, message.prompt.mode))
        peer.send(Ack(id=message.id))

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(), CaughtUp())
        hear(peer, "Look at ä\n")
        hear(peer, "/steer left\n")
        terminal.type("\x04")
        peer.wait_for_end()

    script.live(converse)
    with attached(terminal, remote) as running:
        assert running.wait(PATIENCE_SECONDS) == 0
    assert heard == [("Look at ä", PromptMode.QUEUE), ("left", PromptMode.STEER)]
    shown = terminal.shown.decode()
    assert "goes on" in shown
    assert f"overnight attach {SESSION}" in shown
    assert "not known to have arrived" not in shown


def test_typing_and_a_reply_that_is_written_stay_apart(
    script: Script, remote: dict[str, str], terminal: Terminal
):
    """A person can read both; the terminal is as it was when the person has left."""

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(), CaughtUp(), Text(turn=1, step=1, epoch=1, start=0, text="I will "))
        wait_until(lambda: b"I will" in terminal.shown)
        assert not terminal.echoes
        terminal.type("look")
        wait_until(lambda: rows(terminal.shown.decode())[-1] == "> look")
        peer.send(Text(turn=1, step=1, epoch=1, start=7, text="read.\nThen"))
        wait_until(lambda: rows(terminal.shown.decode())[-2] == "  read.")
        terminal.type(" again\n")
        peer.receive()
        wait_until(lambda: rows(terminal.shown.decode())[-1] == "  Then")
        terminal.type("\x04")
        peer.wait_for_end()

    script.live(converse)
    with attached(terminal, remote) as running:
        assert running.wait(PATIENCE_SECONDS) == 0
    assert rows(terminal.shown.decode())[:4] == ["  I will", "  read.", "> look again", "  Then"]
    assert terminal.echoes


def test_a_session_is_stopped_and_closed_by_typing(
    script: Script, remote: dict[str, str], terminal: Terminal
):
    """Commands reach the session; a mistyped or a refused one is told."""

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(), CaughtUp())
        terminal.type("/hlep\n/stop\n")
        message = peer.receive()
        assert isinstance(message, Interrupt)
        peer.send(Nack(id=message.id, problem=REFUSAL))
        wait_until(lambda: b"reopen it" in terminal.shown)
        terminal.type("/close\n")
        wait_until(lambda: script.asked[-1].path.endswith("/close"))
        changed = events.ViewChanged(view=hello(**CLOSED).session.view)
        peer.send(Events(items=(event(1, changed),)))
        peer.close(1000)

    script.on(f"POST /sessions/{SESSION}/close", Reply(202, resource()))
    script.live(converse)
    with attached(terminal, remote) as running:
        assert running.wait(PATIENCE_SECONDS) == 0
    assert "'/hlep' is no command" in terminal.shown.decode()


def test_hostile_output_does_not_reach_the_terminal(
    script: Script, remote: dict[str, str], terminal: Terminal
):
    """Of what a command prints, no control character but line ends arrives; the rest is there."""
    log = frame(b"\x1b]52;c;aGk=\x07be") + frame(b"fore\x1b[2") + frame(b"Jafter\x9b\r50%\r\n")
    script.live(gateway([*whole("c1", log), seen(resource(**CLOSED))]))
    with attached(terminal, remote) as running:
        assert running.wait(PATIENCE_SECONDS) == 0
    # The colours of our own marks are no part of the output.
    shown = terminal.shown.decode()
    assert "52;c" not in shown
    assert "[2J" not in shown
    assert "before" in shown
    assert "50%" in shown


def test_a_prompt_for_a_gateway_that_is_away_is_not_lost_in_silence(
    script: Script, remote: dict[str, str], terminal: Terminal
):
    """Who leaves before the gateway confirmed a prompt is told which one."""

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(), CaughtUp())
        terminal.type("Look again\n")
        peer.receive()
        terminal.type("\x04")
        peer.wait_for_end()

    script.live(converse)
    with attached(terminal, remote) as running:
        assert running.wait(PATIENCE_SECONDS) == 0
    assert b"not known to have arrived: Look again" in terminal.shown


@pytest.mark.parametrize("arguments", [(), ("-o", "json")])
def test_a_prompt_that_cannot_be_taken_is_told_once_and_kept(
    script: Script, remote: dict[str, str], terminal: Terminal, arguments: tuple[str, ...]
):
    """It is no error while it is sent again; when the session ends first, that is told too."""

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(**CLOSED), CaughtUp())
        terminal.type("Look again\n")
        for _ in range(2):
            message = peer.receive()
            assert isinstance(message, SendPrompt)
            peer.send(Nack(id=message.id, problem=LATER))
        peer.close(1000)

    script.live(converse)
    with seated(terminal, "attach", "s-01", *arguments, environment=remote) as running:
        assert running.wait(PATIENCE_SECONDS) == 0
    shown = terminal.shown.decode()
    assert shown.count("not taken yet: Look again") == 1
    assert shown.count("not known to have arrived: Look again") == 1
    assert "error" not in shown


def test_no_colour_is_shown_where_none_is_wanted(
    script: Script, remote: dict[str, str], terminal: Terminal
):
    """With NO_COLOR a terminal gets no escape sequence, whatever is shown or typed."""

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(**CLOSED), CaughtUp(), Events(items=(event(1, started("c1", "make")),)))
        peer.send(out("c1", 0, LOG), Trouble(text="again"))
        terminal.type("/hlep\n/stop\n")
        message = peer.receive()
        assert isinstance(message, Interrupt)
        peer.send(Nack(id=message.id, problem=REFUSAL))
        peer.close(1000)

    script.live(converse)
    with attached(terminal, {**remote, "NO_COLOR": "1"}) as running:
        assert running.wait(PATIENCE_SECONDS) == 0
    assert b"is no command" in terminal.shown
    assert b"reopen it" in terminal.shown
    assert b"\x1b" not in terminal.shown


@pytest.mark.parametrize("arguments", [(), ("-o", "json")])
def test_ctrl_c_leaves_a_session_that_goes_on(
    script: Script, remote: dict[str, str], arguments: tuple[str, ...]
):
    """Status 130 and the way back; nothing is asked of the session."""

    def interrupt(peer: Peer) -> None:
        os.kill(running.pid, signal.SIGINT)
        peer.wait_for_end()

    script.live(gateway([seen(resource())], then=interrupt))
    running = started_overnight("attach", "s-01", *arguments, environment=remote)
    _, said = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 130
    assert f"overnight attach {SESSION}" in said
    assert "Traceback" not in said


def test_a_broken_session_is_told(script: Script, remote: dict[str, str]):
    """A session that ended against its will is a failure."""
    broken = events.SessionEnded(kind="session.broken", reason="terminated")
    script.live(gateway([broken]))
    done = overnight("attach", "s-01", environment=remote)
    assert done.returncode == 10
    assert "session broke: terminated" in done.stdout
