"""Output by ranges, of a log or of one of its channels."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.feed.output import MARK_BYTES, Outputs, Part
from gateway.problems import ProblemError
from runtime.store.folder import FolderStore
from tests.gateway.streaming import frame
from workflows.contract.base import CommandId, SessionId
from workflows.contract.output import FRAME_LIMIT_BYTES, Channel, stream_key
from workflows.contract.problems import Code

SESSION, COMMAND = SessionId("s-1"), CommandId("s1-0")
STREAM = stream_key(SESSION, COMMAND)


@pytest.fixture
def kept(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def fill(store: FolderStore, seed: int, frames: int, most: int) -> dict[Part, bytes]:
    """Keep random frames; returns what the three parts of the output are."""
    dice = random.Random(seed)
    channels = {Channel.STDOUT: b"", Channel.STDERR: b""}
    log = b""
    for _ in range(frames):
        channel = dice.choice(list(Channel))
        data = dice.randbytes(dice.randint(0, most))
        channels[channel] += data
        log += frame(data, channel)
    store.append(STREAM, 0, log)
    return {"stdout": channels[Channel.STDOUT], "stderr": channels[Channel.STDERR], "log": log}


def read(outputs: Outputs, part: Part, wanted: str | None) -> bytes:
    extent = outputs.locate(SESSION, COMMAND, part, wanted)
    return b"".join(outputs.read(SESSION, COMMAND, part, extent))


@pytest.mark.parametrize(("frames", "most"), [(3_000, 20), (200, FRAME_LIMIT_BYTES), (1, 0)])
@pytest.mark.parametrize("part", ["stdout", "stderr", "log"])
def test_any_range_is_exact(kept: FolderStore, part: Part, frames: int, most: int) -> None:
    """Tiny frames, frames of all sizes, and none with bytes."""
    parts = fill(kept, seed=1, frames=frames, most=most)
    whole, outputs = parts[part], Outputs(kept)
    assert read(outputs, part, None) == whole
    dice = random.Random(2)
    for _ in range(40 if whole else 0):
        start = dice.randrange(len(whole))
        end = dice.randint(start, len(whole) + 10)
        assert read(outputs, part, f"bytes={start}-{end}") == whole[start : end + 1]
        assert read(outputs, part, f"bytes={start}-") == whole[start:]
        assert read(outputs, part, f"bytes=-{start + 1}") == whole[-(start + 1) :]


def test_a_growing_log_is_walked_on(kept: FolderStore) -> None:
    """What was walked is not walked again, and what came since is found."""
    outputs = Outputs(kept)
    first = frame(b"a" * 60_000) * 20
    kept.append(STREAM, 0, first)
    assert read(outputs, "stdout", "bytes=-3") == b"aaa"
    kept.append(STREAM, len(first), frame(b"bcd"))
    assert read(outputs, "stdout", "bytes=-4") == b"abcd"
    assert len(first) > MARK_BYTES


def test_half_a_frame_does_not_count(kept: FolderStore) -> None:
    """A channel's size is that of its whole frames."""
    kept.append(STREAM, 0, frame(b"whole") + frame(b"half")[:-2])
    assert read(Outputs(kept), "stdout", None) == b"whole"


@pytest.mark.parametrize("wanted", ["lines=1-2", "bytes=3-1", "bytes=-", "bytes=0-1,3-4", "junk"])
def test_what_is_no_single_range_is_the_whole(kept: FolderStore, wanted: str) -> None:
    """As RFC 9110 lets a server answer."""
    kept.append(STREAM, 0, frame(b"whole"))
    assert read(Outputs(kept), "stdout", wanted) == b"whole"


def test_a_range_behind_the_end_names_the_size(kept: FolderStore) -> None:
    """So that a client can ask again."""
    kept.append(STREAM, 0, frame(b"whole"))
    with pytest.raises(ProblemError) as refused:
        Outputs(kept).locate(SESSION, COMMAND, "stdout", "bytes=5-")
    assert refused.value.code is Code.RANGE_NOT_SATISFIABLE
    assert refused.value.headers["content-range"] == "bytes */5"


def test_no_output_is_not_found(kept: FolderStore) -> None:
    """A command that nobody ran, or that has said nothing yet."""
    with pytest.raises(ProblemError) as refused:
        Outputs(kept).locate(SESSION, COMMAND, "stdout", None)
    assert refused.value.code is Code.NO_OUTPUT


def test_threads_walk_one_log_together(kept: FolderStore) -> None:
    """Any number of requests at once get the same size and the same bytes."""
    parts = fill(kept, seed=3, frames=20_000, most=60)
    outputs = Outputs(kept)
    with ThreadPoolExecutor(8) as threads:
        reads = [threads.submit(read, outputs, "stdout", None) for _ in range(16)]
        assert {each.result() for each in reads} == {parts["stdout"]}
