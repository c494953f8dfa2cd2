"""Archives that come out of a box are read as far as they make sense, and never trusted."""

import io
import random
import tarfile

import pytest

from activities.checks.running.sources import FILE_LIMIT_BYTES, lines_of, read_archive, wanted


def archive(*members: tuple[str, bytes | None]) -> bytes:
    """Make an archive of files, and of folders where there is no content."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
            member.size = len(data or b"")
            tar.addfile(member, io.BytesIO(data or b""))
    return raw.getvalue()


WHOLE = archive(("./a.py", b"x\n"), ("pkg", None), ("pkg/b.py", b"y"), ("link/c.py", b"z"))


def test_files_are_read_when_all_their_folders_are_folders():
    """A path through a link has no folder in the archive."""
    assert read_archive(WHOLE) == {"a.py": b"x\n", "pkg/b.py": b"y"}


def test_archives_may_follow_each_other():
    """The end of one is not the end."""
    assert read_archive(WHOLE + archive(("d.py", b"d"))) == {**read_archive(WHOLE), "d.py": b"d"}


@pytest.mark.parametrize("data", [b"", b"garbage", b"\0" * 10_000, b"\xff" * 10_000])
def test_what_is_no_archive_holds_nothing(data: bytes):
    """And is no error."""
    assert read_archive(data) == {}


def test_a_cut_archive_holds_what_came_before():
    """The limit on what is read may cut anywhere."""
    for length in range(0, len(WHOLE), 100):
        assert read_archive(WHOLE[:length]).items() <= read_archive(WHOLE).items()


def test_large_files_and_other_kinds_are_left_out():
    """Links, devices and pipes have no content of their own."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            member = tarfile.TarInfo(f"kind{kind!r}")
            member.type = kind
            tar.addfile(member)
    large = archive(("large", b"x" * (FILE_LIMIT_BYTES + 1)), ("a", b"a"))
    assert read_archive(raw.getvalue() + large) == {"a": b"a"}


def test_no_bytes_make_an_error():
    """Whatever is changed in an archive, something is returned."""
    chosen = random.Random(7)
    for _ in range(500):
        data = bytearray(WHOLE)
        for _ in range(chosen.randrange(1, 20)):
            data[chosen.randrange(2_048)] = chosen.randrange(256)
        for content in read_archive(bytes(data)).values():
            assert len(content) <= FILE_LIMIT_BYTES


def test_only_paths_inside_are_wanted():
    """Each with the folders on its way, and no more than 200."""
    paths = ["a/b/c.py", "a/d.py", "/etc/passwd", "../x", "a/../../x", "", "nul\0"]
    assert wanted(paths) == ["a/b", "a", "a/b/c.py", "a/d.py"]
    assert len(wanted(f"{n}.py" for n in range(300))) == 200


def test_lines_are_counted_as_tools_count_them():
    """Only line feeds end lines; bytes that are not UTF-8 do no harm."""
    found = lines_of({"a": b"one\r\ntwo \x0c still two\n\xff"})
    assert found == {"a": ["one", "two \x0c still two", "�"]}
