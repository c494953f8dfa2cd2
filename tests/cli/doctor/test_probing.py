"""What becomes of probes that end, hang and crash."""

import threading
from collections.abc import Iterator

from cli.doctor.probing import Probe, examine
from tests.patience import PATIENCE_SECONDS
from workflows.contract.health import Row, Status

BROKEN = "it is broken"


def finds(*names: str) -> Iterator[Row]:
    """Find these well."""
    return (Row.ok(name, "well") for name in names)


def test_rows_come_in_the_order_of_their_probes():
    """Probes of one group stand together, however long each took."""
    first = threading.Event()

    def late() -> Iterator[Row]:
        assert first.wait(PATIENCE_SECONDS)
        yield from finds("a", "b")

    def early() -> Iterator[Row]:
        first.set()
        yield from finds("c")

    found = examine(
        [
            Probe("x", "late", late, 10),
            Probe("y", "early", early),
            Probe("x", "more", lambda: finds("d")),
        ]
    )
    assert [(group.name, [row.what for row in group.rows]) for group in found] == [
        ("x", ["a", "b", "d"]),
        ("y", ["c"]),
    ]


def test_a_probe_that_hangs_is_cut_off():
    """It is given up after its time, which is said; the others have their rows."""
    never = threading.Event()

    def hangs() -> Iterator[Row]:
        never.wait()
        yield from finds("hangs")

    (group,) = examine([Probe("x", "hangs", hangs, 0.05), Probe("x", "well", lambda: finds("y"))])
    never.set()
    assert [row.status for row in group.rows] == [Status.FAIL, Status.OK]
    assert group.rows[0].what == "hangs"
    assert group.rows[0].finding == "looking at it took longer than 0.05 s and was given up"


def test_a_probe_that_crashes_is_a_row():
    """Whatever it raised stands there in words; nothing is raised on."""

    def crashes() -> Iterator[Row]:
        yield from finds("begun")
        raise RuntimeError(BROKEN)

    (group,) = examine([Probe("x", "crashes", crashes)])
    (row,) = group.rows
    assert (row.what, row.status) == ("crashes", Status.FAIL)
    assert row.finding == "looking at it failed: RuntimeError: it is broken"
