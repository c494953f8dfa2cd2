"""What stands in a report, whatever was meant to stand there: values of the expected type.

Reports are written by programs that the work can change, so that nothing in them is relied on.
"""

import math
import posixpath
import re
from collections.abc import Mapping
from urllib.parse import unquote

from activities.checks.findings.inert import inert

NUMBER_LIMIT = 10_000_000
NUMBER_DIGITS = 8
PATH_CHARACTERS = 500

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:")
_DRIVE = re.compile(r"^/?[A-Za-z]:")
_NOTHING: Mapping[str, object] = {}


def mapping(value: object) -> Mapping[str, object]:
    """Return a JSON object, or an empty one for all else."""
    return value if isinstance(value, dict) else _NOTHING


def items(value: object) -> list[object]:
    """Return a JSON array, or an empty one for all else."""
    return value if isinstance(value, list) else []


def first(value: object) -> object:
    """Return the first item of a JSON array; None for all else."""
    return value[0] if isinstance(value, list) and value else None


def text(value: object) -> str:
    """Return a string or the digits of a whole number, or nothing for all else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def at(value: object, *keys: str) -> object:
    """Return what stands under keys of nested JSON objects; None when something is missing."""
    for key in keys:
        value = mapping(value).get(key)
    return value


def whole(value: object) -> int:
    """Return a number of a line or a column; 0 for what can be none."""
    number = 0
    if isinstance(value, int):
        number = 0 if isinstance(value, bool) else value
    elif isinstance(value, str):
        is_number = len(value) <= NUMBER_DIGITS and value.isascii() and value.isdigit()
        number = int(value) if is_number else 0
    elif isinstance(value, float):
        number = int(value) if math.isfinite(value) else 0
    return number if 0 <= number <= NUMBER_LIMIT else 0


class Paths:
    """Turns paths as tools write them into paths from the top folder of one workspace."""

    def __init__(self, workspace: str) -> None:
        self._top = posixpath.normpath(workspace) + "/" if workspace.startswith("/") else ""
        self._known: dict[str, str] = {}

    def inside(self, raw: str) -> str:
        """Return the path from the top folder; empty when it is none inside the workspace."""
        known = self._known.get(raw)
        if known is None:
            known = self._known[raw] = self._inside(raw)
        return known

    def of_uri(self, raw: str) -> str:
        """Do the same with a URI reference, in which characters may be encoded."""
        return self.inside(raw if raw.startswith("file:") else unquote(raw[: 4 * PATH_CHARACTERS]))

    def _inside(self, raw: str) -> str:
        if not raw or len(raw) > 8 * PATH_CHARACTERS:
            return ""
        path = _without_scheme(raw).replace("\\", "/")
        if _DRIVE.match(path) or _SCHEME.match(path) or inert(path) != path or "\n" in path:
            return ""
        path = posixpath.normpath(path)
        if path.startswith("/"):
            # A path may begin with two slashes that mean the same as one.
            path = "/" + path.lstrip("/")
            if not self._top or not path.startswith(self._top):
                return ""
            path = path[len(self._top) :]
        is_outside = path in (".", "..", "") or path.startswith("../")
        return "" if is_outside or len(path) > PATH_CHARACTERS else path


def _without_scheme(raw: str) -> str:
    if not raw.startswith("file:"):
        return raw
    rest = raw.removeprefix("file:")
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        rest = slash + path if host in ("", "localhost") else ""
    return unquote(rest)
