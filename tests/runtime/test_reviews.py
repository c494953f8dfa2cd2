"""What is kept for people to look at before they decide."""

import pytest

from runtime.reviews import Reviews, report_key
from runtime.store.base import MissingObjectError, Store
from workflows.contract.base import SessionId, Sha256
from workflows.contract.findings import FindingCounts
from workflows.contract.judging import Judgement

SESSION = SessionId("s1")
TREE, OTHER = "d" * 40, "e" * 40


def judged(report: str, turn: int = 1, round: int = 1) -> Judgement:
    return Judgement(
        session=SESSION,
        turn=turn,
        round=round,
        tree=TREE,
        counts=FindingCounts(),
        blocking="",
        report=Sha256(report * 64),
        message=Sha256("0" * 64),
    )


async def test_a_diff_is_found_by_its_tree(store: Store):
    """Byte by byte; keeping it again, worded otherwise, changes nothing."""
    reviews = Reviews(store)
    with pytest.raises(MissingObjectError):
        await reviews.diff(SESSION, TREE)
    await reviews.keep_diff(SESSION, TREE, b"+\xff\r\n")
    await reviews.keep_diff(SESSION, TREE, b"of another git")
    assert await reviews.diff(SESSION, TREE) == b"+\xff\r\n"
    assert await reviews.has_diff(SESSION, TREE)
    assert not await reviews.has_diff(SESSION, OTHER)
    assert not await reviews.has_diff(SessionId("s2"), TREE)


async def test_the_findings_are_those_of_the_newest_judgement(store: Store):
    """A later turn counts, then a later round, then the second look; the order of writing not."""
    reviews = Reviews(store)
    with pytest.raises(MissingObjectError):
        await reviews.findings(SESSION, TREE)
    for name in "abcdf":
        store.create(report_key(Sha256(name * 64)), name.encode())
    newest = (
        (judged("a"), False, b"a"),
        (judged("b"), True, b"b"),
        (judged("c", round=10), False, b"c"),
        (judged("d", round=9), True, b"c"),
        (judged("f", turn=2), False, b"f"),
        (judged("a", turn=2), False, b"f"),
    )
    for judgement, is_second, found in newest:
        await reviews.keep(judgement, is_second=is_second)
        assert await reviews.findings(SESSION, TREE) == found
    with pytest.raises(MissingObjectError):
        await reviews.findings(SESSION, OTHER)
