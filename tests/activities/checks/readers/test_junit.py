"""What JUnit XML says beyond the corpus: names, merging, places, details."""

from xml.sax.saxutils import quoteattr

import pytest

from activities.checks.readers.reading import ToolRun, read
from workflows.contract.checks import CheckSpec, Reader
from workflows.contract.findings import FindingKind, FindingReport, TestOutcome
from workflows.contract.sandbox import CommandOutcome

PASSED, FAILED, SKIPPED = TestOutcome.PASSED, TestOutcome.FAILED, TestOutcome.SKIPPED


def reading(
    body: str, suite: str = "pytest", kind: FindingKind = FindingKind.TEST
) -> FindingReport:
    report = f"<testsuites><testsuite name='{suite}'>{body}</testsuite></testsuites>".encode()
    spec = CheckSpec(name="check", command="tool", reader=Reader.JUNIT, kind=kind)
    run = ToolRun(stdout=b"", report=report, exit_code=1, outcome=CommandOutcome.EXITED)
    return read(spec, run, "/workspace")


def case(name: str, classname: str, file: str = "", inside: str = "") -> str:
    where = f" file={quoteattr(file)}" if file else ""
    names = f"classname={quoteattr(classname)} name={quoteattr(name)}"
    return f"<testcase {names}{where}>{inside}</testcase>"


def failed(text: str, message: str = "") -> FindingReport:
    inside = f"<failure message={quoteattr(message)}><![CDATA[{text}]]></failure>"
    return reading(case("test_b", "tests.test_a", "tests/test_a.py", inside))


@pytest.mark.parametrize(
    ("classname", "name", "file", "expected"),
    [
        ("tests.test_a", "test_b", "tests/test_a.py", "tests/test_a.py::test_b"),
        ("tests.test_a.TestC", "test_b", "tests/test_a.py", "tests/test_a.py::TestC::test_b"),
        ("tests.test_a.A.B", "test_b[1]", "tests/test_a.py", "tests/test_a.py::A::B::test_b[1]"),
        (
            "tests.test_a",
            "test_b[x::y.z/w]",
            "tests/test_a.py",
            "tests/test_a.py::test_b[x::y.z/w]",
        ),
        ("tests.test_a", "test_b[  ]", "tests/test_a.py", "tests/test_a.py::test_b[  ]"),
        ("tests.unit.test_a.TestC", "test_b", "", "tests/unit/test_a.py::TestC::test_b"),
        ("test_a", "test_b", "", "test_a.py::test_b"),
        ("pkg.tests", "test_b", "", "pkg/tests.py::test_b"),
        ("pkg.checks.Sums", "check_b", "", "pkg/checks.py::Sums::check_b"),
        ("tests.test_a.TestC", "test_b", "tests/base.py", "tests/test_a.py::TestC::test_b"),
        ("", "tests.test_a", "tests/test_a.py", "tests/test_a.py"),
    ],
)
def test_pytest_takes_the_id_that_is_built(
    classname: str, name: str, file: str, expected: str
) -> None:
    """File, classes and function, with and without the file; an inherited test is the heir's."""
    assert list(reading(case(name, classname, file)).tests) == [expected]


@pytest.mark.parametrize(
    ("suite", "classname", "name", "file", "expected"),
    [
        ("shop.CartTest", "shop.CartTest", "adds", "", "shop.CartTest::adds"),
        ("cart.test.ts", "cart.test.ts", "a cart > adds", "", "cart.test.ts::a cart > adds"),
        ("undefined", "a cart adds", "a cart adds", "src/a.test.js", "src/a.test.js::a cart adds"),
        ("/workspace/a.js", "test", "adds", "/workspace/a.js", "a.js::adds"),
        ("", "", "", "", "unnamed"),
    ],
)
def test_other_runners_have_every_name_once(
    suite: str, classname: str, name: str, file: str, expected: str
) -> None:
    """File, suite, class and name, without those that repeat or say nothing."""
    assert list(reading(case(name, classname, file), suite).tests) == [expected]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("<failure/>", "<error/>", FAILED),
        ("", "<error/>", FAILED),
        ("<error/>", "", FAILED),
        ("", "<skipped/>", PASSED),
        ("<skipped/>", "", PASSED),
        ("<skipped/>", "<skipped/>", SKIPPED),
    ],
)
def test_cases_of_one_id_are_one_test(first: str, second: str, expected: TestOutcome) -> None:
    """Failed wins, and is one finding: the first."""
    body = case("t", "a", "a.py", first) + case("t", "a", "a.py", second)
    report = reading(body)
    assert report.tests == {"a.py::t": expected}
    named = [finding for finding in report.findings if finding.test_id]
    assert len(named) == (expected is FAILED)


def test_a_failure_that_was_tried_again_is_none() -> None:
    """Surefire tells of such in elements of their own."""
    report = reading(case("t", "a", "", "<flakyFailure/><rerunFailure/>"), "shop")
    assert report.tests == {"shop::a::t": PASSED}


