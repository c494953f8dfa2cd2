"""Files of a workspace as a script in its box prints them: a tar archive, read without trust."""

import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

FILES_LIMIT = 200
FILE_LIMIT_BYTES = 1024 * 1024


def wanted(paths: Iterable[str]) -> list[str]:
    """Return what to ask for: the first 200 paths that stay inside, and the folders on their way.

    A folder that is a link is missing in the answer, and so is seen for what it is.
    """
    inside = [path for path in paths if _is_inside(path)][:FILES_LIMIT]
    folders = {str(folder): None for path in inside for folder in PurePosixPath(path).parents}
    folders.pop(".", None)
    return [*folders, *dict.fromkeys(inside)]


def read_archive(archive: bytes) -> dict[str, bytes]:
    """Return the regular files of one or more archives by path, as far as they can be read.

    Those whose folders are not all in them as folders are left out.
    """
    folders: set[str] = {"."}
    files: dict[str, bytes] = {}
    try:
        # Zeros end an archive; another one may follow.
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:", ignore_zeros=True) as tar:
            for member in tar:
                name = str(PurePosixPath(member.name))
                if member.isdir():
                    folders.add(name)
                elif member.type == tarfile.REGTYPE and member.size <= FILE_LIMIT_BYTES:
                    content = tar.extractfile(member)
                    files[name] = b"" if content is None else content.read(FILE_LIMIT_BYTES)
    except (tarfile.TarError, ValueError, OverflowError, OSError, EOFError):
        pass  # cut at the limit, or not what tar wrote: what came before counts
    return {
        name: data
        for name, data in files.items()
        if all(str(folder) in folders for folder in PurePosixPath(name).parents)
    }


def lines_of(files: Mapping[str, bytes]) -> dict[str, Sequence[str]]:
    """Return the lines of files as tools count them."""
    return {
        path: [line.removesuffix("\r") for line in data.decode("utf-8", "replace").split("\n")]
        for path, data in files.items()
    }


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path)
    return bool(path) and "\0" not in path and not parts.is_absolute() and ".." not in parts.parts
