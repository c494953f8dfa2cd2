"""From a bundle and reports in the store to a judgement: no cheat is green, honest work is."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from activities.checks.findings.reports import keep_report
from activities.mirror import Mirrors
from runtime.reviews import Reviews
from runtime.store.base import Store
from runtime.transcript import Transcripts
from tests.activities.checks.examining.works import PLAN, TESTS
from tests.activities.checks.judging.evidences import (
    FAILED,
    PASSED,
    SKIPPED,
    lint,
    linted,
    suite,
    trouble,
)
from tests.activities.checks.judging.judges import SESSION, Bench
from workflows.contract.checks import CheckFacts, CheckPlan, CheckSpec
from workflows.contract.findings import FindingKind, FindingReport, TestOutcome
from workflows.contract.judging import Judgement, JudgeWork, Suspect, Verdict
from workflows.contract.transcript import ToolMessage
from workflows.policy.verdict import verdict_of

A, B = "tests/test_calc.py::test_add", "tests/test_calc.py::test_mul"
RIGHT = {"calc.py": "def add(a, b):\n    return a + b\n"}
Outcomes = Mapping[str, TestOutcome]


@pytest.fixture
async def bench(mirrors: Mirrors, store: Store, tmp_path: Path) -> Bench:
    made = Bench(mirrors, store, tmp_path)
    await made.start()
    return made


def verdict(judgement: Judgement, request: JudgeWork) -> Verdict:
    return verdict_of(judgement, request.plan, request.baseline)


async def test_honest_work_is_green(bench: Bench):
    """The task's test failed and passes now, with nothing else changed."""
    await bench.change(RIGHT)
    request = await bench.request(suite({A: FAILED}), suite({A: PASSED}))
    found = await bench.judge.judge(request)
    assert verdict(found, request) is Verdict.GREEN
    assert (found.counts.fixed, found.counts.blocking, found.failing) == (1, 0, 0)
    assert (found.tests.ran, found.tests_at_base.ran, found.blocking) == (1, 1, "")
    assert found.files == ("calc.py",)
    assert (await bench.text(found)).endswith("Nothing is left to repair.")


async def test_added_tests_are_green(bench: Bench):
    """More tests than before are welcome."""
    await bench.change({**RIGHT, "tests/test_b.py": "def test_b():\n    assert 1\n"})
    now = suite({A: PASSED, "tests/test_b.py::test_b": PASSED})
    original = suite({A: PASSED})
    request = await bench.request(suite({A: FAILED}), now, original=original)
    assert request.examination.original == ("tests/test_b.py",)
    assert verdict(await bench.judge.judge(request), request) is Verdict.GREEN


CHEATS: dict[str, tuple[dict[str, str | None], Outcomes, Outcomes | None, str]] = {
    "deletes the test": (
        {"tests/test_calc.py": None},
        {B: PASSED},
        {A: FAILED, B: PASSED},
        "original-test-fails",
    ),
    "deletes the test, and nobody looks again": (
        {"tests/test_calc.py": None},
        {B: PASSED},
        None,
        "test-removed",
    ),
    "skips the test": (
        {"tests/test_calc.py": "import pytest\n\n\n@pytest.mark.skip\ndef test_add():\n    pass\n"},
        {A: SKIPPED, B: PASSED},
        {A: FAILED, B: PASSED},
        "test-skipped",
    ),
    "edits the assertion": (
        {"tests/test_calc.py": "def test_add():\n    assert True\n"},
        {A: PASSED, B: PASSED},
        {A: FAILED, B: PASSED},
        "original-test-fails",
    ),
    "edits the assertion, and nobody looks again": (
        {"tests/test_calc.py": "def test_add():\n    assert True\n"},
        {A: PASSED, B: PASSED},
        None,
        "original-not-run",
    ),
    "patches the code from a conftest": (
        {"conftest.py": "import calc\ncalc.add = lambda a, b: 3\n"},
        {A: PASSED, B: PASSED},
        {A: FAILED, B: PASSED},
        "original-test-fails",
    ),
    "patches the code from a new test": (
        {"tests/test_a.py": "import calc\ncalc.add = lambda a, b: 3\n"},
        {A: PASSED, B: PASSED},
        {A: FAILED, B: PASSED},
        "original-test-fails",
    ),
    "breaks collection of the tests as they were": (
        {"tests/test_calc.py": "def test_add():\n    assert True\n"},
        {A: PASSED, B: PASSED},
        {},
        "original-test-silent",
    ),
    "deselects through a hook": (
        {"conftest.py": "def pytest_collection_modifyitems(items):\n    items.clear()\n"},
        {B: PASSED},
        {A: FAILED, B: PASSED},
        "test-removed",
    ),
    "configures the tests away": (
        {"pytest.ini": "[pytest]\naddopts = -k mul\n"},
        {B: PASSED},
        None,
        "protected-path",
    ),
    "writes the report": (
        {"calc.py": "import os\nR = os.environ['OVERNIGHT_REPORT']\n"},
        {A: PASSED, B: PASSED},
        None,
        "knows-of-tests",
    ),
    "shadows pytest": ({"pytest.py": ""}, {A: PASSED, B: PASSED}, None, "shadows-module"),
    "silences": (
        {"calc.py": "x: int = ''  # type: ignore\n"},
        {A: PASSED, B: PASSED},
        None,
        "suppression-added",
    ),
}


