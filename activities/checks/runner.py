"""The adapter of the port `Checks`: each activity is the work of one room.

What is run comes from the base commit; where it runs is a box of this host.
"""

from temporalio import activity

from activities.checks.examining.examiner import Examiner
from activities.checks.judging.judge import Judge
from activities.checks.planning.planner import Planner
from activities.checks.running.baseline import Baselines
from activities.checks.running.boxes import Boxes
from activities.checks.running.check_runner import CheckRunner
from activities.checks.running.fixing import Fixers
from activities.checks.running.quick import QuickChecks
from activities.mirror import Mirrors
from activities.progress import beating
from runtime import telemetry, tracing
from runtime.store.base import Store
from workflows.contract import metrics
from workflows.contract.checks import (
    Baseline,
    CheckPlan,
    CheckResult,
    DetectChecks,
    FilesFixed,
    FixFiles,
    PrepareBaseline,
    QuickCheck,
    QuickResult,
    RunCheck,
)
from workflows.contract.judging import Examination, Examine, Judgement, JudgeWork
from workflows.ports import Checks


class CommandChecks(Checks):
    """Reads plans and work in the mirror, and runs commands in boxes of this host."""

    def __init__(self, mirrors: Mirrors, boxes: Boxes, store: Store) -> None:
        self._planner = Planner(mirrors, store)
        self._runner = CheckRunner(boxes, store)
        self._baselines = Baselines(mirrors, boxes, store)
        self._quick = QuickChecks(boxes, store)
        self._fixers = Fixers(boxes)
        self._examiner = Examiner(mirrors, store)
        self._judge = Judge(mirrors, store)

    @activity.defn(name="checks.detect")
    async def detect(self, request: DetectChecks) -> CheckPlan:
        """Read the plan from the commit, so that the work cannot change it.

        Raises:
            ApplicationError: `repository`, when the configuration is broken.
        """
        async with beating():
            return await self._planner.plan(request)

    @activity.defn(name="checks.run")
    async def run(self, request: RunCheck) -> CheckResult:
        """Run the check once per command id and read its report.

        It passed if it ran to its end, exited with 0, and its report could be read and holds
        neither an error nor a failed test.
        """
        result = await self._runner.run(request)
        outcome = "passed" if result.passed else "failed" if result.runnable else "unrunnable"
        telemetry.count(metrics.CHECKS, reader=request.check.reader, outcome=outcome)
        tracing.note({"overnight.command": request.command_id, "overnight.outcome": outcome})
        return result

    @activity.defn(name="checks.baseline")
    async def baseline(self, request: PrepareBaseline) -> Baseline:
        """Find the baseline or make it, in a sandbox that is gone when this returns or raises.

        Only a worker that shuts down leaves it, for the next attempt to attach to.
        """
        async with beating():
            return await self._baselines.prepare(request)

    @activity.defn(name="checks.quick")
    async def quick(self, request: QuickCheck) -> QuickResult:
        """Look at the files for at most 30 s."""
        async with beating():
            return await self._quick.look(request)

    @activity.defn(name="checks.fix")
    async def fix(self, request: FixFiles) -> FilesFixed:
        """Run the fixers for at most 300 s."""
        async with beating():
            return await self._fixers.fix(request)

    @activity.defn(name="checks.examine")
    async def examine(self, request: Examine) -> Examination:
        """Read in the bare mirror what the work changes; the whole diff is kept for people.

        Raises:
            ApplicationError: `git_tampered`, when the bundle is not what it says.
        """
        async with beating():
            return await self._examiner.examine(request)

    @activity.defn(name="checks.judge")
    async def judge(self, request: JudgeWork) -> Judgement:
        """Compare with the base and put into words.

        Raises:
            MissingObjectError: the store has lost a report or the prompt.
        """
        async with beating():
            return await self._judge.judge(request)
