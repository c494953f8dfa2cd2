"""Reads JUnit XML: outcomes of tests, and findings for those that failed."""

from activities.checks.readers import node_ids, tracebacks
from activities.checks.readers.gathering import Gathering, Hit
from activities.checks.readers.junit_xml import Case, Problem, cases
from activities.checks.readers.node_ids import NamedTest
from activities.checks.readers.wire import whole
from workflows.contract.findings import FindingKind, TestOutcome

COLLECTION = "collection failure"
"""What pytest says of a file whose tests it could not even find."""

_STATIC = frozenset(
    {
        FindingKind.COMPILE,
        FindingKind.TYPE,
        FindingKind.SECURITY,
        FindingKind.LINT,
        FindingKind.FORMAT,
    }
)
_UNIMPORTABLE = frozenset(
    {"SyntaxError", "IndentationError", "TabError", "ImportError", "ModuleNotFoundError"}
)


def read(content: bytes, into: Gathering) -> None:
    """Gather outcomes and failures; raises UnreadableError when it is no report."""
    if into.spec.kind in _STATIC:
        cases(content, lambda case: _lint(case, into))
    else:
        cases(content, lambda case: _test(case, into))


def _test(case: Case, into: Gathering) -> None:
    if case.problem and case.problem.message == COLLECTION and node_ids.is_pytest(case):
        _collection(case, case.problem, into)
        return
    test = node_ids.name(case, into.paths)
    if case.problem is None:
        into.tell(test.id, TestOutcome.SKIPPED if case.is_skipped else TestOutcome.PASSED)
    elif into.tell(test.id, TestOutcome.FAILED):
        into.add(Hit("") if into.is_full else _failure(case, case.problem, test, into))


def _failure(case: Case, problem: Problem, test: NamedTest, into: Gathering) -> Hit:
    path = into.paths.inside(test.file)
    found = list(tracebacks.places(problem.text, into.paths))
    if not path and found:
        path = found[0].path
    lines = [place.line for place in found if place.path == path]
    return Hit(
        message=tracebacks.message(problem.message, problem.text),
        path=path,
        line=lines[-1 if test.is_pytest else 0] if lines else _own_line(case, test),
        rule=tracebacks.rule(problem.message, problem.text) or _last_part(problem.type),
        kind=FindingKind.TEST,
        detail=tracebacks.detail(problem.text or problem.message),
        test_id=test.id,
    )


def _own_line(case: Case, test: NamedTest) -> int:
    # pytest counts the line of the function from 0.
    return whole(case.line) + test.is_pytest if case.line else 0


def _collection(case: Case, problem: Problem, into: Gathering) -> None:
    path = into.paths.inside(node_ids.name(case, into.paths).file)
    rule = tracebacks.rule("", problem.text)
    lines = [
        place.line for place in tracebacks.places(problem.text, into.paths) if place.path == path
    ]
    into.add(
        Hit(
            message=tracebacks.message(problem.message, problem.text),
            path=path,
            line=lines[-1] if lines else 0,
            rule=rule or "collection",
            kind=FindingKind.COMPILE if rule in _UNIMPORTABLE else FindingKind.TEST,
            detail=tracebacks.detail(problem.text),
        )
    )


def _lint(case: Case, into: Gathering) -> None:
    if case.problem is None:
        return
    names = (case.file, case.suites[-1] if case.suites else "", case.classname)
    into.add(
        Hit(
            message=case.problem.message or case.problem.text.strip(),
            path=next((path for path in map(into.paths.inside, names) if path), ""),
            line=case.line,
            column=case.column,
            rule=_last_part(case.name),
        )
    )


def _last_part(name: str) -> str:
    """Return the class of a dotted name; nothing for words that only say that it failed."""
    last = name.rsplit(".", 1)[-1]
    return "" if last.startswith("testCode") else last
