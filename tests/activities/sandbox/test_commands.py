"""Commands by id: once, exact, limited, and independent of who asked."""

import asyncio
import hashlib
import json
import os
import signal
import sys

import pytest

from activities.sandbox.box import BoxRefused, read_exit
from activities.sandbox.inside import wire
from activities.sandbox.lifetime import ensure_running
from activities.sandbox.output import read_frames
from tests.activities.sandbox.conftest import Box
from workflows.contract.sandbox import CommandOutcome


async def test_the_same_id_never_runs_twice(box: Box) -> None:
    """A repeated start runs nothing and says what became of the first."""
    command = box.command("echo once >> count; read -r _ < gate", "one")
    os.mkfifo(box.paths.workspace / "gate")
    states = [(await box.client.start(command)).state for _ in range(3)]
    await _open_gate(box)
    await box.ended("one")
    again = await box.client.start(command)
    assert [*states, again.state] == ["started", "running", "running", "ended"]
    assert again.exit == read_exit(box.paths, "one")
    assert (box.paths.workspace / "count").read_text() == "once\n"


FOLLOWER = """
import os, signal, socket, sys
state = os.open(sys.argv[1], os.O_PATH)
supervisor = socket.socket(socket.AF_UNIX)
supervisor.connect(f"/proc/self/fd/{state}/socket")
file = supervisor.makefile("rwb")
file.write(sys.argv[2].encode() + b"\\n")
file.flush()
file.readline()
file.write(b'{"op": "wait", "id": "kept", "offset": 99999, "wait_s": 60}\\n')
file.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


async def _open_gate(box: Box) -> None:
    gate = await asyncio.to_thread(os.open, box.paths.workspace / "gate", os.O_WRONLY)
    os.write(gate, b"go\n")
    os.close(gate)


async def test_many_starts_at_once_run_once(box: Box) -> None:
    """Of starts of one id that race, one starts it."""
    command = box.command("echo once >> count", "raced")
    found = await asyncio.gather(*(box.client.start(command) for _ in range(20)))
    await box.ended("raced")
    assert [start.state for start in found].count("started") == 1
    assert (box.paths.workspace / "count").read_text() == "once\n"


async def test_any_number_of_clients_is_served(box: Box) -> None:
    """More clients than the socket's queue holds all get their answer."""
    command = box.command("exit 4", "many")
    await box.client.start(command)
    ends = await asyncio.gather(*(box.client.wait("many", 2**60, 30.0) for _ in range(400)))
    assert {end.exit.code for end in ends if end is not None and end.exit is not None} == {4}
    assert None not in ends


@pytest.mark.parametrize("code", [0, 1, 7, 126, 127, 128, 137, 255])
async def test_exit_codes_are_exact(box: Box, code: int) -> None:
    """An exit code arrives as it was given, also one that looks like a signal."""
    end, _ = await box.run(f"exit {code}")
    assert (end.outcome, end.code, end.signal) == (CommandOutcome.EXITED, code, None)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGPIPE", "SIGINT"])
async def test_signals_are_exact(box: Box, name: str) -> None:
    """A command that a signal ends is told from one that exits with 128 + n."""
    end, _ = await box.run(f"kill -{name.removeprefix('SIG')} $$")
    assert (end.outcome, end.code, end.signal) == (CommandOutcome.EXITED, None, name)


async def test_output_is_byte_exact(box: Box) -> None:
    """5 MB of every byte, no valid UTF-8, arrive in order; stderr stays apart."""
    script = (
        "import sys; out = sys.stdout.buffer; err = sys.stderr.buffer\n"
        "for n in range(5000):\n"
        "    out.write(bytes((n + i) % 256 for i in range(1024)))\n"
        "    if n % 500 == 0: out.flush(); err.write(b'\\xff\\xfe%d\\n' % n); err.flush()\n"
    )
    (box.paths.workspace / "noise.py").write_text(script)
    end, _ = await box.run("/usr/bin/python3 noise.py")
    name = next(path.name for path in (box.paths.state / "commands").iterdir())
    expected = b"".join(bytes((n + i) % 256 for i in range(1024)) for n in range(5000))
    errors = b"".join(b"\xff\xfe%d\n" % n for n in range(0, 5000, 500))
    assert hashlib.sha256(box.output(name)).digest() == hashlib.sha256(expected).digest()
    assert box.output(name, wire.STDERR) == errors
    assert (end.bytes.stdout, end.bytes.stderr) == (len(expected), len(errors))


async def test_frames_carry_their_time_and_place(box: Box) -> None:
    """Frames are in order of time, and reading goes on from the end of any of them."""
    _, _ = await box.run("for n in 1 2 3; do echo $n; echo e$n >&2; sleep 0.01; done")
    log = next((box.paths.state / "commands").iterdir()) / "log"
    frames = list(read_frames(log))
    assert [f.time_ns for f in frames] == sorted(f.time_ns for f in frames)
    assert list(read_frames(log, frames[1].end)) == frames[2:]
    assert frames[-1].end == log.stat().st_size


async def test_a_command_gets_exactly_its_environment(box: Box) -> None:
    """Nothing is inherited; stdin is empty, the niceness 10, the shell its own session leader."""
    _, output = await box.run("/usr/bin/env | grep -v -e ^PWD= -e ^SHLVL= -e ^_=; cat; nice; pwd")
    lines = output.decode().splitlines()
    assert lines == ["PATH=/usr/local/bin:/usr/bin:/bin", "10", box.workspace]


