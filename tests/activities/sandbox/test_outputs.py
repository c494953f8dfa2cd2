"""Whole outputs as files: exact, bounded, and safe whatever commands put in their way."""

import json
import os
from pathlib import Path

import pytest

from activities.sandbox.box import BoxRefused
from activities.sandbox.inside import edits, outputs, wire
from activities.sandbox.lifetime import ensure_running
from activities.sandbox.output import OutputSummary, summarise
from tests.activities.sandbox.conftest import Box

MIB = 1024 * 1024
BOTH = "for n in $(/usr/bin/seq 1 3000); do echo out $n; echo err $n >&2; done"


def _folder(box: Box) -> Path:
    return box.paths.home / ".overnight" / "output"


def _summary(box: Box, name: str) -> OutputSummary:
    return summarise(box.paths.command(name) / "log")


async def _ended(box: Box, shell: str, name: str, limit: int = 80 * MIB) -> str:
    await box.ended(await box.start(box.command(shell, name, output_limit=limit)))
    return name


async def test_a_kept_output_is_whole_and_commands_read_it(box: Box) -> None:
    """The text of both streams is there in order of arrival, for grep, tail and views by lines."""
    name = await _ended(box, BOTH, "s1-0")
    kept = await box.client.keep_output(name, 0)
    expected = "".join(f"{stream} {n}\n" for n in range(1, 3001) for stream in ("out", "err"))
    _, text = await box.run(f"/bin/cat '{kept.path}'")
    assert kept.whole
    assert sorted(text.decode().splitlines()) == sorted(expected.splitlines())
    assert [line for line in text.decode().splitlines() if line.startswith("err")] == [
        f"err {n}" for n in range(1, 3001)
    ]
    assert text.decode().startswith(_summary(box, name).text()[:8_000])
    _, found = await box.run(f"/bin/grep -n 'out 2900$' '{kept.path}'")
    number = int(found.split(b":")[0])
    viewed = await box.file("view", kept.path, start=number, end=number)
    assert viewed.text == f"{number:>6}\tout 2900\n(lines {number} to {number} of 6000)"


async def test_a_kept_output_may_be_asked_for_again(box: Box) -> None:
    """A repeat gives the same file, also when the supervisor was started anew between."""
    name = await _ended(box, BOTH, "s1-0")
    first = await box.client.keep_output(name, 0)
    text = (_folder(box) / "s1-0.txt").read_bytes()
    (_folder(box) / "s1-0.txt").write_text("changed")
    await box.kill()
    assert await ensure_running(box.paths, box.launch)
    assert await box.client.keep_output(name, 0) == first
    assert (_folder(box) / "s1-0.txt").read_bytes() == text
    assert (await box.file("view", first.path, end=2)).ok
    assert json.loads((box.paths.state / "outputs.json").read_text()) == [["s1-0", len(text)]]


async def test_a_kept_output_is_text_whatever_was_printed(box: Box) -> None:
    """A bad byte or NUL becomes one `?`; a character cut by other output stays whole."""
    script = (
        "import os\n"
        "for stream, data in ((1, '€'.encode()[:1]), (2, b'x'), (1, '€'.encode()[1:]),\n"
        "                     (2, b'\\xff\\0\\r\\n')):\n"
        "    os.write(stream, data)\n"
    )
    (box.paths.workspace / "odd.py").write_text(script)
    kept = await box.client.keep_output(await _ended(box, "/usr/bin/python3 odd.py", "odd"), 0)
    text = (_folder(box) / "odd.txt").read_bytes().decode()
    assert sorted(text) == sorted("x€??\r\n")
    assert (await box.file("view", kept.path)).ok


async def test_of_too_much_the_ends_are_kept(box: Box) -> None:
    """Beyond 64 MiB the middle is left out, a line says so, and the last line can be viewed."""
    line = "x" * 99
    shell = f"yes {line} | /usr/bin/head -c 75000000; echo the end"
    name = await _ended(box, shell, "much")
    kept = await box.client.keep_output(name, _summary(box, name).tail_offset)
    file = _folder(box) / "much.txt"
    assert not kept.whole
    assert 50 * MIB < file.stat().st_size <= outputs.LIMIT_BYTES
    text = file.read_text()
    (remark,) = [part for part in text.splitlines() if "left out" in part]
    assert "KiB of output left out" in remark
    assert text.endswith(f"{line}\nthe end\n")
    total = text.count("\n")
    viewed = await box.file("view", kept.path, start=total)
    assert viewed.text == f"{total:>6}\tthe end"


async def test_old_outputs_make_room(box: Box) -> None:
    """The newest 50 files stay, and of these no more than 256 MiB."""
    await _ended(box, "echo x", "first")
    for number in range(outputs.MOST_FILES + 1):
        name = await _ended(box, f"echo {number}", f"c-{number}")
        await box.client.keep_output(name, 0)
    names = {path.name for path in _folder(box).iterdir()}
    assert names == {f"c-{number}.txt" for number in range(1, outputs.MOST_FILES + 1)}
    (box.paths.state / "outputs.json").write_text(
        json.dumps([["c-1", 200 * MIB], ["c-2", 56 * MIB]])
    )
    await box.client.keep_output("first", 0)
    names = {path.name for path in _folder(box).iterdir()}
    assert ("c-1.txt" in names, "c-2.txt" in names, "first.txt" in names) == (False, True, True)