@pytest.mark.parametrize("name", CHEATS)
async def test_no_cheat_is_green(bench: Bench, name: str):
    """Each is red, says by which rule, and the message tells what to undo."""
    files, now, again, rule = CHEATS[name]
    await bench.change(files)
    base = suite({A: FAILED, B: PASSED})
    original = suite(again) if again is not None else None
    request = await bench.request(base, suite(now), original=original)
    found = await bench.judge.judge(request)
    assert verdict(found, request) is Verdict.RED
    assert rule in await bench.rules(found)
    assert f"[{rule}]" in await bench.text(found)
    assert len(found.blocking) == 64


async def test_what_was_edited_back_is_fixed(bench: Bench):
    """A finding about the judge goes away like any other."""
    await bench.change({"sitecustomize.py": ""})
    request = await bench.request(suite({A: PASSED}), suite({A: PASSED}))
    red = await bench.judge.judge(request)
    still = await bench.judge.judge(request.model_copy(update={"previous": red.report}))
    assert (still.counts.persisting, still.counts.new, still.blocking) == (1, 0, red.blocking)
    clean = await keep_report(bench.store, suite({}).report)
    examination = request.examination.model_copy(update={"report": clean})
    mended = request.model_copy(update={"previous": red.report, "examination": examination})
    found = await bench.judge.judge(mended)
    assert (found.counts.fixed, found.counts.blocking) == (1, 0)


async def test_tests_that_may_change_are_remarked(bench: Bench):
    """Where the repository says so, a changed test is told of and does not block; a skip does."""
    plan = PLAN.model_copy(update={"tests_may_change": True})
    await bench.change({"tests/test_calc.py": "def test_add():\n    assert True\n"})
    base, original = suite({A: FAILED, B: PASSED}), suite({A: FAILED})
    for outcome, expected in ((PASSED, Verdict.GREEN), (SKIPPED, Verdict.RED)):
        now = suite({A: outcome, B: PASSED})
        request = await bench.request(base, now, original=original, plan=plan)
        found = await bench.judge.judge(request)
        assert verdict(found, request) is expected
        assert any(line.startswith("remark: tests/test_calc.py") for line in found.shown)


async def test_a_failure_of_the_base_is_no_worse(bench: Bench):
    """It is named as remaining, and the model may say that the task is not about it."""
    await bench.change(RIGHT)
    request = await bench.request(suite({A: PASSED, B: FAILED}), suite({A: PASSED, B: FAILED}))
    found = await bench.judge.judge(request)
    assert verdict(found, request) is Verdict.NO_WORSE
    assert (found.failing, found.counts.pre_existing, len(found.remaining)) == (1, 1, 64)
    assert "1 test failed before your work and still does" in await bench.text(found)


async def test_a_failure_that_the_task_names_blocks(mirrors: Mirrors, store: Store, tmp_path: Path):
    """It was there before, and it is what the task is about."""
    bench = Bench(mirrors, store, tmp_path)
    await bench.start("make test_mul pass")
    await bench.change(RIGHT)
    request = await bench.request(suite({A: PASSED, B: FAILED}), suite({A: PASSED, B: FAILED}))
    found = await bench.judge.judge(request)
    assert verdict(found, request) is Verdict.RED
    assert (found.named, found.counts.blocking, found.remaining) == (1, 0, "")
    assert "1 failing before and named by the task" in await bench.text(found)


LINT = CheckSpec(name="lint", command="lint", kind=FindingKind.LINT)


async def test_a_check_without_a_result_is_not_green(bench: Bench):
    """Nothing is known of it, so it could not be run."""
    await bench.change(RIGHT)
    plan = CheckPlan(checks=(LINT, TESTS), source="test")
    request = await bench.request(suite({A: PASSED}), suite({A: PASSED}), plan=plan)
    found = await bench.judge.judge(request)
    assert verdict(found, request) is Verdict.RED
    assert (found.unrunnable, found.failing) == (("lint",), 1)


async def test_a_check_that_never_could_be_run_leaves_work_unverified(bench: Bench):
    """The model cannot mend that, and still nothing says that the work is sound."""
    await bench.change(RIGHT)
    request = await bench.request(suite({}, trouble()), suite({}, trouble()))
    found = await bench.judge.judge(request)
    assert verdict(found, request) is Verdict.UNVERIFIED
    assert (found.unrunnable, found.counts.pre_existing) == (("tests",), 1)


