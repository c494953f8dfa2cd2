"""Logs read back: exact frames, and an excerpt that is honest about what it leaves out."""

from pathlib import Path

from activities.sandbox.inside import wire
from activities.sandbox.output import Frame, OutputSummary, read_frames, summarise


def _log(path: Path, *pieces: tuple[int, bytes]) -> Path:
    frames = (wire.FRAME.pack(stream, 7, len(data)) + data for stream, data in pieces)
    path.write_bytes(b"".join(frames))
    return path


def test_frames_come_back_as_they_were(tmp_path: Path) -> None:
    """Each frame knows its stream, time, bytes and where the next one begins."""
    log = _log(tmp_path / "log", (1, b"ab"), (2, b"\xff"))
    assert list(read_frames(log)) == [Frame(1, 7, b"ab", 15), Frame(2, 7, b"\xff", 29)]
    assert list(read_frames(log, 15)) == [Frame(2, 7, b"\xff", 29)]


def test_a_torn_frame_ends_the_log(tmp_path: Path) -> None:
    """A log cut anywhere gives the whole frames before the cut, and a missing one gives none."""
    log = _log(tmp_path / "log", (1, b"ab"), (2, b"cde"))
    content = log.read_bytes()
    for length in range(len(content)):
        log.write_bytes(content[:length])
        assert [frame.data for frame in read_frames(log)] == ([b"ab"] if length >= 15 else [])
    assert list(read_frames(tmp_path / "none")) == []


def test_short_output_is_shown_whole(tmp_path: Path) -> None:
    """Up to 16,000 characters nothing is left out; both streams stand in order of arrival."""
    log = _log(tmp_path / "log", (1, b"out\n"), (2, b"err\n"), (1, b"x" * 15_992))
    summary = summarise(log)
    assert summary.text() == "out\nerr\n" + "x" * 15_992
    assert summary.sizes == {1: 15_996, 2: 4}


def test_long_output_keeps_its_ends() -> None:
    """Of more, the first and the last 8,000 characters are kept and the rest is counted."""
    summary = OutputSummary()
    text = "".join(f"{n:09}\n" for n in range(100_000))
    for start in range(0, len(text), 777):
        summary.add(Frame(1, 0, text[start : start + 777].encode(), 0))
    elided = "\n… 984,000 characters elided …\n"
    assert summary.text() == text[:8_000] + elided + text[-8_000:]


def test_a_cut_says_where_all_is() -> None:
    """The words are given only when something is left out; lines are counted in either case."""
    short, long = OutputSummary(), OutputSummary()
    short.add(Frame(1, 0, b"one\ntwo", 0))
    long.add(Frame(1, 0, b"x" * 20_000 + b"\n", 0))
    assert (short.elided(), short.lines, short.text("all is there")) == (0, 2, "one\ntwo")
    assert (long.elided(), long.lines) == (4_001, 1)
    assert "\n… 4,001 characters elided; all is there …\n" in long.text("all is there")


def test_characters_on_a_seam_stay_whole() -> None:
    """A character cut between frames is joined within its stream, though the other speaks."""
    summary = OutputSummary()
    first, second = "€".encode()[:1], "€".encode()[1:]
    for stream, data in ((1, first), (2, b"x"), (1, second), (2, b"\xff"), (1, first)):
        summary.add(Frame(stream, 0, data, 0))
    assert summary.text() == "x€��"
