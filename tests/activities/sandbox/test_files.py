"""Uses of files: beneath the workspace only, exact, and applied once per effect id."""

import hashlib
import json
import os

import psutil
import pytest

from activities.sandbox.box import BoxRefused
from activities.sandbox.inside import wire
from tests.activities.sandbox.conftest import Box


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def test_a_written_file_is_there_with_its_folders(box: Box) -> None:
    """A write makes missing folders and replaces what was there."""
    first = await box.file("write", "a/b/c.txt", content="één\n")
    second = await box.file("write", f"{box.workspace}/a/b/c.txt", content="two\n")
    assert (first.ok, first.text) == (True, "created a/b/c.txt: 6 bytes")
    assert second.ok
    assert (box.paths.workspace / "a/b/c.txt").read_text() == "two\n"
    assert sorted(path.name for path in (box.paths.workspace / "a/b").iterdir()) == ["c.txt"]


async def test_a_view_numbers_lines(box: Box) -> None:
    """Lines are numbered from 1, a part can be asked for, and what is left out is said."""
    (box.paths.workspace / "f").write_text("".join(f"line {n}\n" for n in range(1, 1001)))
    part = await box.file("view", "f", start=2, end=3)
    whole = await box.file("view", "f")
    assert part.text == "     2\tline 2\n     3\tline 3\n(lines 2 to 3 of 1000)"
    assert whole.text.endswith(
        "   400\tline 400\n(cut after line 400 of 1000; view the rest by lines)"
    )


async def test_a_view_of_a_folder_lists_it(box: Box) -> None:
    """A folder's entries are listed, folders marked."""
    (box.paths.workspace / "sub").mkdir()
    (box.paths.workspace / "x").touch()
    assert (await box.file("view", ".")).text == "sub/\nx"
    assert (await box.file("view", box.workspace)).text == "sub/\nx"


async def test_names_that_are_no_utf8_are_shown(box: Box) -> None:
    """A view is text, whatever bytes a name has."""
    (box.paths.workspace / os.fsdecode(b"one\xe9")).mkdir()
    (box.paths.workspace / os.fsdecode(b"\xff")).touch()
    assert (await box.file("view", ".")).text == "\\xff\none\\xe9/"


async def test_what_cannot_be_shown_is_said(box: Box) -> None:
    """Binary, large, missing and special files are refusals with a reason."""
    (box.paths.workspace / "binary").write_bytes(b"a\0b")
    with (box.paths.workspace / "large").open("wb") as file:
        file.truncate(10 * 1024 * 1024 + 1)
    os.mkfifo(box.paths.workspace / "pipe")
    answers = [await box.file("view", name) for name in ("binary", "large", "none", "pipe")]
    assert [answer.text for answer in answers] == [
        "'binary' is a binary file of 3 bytes",
        "'large' is larger than 10 MiB; use a command",
        "'none' does not exist",
        "'pipe' is not a regular file",
    ]
    assert not any(answer.ok for answer in answers)


async def test_an_edit_keeps_mode_and_line_ends(box: Box) -> None:
    """An edit changes the named text and nothing else: not the mode, CRLF or odd bytes."""
    path = box.paths.workspace / "run.sh"
    path.write_bytes(b"one\r\ntwo\r\n\xff\r\n")
    path.chmod(0o751)
    answer = await box.file("edit", "run.sh", old_str="one\ntwo", new_str="1\n2\n3")
    assert answer.text == "edited run.sh: replaced once"
    assert path.read_bytes() == b"1\r\n2\r\n3\r\n\xff\r\n"
    assert path.stat().st_mode & 0o7777 == 0o751


async def test_an_edit_stays_within_the_size_of_files(box: Box) -> None:
    """It is refused before there is a file of a million times the size."""
    path = box.paths.workspace / "f"
    path.write_bytes(b"a" * 10 * 1024 * 1024)
    fields = {"old_str": "a", "new_str": "b" * 1_000_000, "replace_all": True}
    answer = await box.file("edit", "f", **fields)
    assert not answer.ok
    assert answer.text == "the file would be larger than 10 MiB; use a command"
    assert (await box.client.ping()).version == wire.VERSION


async def test_a_change_in_a_closed_folder_is_refused(walled: Box) -> None:
    """It is for the model to open the folder or to leave it alone."""
    (walled.paths.workspace / "closed").mkdir(mode=0o555)
    answer = await walled.file("write", "closed/f", content="x")
    assert (answer.ok, answer.text) == (False, "'f' may not be accessed")


async def test_the_closest_of_many_alike_lines_are_found_soon(box: Box) -> None:
    """Whoever waits for the supervisor meanwhile is not kept waiting: it has one thread."""
    lines = [f"({n}, 'name {n}', 'street', 'city')".ljust(199, ".") for n in range(4_000)]
    (box.paths.workspace / "f").write_text("\n".join(lines))
    wanted = lines[1234].replace("street", "STREET")
    supervisor = psutil.Process(box.supervisor)
    before = supervisor.cpu_times()
    answer = await box.file("edit", "f", old_str=wanted, new_str="")
    after = supervisor.cpu_times()
    # Not by the clock, which goes on while a busy machine serves others.
    assert after.user + after.system - before.user - before.system < 10
    assert f"  1235\t{lines[1234]}" in answer.text.splitlines()[1]


