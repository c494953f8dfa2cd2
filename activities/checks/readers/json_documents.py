"""Finds the JSON in what a tool wrote: a document, one a line, or some between other lines."""

import json
import re
from collections.abc import Iterator

from activities.checks.findings.inert import decoded
from activities.checks.readers.gathering import UnreadableError

DOCUMENTS_LIMIT = 1_000_000
NUMBER_DIGITS = 20

_START = re.compile(r"^[ \t]*(?=[{\[])", re.MULTILINE)


def document(content: bytes) -> object:
    """Return the one document; raises UnreadableError for anything else."""
    try:
        return _DECODER.decode(decoded(content))
    except RecursionError as error:
        reason = "the report is nested too deeply"
        raise UnreadableError(reason) from error
    except ValueError as error:
        reason = f"the report is no JSON: {error}"
        raise UnreadableError(reason) from error


def documents(content: bytes) -> Iterator[object]:
    """Give every document that begins a line; what is none is passed over."""
    text = decoded(content)
    # A broken document is looked through again from each of its lines: this bounds how often.
    effort_left = len(text) + 1_000_000
    start = _START.search(text)
    for _ in range(DOCUMENTS_LIMIT):
        if start is None or effort_left < 0:
            return
        try:
            value, after = _DECODER.raw_decode(text, start.end())
        except RecursionError:
            effort_left -= 1_000_000
        except json.JSONDecodeError as error:
            effort_left -= error.pos - start.end()
        else:
            yield value
            start = _START.search(text, after)
            continue
        start = _START.search(text, start.end() + 1)


def _number(digits: str) -> int:
    # Python refuses thousands of digits, and nothing counts that far.
    return int(digits) if len(digits) <= NUMBER_DIGITS else 0


_DECODER = json.JSONDecoder(parse_int=_number)
