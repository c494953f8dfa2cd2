"""The pieces of live output that need no box."""

from pathlib import Path

import pytest

from activities.progress import Beats
from activities.sandbox.copying import CHUNK_BYTES, FULL_BYTES, LogCopy, Window
from activities.sandbox.inside import wire
from activities.sandbox.live import LiveLog
from activities.sandbox.pace import Pace
from runtime.store.folder import FolderStore
from workflows.contract.base import CommandId, SessionId
from workflows.contract.output import (
    FRAME_HEADER,
    FRAME_LIMIT_BYTES,
    WINDOW_LIMIT_BYTES,
    Channel,
    stream_key,
)


class TimelessPace(Pace):
    """Whoever was shown was so just now, however slow the machine is."""

    def interval(self, stream: str, now: float) -> float:  # noqa: ARG002  # it stands still
        return super().interval(stream, 0.0)


def test_box_and_contract_agree_on_frames() -> None:
    """The supervisor cannot import the contract, so both say the same."""
    assert (wire.FRAME.format, wire.FRAME.size) == (FRAME_HEADER.format, FRAME_HEADER.size)
    assert (wire.STDOUT, wire.STDERR) == (Channel.STDOUT, Channel.STDERR)


def test_a_window_shows_the_last_half_second() -> None:
    """Older bytes leave it; its end stays."""
    window = Window()
    for at, data in ((10.0, b"old"), (10.4, b"new"), (10.6, b"newest")):
        window.add(len(data), data, at)
    assert (window.cut(10.6), window.end) == (b"newnewest", 12)
    assert (window.cut(11.0), window.end) == (b"newest", 12)
    assert (window.cut(99.0), window.end) == (b"", 12)


def test_a_window_is_bounded() -> None:
    """However much comes in, the last frames that fit into 32 KiB are shown, whole."""
    window = Window()
    for _ in range(100):
        window.add(1_000, b"x" * 1_000, 1.0)
    assert window.cut(1.0) == b"x" * 32_000
    window.add(5_000_000, b"y" * WINDOW_LIMIT_BYTES, 1.0)
    assert window.cut(1.0) == b"y" * WINDOW_LIMIT_BYTES
    window.add(60_000, b"", 1.0)
    assert window.cut(1.0) == b""
    assert window.end == 5_160_000


def test_a_window_begins_with_a_frame(tmp_path: Path) -> None:
    """Whoever joins there can read on."""
    log = tmp_path / "log"
    frames = [FRAME_HEADER.pack(1, 0, size) + b"z" * size for size in (9_000, 20_000, 3_000, 8_000)]
    log.write_bytes(b"".join(frames))
    copy = LogCopy(log, FolderStore(tmp_path / "store"), "streams/s/c")
    assert copy.take(2**40) == sum(map(len, frames))
    assert copy.window.cut(0.0) == b"".join(frames[1:])


@pytest.mark.parametrize("frames", [50, 5_000])
def test_a_window_behind_a_torn_append_begins_with_a_frame(tmp_path: Path, frames: int) -> None:
    """Whoever died within an append left the store's end within a frame: the next one is shown."""
    frame = FRAME_HEADER.pack(1, 0, 100) + b"x" * 100
    (tmp_path / "log").write_bytes(frame * frames)
    store = FolderStore(tmp_path / "store")
    torn = len(frame) * (frames - 41) + 96
    store.append("streams/s/c", 0, (frame * frames)[:torn])
    copy = LogCopy(tmp_path / "log", store, "streams/s/c")
    assert copy.take(2**40) == copy.window.end == len(frame) * frames
    assert copy.window.cut(0.0) == frame * 40
    assert store.read_stream("streams/s/c", 0, 2**20) == frame * frames


async def test_sessions_speak_for_themselves(tmp_path: Path) -> None:
    """Their commands have the same names, and still each counts."""
    log = tmp_path / "log"
    log.write_bytes(FRAME_HEADER.pack(1, 0, 1) + b"x")
    store, pace, command = FolderStore(tmp_path / "store"), TimelessPace(0.0), CommandId("s1-0")
    rests = []
    for number in range(3):
        copy = LogCopy(log, store, stream_key(SessionId(f"{number}"), command))
        rests.append(await LiveLog(command, copy, Beats(), pace).advance(log.stat().st_size))
    assert rests == pytest.approx([0.05, 0.05, 0.1])


def test_many_speakers_are_shown_less_often() -> None:
    """Those that were silent for a second do not count."""
    pace = Pace(0.0)
    assert [pace.interval(f"{n}", 5.0) for n in range(10)] == [0.05] * 2 + [0.1] * 6 + [0.25] * 2
    assert pace.interval("1", 5.5) == 0.25
    assert pace.interval("x", 6.2) == 0.05


def test_a_slow_store_slows_the_pace() -> None:
    """Nothing is shown before it is stored, so not more often than the store likes."""
    pace = Pace(0.2)
    assert [pace.interval(f"{n}", 5.0) for n in range(9)] == [0.2] * 8 + [0.25]


def test_a_copy_goes_on_in_whole_frames(tmp_path: Path) -> None:
    """Every take ends with a frame, fills its chunk as far as that allows, and obeys its limit."""
    data = b"z" * FRAME_LIMIT_BYTES
    frame = FRAME_HEADER.pack(1, 0, len(data)) + data
    (tmp_path / "log").write_bytes(frame * 100)
    store = FolderStore(tmp_path / "store")
    copy = LogCopy(tmp_path / "log", store, "streams/s/c")
    assert copy.take(len(frame) + 5) == len(frame)
    assert copy.take(2**62) == CHUNK_BYTES // len(frame) * len(frame) > FULL_BYTES
    assert store.stream_end("streams/s/c") == copy.taken == copy.window.end
    while copy.take(2**62):
        pass
    assert copy.taken == 100 * len(frame)
    assert copy.summary.sizes == {1: 100 * len(data), 2: 0}