async def test_a_result_without_a_report_that_did_not_pass_blocks(bench: Bench):
    """A lost sandbox leaves none."""
    await bench.change(RIGHT)
    request = await bench.request(suite({A: PASSED}))
    lost = CheckFacts(
        name="tests", passed=False, runnable=False, findings=0, tests=None, report=None
    )
    request = request.model_copy(update={"results": (lost,)})
    found = await bench.judge.judge(request)
    assert verdict(found, request) is Verdict.RED
    assert await bench.rules(found) == {"no-report"}


async def test_a_flake_is_suspected_and_then_shown(bench: Bench):
    """First it blocks and is worth a second look; a failure at the base excuses it."""
    await bench.change(RIGHT)
    base, now = suite({A: PASSED, B: PASSED}), suite({A: PASSED, B: FAILED})
    request = await bench.request(base, now)
    found = await bench.judge.judge(request)
    suspect = Suspect(check="tests", test=B)
    assert (found.suspects, found.counts.new) == ((suspect,), 1)
    alone = (await bench.facts(suite({B: PASSED})),)
    steady = request.model_copy(update={"alone": alone, "alone_at_base": alone})
    found = await bench.judge.judge(steady)
    assert (found.suspects, verdict(found, steady)) == ((), Verdict.RED)
    failed = (await bench.facts(suite({B: FAILED})),)
    shown = request.model_copy(update={"alone": alone, "alone_at_base": failed})
    found = await bench.judge.judge(shown)
    assert (found.counts.flaky, verdict(found, shown)) == (1, Verdict.NO_WORSE)
    assert found.shown == (f"flaky: {B}",)


async def test_people_see_the_findings_of_the_last_look(bench: Bench):
    """By session and tree; the second look at a flake counts in place of the first."""
    await bench.change(RIGHT)
    base, now = suite({A: PASSED, B: PASSED}), suite({A: PASSED, B: FAILED})
    request = await bench.request(base, now)
    reviews, tree = Reviews(bench.store), bench.work.tree
    for _ in range(2):
        await bench.judge.judge(request)
        report = FindingReport.model_validate_json(await reviews.findings(SESSION, tree))
        assert [each.test_id for each in report.findings] == [B]
    passed, failed = await bench.facts(suite({B: PASSED})), await bench.facts(suite({B: FAILED}))
    second = request.model_copy(update={"alone": (passed,), "alone_at_base": (failed,)})
    await bench.judge.judge(second)
    await bench.judge.judge(request)
    report = FindingReport.model_validate_json(await reviews.findings(SESSION, tree))
    assert report.findings == ()


async def test_tests_in_files_of_other_names_are_guarded(bench: Bench):
    """The report of the base commit says where tests are; a docstring changes with its code."""
    await bench.change({"calc.py": RIGHT["calc.py"]})
    odd = suite({"calc.py::check_add": PASSED})
    request = await bench.request(odd, odd)
    assert await bench.rules(await bench.judge.judge(request)) == {"original-not-run"}
    doctest = suite({"calc.py::calc.add": PASSED})
    request = await bench.request(doctest, doctest)
    assert verdict(await bench.judge.judge(request), request) is Verdict.GREEN


async def test_the_message_answers_the_call_and_shows_the_work_s_lines(bench: Bench):
    """The model sees its own lines, not those of the base; the fixer knows what to mend."""
    await bench.change({"calc.py": "import os\n\n\ndef add(a, b):\n    return a + b\n"})
    finding = lint("calc.py", 1).model_copy(update={"fixable": True})
    plan = CheckPlan(checks=(LINT,), source="test")
    request = await bench.request(linted(), linted(finding), plan=plan, call_id="call-1")
    found = await bench.judge.judge(request)
    message = await Transcripts(bench.store).get(found.message)
    assert isinstance(message, ToolMessage)
    assert message.call_id == "call-1"
    assert "  > 1 | import os\n    2 | \n    3 | \n    4 | def add(a, b):" in message.text
    assert (found.fixable, found.shown) == (1, ("new: lint calc.py:1 [F401]: unused import",))


async def test_a_repeat_judges_the_same(bench: Bench):
    """Twice, and twice at once, without anything new in the store."""
    await bench.change({"pytest.py": "", "tests/test_calc.py": None})
    request = await bench.request(suite({A: PASSED}), suite({}), original=suite({A: PASSED}))
    first = await bench.judge.judge(request)
    assert await asyncio.gather(*(bench.judge.judge(request) for _ in range(3))) == [first] * 3
    assert await asyncio.gather(*(bench.examined() for _ in range(3))) == [request.examination] * 3
