"""What became of single tests: gone, skipped, passing only when changed, flaky, named by the task.

Pure. A test is what its runner names it; `tests/test_a.py::test_b[1]` is one case of a function.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from activities.checks.examining.tampering import tampering
from activities.checks.findings.fingerprints import identified
from activities.checks.judging.comparison import Judged
from activities.checks.judging.evidence import Evidence
from workflows.contract.findings import Finding, FindingState, TestCounts, TestOutcome

SUSPECTS_LIMIT = 5
NAMED_SHOWN = 5
FILES_APART = 20
"""Files with tests that are gone, each of which is told of; more are one finding."""

_SAID = {
    "test-skipped": (
        "ran at the base commit and is skipped now",
        "ran at the base commit and are skipped now",
    ),
    "test-removed": ("ran at the base commit and is gone", "ran at the base commit and are gone"),
    "original-test-fails": (
        "fails as it was at the base commit: put it back and mend the code",
        "fail as they were at the base commit: put them back and mend the code",
    ),
    "original-test-silent": (
        "says nothing when it is as it was at the base commit: put it back",
        "say nothing when they are as they were at the base commit: put them back",
    ),
}
"""What is said of one test and of more, by rule."""

_RAN = frozenset({TestOutcome.PASSED, TestOutcome.FAILED})
_TELLING = 12
"""Characters from which on a name that does not look like a test's is taken as one in a prompt."""


def missing(now: Evidence, base: Evidence) -> Iterator[Finding]:
    """Return findings for tests that said something at the base and say nothing now.

    A case whose function has as many cases as before is not gone, nor is a test that stands in
    another file now, nor one whose file cannot be collected: that is a finding by itself.
    """
    outcomes = now.report.tests
    broken = _broken(now)
    ran = [test for test, outcome in base.report.tests.items() if outcome in _RAN]
    quiet = [test for test in ran if outcomes.get(test) not in _RAN]
    quiet = [test for test in quiet if file_of(test) not in broken]
    skipped = [test for test in quiet if test in outcomes]
    # One file that cannot be collected keeps pytest from running any; and of more tests than are
    # kept nobody knows which are gone. The former blocks by itself, and the number counts always.
    is_unknown = _is_cut(now) or bool(broken - _broken(base))
    gone = [] if is_unknown else [test for test in quiet if test not in outcomes]
    yield from _told("test-skipped", skipped)
    gone = list(_not_moved(_without_equal_cases(gone, now, base), now, base))
    yield from _told("test-removed", gone)


def only_when_changed(now: Evidence, base: Evidence | None, again: Evidence) -> Iterator[Finding]:
    """Return findings for what holds only with the tests that the work changed.

    `again` is the same check with the tests as they were. New tests need not pass without what
    belongs to them, so only those that the base knows count. If none were found there, the
    tests as they were tell themselves which there are.
    """
    if not again.runnable:
        why = again.report.findings[0].message if again.report.findings else "it cannot be run"
        message = f"{now.check} with the tests of the base commit: {why}"
        yield tampering("original-unrunnable", "", message)
        return
    if not now.report.tests and not again.report.tests:
        if now.passed and not again.passed:
            message = f"{now.check} passes only with changed tests: put them back and mend the code"
            yield tampering("original-test-fails", "", message)
        return
    collected = base is not None and base.runnable and base.report.tests
    known = _ran(collected or again.report.tests)
    functions = {function_of(test) for test in known}
    failing = {test for test, outcome in now.report.tests.items() if outcome is TestOutcome.FAILED}
    outcomes = again.report.tests
    failed = [test for test, outcome in outcomes.items() if outcome is TestOutcome.FAILED]
    # Of more tests than are kept nobody knows which are new.
    if base is None or not _is_cut(base):
        failed = [test for test in failed if test in known or function_of(test) in functions]
    yield from _told("original-test-fails", [test for test in failed if test not in failing])
    silent = [test for test in known if test not in failing and outcomes.get(test) not in _RAN]
    silent = [test for test in silent if test in outcomes or not _is_cut(again)]
    silent = list(_without_equal_cases(silent, again, None, known))
    yield from _told("original-test-silent", silent)
    if _is_cut(again) and base is not None and again.tests.ran < base.tests.ran:
        count = f"{again.tests.ran} of {base.tests.ran}"
        message = f"only {count} tests ran as they were at the base commit: bring the others back"
        yield identified(tampering("original-test-silent", "", message))


