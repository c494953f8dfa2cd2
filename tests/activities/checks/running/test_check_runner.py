"""Checks run in a real box, and what they found is read from it as data."""

import asyncio
import json
import os
from contextlib import suppress

import pytest
from temporalio.exceptions import ApplicationError

from activities.checks.planning.tools import MYPY, PYTEST, RUFF, RUFF_FORMAT
from tests.activities.checks.conftest import SESSION, Rig
from workflows.contract.base import CommandId
from workflows.contract.checks import CheckSpec, Reader
from workflows.contract.findings import FindingKind, TestCounts, TestOutcome
from workflows.contract.output import stream_key
from workflows.contract.sandbox import CommandOutcome

TESTS = """
import pytest


def test_good():
    assert True


@pytest.mark.parametrize("x", ["a b", "$(id)", "-x"])
def test_odd(x):
    assert x


def test_bad():
    assert 1 == 2


@pytest.mark.skip
def test_later():
    assert False
"""

LINTS = 'lint.select = ["F"]\n'

SARIF_ERROR = json.dumps(
    {
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "t"}},
                "results": [{"ruleId": "R", "level": "error", "message": {"text": "bad"}}],
            }
        ],
    }
)


async def test_tests_are_read_as_data(rig: Rig):
    """Every test's outcome is known by the id that its runner takes again; no cache is left."""
    await rig.open({"tests/test_a.py": TESTS})
    result, report = await rig.run(PYTEST)
    assert (result.passed, result.runnable, result.exit_code) == (False, True, 1)
    assert result.tests == TestCounts(passed=4, failed=1, skipped=1)
    assert report.tests["tests/test_a.py::test_odd[$(id)]"] is TestOutcome.PASSED
    (failed,) = report.findings
    assert (failed.kind, failed.test_id) == (FindingKind.TEST, "tests/test_a.py::test_bad")
    assert len(failed.fingerprint) == 40
    assert not rig.path(".pytest_cache").exists()


async def test_tests_that_pass_are_green(rig: Rig):
    """Exit code, report and counts agree."""
    await rig.open({"test_a.py": "def test_a():\n    pass\n"})
    result, report = await rig.run(PYTEST)
    assert (result.passed, result.runnable, result.findings) == (True, True, 0)
    assert (result.tests, report.findings) == (TestCounts(passed=1), ())


async def test_what_cannot_be_collected_is_a_finding(rig: Rig):
    """The file is named; what else there is does not count as run."""
    files = {"test_a.py": "def test_a(:\n", "test_b.py": "def test_b():\n    pass\n"}
    await rig.open(files)
    result, report = await rig.run(PYTEST)
    assert (result.passed, result.exit_code) == (False, 2)
    assert [finding.path for finding in report.findings] == ["test_a.py"]
    assert report.findings[0].kind is FindingKind.COMPILE


async def test_no_tests_is_not_green(rig: Rig):
    """Nothing is known then."""
    await rig.open({"pytest.ini": "[pytest]\n"})
    result, report = await rig.run(PYTEST)
    assert (result.passed, result.runnable, result.exit_code) == (False, False, 5)
    assert [finding.kind for finding in report.findings] == [FindingKind.ENVIRONMENT]


async def test_linters_and_type_checkers_are_read_as_data(rig: Rig):
    """Places are relative to the top folder, source lines come from the box."""
    files = {"ruff.toml": LINTS, "mypy.ini": "[mypy]\n", "pkg/a.py": "import os\nx: int = 'a'\n"}
    await rig.open(files)
    lint, report = await rig.run(RUFF)
    (found,) = report.findings
    assert (found.path, found.line, found.rule) == ("pkg/a.py", 1, "F401")
    assert (found.kind, found.snippet) == (FindingKind.LINT, "import os")
    types = MYPY.model_copy(update={"command": f"{MYPY.command} ."})
    typed, report = await rig.run(types)
    (found,) = report.findings
    assert (found.path, found.line, found.rule) == ("pkg/a.py", 2, "assignment")
    assert (found.kind, found.snippet) == (FindingKind.TYPE, "x: int = 'a'")
    formatted, report = await rig.run(RUFF_FORMAT)
    assert {found.path for found in report.findings} == {"pkg/a.py", "src/app.py"}
    for result in (lint, typed, formatted):
        assert (result.passed, result.runnable, result.tests) == (False, True, None)
    assert sorted(path.name for path in rig.path(".").iterdir()) == [
        *(".git", "README.md", "mypy.ini", "pkg", "ruff.toml", "src")
    ]


