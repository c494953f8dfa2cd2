"""The port `Checks` scripted by a test: one check, and a judge who says what he is told to."""

import asyncio
from collections.abc import Callable

from temporalio import activity
from temporalio.exceptions import ApplicationError

from tests.fakes import BASE, NODE, FakeSandbox
from workflows.contract.base import Sha256
from workflows.contract.checks import (
    Baseline,
    CheckFacts,
    CheckPlan,
    CheckResult,
    CheckSpec,
    DetectChecks,
    FilesFixed,
    FixFiles,
    PrepareBaseline,
    QuickCheck,
    QuickResult,
    RunCheck,
)
from workflows.contract.failures import Failure
from workflows.contract.findings import FindingCounts, FindingKind, TestCounts
from workflows.contract.judging import Examination, Examine, Judgement, JudgeWork
from workflows.contract.sandbox import CommandOutcome
from workflows.ports import Checks

PLAN = CheckPlan(
    checks=(CheckSpec(name="pytest", command="pytest -q", kind=FindingKind.TEST),), source="test"
)


def red(*findings: str, **facts: object) -> dict[str, object]:
    """Build what a judge says of work with these blocking findings."""
    return {
        "counts": FindingCounts(new=len(findings)),
        "failing": 1,
        "blocking": "+".join(findings),
        "shown": findings,
        **facts,
    }


class FakeChecks(Checks):
    """Has one check, which passes or runs until it is stopped, and a judge who is scripted."""

    def __init__(self, sandbox: FakeSandbox) -> None:
        self._sandbox = sandbox
        self.unreadable_once = False
        """Whether the next detection fails."""

        self.plan = PLAN
        self.judges: Callable[[JudgeWork], dict[str, object]] = lambda _: {}
        """Gives the fields of a judgement in which it differs from a green one."""

        self.original: tuple[str, ...] = ()
        """Test files that every work has changed."""

        self.examined = 0
        """Findings that every examination has."""

        self.quick_message: Sha256 | None = None
        self.judged: list[JudgeWork] = []
        self.ran: list[RunCheck] = []
        self.fixed: list[FixFiles] = []
        self.looked: list[QuickCheck] = []
        self.baselines = 0
        self.bare_baseline = False
        """Whether nothing is known of the base commit."""

    @activity.defn(name="checks.detect")
    async def detect(self, request: DetectChecks) -> CheckPlan:
        assert request.commit == BASE
        if self.unreadable_once:
            self.unreadable_once = False
            message = "the configuration cannot be read"
            raise ApplicationError(message, type=Failure.REPOSITORY, non_retryable=True)
        return self.plan

    @activity.defn(name="checks.run")
    async def run(self, request: RunCheck) -> CheckResult:
        self.ran.append(request)
        if request.check.name in self._sandbox.hang:
            self._sandbox.running.set()
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.05)
        outcome = CommandOutcome.EXITED
        if request.check.name in self._sandbox.lose:
            self._sandbox.lose.discard(request.check.name)
            outcome = CommandOutcome.LOST
        return CheckResult(
            session=request.session,
            turn=request.turn,
            name=request.check.name,
            command=request.check.command,
            command_id=request.command_id,
            passed=outcome is CommandOutcome.EXITED,
            outcome=outcome,
            exit_code=0,
            seconds=0.0,
            excerpt="1 passed",
        )

    @activity.defn(name="checks.baseline")
    async def baseline(self, request: PrepareBaseline) -> Baseline:
        self.baselines += 1
        known = () if self.bare_baseline else request.plan.checks
        return Baseline(
            session=request.session,
            commit=request.commit,
            results=tuple(
                CheckFacts(
                    name=check.name, passed=True, runnable=True, findings=0, tests=None, report=None
                )
                for check in known
            ),
            cached=False,
            seconds=0.0,
        )

    @activity.defn(name="checks.quick")
    async def quick(self, request: QuickCheck) -> QuickResult:
        self.looked.append(request)
        return QuickResult(
            session=request.session,
            turn=request.turn,
            step=request.step,
            findings=0,
            told="",
            message=self.quick_message,
        )

    @activity.defn(name="checks.fix")
    async def fix(self, request: FixFiles) -> FilesFixed:
        self.fixed.append(request)
        while "fix" in self._sandbox.hang:
            self._sandbox.running.set()
            activity.heartbeat()
            await asyncio.sleep(0.05)
        self._sandbox.tree = "9" * 40
        return FilesFixed(session=request.session, turn=request.turn, changed=request.files)

    @activity.defn(name="checks.examine")
    async def examine(self, request: Examine) -> Examination:
        return Examination(
            session=request.session,
            turn=request.turn,
            files=("a.py",),
            original=self.original,
            findings=self.examined,
            report=NODE,
        )

    @activity.defn(name="checks.judge")
    async def judge(self, request: JudgeWork) -> Judgement:
        self.judged.append(request)
        facts = {
            "counts": FindingCounts(),
            "tests": TestCounts(passed=1),
            "tests_at_base": TestCounts(passed=1),
            "blocking": "",
            "files": ("a.py",),
            **self.judges(request),
        }
        return Judgement.model_validate(
            {
                "session": request.session,
                "turn": request.turn,
                "round": request.round,
                "tree": request.work.tree,
                "report": NODE,
                "message": NODE,
                **facts,
            }
        )
