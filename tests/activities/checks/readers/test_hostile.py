"""Reports made to do harm: nothing raises, nothing grows, nothing gets through."""

import json
import random

import pytest

from activities.checks.findings.inert import inert
from activities.checks.findings.reports import is_unrunnable
from activities.checks.readers.reading import ToolRun, read
from tests.activities.checks.readers.cases import Case, cases
from workflows.contract.checks import CheckSpec, Reader
from workflows.contract.findings import FINDINGS_LIMIT, TESTS_LIMIT, FindingKind, FindingReport
from workflows.contract.sandbox import CommandOutcome

CASES = [pytest.param(case, id=case.folder.name) for case in cases()]
MUTATIONS = 25
PIECES = (
    b"\x00",
    b"\xff\xfe",
    b"\x1b[2J",
    "\u202e\U000e0041".encode(),
    b"<!DOCTYPE a>",
    b"]]>",
    b"&#0;&#xD800;&lol;",
    b'"\\ud800"',
    b"[" * 3_000,
    b"<a>" * 1_500,
    b"-1",
    b"1e999",
    b"9" * 5_000,
    b"NaN",
    b"null",
    b"{}",
    b"/../../etc/passwd",
    b"file:///etc/passwd",
)
TYPES: tuple[object, ...] = (
    None,
    True,
    -1,
    10**30,
    1.5,
    "",
    "x" * 10_000,
    "\ud800\x00",
    [],
    {},
    [[]],
    {"a": {}},
)


def reading(reader: Reader, report: bytes, kind: FindingKind = FindingKind.TEST) -> FindingReport:
    spec = CheckSpec(name="check", command="tool", reader=reader, kind=kind)
    run = ToolRun(stdout=report, report=report, exit_code=1, outcome=CommandOutcome.EXITED)
    return read(spec, run, "/workspace")


def assert_harmless(report: FindingReport) -> None:
    assert report.findings
    for finding in report.findings:
        for text in (finding.message, finding.rule, finding.path, finding.detail, finding.test_id):
            assert inert(text) == text
        assert "\n" not in finding.message + finding.rule + finding.path + finding.test_id
        assert ".." not in finding.path.split("/")
        assert not finding.path.startswith("/")
    # What is kept in the store can be written and read again.
    assert FindingReport.model_validate_json(report.model_dump_json()) == report


@pytest.mark.parametrize("case", CASES)
def test_no_mutation_of_a_real_report_raises(case: Case) -> None:
    """Bytes are changed, cut, repeated and put in, in ways that are the same on every run."""
    chance = random.Random(case.folder.name)
    original = case.run()
    for _ in range(MUTATIONS):
        content = original.report if original.report is not None else original.stdout
        mutated = mutation(content or original.stderr, chance)
        run = original.model_copy(
            update={"report": mutated, "stdout": mutated, "exit_code": chance.choice((0, 1, 2))}
        )
        for reader in (case.spec.reader, chance.choice(list(Reader))):
            spec = case.spec.model_copy(update={"reader": reader})
            report = read(spec, run, "/workspace")
            if report.findings:
                assert_harmless(report)
            assert run.exit_code == 0 or report.findings