def test_the_line_is_the_last_one_in_the_file_of_the_test() -> None:
    """Not that of the code it calls, nor that of a library."""
    text = "tests/test_a.py:7: \nsrc/shop.py:3: in f\n/usr/lib/python3/x.py:9: KeyError"
    (finding,) = failed(text, "KeyError: 'a'").findings
    assert (finding.path, finding.line, finding.rule) == ("tests/test_a.py", 7, "KeyError")


def test_without_a_traceback_it_is_the_line_of_the_function() -> None:
    """That pytest counts from 0."""
    body = "<testcase classname='a' name='t' file='a.py' line='4'><failure>x</failure></testcase>"
    (finding,) = reading(body).findings
    assert finding.line == 5


def test_a_stack_gives_file_and_line() -> None:
    """The first place in the workspace that is no library's."""
    text = """Error: no
    at run (/workspace/node_modules/x/y.js:1:2)
    at new Promise (<anonymous>)
    at Object.<anonymous> (file:///workspace/src/a.test.js:8:11)
    at /workspace/src/b.js:9:1"""
    (finding,) = reading(case("t", "c", "", f"<failure><![CDATA[{text}]]></failure>"), "s").findings
    assert (finding.path, finding.line) == ("src/a.test.js", 8)


def test_the_detail_is_the_end_with_what_was_asserted() -> None:
    """Of a long function only the end; of a long comparison both ends."""
    code = "\n".join(f"    step_{number}()" for number in range(300))
    ends = ">       assert a == b\nE       assert 1 == 2\n\ntests/test_a.py:7: AssertionError"
    (finding,) = failed(f"{code}\n{ends}").findings
    assert finding.detail.endswith(ends)
    assert len(finding.detail) == 1_500

    difference = "\n".join(f"E         - line {number}" for number in range(300))
    text = f"{code}\n>       assert a == b\nE       assert 1 == 2\n{difference}\n\nend"
    (finding,) = failed(text).findings
    assert finding.detail.startswith(">       assert a == b\nE       assert 1 == 2\n")
    assert finding.detail.endswith("\n\nend")
    assert len(finding.detail) == 1_500


def test_a_long_stack_keeps_its_beginning() -> None:
    """Where it says what is wrong."""
    text = "Error: it is wrong\n" + "    at run (lib.js:1:2)\n" * 500
    (finding,) = reading(case("t", "c", "", f"<failure>{text}</failure>"), "s").findings
    assert finding.detail.startswith("Error: it is wrong\n")
    assert len(finding.detail) <= 1_500


@pytest.mark.parametrize(
    ("message", "text", "rule", "said"),
    [
        ("java.lang.IllegalStateException: no", "", "IllegalStateException", None),
        ("", "TypeError: no price\n    at x", "TypeError", "TypeError: no price"),
        ("[XPASS(strict)] why", "", "XPASS", None),
        ('failed on setup with "OSError: gone"', "", "OSError", None),
        ("first\nsecond", "", "", "first"),
        ("", "", "", "failed"),
    ],
)
def test_rule_and_message_of_a_failure(
    message: str, text: str, rule: str, said: str | None
) -> None:
    """The class of the exception, and one line."""
    (finding,) = failed(text, message).findings
    assert finding.rule.endswith(rule)
    assert bool(finding.rule) == bool(rule)
    assert finding.message == (said or message)


def test_a_linter_that_writes_junit_has_no_tests() -> None:
    """Its cases are problems, with the rule as name."""
    body = "<testcase name='org.x.F401' line='3' column='2'><failure message='m'/></testcase>"
    report = reading(body, "/workspace/a.py", FindingKind.LINT)
    (finding,) = report.findings
    assert report.tests == {}
    assert (finding.rule, finding.path, finding.line, finding.column) == ("F401", "a.py", 3, 2)
    assert (finding.kind, finding.message) == (FindingKind.LINT, "m")


def test_characters_that_xml_does_not_have_do_no_harm() -> None:
    """Runners write what tests print, and some do not mind what it is."""
    report = reading(case("t", "a", "a.py", "<failure>a\x1b[1m\x00&#27;&#x0;b</failure>"))
    (finding,) = report.findings
    assert finding.detail == "a\ufffd[1m\ufffd\ufffd\ufffdb"


def test_what_a_runner_prints_before_its_report_does_not_matter() -> None:
    """Without a report file the output is one."""
    spec = CheckSpec(name="check", command="npm test", reader=Reader.JUNIT, kind=FindingKind.TEST)
    output = b'\n> shop@1.0 test\n> node --test\n\n<?xml version="1.0"?><testsuites/>'
    run = ToolRun(stdout=output, exit_code=0, outcome=CommandOutcome.EXITED)
    assert read(spec, run, "/workspace").findings == ()