def flaky(
    judged: Sequence[Judged], alone: Iterable[Evidence], at_base: Iterable[Evidence]
) -> list[Judged]:
    """Return the findings, new failures as `flaky` that were shown to come and go at the base.

    It must have passed alone with the work, and failed at least once alone at the base commit.
    """
    passed = _with_outcome(alone, TestOutcome.PASSED)
    failed = _with_outcome(at_base, TestOutcome.FAILED)
    shown = passed & failed
    return [
        each._replace(state=FindingState.FLAKY)
        if each.state is FindingState.NEW and each.finding.test_id in shown
        else each
        for each in judged
    ]


def suspects(judged: Sequence[Judged], base: Evidence, changed: Sequence[str]) -> list[str]:
    """Return new failures that passed at the base and whose files the work left alone, if few."""
    fresh = [each.finding for each in judged if each.state is FindingState.NEW]
    tests = [finding for finding in fresh if finding.test_id]
    if len(tests) > SUSPECTS_LIMIT:
        return []
    return [
        finding.test_id
        for finding in tests
        if base.report.tests.get(finding.test_id) is TestOutcome.PASSED
        and not {file_of(finding.test_id), finding.path} & set(changed)
    ]


def is_named(finding: Finding, prompt: str) -> bool:
    """Tell whether the task's text names the failing test: its function, or its file."""
    if not finding.test_id:
        return False
    function = re.split(r"::|\s>\s", function_of(finding.test_id))[-1]
    path = file_of(finding.test_id) or finding.path
    name = path.rpartition("/")[2]
    stem = name.partition(".")[0]
    words = {finding.test_id, path, name} | {each for each in (function, stem) if _is_telling(each)}
    return any(word and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", prompt) for word in words)


def file_of(test: str) -> str:
    """Return the path in a test's id; empty when it has none."""
    path, separator, _ = test.partition("::")
    return path if separator else ""


def function_of(test: str) -> str:
    """Return a test's id without what tells its cases apart."""
    return test.partition("[")[0]


def _is_telling(name: str) -> bool:
    is_like_a_test = "test" in name.lower() and len(name) > len("test_")
    return is_like_a_test or len(name) >= _TELLING


def _is_cut(run: Evidence) -> bool:
    """Tell whether a test that its report does not hold may have been run all the same."""
    return run.report.tests_left_out != TestCounts()


def _broken(run: Evidence) -> set[str]:
    """Return the files that the runner could not collect."""
    return {finding.path for finding in run.report.findings if not finding.test_id} - {""}


def _ran(tests: Mapping[str, TestOutcome]) -> set[str]:
    return {test for test, outcome in tests.items() if outcome in _RAN}


def _with_outcome(runs: Iterable[Evidence], wanted: TestOutcome) -> set[str]:
    found = [each.report.tests.items() for each in runs]
    return {test for tests in found for test, outcome in tests if outcome is wanted}


def _without_equal_cases(
    gone: Iterable[str], now: Evidence, base: Evidence | None, known: Iterable[str] = ()
) -> Iterator[str]:
    """Leave out cases of functions that have as many as before: only their names changed."""
    before = known if base is None else _ran(base.report.tests)
    was = Counter(function_of(test) for test in before)
    has = Counter(function_of(test) for test in _ran(now.report.tests))
    for test in gone:
        function = function_of(test)
        if function == test or has[function] < was[function]:
            yield test


def _not_moved(gone: Iterable[str], now: Evidence, base: Evidence) -> Iterator[str]:
    """Leave out tests of which an equal name is new in another file."""
    fresh = _ran(now.report.tests) - set(base.report.tests)
    names = Counter(test.partition("::")[2] for test in fresh)
    for test in gone:
        name = test.partition("::")[2]
        if name and names[name] > 0:
            names[name] -= 1
        else:
            yield test


def _told(rule: str, tests: Sequence[str]) -> Iterator[Finding]:
    """Return one finding for each file, or for all when they are many."""
    by_file: dict[str, list[str]] = {}
    for test in sorted(tests):
        by_file.setdefault(file_of(test), []).append(test)
    if len(by_file) > FILES_APART:
        by_file = {"": sorted(tests)}
    for path, those in by_file.items():
        names = [test.partition("::")[2] or test for test in those[:NAMED_SHOWN]]
        more = f" and {len(those) - NAMED_SHOWN} more" if len(those) > NAMED_SHOWN else ""
        of_one, of_many = _SAID[rule]
        said = f"1 test {of_one}" if len(those) == 1 else f"{len(those)} tests {of_many}"
        message = f"{said}: {', '.join(names)}{more}"
        yield identified(tampering(rule, path, message))