def mutation(content: bytes, chance: random.Random) -> bytes:
    parts = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        place = chance.randint(0, len(parts))
        match chance.randint(0, 4):
            case 0:
                parts[place:place] = chance.choice(PIECES)
            case 1:
                del parts[place : place + chance.randint(1, 200)]
            case 2:
                parts[place:place] = parts[place // 2 : place // 2 + 500]
            case 3:
                parts[place : place + 1] = bytes([chance.randint(0, 255)])
            case _:
                parts[place : place + 3] = b'"}]'
    return bytes(parts)


@pytest.mark.parametrize(
    "case",
    [case for case in cases() if case.spec.reader in (Reader.SARIF, Reader.JSON_LINES)],
    ids=lambda case: case.folder.name,
)
def test_no_wrong_type_raises(case: Case) -> None:
    """Any value of a document may be of any type."""
    chance = random.Random(case.folder.name)
    run = case.run()
    for line in (run.report or run.stdout or run.stderr).splitlines() or [b"{}"]:
        try:
            document = json.loads(line)
        except ValueError:
            continue
        for _ in range(MUTATIONS):
            wrong = json.dumps(replaced(document, chance)).encode()
            report = reading(case.spec.reader, wrong, case.spec.kind)
            assert_harmless(report)


def replaced(value: object, chance: random.Random) -> object:
    if chance.random() < 0.04:
        return chance.choice(TYPES)
    if isinstance(value, dict):
        return {key: replaced(item, chance) for key, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, chance) for item in value]
    return value


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;">]>
<testsuites><testsuite name="s"><testcase name="&c;"><failure/></testcase></testsuite>
</testsuites>"""


@pytest.mark.parametrize(
    ("reader", "report"),
    [
        (Reader.JUNIT, LAUGHS),
        (Reader.JUNIT, b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><testsuites/>'),
        (Reader.JUNIT, b"said before\n" + LAUGHS),
        (Reader.JUNIT, b"<testsuite>" + b"<a>" * 1_001),
        (Reader.JUNIT, b"<testsuite>" + b"<a/>" * 1_000_001 + b"</testsuite>"),
        (Reader.SARIF, b"[" * 100_000),
        (Reader.SARIF, b'{"runs":' * 100_000),
    ],
    ids=["laughs", "external", "after-text", "deep-xml", "elements", "deep-json", "deep-runs"],
)
def test_what_is_made_to_explode_is_refused(reader: Reader, report: bytes) -> None:
    """It is a report that cannot be read."""
    assert is_unrunnable(reading(reader, report))


@pytest.mark.parametrize(
    "report",
    [
        b"[" * 100_000,
        b"[\n" * 100_000,
        b'{"a":' * 100_000,
        (b"[1,\n" * 900) + b"1," * 100_000,
        b"{}\n" * 100_000,
    ],
    ids=["deep", "lines", "objects", "broken", "empty"],
)
def test_json_that_is_made_to_explode_is_one_finding(report: bytes) -> None:
    """Nothing is understood of it."""
    assert len(reading(Reader.JSON_LINES, report).findings) == 1


@pytest.mark.parametrize(
    ("reader", "one", "before", "after"),
    [
        (Reader.SARIF, b'{"message": {"text": "m"}},', b'{"runs": [{"results": [', b"{}]}]}"),
        (
            Reader.JUNIT,
            b"<testcase name='%d'><failure/></testcase>",
            b"<testsuite>",
            b"</testsuite>",
        ),
        (Reader.JSON_LINES, b'{"file": "a", "severity": "error", "message": "m"}\n', b"", b""),
        (Reader.TEXT, b"a.c:1:1: error: m\n", b"", b""),
    ],
)
def test_too_many_findings_are_counted(
    reader: Reader, one: bytes, before: bytes, after: bytes
) -> None:
    """The first of them are kept, and it is said how many more there were."""
    many = FINDINGS_LIMIT + 5_000
    middle = b"".join(one % number if b"%d" in one else one for number in range(many))
    report = reading(reader, before + middle + after)
    assert len(report.findings) == FINDINGS_LIMIT
    assert report.left_out in (5_000, 5_001)
    assert len(report.tests) <= TESTS_LIMIT


@pytest.mark.parametrize(
    "line",
    [b"." * 1_999 + b"x", b"a:1:" * 499, b"a(1,1" * 399, b"FAILED " + b".py" * 650, b" [" * 900],
)
def test_lines_made_to_be_slow_are_read(line: bytes) -> None:
    """Each is looked at once, however its parts repeat."""
    assert reading(Reader.TEXT, (line + b"\n") * 2_000).findings


def test_huge_attributes_and_names_are_cut() -> None:
    """Names that differ only after the cut are still two tests."""
    name = "n" * 100_000
    report = reading(
        Reader.JUNIT,
        f"<testsuite><testcase name='{name}1'><failure message='{name}' type='{name}'/></testcase>"
        f"<testcase name='a{name[:5_000]}2'><failure/></testcase>"
        f"<testcase name='a{name[:5_000]}3'><failure/></testcase></testsuite>".encode(),
    )
    assert_harmless(report)
    assert len(report.tests) == 3
    assert all(len(test) <= 500 for test in report.tests)