async def test_an_edit_must_name_one_place(box: Box) -> None:
    """Text that occurs twice is refused with its lines; `replace_all` takes all."""
    path = box.paths.workspace / "f"
    path.write_text("a\nb\na\n")
    refused = await box.file("edit", "f", old_str="a", new_str="c")
    assert (refused.ok, refused.text[:41]) == (False, "old_str occurs 2 times, at lines 1, 3; ad")
    assert path.read_text() == "a\nb\na\n"
    assert (await box.file("edit", "f", old_str="a", new_str="c", replace_all=True)).ok
    assert path.read_text() == "c\nb\nc\n"


async def test_an_edit_that_misses_shows_what_is_close(box: Box) -> None:
    """Text that does not occur is answered with the closest lines and their numbers."""
    (box.paths.workspace / "f").write_text("def first():\n    pass\n\ndef second(x):\n    pass\n")
    answer = await box.file("edit", "f", old_str="def second(y):\n", new_str="")
    assert not answer.ok
    assert "     4\tdef second(x):" in answer.text


@pytest.mark.parametrize(
    "path",
    ["../outside", "/etc/passwd", "link/secret", "absolute", "sub/../../outside", "magic/x"],
)
@pytest.mark.parametrize("action", ["view", "edit", "write"])
async def test_no_path_leaves_the_workspace(box: Box, path: str, action: str) -> None:
    """Dots, links and magic links are refused, and nothing outside is read or written."""
    outside = box.paths.root / "outside"
    outside.write_text("secret")
    (box.paths.root / "folder").mkdir()
    (box.paths.root / "folder" / "secret").write_text("secret")
    (box.paths.workspace / "sub").mkdir()
    (box.paths.workspace / "link").symlink_to("../folder")
    (box.paths.workspace / "absolute").symlink_to(outside)
    (box.paths.workspace / "magic").symlink_to("/proc/self/root")
    answer = await box.file(action, path, content="new", old_str="secret", new_str="new")
    assert not answer.ok
    assert "leaves the workspace" in answer.text or "is a symbolic link" in answer.text
    assert (outside.read_text(), (box.paths.root / "folder/secret").read_text()) == (
        "secret",
        "secret",
    )


async def test_a_magic_link_is_not_followed(walled: Box) -> None:
    """A link of /proc that leads back into the workspace is refused all the same."""
    (walled.paths.workspace / "proc").symlink_to("/proc/self/cwd")
    answer = await walled.file("view", "proc/x")
    assert not answer.ok


async def test_links_within_the_workspace_are_read_but_not_replaced(box: Box) -> None:
    """A link that stays inside is followed by a view; a change must name its target."""
    (box.paths.workspace / "real").write_text("text\n")
    (box.paths.workspace / "link").symlink_to("real")
    viewed = await box.file("view", "link")
    edited = await box.file("edit", "link", old_str="text", new_str="new")
    assert viewed.text == "     1\ttext"
    assert "symbolic link" in edited.text
    assert (box.paths.workspace / "link").is_symlink()


async def test_a_repeated_effect_is_not_applied_again(box: Box) -> None:
    """The same effect id answers as the first time and leaves the file alone."""
    path = box.paths.workspace / "f"
    path.write_text("a")
    first = await box.file("edit", "f", effect_id="e1", old_str="a", new_str="aa")
    again = await box.file("edit", "f", effect_id="e1", old_str="a", new_str="aa")
    refused = await box.file("edit", "f", effect_id="e2", old_str="zz", new_str="y")
    path.write_text("zz")
    assert again == first
    assert await box.file("edit", "f", effect_id="e2", old_str="zz", new_str="y") == refused
    assert path.read_text() == "zz"


@pytest.mark.parametrize(
    ("now", "ok", "then"), [("new", True, "new"), ("old", True, "new"), ("other", False, "other")]
)
async def test_an_interrupted_effect_is_settled_by_the_file(
    box: Box,
    now: str,
    ok: bool,  # noqa: FBT001  # a column of the table
    then: str,
) -> None:
    """An intent without a result: done when the file says so, applied when not, else unknown."""
    path = box.paths.workspace / "f"
    path.write_text(now)
    intent = ["f", _sha256(b"old"), _sha256(b"new"), "replaced f: 3 bytes"]
    (box.paths.state / "effects" / "cut.intent").write_text(json.dumps(intent))
    answers = [await box.file("write", "f", effect_id="cut", content="new") for _ in range(2)]
    assert answers[0] == answers[1]
    assert (answers[0].ok, path.read_text()) == (ok, then)
    assert ok or "unknown whether this change was applied" in answers[0].text


async def test_an_intent_of_a_new_file_is_settled(box: Box) -> None:
    """A file that was to be created and is not there is created."""
    intent = ["f", None, _sha256(b"new"), "created f: 3 bytes"]
    (box.paths.state / "effects" / "cut.intent").write_text(json.dumps(intent))
    assert (await box.file("write", "f", effect_id="cut", content="new")).ok
    assert (box.paths.workspace / "f").read_text() == "new"


async def test_changes_need_an_effect_id(box: Box) -> None:
    """A change without a usable id is refused before anything happens."""
    with pytest.raises(BoxRefused, match="effect_id"):
        await box.client.file({"action": "write", "path": "f", "content": "", "effect_id": "../e"})
    with pytest.raises(BoxRefused, match="at most"):
        await box.file("write", "f", content="x" * 17 * 1024 * 1024)
