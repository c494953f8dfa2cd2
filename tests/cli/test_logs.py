"""The output of commands, as programs take it."""

import os
import random
import signal
import subprocess
import sys

import pytest

from tests.cli.happenings import frame, gateway, seen, started, whole
from tests.cli.running import ROOT, overnight, started_overnight
from tests.cli.scripted_gateway import Script
from tests.cli.scripted_socket import Peer
from tests.cli.sessions import resource
from tests.cli.terminal import sitting
from tests.patience import PATIENCE_SECONDS
from workflows.contract.output import FRAME_LIMIT_BYTES, Channel

CHANCE = random.Random(1)
ONE = CHANCE.randbytes(FRAME_LIMIT_BYTES)
TWO = CHANCE.randbytes(1_000)
ERR = b"\x1b[31mno\xff\n"
STORY = [
    *whole("c1", frame(ONE) + frame(ERR, Channel.STDERR)),
    *whole("c2", frame(TWO)),
]


def printed(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Run `overnight logs` into pipes."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "logs", "s-01", *arguments],
        env={**environment, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "stdout", "stderr"),
    [
        ((), ONE + TWO, ERR),
        (("-f",), ONE + TWO, ERR),
        (("--stderr",), ERR, b""),
        (("--command", "c2"), TWO, b""),
        (("--command", "c1", "--stderr"), ERR, b""),
    ],
)
def test_output_is_exact_in_a_pipe(
    script: Script,
    remote: dict[str, str],
    arguments: tuple[str, ...],
    stdout: bytes,
    stderr: bytes,
):
    """What commands printed comes out byte by byte, with nothing added."""
    script.live(gateway(STORY, lambda: 999))
    done = printed(remote, *arguments)
    assert (done.returncode, done.stderr) == (0, stderr)
    assert done.stdout == stdout


@pytest.mark.parametrize("arguments", [["logs", "s-01"], ["logs", "s-01", "-f"], ["ps", "-a"]])
def test_a_reader_that_has_left_ends_it_silently(
    script: Script, remote: dict[str, str], arguments: list[str]
):
    """As in `overnight logs … | head -1`: nobody is told of it by a traceback."""
    script.live(gateway([*whole("c1", frame(ONE)), *whole("c2", frame(TWO))], lambda: 999))
    reader, writer = os.pipe()
    os.close(reader)
    running = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments],
        env={**remote, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=writer,
        stderr=subprocess.PIPE,
    )
    os.close(writer)
    _, said = running.communicate(timeout=PATIENCE_SECONDS)
    assert (running.returncode, said) == (1, b"")


@pytest.mark.parametrize(("arguments", "follow"), [((), False), (("-f",), True)])
def test_only_who_follows_waits_for_more(
    script: Script, remote: dict[str, str], arguments: tuple[str, ...], *, follow: bool
):
    """The gateway is asked for all there is, or for all there will be."""
    asked: list[bool] = []

    def converse(peer: Peer) -> None:
        peer.accept()
        asked.append(peer.subscribed().follow)
        peer.close(1000)

    script.live(converse)
    assert printed(remote, *arguments).returncode == 0
    assert asked == [follow]


def test_a_lost_connection_does_not_show(script: Script, remote: dict[str, str]):
    """The output is exact over a gateway that restarts; only stderr could tell."""

    def restart(peer: Peer) -> None:
        peer.close(1012)

    script.live(gateway(STORY[:2] + STORY[2:3], then=restart), gateway(STORY))
    done = printed(remote)
    assert (done.returncode, done.stdout) == (0, ONE + TWO)


def test_an_unknown_command_is_an_error(script: Script, remote: dict[str, str]):
    """A mistyped name is no empty output; a command that prints nothing is."""
    script.live(gateway([started("c1")]))
    done = overnight("logs", "s-01", "--command", "c7", environment=remote)
    assert (done.returncode, done.stdout) == (3, "")
    assert "'c7'" in done.stderr
    assert overnight("logs", "s-01", "--command", "c1", environment=remote).returncode == 0


def test_output_is_inert_on_a_terminal(script: Script, remote: dict[str, str]):
    """What would drive a terminal is left out there, on stdout and on stderr."""
    log = frame(b"a\x1b]0;t\x07\xc3") + frame(b"\xa4\n") + frame(ERR, Channel.STDERR)
    script.live(gateway([*whole("c1", log)]))
    with sitting() as terminal:
        running = subprocess.run(
            [sys.executable, "-m", "cli.main", "logs", "s-01"],
            env={**remote, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            stdout=terminal.end,
            stderr=terminal.end,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    assert running.returncode == 0
    assert terminal.shown.decode() == "aä\r\nno\N{REPLACEMENT CHARACTER}\r\n"


def test_a_reader_that_leaves_is_no_error(script: Script, remote: dict[str, str]):
    """`overnight logs | head` says nothing about the pipe."""
    story = [each for number in range(50) for each in whole(f"c{number}", frame(ONE))]
    script.live(gateway(story, lambda: 100_000))
    running = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "logs", "s-01"],
        env={**remote, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None
    assert running.stdout.read(100) == ONE[:100]
    running.stdout.close()
    assert running.stderr is not None
    with running.stderr as stderr:
        assert stderr.read() == b""
    running.wait(PATIENCE_SECONDS)


def test_ctrl_c_ends_following(script: Script, remote: dict[str, str]):
    """Ctrl-C ends with status 130, after all that had come, without a word."""

    def interrupt(peer: Peer) -> None:
        assert running.stdout is not None
        assert running.stdout.read(1) == "x"
        os.kill(running.pid, signal.SIGINT)
        peer.wait_for_end()

    story = [*whole("c1", frame(b"x")), seen(resource())]
    script.live(gateway(story, then=interrupt))
    running = started_overnight("logs", "s-01", "-f", environment=remote)
    assert running.wait(PATIENCE_SECONDS) == 130
    _, said = running.communicate(timeout=PATIENCE_SECONDS)
    assert said == ""
