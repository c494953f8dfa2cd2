"""Decides what the gate says of judged work, and whether a model that is refused gets further."""

from enum import StrEnum

from workflows.contract.checks import Baseline, CheckPlan
from workflows.contract.judging import Judgement, Verdict

REFUSALS_LIMIT = 10
"""Refusals in a turn after which a person is asked, whatever the progress."""

SAME_SET_LIMIT = 3
"""Times in a row that the same findings may stand."""


class Progress(StrEnum):
    """Whether repairing leads anywhere."""

    GOING_ON = "going on"
    NUDGE = "nudge"
    """The same findings as once before: the model should be told."""

    STUCK = "stuck"
    """A person has to help."""


def verdict_of(judgement: Judgement, plan: CheckPlan, baseline: Baseline) -> Verdict:
    """Return the verdict; green is only what every check says, with nothing weakened.

    Work that a check could not be run on, or without a baseline to compare with, is at most
    unverified: nothing says that it is sound.
    """
    if judgement.counts.blocking or judgement.named or _lost_tests(judgement, plan):
        return Verdict.RED
    if not plan.checks:
        return Verdict.UNCHECKED
    if judgement.unrunnable or not is_complete(baseline, plan):
        return Verdict.UNVERIFIED
    return Verdict.NO_WORSE if judgement.failing else Verdict.GREEN


def is_complete(baseline: Baseline, plan: CheckPlan) -> bool:
    """Tell whether every check of the plan said something about the base commit."""
    known = {result.name for result in baseline.results if result.runnable}
    return all(check.name in known for check in plan.checks)


def is_final(verdict: Verdict, judgement: Judgement, plan: CheckPlan, baseline: Baseline) -> bool:
    """Tell whether the same files would be red again, and not only because of passing trouble."""
    is_known = is_complete(baseline, plan) and not judgement.unrunnable
    return verdict is Verdict.RED and is_known


def _lost_tests(judgement: Judgement, plan: CheckPlan) -> bool:
    return not plan.tests_may_change and judgement.tests.ran < judgement.tests_at_base.ran


def explain(verdict: Verdict, judgement: Judgement) -> str:
    """Say in a sentence why the verdict is what it is."""
    counts, tests = judgement.counts, judgement.tests
    ran = _ran(tests.passed, tests.ran)
    match verdict:
        case Verdict.RED:
            standing = counts.blocking + judgement.named
            if not standing:
                return _too_few(tests.ran, judgement.tests_at_base.ran)
            return f"{_findings(standing)} standing; {ran}"
        case Verdict.UNVERIFIED:
            names = ", ".join(judgement.unrunnable)
            return f"could not be run: {names}" if names else "the base commit could not be checked"
        case Verdict.NO_WORSE:
            return f"nothing new; {_findings(counts.pre_existing)} of the base commit left; {ran}"
        case Verdict.GREEN:
            return f"every check passes; {ran}"
        case Verdict.UNCHECKED | Verdict.UNCHANGED:
            return verdict.value


def assess(history: tuple[str, ...], refusals: int) -> Progress:
    """Tell from the blocking sets of a turn's judgements, oldest first, whether it gets further."""
    if refusals >= REFUSALS_LIMIT:
        return Progress.STUCK
    current = history[-1]
    times = history.count(current)
    if times >= SAME_SET_LIMIT:
        return Progress.STUCK
    return Progress.NUDGE if times > 1 else Progress.GOING_ON


def _ran(passed: int, ran: int) -> str:
    if ran == 0:
        return "no test results were reported"
    if ran == 1:
        return "the one test passes" if passed else "the one test fails"
    return f"all {ran} tests pass" if passed == ran else f"{passed} of {ran} tests pass"


def _too_few(ran: int, before: int) -> str:
    if before == 1:
        return "the one test of before was not run"
    return f"only {ran} of {before} tests were run" if ran else f"none of {before} tests was run"


def _findings(number: int) -> str:
    return "1 finding" if number == 1 else f"{number} findings"
