"""How the findings of one check stand to those at the base commit and of the round before; pure.

A finding is known by its fingerprint, or else by all but its source line: a line that was edited
and still has its old problem is not a new one. That second match does not excuse what keeps
everything else from running (`compile`, `build`) nor `security`: there it is `changed`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from activities.checks.findings.fingerprints import identified, second_key
from activities.checks.findings.inert import ELLIPSIS
from activities.checks.judging.evidence import Evidence
from workflows.contract.findings import (
    BLOCKING,
    Finding,
    FindingKind,
    FindingState,
    Severity,
    TestOutcome,
)

_NOT_EXCUSED = frozenset({FindingKind.COMPILE, FindingKind.BUILD, FindingKind.SECURITY})
_RANK = {Severity.NOTE: 0, Severity.WARNING: 1, Severity.ERROR: 2}


class Judged(NamedTuple):
    """A finding and how it stands."""

    finding: Finding
    state: FindingState


def compare(now: Evidence, base: Evidence | None, previous: Sequence[Finding]) -> list[Judged]:
    """Return every finding of the check with its state; those that are gone are `fixed`.

    Without a base nothing excuses anything. Notes never count, and warnings only where the check
    fails: then they may be why.
    """
    present = [*now.report.findings, *_silent(now)]
    known = list(base.report.findings) if base is not None else []
    before = [finding for finding in previous if finding.check == now.check]
    at_base, earlier = _pair(present, known), _pair(present, before)
    tests_at_base = base.report.tests if base is not None else {}
    states = [
        _state(finding, at_base.found[place], earlier.found[place], tests_at_base)
        for place, finding in enumerate(present)
    ]
    least = _RANK[Severity.ERROR if now.passed else Severity.WARNING]
    judged = [Judged(*each) for each in zip(present, states, strict=True)]
    judged = [each for each in judged if _RANK[each.finding.severity] >= least]
    judged += _unexplained(now, base, judged, before)
    if now.runnable:
        known_to_base = {_identity(finding) for finding in known}
        gone = [each for each in earlier.left if _identity(each) not in known_to_base]
        judged += [
            Judged(each, FindingState.FIXED) for each in at_base.left + gone if _is_gone(each, now)
        ]
    return judged


def _silent(now: Evidence) -> list[Finding]:
    """Return findings for tests that failed and that no finding describes."""
    described = {finding.test_id for finding in now.report.findings}
    failed = [test for test, outcome in now.report.tests.items() if outcome is TestOutcome.FAILED]
    return [_made(now, "fails", test_id=test) for test in failed if test not in described]


class _Match(NamedTuple):
    finding: Finding
    is_exact: bool


class _Pairs(NamedTuple):
    found: list[_Match | None]
    left: list[Finding]


def _pair(present: Sequence[Finding], others: Sequence[Finding]) -> _Pairs:
    """Pair findings with others, each once: by fingerprint, then by what survives an edit."""
    found: list[_Match | None] = [None] * len(present)
    left = list(others)
    for key in (_identity, second_key, _reason):
        free: dict[str, list[Finding]] = {}
        for other in reversed(left):
            free.setdefault(key(other), []).append(other)
        for place, finding in enumerate(present):
            candidates = [] if found[place] else free.get(key(finding), [])
            if candidates:
                found[place] = _Match(candidates.pop(), key is _identity)
        left = [other for rest in free.values() for other in reversed(rest)]
    return _Pairs(found, left)


def _identity(finding: Finding) -> str:
    if finding.test_id:
        return f"test\0{finding.test_id}"
    return finding.fingerprint or second_key(finding)


def _reason(finding: Finding) -> str:
    """Return why a check cannot be run: the same whatever else the tool says each time."""
    if finding.kind is FindingKind.ENVIRONMENT:
        return f"environment\0{finding.rule}"
    return f"{id(finding)}"  # equals no other's


def _state(
    finding: Finding,
    at_base: _Match | None,
    earlier: _Match | None,
    tests_at_base: Mapping[str, TestOutcome],
) -> FindingState:
    if at_base is not None:
        is_same = _says_the_same(finding, at_base)
        return FindingState.PRE_EXISTING if is_same else FindingState.CHANGED
    if finding.test_id and tests_at_base.get(finding.test_id) is TestOutcome.FAILED:
        return FindingState.CHANGED  # what it said then is not known
    if earlier is None:
        return FindingState.NEW
    if finding.test_id and second_key(finding) != second_key(earlier.finding):
        return FindingState.CHANGED
    return FindingState.PERSISTING


def _says_the_same(finding: Finding, match: _Match) -> bool:
    old = match.finding
    if _RANK[finding.severity] > _RANK[old.severity]:
        return False
    if finding.test_id:
        return second_key(finding) == second_key(old)
    if finding.kind is FindingKind.ENVIRONMENT:
        return True
    if not match.is_exact and finding.kind in _NOT_EXCUSED:
        return False
    return bool(finding.path) or _lines(finding) <= _lines(old)


def _lines(finding: Finding) -> set[str]:
    """Return the whole lines of output that nobody understands, blanked as messages are."""
    lines = [line.strip() for line in finding.detail.split("\n")]
    return {
        second_key(finding.model_copy(update={"message": line}))
        for line in lines
        if not line.startswith(ELLIPSIS)
    }


def _is_gone(finding: Finding, now: Evidence) -> bool:
    """Tell whether a finding that is not there is mended: a test must have passed for that."""
    if finding.severity is Severity.NOTE:
        return False
    return not finding.test_id or now.report.tests.get(finding.test_id) is TestOutcome.PASSED


def _unexplained(
    now: Evidence, base: Evidence | None, judged: Sequence[Judged], before: Sequence[Finding]
) -> Iterator[Judged]:
    """Say what no finding says: that the check fails, or that there is more than was kept."""
    made = []
    left_out = base.report.left_out if base is not None else 0
    if now.report.left_out > left_out:
        message = f"there are {now.report.left_out} findings more than can be compared"
        made.append(_made(now, message, rule="left-out"))
    excuse = FindingState.PRE_EXISTING if base is not None and not base.passed else None
    is_explained = any(each.state in BLOCKING or each.state is excuse for each in judged)
    if not now.passed and not is_explained:
        message = "fails, though the base commit does not, or not with only what is reported here"
        made.append(_made(now, message, rule="unexplained"))
    told = {_identity(finding) for finding in before}
    for finding in made:
        is_old = _identity(finding) in told
        yield Judged(finding, FindingState.PERSISTING if is_old else FindingState.NEW)


def _made(now: Evidence, message: str, *, rule: str = "", test_id: str = "") -> Finding:
    path = test_id.partition("::")[0] if "::" in test_id else ""
    return identified(
        Finding(
            check=now.check,
            kind=FindingKind.TEST if test_id else now.kind,
            rule=rule,
            path=path[:500],
            message=message,
            test_id=test_id[:500],
        )
    )