async def test_a_missing_tool_is_no_verdict(rig: Rig):
    """It is said to be a matter of the environment."""
    await rig.open()
    result, report = await rig.run(CheckSpec(name="types", command="nosuchtool --check ."))
    assert (result.passed, result.runnable, result.exit_code) == (False, False, 127)
    (found,) = report.findings
    assert found.kind is FindingKind.ENVIRONMENT


@pytest.mark.parametrize(
    "left",
    [
        "true",
        'echo garbage > "$OVERNIGHT_REPORT"',
        'ln -s /etc/passwd "$OVERNIGHT_REPORT"',
        'mkfifo "$OVERNIGHT_REPORT"',
        'mkdir "$OVERNIGHT_REPORT"',
        'head -c 104857600 /dev/zero > "$OVERNIGHT_REPORT"',
        'rm -rf "$HOME/.overnight"',
    ],
)
@pytest.mark.parametrize("reader", [Reader.JUNIT, Reader.SARIF])
async def test_a_report_that_cannot_be_read_is_no_verdict(rig: Rig, left: str, reader: Reader):
    """Whatever lies in its place, and though the command exits with 0."""
    await rig.open()
    result, report = await rig.run(CheckSpec(name="forged", command=left, reader=reader))
    assert (result.exit_code, result.passed, result.runnable) == (0, False, False)
    assert [finding.kind for finding in report.findings] == [FindingKind.ENVIRONMENT]
    assert "root:" not in report.model_dump_json()


async def test_a_report_of_an_earlier_run_is_not_read(rig: Rig):
    """What lies in its place before the command starts is removed."""
    ready = await rig.open()
    forge = "mkdir -p ~/.overnight/reports; echo '{\"runs\": []}' > ~/.overnight/reports/late"
    await rig.sandboxes.run_in_box(ready.binding, CommandId("forge"), forge)
    none = CheckSpec(name="n", command="true", reader=Reader.SARIF)
    result, _ = await rig.run(none, command_id=CommandId("late"))
    assert (result.passed, result.runnable) == (False, False)


async def test_an_error_in_the_report_fails_a_check_that_exits_with_0(rig: Rig):
    """The report is believed in what is worse."""
    await rig.open()
    command = f"""echo '{SARIF_ERROR}' > "$OVERNIGHT_REPORT" """
    result, _ = await rig.run(CheckSpec(name="scan", command=command, reader=Reader.SARIF))
    assert (result.exit_code, result.passed, result.runnable, result.findings) == (
        *(0, False, True, 1),
    )


async def test_a_check_that_hangs_ends_at_its_limit(rig: Rig):
    """It counts as not run; what it started is gone."""
    await rig.open()
    hanging = CheckSpec(name="slow", command="echo begun; sleep 1000", timeout_seconds=10)
    result, report = await rig.run(hanging)
    assert (result.outcome, result.excerpt) == (CommandOutcome.TIMEOUT, "begun\n")
    assert (result.passed, result.runnable) == (False, False)
    assert [finding.kind for finding in report.findings] == [FindingKind.ENVIRONMENT]


async def test_another_attempt_attaches_to_the_check(rig: Rig):
    """Wherever the first one ended: the command ran once and its result is the same."""
    await rig.open({"test_a.py": TESTS})
    slow = f"echo run >> ../home/runs 2>/dev/null || echo run >> $HOME/runs; {PYTEST.command}"
    request = rig.request(PYTEST.model_copy(update={"command": slow}))
    running = asyncio.get_running_loop().create_task(rig.checks.run(request))
    box = rig.boxes / request.binding.sandbox_id
    while not (box / "home/runs").exists():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    rig.restart()
    result = await rig.checks.run(request)
    rig.restart()
    assert await rig.checks.run(request) == result
    assert result.tests == TestCounts(passed=4, failed=1, skipped=1)
    assert (box / "home/runs").read_text() == "run\n"


async def test_a_box_that_died_makes_a_lost_check(rig: Rig):
    """Nothing is known; the session runs it again in another box."""
    ready = await rig.open()
    request = rig.request(CheckSpec(name="tests", command="echo begun; sleep 1000"))
    running = asyncio.get_running_loop().create_task(rig.checks.run(request))
    state = rig.boxes / ready.binding.sandbox_id / "state"
    while not (state / "commands" / request.command_id).exists():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await rig.kill_box()
    with suppress(ApplicationError):  # a box about to end may not answer; then Temporal repeats
        await running
    result = await rig.checks.run(request)
    assert (result.outcome, result.passed, result.runnable) == (CommandOutcome.LOST, False, False)


