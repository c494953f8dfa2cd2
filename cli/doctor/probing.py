"""Runs probes side by side: one that hangs is cut off, one that crashes is a row like any other."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from workflows.contract.base import Frozen
from workflows.contract.health import Row

PROBE_SECONDS = 3.0
"""A probe that takes longer is given up; its thread ends with the process."""


class Probe(NamedTuple):
    """Something to look at."""

    group: str
    what: str
    """Names its row when it cannot be finished."""

    look: Callable[[], Iterable[Row]]
    """Finds any number of rows; none when there is nothing of the kind."""

    seconds: float = PROBE_SECONDS


class Group(Frozen):
    """The rows about one subject."""

    name: str
    rows: tuple[Row, ...]


def examine(probes: Sequence[Probe]) -> tuple[Group, ...]:
    """Run all probes at once and return their rows, in the order of the probes."""
    found: dict[int, tuple[Row, ...]] = {}
    began = time.monotonic()
    threads = [
        threading.Thread(target=_look, args=(probe, number, found), daemon=True)
        for number, probe in enumerate(probes)
    ]
    for thread in threads:
        thread.start()
    groups: dict[str, list[Row]] = {}
    for number, (probe, thread) in enumerate(zip(probes, threads, strict=True)):
        thread.join(max(0.0, began + probe.seconds - time.monotonic()))
        groups.setdefault(probe.group, []).extend(found.get(number, (_cut_off(probe),)))
    return tuple(Group(name=name, rows=tuple(rows)) for name, rows in groups.items())


def _look(probe: Probe, number: int, found: dict[int, tuple[Row, ...]]) -> None:
    try:
        found[number] = tuple(probe.look())
    except Exception as error:  # noqa: BLE001  # whatever it is, the other rows are still wanted
        what = f"looking at it failed: {type(error).__name__}: {error}"
        found[number] = (Row.fail(probe.what, what, "mend that, or report it as a defect"),)


def _cut_off(probe: Probe) -> Row:
    what = f"looking at it took longer than {probe.seconds:g} s and was given up"
    return Row.fail(probe.what, what, "find out what hangs there, then try again")
