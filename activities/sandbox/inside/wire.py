"""The words of the supervisor's protocol: one JSON object per line, and frames of output.

`activities.sandbox.box` speaks the other end; both read the numbers here.
"""

import json
import math
import re
import struct
from collections.abc import Mapping
from typing import TypeAlias

VERSION = 1
MAX_REQUEST_BYTES = 16 * 1024 * 1024
"""A longer request is refused and its client dropped."""

MAX_WAIT_S = 60.0
"""A `wait` answers after this many seconds at the latest."""

MAX_SECONDS = 366 * 24 * 3600.0

FRAME = struct.Struct(">BQI")
"""Header of a frame in a command's log: stream, time in ns since the epoch, bytes that follow."""

STDOUT = 1
STDERR = 2

Request: TypeAlias = Mapping[str, object]
Reply: TypeAlias = dict[str, object]

_IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,120}\Z")


class RefusedError(ValueError):
    """The request cannot be understood; the message says why."""


def parse(line: bytes) -> Request:
    """Read one request; raises `RefusedError` on anything but an object with an `op`."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as problem:
        message = "the request is not JSON"
        raise RefusedError(message) from problem
    if not isinstance(request, dict):
        message = "the request is not an object"
        raise RefusedError(message)
    text(request, "op")
    return request


def identifier(request: Request, name: str) -> str:
    """Return an id that is safe as a file name: 1 to 120 of letters, digits, `.`, `_`, `-`."""
    value = text(request, name)
    if value in (".", "..") or not _IDENTIFIER.match(value):
        message = f"{name!r} is no id"
        raise RefusedError(message)
    return value


def text(request: Request, name: str, default: str | None = None) -> str:
    """Return a string field."""
    value = request.get(name, default)
    if not isinstance(value, str):
        message = f"{name!r} must be a string"
        raise RefusedError(message)
    return value


def whole(request: Request, name: str, default: int | None = None) -> int:
    """Return an integer field that is at least 0."""
    value = request.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        message = f"{name!r} must be a whole number"
        raise RefusedError(message)
    return value


def seconds(request: Request, name: str, default: float | None = None) -> float:
    """Return a number of seconds, at least 0 and at most a year."""
    value = request.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool):
        message = f"{name!r} must be a number of seconds"
        raise RefusedError(message)
    if math.isnan(value) or value < 0:
        message = f"{name!r} must be at least 0"
        raise RefusedError(message)
    return float(min(value, MAX_SECONDS))


def environment(request: Request, name: str) -> dict[str, str]:
    """Return a mapping of strings to strings."""
    value = request.get(name, {})
    if not isinstance(value, dict):
        message = f"{name!r} must be an object"
        raise RefusedError(message)
    for key, item in value.items():
        if not isinstance(item, str) or not key or "=" in key or "\0" in key + item:
            message = f"{name!r} holds a variable that cannot be set: {key!r}"
            raise RefusedError(message)
    return value
