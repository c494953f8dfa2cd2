"""The rules of judging: from what all checks said to what stands, blocks and is told; pure."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from activities.checks.examining.tampering import CHECK
from activities.checks.judging import presentation, trials, weakened
from activities.checks.judging.comparison import Judged, compare
from activities.checks.judging.evidence import Evidence, complete
from activities.checks.judging.presentation import Picture
from workflows.contract.base import Sha256
from workflows.contract.findings import (
    BLOCKING,
    FINDINGS_LIMIT,
    Finding,
    FindingCounts,
    FindingReport,
    FindingState,
    Severity,
    TestCounts,
)
from workflows.contract.judging import Judgement, JudgeWork, Suspect


class Known(NamedTuple):
    """What a request names, read."""

    now: Sequence[Evidence]
    base: Sequence[Evidence]
    original: Sequence[Evidence]
    alone: Sequence[Evidence]
    alone_at_base: Sequence[Evidence]
    examined: FindingReport
    previous: Sequence[Finding]
    prompt: str


class Found(NamedTuple):
    """What follows from it."""

    picture: Picture
    report: FindingReport
    """All that blocks."""

    failing: int
    suspects: tuple[Suspect, ...] = ()


def judge(request: JudgeWork, known: Known) -> Found:
    """Return how all findings stand, and from what it is put into words."""
    now = _by_check(complete(request.plan.checks, known.now))
    base = _by_check(known.base)
    judged: list[Judged] = []
    suspects: list[Suspect] = []
    for check, evidence in now.items():
        found = compare(evidence, base.get(check), known.previous)
        if check in base and _may_rerun(request, check):
            tests = trials.suspects(found, base[check], request.examination.files)
            suspects += (Suspect(check=check, test=test) for test in tests)
        judged += trials.flaky(found, _of(check, known.alone), _of(check, known.alone_at_base))
    tampered = weakened.findings(request, known.examined, now, base, _by_check(known.original))
    judged += _stated(tampered, known.previous)
    failing = {check for check, evidence in now.items() if not evidence.passed}
    picture = _picture(judged, failing, known.prompt)._replace(
        tests=_sum(now),
        tests_at_base=_sum(base),
        remarks=[finding for finding in tampered if finding.severity is Severity.NOTE],
        unrunnable=tuple(check for check, evidence in now.items() if not evidence.runnable)[:8],
    )
    # Many are no flakes: something is broken.
    few = tuple(suspects) if len(suspects) <= trials.SUSPECTS_LIMIT else ()
    return Found(picture, _report(picture), len(failing), few)


def told(request: JudgeWork, found: Found, report: Sha256, message: Sha256) -> Judgement:
    """Put what was found into the answer; `report` and `message` are kept objects."""
    picture = found.picture
    blocking = [each.finding for each in picture.blocking]
    return Judgement(
        session=request.session,
        turn=request.turn,
        round=request.round,
        tree=request.work.tree,
        counts=picture.counts,
        named=len(blocking) - picture.counts.blocking,
        fixable=sum(finding.fixable for finding in blocking),
        failing=found.failing,
        unrunnable=tuple(picture.unrunnable),
        tests=picture.tests,
        tests_at_base=picture.tests_at_base,
        blocking=_hash(blocking),
        remaining=_hash(picture.remaining),
        suspects=found.suspects,
        shown=presentation.shown(picture),
        files=request.examination.files,
        report=report,
        message=message,
    )


def _of(check: str, found: Iterable[Evidence]) -> list[Evidence]:
    return [each for each in found if each.check == check]


def _by_check(found: Iterable[Evidence]) -> dict[str, Evidence]:
    return {each.check: each for each in found}


def _may_rerun(request: JudgeWork, check: str) -> bool:
    is_first = not request.alone and not request.alone_at_base
    is_known = not request.examination.is_cut
    return is_first and is_known and any(c.rerun for c in request.plan.checks if c.name == check)


def _stated(tampered: Sequence[Finding], previous: Sequence[Finding]) -> Iterator[Judged]:
    """Return what blocks of the integrity findings, and what was there in the round before."""
    before = {finding.fingerprint: finding for finding in previous if finding.check == CHECK}
    blocking = [finding for finding in tampered if finding.severity is not Severity.NOTE]
    for finding in blocking:
        is_old = before.pop(finding.fingerprint, None) is not None
        yield Judged(finding, FindingState.PERSISTING if is_old else FindingState.NEW)
    for finding in before.values():
        yield Judged(finding, FindingState.FIXED)


def _picture(judged: Sequence[Judged], failing: set[str], prompt: str) -> Picture:
    old = [each for each in judged if each.state is FindingState.PRE_EXISTING]
    is_named = [trials.is_named(each.finding, prompt) for each in old]
    named = [each for each, is_it in zip(old, is_named, strict=True) if is_it]
    others = [each.finding for each, is_it in zip(old, is_named, strict=True) if not is_it]
    counts = Counter(each.state for each in judged)
    return Picture(
        counts=FindingCounts(**{state.value: counts[state] for state in FindingState}),
        tests=TestCounts(),
        tests_at_base=TestCounts(),
        blocking=[each for each in judged if each.state in BLOCKING] + named,
        remaining=[finding for finding in others if finding.check in failing],
        flaky=[each.finding for each in judged if each.state is FindingState.FLAKY],
    )


def _report(picture: Picture) -> FindingReport:
    findings = tuple(each.finding for each in picture.blocking)
    kept = findings[:FINDINGS_LIMIT]
    return FindingReport(check="all", findings=kept, left_out=len(findings) - len(kept))


def _sum(runs: Mapping[str, Evidence]) -> TestCounts:
    return TestCounts(
        passed=sum(each.tests.passed for each in runs.values()),
        failed=sum(each.tests.failed for each in runs.values()),
        skipped=sum(each.tests.skipped for each in runs.values()),
    )


def _hash(findings: Iterable[Finding]) -> str:
    names = sorted(finding.fingerprint for finding in findings)
    return hashlib.sha256("\n".join(names).encode()).hexdigest() if names else ""
