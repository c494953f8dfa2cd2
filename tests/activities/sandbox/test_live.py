"""Live output: the store has every byte before anybody hears of it, whoever dies meanwhile."""

import asyncio
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.sandbox.output import read_frames
from runtime.store.folder import FolderStore
from tests.activities.sandbox.conftest import Box
from tests.activities.sandbox.following import SESSION, FailingStore, Follower, Gate, HeldStore
from tests.patience import PATIENCE_SECONDS
from workflows.contract.base import CommandId
from workflows.contract.failures import Failure
from workflows.contract.output import FRAME_HEADER, FRAME_LIMIT_BYTES, Channel, stream_key
from workflows.contract.sandbox import CommandOutcome


@pytest.fixture
def follower(box: Box, tmp_path: Path) -> Follower:
    return Follower(box, FolderStore(tmp_path / "store"))


@pytest.fixture
def gate(box: Box) -> Iterator[Gate]:
    gate = Gate(box)
    yield gate
    gate.close()


NOISE = [
    b"\xff\xfe\x80 no UTF-8 \xc3(",
    b"\0" * 300,
    b"no newline",
    b"10 %\r20 %\r100 %\n",
    b"\x1b[31mred\x1b[0m\x1b]0;title\x07\n",
    b"x" * 2**20 + b"\n",
    b"",
]


@pytest.mark.parametrize("noise", NOISE, ids=range(len(NOISE)))
async def test_output_is_kept_byte_for_byte(follower: Follower, noise: bytes) -> None:
    """Whatever bytes they are; the stream is the log, and the result tells its length."""
    (follower.box.paths.workspace / "noise").write_bytes(noise)
    ended = await follower.follow(follower.box.command("cat noise; cat noise >&2", "c"))
    kept = follower.kept("c")
    digests = {hashlib.sha256(output).digest() for output in kept.values()}
    assert digests == {hashlib.sha256(noise).digest()}
    assert follower.stream("c") == follower.log("c")
    assert ended.output_end == len(follower.log("c"))


async def test_a_trickle_is_shown_as_it_comes(follower: Follower, gate: Gate) -> None:
    """Each piece is seen before the next is written, also where it cuts a character in two."""
    pieces = [b"a", *(bytes([byte]) for byte in "€\N{GRINNING FACE}".encode()), b"\xff", b"\n"]
    written = "".join(f"printf '\\x{piece.hex()}'; read -r _ <&9; " for piece in pieces)
    command = follower.box.command(f"exec 9< gate; {written}", "c")
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(follower.follow(command))
        for piece in pieces:
            await follower.saw(piece)
            gate.open()
    ends = dict.fromkeys(live.end for live, _ in follower.shown)  # a beat may show one twice
    assert list(ends) == [(FRAME_HEADER.size + 1) * number for number in range(1, len(pieces) + 1)]
    assert follower.kept("c")[Channel.STDOUT] == b"".join(pieces)
    assert following.result().summary.text() == "a€\N{GRINNING FACE}\N{REPLACEMENT CHARACTER}\n"


async def test_both_outputs_stay_in_order(follower: Follower, gate: Gate) -> None:
    """Frames of stdout and stderr alternate in the store as they did in the command."""
    step = "printf %s out$n; read -r _ <&9; printf %s err$n >&2; read -r _ <&9"
    command = follower.box.command(f"exec 9< gate; for n in 1 2 3; do {step}; done", "c")
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(follower.follow(command))
        for number in (1, 2, 3):
            for name in (b"out", b"err"):
                await follower.saw(b"%s%d" % (name, number))
                gate.open()
    assert following.result().summary.text() == "out1err1out2err2out3err3"


async def test_a_flood_is_exact(follower: Follower) -> None:
    """Many chunks, shown now and then, in bounded windows; the summary is that of the log."""
    ended = await follower.follow(follower.box.command("yes | head -c 30000000", "c"))
    assert follower.kept("c")[Channel.STDOUT] == b"y\n" * 15_000_000
    assert ended.summary.sizes == {1: 30_000_000, 2: 0}
    assert 0 < len(follower.shown) < 1_000