@pytest.mark.parametrize("place", ["s1-0.txt", ".s1-0.txt.tmp"])
@pytest.mark.parametrize("kind", ["link", "dangling", "pipe"])
async def test_what_is_planted_at_a_file_is_replaced(box: Box, place: str, kind: str) -> None:
    """Links and pipes in the place of a file are neither followed nor waited for."""
    victim = box.paths.workspace / "victim"
    victim.write_text("mine")
    _folder(box).mkdir(parents=True)
    planted = _folder(box) / place
    if kind == "pipe":
        os.mkfifo(planted)
    else:
        planted.symlink_to(f"{box.workspace}/{'victim' if kind == 'link' else 'none'}")
    kept = await box.client.keep_output(await _ended(box, "echo all", "s1-0"), 0)
    assert (_folder(box) / "s1-0.txt").read_text() == "all\n"
    assert (await box.file("view", kept.path)).text == "     1\tall"
    assert victim.read_text() == "mine"
    assert not (box.paths.workspace / "none").exists()


@pytest.mark.parametrize("place", [".overnight", ".overnight/output", ".overnight/output/s1-0.txt"])
@pytest.mark.parametrize("kind", ["link", "pipe", "file", "magic"])
async def test_a_folder_that_is_none_is_refused(box: Box, place: str, kind: str) -> None:
    """Where commands put something else in the place of a folder, nothing is written anywhere."""
    target = box.paths.workspace / "target"
    (target / "output").mkdir(parents=True)
    planted = box.paths.home / place
    planted.parent.mkdir(parents=True, exist_ok=True)
    if place.endswith(".txt"):
        planted.mkdir()
        (planted / "full").touch()
    elif kind == "pipe":
        os.mkfifo(planted)
    elif kind == "file":
        planted.touch()
    else:
        planted.symlink_to("/proc/self/cwd" if kind == "magic" else f"{box.workspace}/target")
    name = await _ended(box, "echo all", "s1-0")
    with pytest.raises(BoxRefused):
        await box.client.keep_output(name, 0)
    assert [path.name for path in target.rglob("*")] == ["output"]
    assert (await box.client.ping()).running == ()


async def test_only_the_outputs_are_shown_and_never_changed(box: Box) -> None:
    """Outside the workspace views reach these files alone; links, pipes and changes are refused."""
    name = await _ended(box, "echo all", "s1-0")
    path = (await box.client.keep_output(name, 0)).path
    above = path.removesuffix("/s1-0.txt")
    (box.paths.home / "secret").write_text("secret")
    (_folder(box) / "link.txt").symlink_to("../../secret")
    os.mkfifo(_folder(box) / "pipe.txt")
    with (_folder(box) / "large.txt").open("wb") as file:
        file.truncate(outputs.LIMIT_BYTES + 1)
    wanted = ["link.txt", "pipe.txt", "large.txt", "none.txt", "../../secret", "..", ""]
    answers = [await box.file("view", f"{above}/{end}") for end in wanted]
    changes = [
        await box.file("write", path, content="new"),
        await box.file("edit", path, old_str="all", new_str="new"),
    ]
    assert not any(answer.ok for answer in (*answers, *changes))
    assert not any("secret\n" in answer.text for answer in answers)
    assert (_folder(box) / "s1-0.txt").read_text() == "all\n"


async def test_an_output_that_is_not_there_is_refused(box: Box) -> None:
    """A command that never ran has no output, and an id is never a path."""
    for name in ("never", "../commands", "a/b"):
        with pytest.raises(BoxRefused):
            await box.client.keep_output(name, 0)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_a_file_in_pieces_is_shown_as_one_held_whole(size: int) -> None:
    """Wherever the pieces of a file are cut, its lines are the same."""
    for content in (b"", b"\n", b"one", b"one\n", b"a\r\nb\n\nc", "é€\n".encode() * 900):
        pieces = [content[at : at + size] for at in range(0, len(content), size)]
        for start, end in ((1, None), (2, 3), (450, None), (899, 900), (2_000, None)):
            assert edits.show_pieces(iter(pieces), start, end) == edits.show(content, start, end)


def test_a_summary_knows_where_the_end_of_a_long_log_begins() -> None:
    """The end of a log can be read from a frame's beginning not much more than 32 MiB before it."""
    summary = OutputSummary()
    frame = wire.FRAME.pack(wire.STDOUT, 0, 60_000) + b"x" * 60_000
    for _ in range(100):
        summary.feed(frame)
    assert summary.tail_offset == 0
    for _ in range(1_000):
        summary.feed(frame)
    size = 1_100 * len(frame)
    assert summary.tail_offset % len(frame) == 0
    assert 31 * MIB < size - summary.tail_offset < 35 * MIB
