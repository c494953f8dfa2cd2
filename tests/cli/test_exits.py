"""How commands end that cannot do what they were asked for, or are not waited for."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import ROOT, clean_environment, overnight, started_overnight, wait_until
from tests.patience import PATIENCE_SECONDS
from workflows.contract.explanations.table import TABLE
from workflows.contract.problems import Code


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, str]:
    """Return an environment with an empty data folder and no gateway."""
    return clean_environment(tmp_path / "home")


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Return a gateway that takes requests and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_SECONDS)
        yield server


def bytes_in(pipe: int) -> int:
    """Return how many bytes nobody has read yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_an_error_says_what_why_and_what_to_do(alone: dict[str, str]):
    """In three lines on stderr, the first with the code that `overnight explain` knows."""
    done = overnight("ps", environment=alone)
    first, why, cure = done.stderr.splitlines()
    assert first.startswith("error[gateway_unreachable]: no stack runs in ")
    assert why == f"  why: {TABLE[Code.GATEWAY_UNREACHABLE].cause}"
    assert cure.startswith("  try: ")
    assert "overnight up" in cure
    assert done.returncode == 5


@pytest.mark.parametrize(
    "arguments",
    [["ps", "-o", "json"], ["show", "s-01", "--output=json"], ["attach", "s-01", "-o", "json"]],
)
def test_an_error_for_programs_is_one_json_object(alone: dict[str, str], arguments: list[str]):
    """With `-o json` it is on stderr, with code and exit status; stdout stays empty."""
    done = overnight(*arguments, environment=alone)
    told = json.loads(done.stderr)
    assert (told["code"], told["exit_code"]) == ("gateway_unreachable", done.returncode)
    assert "overnight up" in told["hint"]
    assert {"title", "detail", "cause"} <= set(told)
    assert done.stdout == ""


@pytest.mark.parametrize("written", ["model_wait", "MODEL_WAIT", "model-wait"])
def test_a_code_is_explained(alone: dict[str, str], written: str):
    """Title, cause and cure of a session's failure, however the code is written."""
    done = overnight("explain", written, environment=alone)
    assert done.returncode == 0, done.stderr
    row = TABLE[Code.MODEL_WAIT]
    for said in (row.title, row.cause, row.cure, "exit status 10"):
        assert said in done.stdout


def test_a_code_that_is_none_finds_those_written_alike(alone: dict[str, str]):
    """A typing error is no dead end."""
    done = overnight("explain", "sesion_unknown", environment=alone)
    assert (done.returncode, done.stdout) == (3, "")
    assert "session_unknown" in done.stderr


def test_a_code_that_is_like_none_is_guessed_at_no_further(alone: dict[str, str]):
    """A guess that is far off would only mislead."""
    done = overnight("explain", "nope", environment=alone)
    assert "did you mean" not in done.stderr
    assert "overnight explain" in done.stderr


def test_all_codes_are_listed(alone: dict[str, str]):
    """Without a code, every code of the table in a line of its own."""
    done = overnight("explain", "-o", "id", environment=alone)
    assert done.stdout.split() == list(TABLE)


def test_ctrl_c_during_a_request_exits_as_documented(alone: dict[str, str], silent: socket.socket):
    """With 130 and not a word of Python, also where no session is followed."""
    port = silent.getsockname()[1]
    remote = {**alone, "OVERNIGHT_URL": f"http://127.0.0.1:{port}", "OVERNIGHT_TOKEN": "secret"}
    running = started_overnight("ps", environment=remote)
    connection, _ = silent.accept()
    with connection:
        assert connection.recv(1)
        os.kill(running.pid, signal.SIGINT)
        said, wrong = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 130
    assert (said, wrong) == ("", "")


def test_ctrl_c_while_stdin_is_read_exits_as_documented(alone: dict[str, str]):
    """A prompt that was to come from a pipe is given up."""
    reader, writer = os.pipe()
    os.write(writer, b"Fix ")
    running = started_overnight("run", "-", environment=alone, stdin=reader)
    wait_until(lambda: bytes_in(reader) == 0)
    os.kill(running.pid, signal.SIGINT)
    said, wrong = running.communicate(timeout=PATIENCE_SECONDS)
    os.close(writer)
    os.close(reader)
    assert running.returncode == 130
    assert (said, wrong) == ("", "")


@pytest.mark.parametrize("arguments", [["explain"], ["explain", "-o", "json"], ["--help"]])
def test_a_reader_that_has_left_ends_it_silently(alone: dict[str, str], arguments: list[str]):
    """As in `overnight … | head -1`: no traceback and no complaint of the interpreter."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        env={**alone, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode == 1
