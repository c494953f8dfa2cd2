"""A baseline is found out once, in a sandbox that is gone afterwards, whatever happens."""

import asyncio
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.checks.findings.reports import read_report
from activities.checks.planning.tools import PYTEST, RUFF
from tests.activities.checks.conftest import Rig
from tests.activities.repositories import commit_files
from tests.patience import PATIENCE_SECONDS
from workflows.contract.checks import CheckPlan, CheckSpec
from workflows.contract.failures import Failure
from workflows.contract.findings import TestCounts

TESTS = "def test_good():\n    pass\n\n\ndef test_bad():\n    assert 0\n"
WAITING = CheckSpec(name="waiting", command="date +%N; touch $HOME/begun; sleep 1000")


def plan(*checks: CheckSpec) -> CheckPlan:
    return CheckPlan(checks=checks, source="test")


def telling_the_time() -> CheckSpec:
    """A check that says something else each time it runs."""
    return CheckSpec(name="time", command="echo a.py:1:1: error: $(date +%s%N | tr 0-9 a-j); false")


async def until(path: Path) -> None:
    """Wait for a file."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not path.exists():  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0.01)


async def test_all_checks_are_run_on_the_base_commit(rig: Rig):
    """What they find is kept as it is for the gate's own runs; the sandbox is removed."""
    await rig.open({"ruff.toml": "", "test_a.py": TESTS, "a.py": "import os\n"})
    made = await rig.baseline(plan(RUFF, PYTEST))
    assert (made.cached, made.commit, made.session) == (False, rig.commit, "s1")
    lint, tests = made.results
    assert (lint.name, lint.passed, lint.runnable, lint.findings) == ("ruff", False, True, 1)
    assert tests.tests == TestCounts(passed=1, failed=1)
    for check, facts in zip((RUFF, PYTEST), made.results, strict=True):
        result, report = await rig.run(check)
        assert result.report == facts.report
        assert report.findings
    assert [path.name for path in rig.boxes.iterdir()] == ["s1-r1"]
    assert [key for key in rig.store.list("streams/s1") if "base" in key] == []


async def test_a_kept_baseline_is_found(rig: Rig):
    """Another session that starts there runs nothing; one with other checks does."""
    checks = plan(telling_the_time())
    made = await rig.baseline(checks)
    found = await rig.baseline(checks, "s2")
    assert (found.cached, found.session) == (True, "s2")
    assert found.results == made.results
    other = checks.checks[0].model_copy(update={"timeout_seconds": 9.0})
    assert not (await rig.baseline(plan(other))).cached
    assert list(rig.boxes.iterdir()) == []


async def test_other_tools_have_another_baseline(rig: Rig, tmp_path: Path):
    """What was upgraded since may find something else."""
    (tmp_path / "tools/bin").mkdir(parents=True)
    shown = (*rig.settings.toolchain, tmp_path / "tools")
    rig.settings = rig.settings.model_copy(update={"toolchain": shown})
    checks = plan(telling_the_time())
    found = []
    for tool in ("ruff-1", "ruff-2"):
        (tmp_path / "tools/bin" / tool).touch()
        rig.restart()
        found += [await rig.baseline(checks), await rig.baseline(checks, "s2")]
    assert [baseline.cached for baseline in found] == [False, True, False, True]


async def test_another_commit_has_another_baseline(rig: Rig):
    """Whatever was changed."""
    checks = plan(telling_the_time())
    first = await rig.baseline(checks)
    await rig.open({"a.py": ""})
    second = await rig.baseline(checks)
    assert (second.cached, second.results == first.results) == (False, False)


async def test_two_at_once_agree(rig: Rig):
    """Both run the checks, and the first one's answer is everybody's."""
    checks = plan(telling_the_time())
    found = await asyncio.gather(*(rig.baseline(checks, name) for name in ("s1", "s2", "s3")))
    assert len({baseline.results for baseline in found}) == 1
    assert [baseline.session for baseline in found] == ["s1", "s2", "s3"]
    assert list(rig.boxes.iterdir()) == []


async def test_what_could_not_be_run_is_not_kept(rig: Rig):
    """Time may be there the next time, and a tool may be installed."""
    missing = CheckSpec(name="gone", command="nosuchtool")
    slow = CheckSpec(name="slow", command="sleep 1000", timeout_seconds=0.2)
    for check in (missing, missing, slow, slow):
        made = await rig.baseline(plan(check))
        assert (made.cached, made.results[0].runnable) == (False, False)


async def test_a_sandbox_that_cannot_be_made_leaves_nothing(rig: Rig):
    """What is wrong is said as for the session's own sandbox."""
    commit_files(rig.repo, {".overnight.toml": "[environment]\nsetup = ['exit 3']\n"})
    with pytest.raises(ApplicationError) as refused:
        await rig.baseline(plan(telling_the_time()))
    assert refused.value.type == Failure.SETUP_FAILED
    assert list(rig.boxes.iterdir()) == []


async def test_a_cancelled_baseline_leaves_nothing(rig: Rig):
    """Its session may be gone for good."""
    running = asyncio.get_running_loop().create_task(rig.baseline(plan(WAITING)))
    await until(rig.boxes / "s1-base/home/begun")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert list(rig.boxes.iterdir()) == []


async def test_a_leaving_worker_hands_over(rig: Rig):
    """The next attempt attaches to the checks that run, and the sandbox is gone at its end."""
    check = CheckSpec(
        name="c",
        command="cd; echo run >> begun; until [ -e go ]; do sleep 0.01; done; wc -l < begun; false",
    )
    request = rig.preparing(plan(check))
    environment = ActivityEnvironment()
    running = asyncio.get_running_loop().create_task(environment.run(rig.checks.baseline, request))
    home = rig.boxes / "s1-base/home"
    await until(home / "begun")
    environment.worker_shutdown()
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    rig.restart()
    second = asyncio.get_running_loop().create_task(rig.checks.baseline(request))
    (home / "go").touch()
    made = await second
    assert made.results[0].report is not None
    (finding,) = (await read_report(rig.store, made.results[0].report)).findings
    assert (made.cached, finding.detail.strip() or finding.message) == (False, "1")
    assert list(rig.boxes.iterdir()) == []


async def test_a_later_attempt_that_finds_a_baseline_removes_what_an_earlier_one_left(rig: Rig):
    """Its worker was killed, and meanwhile another session found out the same."""
    checks = plan(telling_the_time())
    made = await rig.baseline(checks, "s2")
    await rig.open(name="s1-base")
    found = await rig.baseline(checks)
    assert (found.cached, found.results) == (True, made.results)
    assert list(rig.boxes.iterdir()) == []


async def test_a_sandbox_that_dies_is_made_anew(rig: Rig):
    """The attempt fails so that another one follows, which does not attach to what is lost."""
    request = rig.preparing(plan(WAITING))
    begun = rig.boxes / "s1-base/home/begun"
    running = asyncio.get_running_loop().create_task(rig.checks.baseline(request))
    await until(begun)
    await rig.kill_box("s1-base")
    with pytest.raises(ApplicationError) as failed:
        await running
    assert (failed.value.type, failed.value.non_retryable) == (Failure.TEMPORARY, False)
    assert list(rig.boxes.iterdir()) == []
    again = asyncio.get_running_loop().create_task(rig.checks.baseline(request))
    await until(begun)
    again.cancel()
    with pytest.raises(asyncio.CancelledError):
        await again