async def test_a_line_may_be_endless(follower: Follower) -> None:
    """100 MB of NUL bytes without a newline, and at last a byte that is no UTF-8."""
    shell = "head -c 100000000 /dev/zero; printf '\\xff'"
    await follower.follow(follower.box.command(shell, "c", output_limit=2**30))
    kept = follower.kept("c")[Channel.STDOUT]
    assert len(kept) == 100_000_001
    expected = hashlib.sha256(bytes(100_000_000) + b"\xff")
    assert hashlib.sha256(kept).digest() == expected.digest()


async def test_a_short_command_is_not_shown(follower: Follower) -> None:
    """A command without output leaves no stream either."""
    ended = await follower.follow(follower.box.command("exit 3", "c"))
    assert (ended.code, ended.output_end, follower.shown) == (3, 0, [])
    assert not follower.store.list(f"streams/{SESSION}")


async def test_two_attempts_at_once_agree(follower: Follower, gate: Gate) -> None:
    """A first attempt that was given up for dead and the second write the same bytes."""
    shell = "exec 9< gate; echo begun; read -r _ <&9; yes | head -c 9000000; echo end >&2"
    command = follower.box.command(shell, "c")
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(follower.follow(command))
        await follower.saw(b"begun\n")
        second = tasks.create_task(follower.follow(command))
        gate.open()
    assert follower.stream("c") == follower.log("c")
    assert first.result().output_end == second.result().output_end == len(follower.log("c"))
    assert first.result().summary.text() == second.result().summary.text()


async def test_an_attempt_may_die_between_store_and_heartbeat(
    box: Box, gate: Gate, tmp_path: Path
) -> None:
    """The next one shows what the store has, goes on from there, and sees the log from 0."""
    held = HeldStore(tmp_path / "store")
    first = Follower(box, held)
    command = box.command("exec 9< gate; printf one; read -r _ <&9; printf two", "c")
    dying = asyncio.get_running_loop().create_task(first.follow(command))
    assert await asyncio.to_thread(held.appended.wait, PATIENCE_SECONDS)
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    held.go_on.set()
    assert first.shown == []
    second = Follower(box, FolderStore(tmp_path / "store"))
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(second.follow(command))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await second.news.wait()
        gate.open()
    assert (second.shown[0][0].end, second.shown[0][1]) == (FRAME_HEADER.size + 3, b"")
    assert second.kept("c")[Channel.STDOUT] == b"onetwo"
    assert following.result().summary.text() == "onetwo"


async def test_an_attempt_may_die_within_an_append(follower: Follower, gate: Gate) -> None:
    """The store then ends within a frame; what the next one shows begins and ends with frames."""
    shell = (
        "exec 9< gate; yes | head -c 9000000; echo full; read -r _ <&9; printf up; read -r _ <&9"
    )
    command = follower.box.command(f"{shell}; printf end", "c")
    await follower.box.start(command)
    await follower.box.said("c", b"full")
    gate.open()  # a frame larger than a window is not shown: this one has `up` alone
    await follower.box.said("c", b"up")
    ends = {0, *(frame.end for frame in read_frames(follower.box.paths.command("c") / "log"))}
    torn = follower.log("c")[: max(end for end in ends if end < 6_000_000) + 20]
    follower.store.append(stream_key(SESSION, CommandId("c")), 0, torn)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(follower.follow(command))
        await follower.saw(b"up")
        assert {place for live, _ in follower.shown for place in (live.start, live.end)} <= ends
        gate.open()
    assert follower.stream("c") == follower.log("c")


async def test_a_failing_store_costs_an_attempt(box: Box, gate: Gate, tmp_path: Path) -> None:
    """It is temporary, the command runs on, and the next attempt loses and doubles nothing."""
    command = box.command("exec 9< gate; printf one; read -r _ <&9; printf two", "c")
    with pytest.raises(ApplicationError, match="the store is away") as caught:
        await Follower(box, FailingStore(tmp_path / "store", appends=0)).follow(command)
    assert (caught.value.type, caught.value.non_retryable) == (Failure.TEMPORARY, False)
    assert (await box.client.ping()).running == ("c",)
    gate.open()
    second = Follower(box, FolderStore(tmp_path / "store"))
    assert (await second.follow(command)).code == 0
    assert second.kept("c")[Channel.STDOUT] == b"onetwo"