async def test_only_the_checks_own_output_is_shown(rig: Rig):
    """What we do around it is not in the store, and its result tells where its output ends."""
    await rig.open({"test_a.py": TESTS})
    result, _ = await rig.run(PYTEST, original=("test_a.py",))
    key = stream_key(SESSION, result.command_id)
    assert rig.store.list(f"streams/{SESSION}") == [key]
    assert rig.store.stream_end(key) == result.output_end > 0


async def test_the_original_tests_can_be_run(rig: Rig):
    """Changed and removed ones are as at the base, added ones absent; then all is as it was."""
    original = {
        "tests/test_a.py": "def test_a():\n    assert False\n",
        "tests/test_b $(x).py": "def test_b():\n    pass\n",
        "tests/sub/test_c.py": "def test_c():\n    pass\n",
    }
    await rig.open(original)
    rig.path("tests/test_b $(x).py").unlink()
    rig.path("tests/sub/test_c.py").unlink()
    rig.path("tests/sub").rmdir()
    steering = "def pytest_collection_modifyitems(items):\n    items.clear()\n"
    changes = {
        "tests/test_a.py": "def test_a():\n    pass\n",
        "-k/conftest.py": "",
    }
    rig.write({**changes, "conftest.py": steering})
    result, _ = await rig.run(PYTEST)
    assert not result.runnable
    paths = (*original, "conftest.py", "-k/conftest.py", "tests/never.py")
    result, report = await rig.run(PYTEST, original=paths)
    assert result.tests == TestCounts(passed=2, failed=1)
    assert [finding.test_id for finding in report.findings] == ["tests/test_a.py::test_a"]
    assert rig.path("conftest.py").read_text() == steering
    assert rig.path("tests/test_a.py").read_text() == changes["tests/test_a.py"]
    assert not rig.path("tests/sub/test_c.py").exists()
    assert rig.path("-k/conftest.py").exists()
    assert not rig.path("tests/test_b $(x).py").exists()


async def test_originals_that_cannot_be_had_make_no_verdict(rig: Rig):
    """A repository that something destroyed is not judged by whatever tests are left."""
    await rig.open({"test_a.py": "def test_a():\n    pass\n"})
    rig.path(".git/HEAD").unlink()
    result, report = await rig.run(PYTEST, original=("test_a.py",))
    assert (result.passed, result.runnable) == (False, False)
    assert "could not be run" in report.findings[0].message


async def test_tests_can_be_run_alone(rig: Rig):
    """Only those named run, whatever their names."""
    await rig.open({"tests/test_a.py": TESTS})
    names = ("tests/test_a.py::test_odd[$(id)]", "tests/test_a.py::test_odd[-x]")
    result, report = await rig.run(PYTEST, tests=names)
    assert (result.passed, set(report.tests)) == (True, set(names))


async def test_tests_cannot_be_run_alone_without_a_command_for_it(rig: Rig):
    """It is said that it was not done, rather than all tests run."""
    await rig.open()
    result, report = await rig.run(CheckSpec(name="tests", command="true"), tests=("a",))
    assert (result.passed, result.runnable, result.exit_code) == (False, False, None)
    assert "`rerun`" in report.findings[0].message


async def test_source_lines_come_from_the_workspace_only(rig: Rig):
    """No link is followed for them, neither a file's nor a folder's."""
    await rig.open({"a.py": "line one\n"})
    rig.path("link.py").symlink_to("/etc/passwd")
    rig.path("folder").symlink_to("/etc")
    rig.path("pipe").touch()
    rig.path("pipe").unlink()
    os.mkfifo(rig.path("pipe"))
    places = ("a.py", "link.py", "folder/passwd", "pipe")
    said = "".join(f"echo {place}:1:1: error: bad;" for place in places)
    _, report = await rig.run(CheckSpec(name="lint", command=f"{said} exit 1"))
    snippets = {finding.path: finding.snippet for finding in report.findings}
    assert snippets == {"a.py": "line one", "link.py": "", "folder/passwd": "", "pipe": ""}


async def test_the_end_of_a_very_long_output_is_read_too(rig: Rig):
    """Between the first 32 MiB and the last 2,000 characters nothing is."""
    await rig.open()
    command = "yes filler | head -c 40000000; echo a.py:1:1: error: late; exit 1"
    result, report = await rig.run(CheckSpec(name="long", command=command))
    assert result.output_end > 40_000_000
    assert [finding.message for finding in report.findings] == ["late"]
