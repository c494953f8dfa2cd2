"""Reports of 20,000 findings, as the tools write them, and the sources that they speak of."""

import json
from collections.abc import Callable
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from activities.checks.readers.gathering import MENTIONED_LIMIT
from activities.checks.readers.reading import ToolRun
from workflows.contract.checks import CheckSpec, Reader
from workflows.contract.findings import FINDINGS_LIMIT, FindingKind
from workflows.contract.sandbox import CommandOutcome

WORKSPACE = "/workspace"
FILES = 400
IN_EACH = FINDINGS_LIMIT // FILES

_TRACEBACK = """\
def test_case_{number}():
        order = Order(customer="c{number}", items=[Item({number}, 3)])
>       assert order.total() == {number}
E       AssertionError: assert {wrong} == {number}
E        +  where {wrong} = total()
E        +    where total = Order(customer='c{number}', items=[...]).total

{path}:{line}: AssertionError"""


class Problem(NamedTuple):
    """One problem to be written down."""

    number: int
    path: str
    line: int

    @property
    def message(self) -> str:
        """Return what it says."""
        return f"`name_{self.number % 97}` is assigned to but never used in 'step_{self.number}'"


class Bulk(NamedTuple):
    """What a check left, and how it is read."""

    name: str
    spec: CheckSpec
    run: ToolRun


def problems() -> list[Problem]:
    """Return as many as are kept of one check."""
    return [
        Problem(
            number, f"src/package_{number % 20}/module_{number % FILES}.py", 3 + number // FILES
        )
        for number in range(FINDINGS_LIMIT)
    ]


def sources() -> dict[str, list[str]]:
    """Return lines of as many of the files as are asked for."""
    paths = list(dict.fromkeys(problem.path for problem in problems()))[:MENTIONED_LIMIT]
    return {
        path: [f"    name_{line} = step({line})" for line in range(IN_EACH + 4)] for path in paths
    }


def bulks() -> list[Bulk]:
    """Return one for each reader."""
    found = problems()
    return [_bulk(name, reader, kind, write(found)) for name, reader, kind, write in _FORMATS]


def _bulk(name: str, reader: Reader, kind: FindingKind, content: bytes) -> Bulk:
    spec = CheckSpec(name="check", command="tool", reader=reader, kind=kind)
    is_report = reader in (Reader.JUNIT, Reader.SARIF)
    run = ToolRun(
        stdout=b"" if is_report else content,
        report=content if is_report else None,
        exit_code=1,
        outcome=CommandOutcome.EXITED,
    )
    return Bulk(name, spec, run)


def _sarif(found: list[Problem]) -> bytes:
    results = [
        {
            "ruleId": "F841",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": problem.message},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": f"file://{WORKSPACE}/{problem.path}"},
                        "region": {"startLine": problem.line, "startColumn": 5},
                    }
                }
            ],
        }
        for problem in found
    ]
    driver = {"name": "ruff", "rules": [{"id": "F841", "shortDescription": {"text": "unused"}}]}
    runs = [{"tool": {"driver": driver}, "results": results}]
    return json.dumps({"version": "2.1.0", "runs": runs}).encode()


def _junit(found: list[Problem]) -> bytes:
    return f'<testsuites><testsuite name="pytest">{"".join(map(_case, found))}'.encode() + (
        b"</testsuite></testsuites>"
    )


def _case(problem: Problem) -> str:
    number, wrong = problem.number, problem.number + 1
    path = problem.path.replace("src/", "tests/").replace("module_", "test_module_")
    text = _TRACEBACK.format(number=number, wrong=wrong, path=path, line=problem.line)
    message = quoteattr(f"AssertionError: assert {wrong} == {number}\n +  where {wrong} = total()")
    module = path.removesuffix(".py").replace("/", ".")
    return (
        f'<testcase classname="{module}" name="test_case_{number}" file="{path}" line="4" '
        f'time="0.001"><failure message={message}>{escape(text)}</failure></testcase>'
    )


def _json_lines(found: list[Problem]) -> bytes:
    return "\n".join(
        json.dumps(
            {
                "file": problem.path,
                "line": problem.line,
                "column": 4,
                "message": problem.message,
                "hint": None,
                "code": "assignment",
                "severity": "error",
            }
        )
        for problem in found
    ).encode()


def _text(found: list[Problem]) -> bytes:
    return "\n".join(
        f"{problem.path}:{problem.line}:5: error: {problem.message}  [assignment]"
        for problem in found
    ).encode()


_FORMATS: tuple[tuple[str, Reader, FindingKind, Callable[[list[Problem]], bytes]], ...] = (
    ("SARIF", Reader.SARIF, FindingKind.LINT, _sarif),
    ("JUnit XML, every test fails", Reader.JUNIT, FindingKind.TEST, _junit),
    ("JSON lines", Reader.JSON_LINES, FindingKind.TYPE, _json_lines),
    ("text", Reader.TEXT, FindingKind.TYPE, _text),
)