async def test_a_stop_keeps_all_output(follower: Follower) -> None:
    """Whoever followed the command before has only let go of it; a repeat tells the same."""
    shell = "trap 'printf bye; exit' TERM; printf up; sleep 600 & wait"
    following = asyncio.get_running_loop().create_task(
        follower.follow(follower.box.command(shell, "c"))
    )
    await follower.saw(b"up")
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    async with asyncio.TaskGroup() as tasks:
        # The first grace counts, and a shell may be slow to say its last word.
        tasks.create_task(follower.box.client.stop("c", grace_s=30.0))
        await follower.box.said("c", b"bye")
        ended = await follower.stop("c")
    assert (ended.outcome, ended.output_end) == (CommandOutcome.STOPPED, len(follower.log("c")))
    assert follower.kept("c")[Channel.STDOUT] == b"upbye"
    again = await follower.stop("c")
    assert (again.output_end, again.summary.text()) == (ended.output_end, "upbye")


async def test_a_killed_box_leaves_a_prefix(follower: Follower) -> None:
    """What was whole in its log is in the store, and the command is lost."""
    following = asyncio.get_running_loop().create_task(
        follower.follow_to_the_end(follower.box.command("yes", "c", output_limit=2**40))
    )
    await follower.saw_bytes()
    await follower.box.kill()
    ended = await following
    assert ended.outcome is CommandOutcome.LOST
    stream = follower.stream("c")
    assert follower.log("c").startswith(stream)
    assert len(follower.log("c")) - len(stream) < FRAME_HEADER.size + FRAME_LIMIT_BYTES
    assert ended.output_end == len(stream)
    assert set(follower.kept("c")[Channel.STDOUT]) == set(b"y\n")


async def test_a_torn_frame_is_left_out(follower: Follower) -> None:
    """A box may die while it writes a frame: half of it never reaches the store."""
    await follower.box.start(follower.box.command("printf whole; sleep 600", "c"))
    await follower.box.said("c", b"whole")
    await follower.box.kill()
    with (follower.box.paths.command("c") / "log").open("ab") as log:
        log.write(FRAME_HEADER.pack(1, 0, 5) + b"hal")
    ended = await follower.follow(follower.box.command("true", "c"))
    assert (ended.outcome, ended.output_end) == (CommandOutcome.LOST, FRAME_HEADER.size + 5)
    assert follower.kept("c")[Channel.STDOUT] == b"whole"


async def test_a_vanished_box_ends_what_the_store_has(follower: Follower) -> None:
    """The lost command's output is as long as the store's part of it."""
    following = asyncio.get_running_loop().create_task(
        follower.follow(follower.box.command("printf up; sleep 600", "c"))
    )
    await follower.saw(b"up")
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    await follower.box.kill()
    shutil.rmtree(follower.box.paths.root)
    ended = await follower.follow(follower.box.command("true", "c"))
    assert (ended.outcome, ended.output_end) == (CommandOutcome.LOST, FRAME_HEADER.size + 2)
    assert follower.kept("c")[Channel.STDOUT] == b"up"


async def test_the_store_may_know_more_than_the_box(follower: Follower) -> None:
    """A loss of power can take from the log what the store has; the stream never shrinks."""
    shell = "printf one; sleep 600"
    await follower.box.start(follower.box.command(shell, "c"))
    await follower.box.said("c", b"one")
    await follower.box.kill()
    more = follower.log("c") + FRAME_HEADER.pack(1, 0, 3) + b"two"
    follower.store.append(stream_key(SESSION, CommandId("c")), 0, more)
    ended = await follower.follow(follower.box.command(shell, "c"))
    assert (ended.outcome, ended.output_end) == (CommandOutcome.LOST, len(more))
    assert follower.stream("c") == more
