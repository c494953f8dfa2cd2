"""How the work changes what judges it, as far as the results of the checks show it; pure."""

from collections.abc import Iterator, Mapping, Sequence

from activities.checks.examining import roles
from activities.checks.examining.tampering import tampering
from activities.checks.findings.fingerprints import identified
from activities.checks.judging import trials
from activities.checks.judging.evidence import Evidence
from workflows.contract.checks import CheckSpec, Reader
from workflows.contract.findings import Finding, FindingKind, FindingReport, Severity
from workflows.contract.judging import JudgeWork

_EXCUSED_IF_TESTS_MAY_CHANGE = frozenset(
    {"original-test-fails", "original-test-silent", "original-unrunnable", "original-not-run"}
    | {"test-removed", "too-many-tests"}
)

Runs = Mapping[str, Evidence]
"""By check."""


def findings(
    request: JudgeWork, examined: FindingReport, now: Runs, base: Runs, original: Runs
) -> list[Finding]:
    """Return all integrity findings, with what was examined; remarks have the severity `note`.

    Where the repository lets tests change, what only says that they did is a remark.
    """
    found = [*examined.findings, *_of_unknown_tests(request, base)]
    if examined.left_out:
        found.append(tampering("left-out", "", "there are more like these"))
    for check, evidence in now.items():
        if evidence.runnable:
            found += _of_tests(request, evidence, base.get(check), original.get(check))
    return [_with_grade(each if each.fingerprint else identified(each), request) for each in found]


def _of_tests(
    request: JudgeWork, now: Evidence, base: Evidence | None, original: Evidence | None
) -> Iterator[Finding]:
    if base is not None and base.runnable:
        yield from trials.missing(now, base)
    if original is not None:
        yield from trials.only_when_changed(now, base, original)
    elif request.examination.original and now.passed and now.check in _runners(request.plan.checks):
        message = f"{now.check} was not run with the tests as they were at the base commit"
        yield tampering("original-not-run", "", message)


def _runners(checks: Sequence[CheckSpec]) -> set[str]:
    """Return the checks that run tests; all of them when none says so."""
    named = {c.name for c in checks if c.kind is FindingKind.TEST or c.reader is Reader.JUNIT}
    return named or {check.name for check in checks}


def _of_unknown_tests(request: JudgeWork, base: Runs) -> Iterator[Finding]:
    """Find changed files with tests that nobody put back, since their names are no tests'."""
    changed, original = set(request.examination.files), set(request.examination.original)
    is_cut = request.examination.is_cut
    tests = [test for each in base.values() for test in each.report.tests]
    paths = {trials.file_of(test) for test in tests if not _is_doctest(test)} - {""}
    for path in sorted(paths - original):
        if not roles.is_test(path) and (is_cut or path in changed):
            message = "holds tests, by the report of the base commit, and is changed: put it back"
            yield tampering("original-not-run", path, message)


def _is_doctest(test: str) -> bool:
    """Tell whether pytest names a docstring: by the module's dotted path."""
    path, _, name = test.partition("::")
    return path.removesuffix(".py").rpartition("/")[2] in name.split(".")


def _with_grade(finding: Finding, request: JudgeWork) -> Finding:
    if request.plan.tests_may_change and finding.rule in _EXCUSED_IF_TESTS_MAY_CHANGE:
        return finding.model_copy(update={"severity": Severity.NOTE})
    return finding