async def test_commands_inherit_no_descriptors(box: Box) -> None:
    """A command has stdin, stdout, stderr and nothing of the supervisor's."""
    _, output = await box.run("exec /bin/ls /proc/self/fd")
    assert output.split() == [b"0", b"1", b"2", b"3"]


async def test_a_folder_that_is_not_there_is_said(box: Box) -> None:
    """A command that cannot begin ends with 126 and says why on stderr."""
    command = box.command("true").model_copy(update={"cwd": "nowhere"})
    name = await box.start(command)
    assert (await box.ended(name)).code == 126
    assert b"nowhere" in box.output(name, wire.STDERR)


async def test_the_output_limit_is_exact(box: Box) -> None:
    """Exactly the limit is kept of both streams together, and the command is killed."""
    name = await box.start(box.command("yes; echo done > after", output_limit=100_001))
    end = await box.ended(name)
    assert end.outcome is CommandOutcome.OUTPUT_LIMIT
    assert box.output(name) == (b"y\n" * 50_001)[:100_001]
    assert not (box.paths.workspace / "after").exists()


async def test_output_of_the_limit_s_size_is_no_excess(box: Box) -> None:
    """A command may write as many bytes as it may."""
    name = await box.start(box.command("printf 12345", output_limit=5))
    assert (await box.ended(name)).outcome is CommandOutcome.EXITED


async def test_a_time_limit_may_be_as_long_as_one_likes(box: Box) -> None:
    """A limit of years, even endless, is as good as any."""
    name = await box.start(box.command("sleep 0.05; exit 6", timeout_s=1e12))
    assert (await box.ended(name)).code == 6


RECORD = (
    b'{"outcome": "exited", "code": 3, "signal": null, "bytes": {"stdout": 0, "stderr": 0}, '
    b'"started_ns": 9, "ended_ns": 9}'
)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(RECORD[:-1], id="cut"),
        pytest.param(b"null", id="no object"),
        pytest.param(b"\xff", id="no text"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"outcome": "exited"}', id="too little"),
        pytest.param(RECORD.replace(b": 3", b": []"), id="another kind"),
        pytest.param(RECORD.replace(b": 9", b": 1" + 400 * b"0"), id="a huge number"),
        pytest.param(RECORD.replace(b": 9", b": 1" + 5_000 * b"0"), id="a number beyond reading"),
    ],
)
async def test_a_record_that_cannot_be_read_is_none(box: Box, content: bytes) -> None:
    """The command is lost: what became of it is not known any more."""
    name = await box.start(box.command("exit 3"))
    assert (await box.ended(name)).code == 3
    (box.paths.command(name) / "exit.json").write_bytes(content)
    end = await box.ended(name)
    assert (end.outcome, end.code) == (CommandOutcome.LOST, None)
    assert read_exit(box.paths, name) == end == await box.client.stop(name)


async def test_a_wait_of_an_unknown_id_says_so(box: Box) -> None:
    """Asking for what was never started is no error."""
    assert await box.client.wait("never", 0, 1.0) is None


async def test_a_wait_answers_at_the_first_byte(box: Box) -> None:
    """A wait ends when the log grows, not when the command does."""
    os.mkfifo(box.paths.workspace / "gate")
    name = await box.start(box.command("printf x; read -r _ < gate"))
    progress = await box.client.wait(name, 0, 60.0)
    assert progress is not None
    assert (progress.size, progress.exit) == (wire.FRAME.size + 1, None)
    await _open_gate(box)
    assert (await box.ended(name)).code == 0


async def test_killing_the_client_does_not_touch_the_command(box: Box) -> None:
    """A command outlives a client killed by SIGKILL, runs once, and others can follow it."""
    os.mkfifo(box.paths.workspace / "gate")
    command = box.command("echo begun >> count; echo begun; read -r _ < gate; exit 5", "kept")
    request = json.dumps({"op": "start", **command.model_dump()})
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FOLLOWER, str(box.paths.state), request
    )
    assert await client.wait() == -signal.SIGKILL
    await box.said("kept", b"begun")
    assert (await box.client.start(command)).state == "running"
    assert await ensure_running(box.paths, box.launch) is False
    await _open_gate(box)
    assert (await box.ended("kept")).code == 5
    assert (box.paths.workspace / "count").read_text() == "begun\n"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "x" * 121, "a\n"])
async def test_ids_that_are_no_file_names_are_refused(box: Box, name: str) -> None:
    """An id can never name anything but its own folder."""
    with pytest.raises(BoxRefused, match="is no id"):
        await box.client.start(box.command("true").model_copy(update={"id": name}))


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n",
        b"[]\n",
        b"{}\n",
        b"[" * 100_000 + b"\n",
        b'{"op": "start"}\n',
        b'{"op": "start", "id": "a", "shell": "\\ud800", "env": {"A": 1}}\n',
        b'{"op": "wait", "id": "a", "wait_s": 1e999, "offset": -1}\n',
        b'{"op": "dance"}\n',
        b'{"op": "file", "action": "view", "path": "\\ud800"}\n',
        b'{"op": "file", "action": "view", "path": 7}\n',
        b'{"op": "file", "action": "view", "path": "\\u0000"}\n',
        b"\xff\xfe\n",
    ],
)
async def test_nonsense_is_answered_and_ends_nothing(box: Box, line: bytes) -> None:
    """Whatever a client sends, it gets an answer and the supervisor goes on."""
    state = os.open(box.paths.state, os.O_PATH)
    reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{state}/socket")
    os.close(state)
    writer.write(line)
    assert {"error", "ok"} & json.loads(await reader.readline()).keys()
    writer.close()
    await writer.wait_closed()
    assert (await box.client.ping()).version == wire.VERSION
