"""Places in a session's events, as text that sorts like the events do. Pure."""

import re
from typing import NamedTuple

from gateway.problems import ProblemError
from workflows.contract.events import Cursor
from workflows.contract.problems import Code

_CURSOR = re.compile(r"([0-9]{6})\.([0-9]{8})\.([0-9])")


class Place(NamedTuple):
    """Where an event stands."""

    run: int
    """Index of the session's run."""

    event: int
    """Id of the event in the run's history; the first is 1."""

    part: int = 0
    """Counts what one event of the history shows."""

    def cursor(self) -> Cursor:
        """Return the place as clients carry it."""
        return Cursor(f"{self.run:06}.{self.event:08}.{self.part}")


def parse(text: str) -> Place:
    """Read a cursor back.

    Raises:
        ProblemError: `invalid_request`, for a text that no gateway gave.
    """
    found = _CURSOR.fullmatch(text)
    if found is None:
        detail = f"{text[:60]!r} is no cursor that the gateway gave"
        raise ProblemError(Code.INVALID_REQUEST, detail, errors=("cursor: is not valid",))
    return Place(int(found[1]), int(found[2]), int(found[3]))
