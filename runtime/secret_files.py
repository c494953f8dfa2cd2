"""Secrets that are given as files, the way containers get them: one file holds one secret.

No message of this module holds anything of a file's content.
"""

import os
import re
import stat
from pathlib import Path

LIMIT_BYTES = 64 * 1024
"""Of one file; above it the file is refused."""

MOUNT = Path("/run/secrets")
"""Where containers find their secrets. The mount shows them with mode 0444, so that whatever user
the container has can read them; elsewhere a file that every user may read is refused."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_SENT = ("_KEY", "_TOKEN")
_SENDABLE = re.compile(r"[!-~]+")


class SecretFileError(ValueError):
    """A secret cannot be taken from a file; the message says which, why and what to do."""


def read_secret(path: Path) -> str:
    """Return what a file holds, without the newline at its end.

    Raises:
        SecretFileError: the path is relative or names no plain file, or the file cannot be read,
            is empty, is larger than `LIMIT_BYTES`, is no UTF-8 text, holds a NUL, or may be read by
            every user outside `MOUNT`.
    """
    where = repr(str(path))
    if not path.is_absolute():
        # Without the value: a person may have put the secret itself there.
        message = "must be the whole path of a file that holds the secret"
        raise SecretFileError(message)
    content = _content(path, where)
    try:
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        message = f"{where} is no text; write the secret into it in UTF-8"
        raise SecretFileError(message) from None  # the cause would quote the content
    if not text.strip():
        message = f"{where} is empty; write the secret into it, or unset the variable"
        raise SecretFileError(message)
    if "\0" in text:
        message = f"{where} holds a NUL byte; write the secret into it as text"
        raise SecretFileError(message)
    return text


def read_variables(folder: Path) -> dict[str, str]:
    """Return the secrets of a folder whose files are named like the variables they stand for.

    Names that begin with a dot are left out: Kubernetes keeps its own links there.

    Raises:
        SecretFileError: the folder cannot be listed, holds no file, a name is no variable's, or a
            file is refused as by `read_secret`.
    """
    where = repr(str(folder))
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        message = f"{where} cannot be listed ({error.strerror}); name a folder of secret files"
        raise SecretFileError(message) from error
    if not paths:
        message = f"{where} holds no file; put a file such as ANTHROPIC_API_KEY into it"
        raise SecretFileError(message)
    for path in paths:
        if _VARIABLE.fullmatch(path.name) is None or path.name.startswith("OVERNIGHT_"):
            message = (
                f"{str(path)!r} is not named like a provider's variable; name it as the "
                "variable is called, such as ANTHROPIC_API_KEY, or move it elsewhere"
            )
            raise SecretFileError(message)
    return {path.name: _value(path) for path in paths}


def _value(path: Path) -> str:
    secret = read_secret(path)
    # It is sent in a header, where anything else fails in words that say nothing of the key.
    if path.name.endswith(_SENT) and _SENDABLE.fullmatch(secret) is None:
        message = f"{str(path)!r} holds more than one word of ASCII; write the key alone into it"
        raise SecretFileError(message)
    return secret


def _content(path: Path, where: str) -> bytes:
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            _check(os.fstat(file.fileno()).st_mode, path, where)
            content = file.read(LIMIT_BYTES + 1)
    except OSError as error:
        message = f"{where} cannot be read ({error.strerror}); check the path and its mode"
        raise SecretFileError(message) from error
    if len(content) > LIMIT_BYTES:
        message = f"{where} is larger than {LIMIT_BYTES} bytes; name the file of one secret"
        raise SecretFileError(message)
    return content


def _open_at_once(path: str, flags: int) -> int:
    # A pipe that nobody writes to would hold up the start for ever.
    return os.open(path, flags | os.O_NONBLOCK)


def _check(mode: int, path: Path, where: str) -> None:
    if not stat.S_ISREG(mode):
        message = f"{where} is no plain file; name the file that holds the secret"
        raise SecretFileError(message)
    if mode & stat.S_IROTH and not path.resolve().is_relative_to(MOUNT.resolve()):
        message = f"{where} may be read by every user; take that away: chmod o-rwx {path}"
        raise SecretFileError(message)
