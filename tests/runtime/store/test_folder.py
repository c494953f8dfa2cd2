"""What only the store in a folder promises."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from runtime.store.folder import FolderStore

STREAM = "streams/session/s1-0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


def test_nothing_half_written_is_ever_seen(folder: Path) -> None:
    """What a crash left in the staging folder is no object."""
    store = FolderStore(folder)
    store.create("a/b", b"whole")
    staging = folder / ".staging"
    (staging / "left").write_bytes(b"ha")
    assert store.list("a") == ["a/b"]
    assert [path.name for path in staging.iterdir()] == ["left"]


def test_a_stream_is_one_file(folder: Path) -> None:
    """Which any tool can read; appends may follow each other at once."""
    store = FolderStore(folder)
    store.append(STREAM, 0, b"abc")
    store.append(STREAM, 3, b"def")
    assert (folder / STREAM).read_bytes() == b"abcdef"
    assert store.append_seconds == 0


def test_hundreds_of_megabytes_are_appended(folder: Path) -> None:
    """Nothing is read again, so the pieces cost the same however long the stream is."""
    store, piece = FolderStore(folder), os.urandom(1024 * 1024) * 16
    for number in range(12):
        assert store.append(STREAM, number * len(piece), piece) == (number + 1) * len(piece)
    for offset in (0, 5 * len(piece), 12 * len(piece) - 100):
        assert store.read_stream(STREAM, offset, 100) == piece[offset % len(piece) :][:100]


def test_what_a_killed_writer_left_is_continued(folder: Path) -> None:
    """Whatever came of the write that was under way, the next writer completes it."""
    code = f"""
        import sys
        from pathlib import Path
        from runtime.store.folder import FolderStore

        store, offset = FolderStore(Path({str(folder)!r})), 0
        while True:
            offset = store.append({STREAM!r}, offset, bytes([offset // 4096 % 251]) * 4096)
            print(offset, flush=True)
    """
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    told = [int(writer.stdout.readline()) for _ in range(5)]
    writer.send_signal(signal.SIGKILL)
    told += [int(line) for line in writer.stdout]
    writer.wait()
    writer.stdout.close()
    store = FolderStore(folder)
    end = store.stream_end(STREAM)
    assert end >= told[-1]
    step = end // 4096
    assert store.append(STREAM, step * 4096, bytes([step % 251]) * 4096) == (step + 1) * 4096
    expected = b"".join(bytes([each % 251]) * 4096 for each in range(step + 1))
    assert (folder / STREAM).read_bytes() == expected


def test_an_append_is_synced_before_it_returns(folder: Path) -> None:
    """First the folder that names the file, then its bytes; later only the bytes."""
    code = f"""
        from pathlib import Path
        from runtime.store.folder import FolderStore

        store = FolderStore(Path({str(folder)!r}))
        store.append({STREAM!r}, 0, b"abc")
        store.append({STREAM!r}, 3, b"def")
    """
    trace = folder.with_name("trace")
    calls = "--trace=fsync,fdatasync,pwrite64"
    program = [sys.executable, "-c", textwrap.dedent(code)]
    subprocess.run(["strace", "-f", "-y", "-o", trace, calls, *program], check=True)
    lines = [line for line in trace.read_text().splitlines() if str(folder) in line]
    made = [line.split("(")[0].split()[-1] for line in lines if STREAM.rpartition("/")[0] in line]
    assert made == ["fsync", "pwrite64", "fdatasync", "pwrite64", "fdatasync"]
