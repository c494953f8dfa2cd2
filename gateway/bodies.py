"""What a JSON body may be; `json.loads` and FastAPI let through far more.

Pure. Used by `edge` before a body reaches the routes.
"""

import json
import math
from typing import Never

from gateway.problems import ProblemError
from workflows.contract.problems import Code

DEPTH_LIMIT = 32
"""Objects and arrays may nest so deep."""

DIGITS_LIMIT = 19
"""A longer integer does not fit into 64 bits."""

_UTF8_BOM = b"\xef\xbb\xbf"


def check_json(body: bytes) -> None:
    """Refuse a body that is not strict JSON (RFC 8259, distinct names) with text that can be kept.

    Raises:
        ProblemError: `malformed_json` or `malformed_text`, with the place.
    """
    try:
        value = json.loads(
            _decode(body),
            parse_constant=_refuse_constant,
            parse_int=_bounded_integer,
            parse_float=_finite_number,
            object_pairs_hook=_distinct_names,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno} (character {error.pos})"
        _refuse_json(f"{error.msg} at {place}")
    except RecursionError:
        _refuse_json(f"values nest deeper than {DEPTH_LIMIT} levels")
    _check_value(value, "", depth=0)


def _decode(body: bytes) -> str:
    if not body:
        _refuse_json("the body is empty")
    if body.startswith(_UTF8_BOM):
        _refuse_json("the body starts with a byte order mark")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        _refuse_json(f"byte {error.start} is not UTF-8")
    if "\0" in text:
        # What UTF-16 and UTF-32 look like when they hold ASCII.
        _refuse_json(f"NUL at character {text.index(chr(0))}; is the body UTF-8?")
    return text


def _refuse_constant(name: str) -> Never:
    _refuse_json(f"{name} is not a JSON value")


def _bounded_integer(digits: str) -> int:
    length = len(digits.removeprefix("-"))
    if length > DIGITS_LIMIT:
        _refuse_json(f"an integer of {length} digits, at most {DIGITS_LIMIT} are taken")
    return int(digits)


def _finite_number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        _refuse_json(f"the number {digits[:40]} is too large")
    return number


def _distinct_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names: dict[str, object] = {}
    for name, value in pairs:
        if name in names:
            _refuse_json(f"the name {name[:100]!a} stands twice in one object")
        names[name] = value
    return names


def _check_value(value: object, place: str, *, depth: int) -> None:
    if depth >= DEPTH_LIMIT and isinstance(value, (dict, list)):
        _refuse_json(f"values nest deeper than {DEPTH_LIMIT} levels")
    if isinstance(value, str):
        _check_text(value, place)
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_text(name, f"a name in {place or 'the body'}")
            _check_value(inner, f"{place}.{name}".lstrip("."), depth=depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check_value(inner, f"{place}[{index}]", depth=depth + 1)


def _check_text(text: str, place: str) -> None:
    if "\0" in text:
        _refuse_text(f"NUL at character {text.index(chr(0))}", place)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        _refuse_text(f"a lone surrogate at character {error.start}", place)


def _refuse_json(detail: str) -> Never:
    raise ProblemError(Code.MALFORMED_JSON, detail)


def _refuse_text(what: str, place: str) -> Never:
    where = place or "the body"
    detail = f"{what} of {where[:100]}"
    raise ProblemError(Code.MALFORMED_TEXT, detail, errors=(detail,))
