"""What differs between two commits of a bare repository, file by file, and the files' bytes."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from activities.git.bare import BareRepository, checked_sha

LINK = "120000"
SUBMODULE = "160000"
_ABSENT = "000000"
_BLOB = re.compile(rb"([0-9a-f]{40}) blob ([0-9]+)")


class Difference(NamedTuple):
    """One file that differs; a renamed one is two, a removed and an added one."""

    path: str
    old_mode: str
    new_mode: str
    old: str
    """Name of the blob; zeros when there was no such file."""

    new: str

    @property
    def is_added(self) -> bool:
        """Tell whether the older commit has no such file."""
        return self.old_mode == _ABSENT

    @property
    def is_removed(self) -> bool:
        """Tell whether the newer commit has no such file."""
        return self.new_mode == _ABSENT


def differences(bare: BareRepository, base: str, tip: str) -> list[Difference]:
    """Return every file that differs, in git's order."""
    listed = bare.git.require(
        *("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-ext-diff"),
        *("--ignore-submodules=none", checked_sha(base), checked_sha(tip), "--"),
    )
    return list(_parse_raw(listed.stdout))


def blobs(
    bare: BareRepository, names: Iterable[str], *, limit_bytes: int, total_bytes: int
) -> dict[str, bytes]:
    """Return the blobs' bytes by name; the larger ones, and those beyond the total, are left out.

    A name is a blob's, or `<commit>:<path>`; what names no blob is left out too.
    """
    asked = [name for name in dict.fromkeys(names) if "\n" not in name and "\0" not in name]
    if not asked:
        return {}
    objects: dict[str, str] = {}
    room = total_bytes
    for name, (blob, size) in zip(asked, _sizes(bare, asked), strict=True):
        if size <= min(limit_bytes, room):
            objects[name] = blob
            room -= size
    found = _contents(bare, list(dict.fromkeys(objects.values())))
    return {name: found[blob] for name, blob in objects.items()}


def _parse_raw(output: bytes) -> Iterator[Difference]:
    parts = iter(output.split(b"\0"))
    for about in parts:
        if not about:
            continue
        old_mode, new_mode, old, new, _ = about.decode().removeprefix(":").split()
        path = next(parts).decode("utf-8", "backslashreplace")
        yield Difference(path, old_mode, new_mode, old, new)


def _sizes(bare: BareRepository, names: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Return each name's blob and size; what is no blob is too large for everybody."""
    listed = bare.git.require("cat-file", "--batch-check", stdin=_lines(names))
    for line in listed.stdout.split(b"\n")[: len(names)]:
        blob = _BLOB.fullmatch(line)
        yield (blob[1].decode(), int(blob[2])) if blob else ("", 1 << 62)


def _contents(bare: BareRepository, names: Sequence[str]) -> dict[str, bytes]:
    output = memoryview(bare.git.require("cat-file", "--batch", stdin=_lines(names)).stdout)
    found = {}
    position = 0
    for name in names:
        head = bytes(output[position : position + 200]).split(b"\n", 1)[0]
        begin = position + len(head) + 1
        end = begin + int(head.rsplit(b" ", 1)[1])
        found[name] = bytes(output[begin:end])
        position = end + 1
    return found


def _lines(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
