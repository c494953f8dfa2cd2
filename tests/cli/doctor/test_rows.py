"""Where the doctor draws its lines: disk, files, clocks, file systems."""

import resource
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.doctor import data, gateway, machine
from workflows.contract.health import Row, Status, TemporalHealth

OK, WARN, FAIL = Status.OK, Status.WARN, Status.FAIL
GIB = 1024**3


@pytest.mark.parametrize(
    ("free", "status"),
    [(0, FAIL), (GIB - 1, FAIL), (GIB, WARN), (5 * GIB - 1, WARN), (5 * GIB, OK)],
)
def test_little_disk_warns_and_none_fails(free: int, status: Status):
    """Below 5 GiB it is said, below 1 GiB nothing works for long."""
    row = data._free_bytes(free)
    assert (row.status, row.finding) == (status, f"{free / GIB:.1f} GiB are free")


@pytest.mark.parametrize(("free", "status"), [(9_999, FAIL), (99_999, WARN), (100_000, OK)])
def test_inodes_are_counted_as_disk_is(free: int, status: Status):
    """A disk without inodes is full."""
    assert data._free_inodes(free).status is status


@pytest.mark.parametrize(
    ("kind", "status"), [("ext4", OK), ("nfs4", WARN), ("fuse.sshfs", WARN), ("tmpfs", WARN)]
)
def test_file_systems_that_may_lose_data_warn(kind: str, status: Status):
    """Neither a network nor memory is a place for a database."""
    row = data._kind_row(kind)
    assert row.status is status
    assert kind in row.finding


MOUNTS = r"""22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
30 22 0:26 / /srv rw - nfs4 server:/srv rw
31 30 0:27 / /srv/with\040space rw shared:2 master:1 - tmpfs none rw
32 22 0:28 / /srv rw - xfs /dev/sdb rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "ext4"), ("/srvx", "ext4"), ("/srv/a", "xfs"), ("/srv/with space/b", "tmpfs")],
)
def test_the_innermost_and_newest_mount_counts(path: str, kind: str):
    """As the kernel resolves a path."""
    assert data.kind_of(MOUNTS, Path(path)) == kind


@pytest.mark.parametrize(
    ("limit", "status"),
    [(255, FAIL), (1023, WARN), (1024, OK), (resource.RLIM_INFINITY, OK)],
)
def test_few_open_files_are_told(limit: int, status: Status):
    """With the command that raises the limit."""
    (row,) = machine._open_files(limit)
    assert row.status is status
    assert ("ulimit -n" in row.cure) is (status is not OK)


@pytest.mark.parametrize(
    ("now", "jumped", "status"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0.0, FAIL),
        (datetime(2100, 1, 1, tzinfo=UTC), 0.0, FAIL),
        (datetime(2026, 1, 1, tzinfo=UTC), -3600.0, WARN),
        (datetime(2026, 1, 1, tzinfo=UTC), 0.4, OK),
    ],
)
def test_a_clock_that_cannot_be_right_is_told(now: datetime, jumped: float, status: Status):
    """A machine without a clock of its own wakes up in 1970; one that is being set jumps."""
    assert machine._clock_row(now, jumped).status is status


@pytest.mark.parametrize(
    ("ahead", "took", "status"),
    [(0.1, 0.2, OK), (2.5, 2.4, OK), (5.0, 0.1, WARN), (-5.0, 3.0, WARN), (-61, 0.1, FAIL)],
)
def test_an_answer_that_took_long_is_no_other_clock(ahead: float, took: float, status: Status):
    """The gateway's clock is read when it has answered: the wait is not a difference."""
    row = gateway._skew(timedelta(seconds=ahead), timedelta(seconds=took))
    assert row.status is status


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (TemporalHealth(retention_days=30.0, is_prepared=True), OK),
        (TemporalHealth(retention_days=1.0, is_prepared=True), WARN),
        (TemporalHealth(retention_days=30.0, is_prepared=False), FAIL),
        (TemporalHealth(retention_days=30.0, is_prepared=None), WARN),
    ],
)
def test_a_namespace_is_judged(found: TemporalHealth, status: Status):
    """Without the search attribute sessions cannot be listed; what may not be seen is no fault."""
    row = gateway._namespace(found)
    assert (row.what, row.status) == ("namespace", status)


def test_trouble_with_temporal_hides_what_was_not_seen():
    """One row, with the gateway's own words."""
    found = tuple(gateway._temporal(TemporalHealth(trouble="it is down"), "mend it"))
    assert found == (Row.fail("temporal", "it is down", "mend it"),)
