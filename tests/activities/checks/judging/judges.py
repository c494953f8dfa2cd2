"""A judge with what it reads from, for tests: real git, a real store, made reports."""

from collections.abc import Mapping
from pathlib import Path

from activities.checks.examining.examiner import Examiner
from activities.checks.findings.reports import keep_report, read_report
from activities.checks.judging.evidence import Evidence
from activities.checks.judging.judge import Judge
from activities.mirror import Mirrors
from runtime.store.base import Store
from runtime.transcript import Transcripts
from tests.activities.checks.examining.works import PLAN
from tests.activities.repositories import bundle_work, checkout, commit_files, make_origin, named
from workflows.contract.base import PromptId, SessionId
from workflows.contract.checks import Baseline, CheckFacts, CheckPlan
from workflows.contract.judging import Examination, Examine, Judgement, JudgeWork
from workflows.contract.model import PromptText
from workflows.contract.sandbox import Repository, WorkBundle
from workflows.contract.transcript import UserMessage

SESSION, PROMPT = SessionId("s1"), PromptId("p1")
BASE = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "tests/test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
}


class Bench:
    """A judge with a mirror, a store, and a person's repository at its base commit."""

    def __init__(self, mirrors: Mirrors, store: Store, folder: Path) -> None:
        self.judge = Judge(mirrors, store)
        self._examiner = Examiner(mirrors, store)
        self.store = store
        self._mirrors = mirrors
        self._folder = folder
        self.repository: Repository
        self.work: WorkBundle

    async def start(self, prompt: str = "mend it") -> None:
        origin = make_origin(self._folder / "origin", BASE)
        self.repository = named(origin)
        text = PromptText(id=PROMPT, text=prompt).model_dump_json().encode()
        self.store.create(f"prompts/{SESSION}/{PROMPT}", text)

    async def change(self, files: Mapping[str, str | None]) -> None:
        """Make work of the base and these files; those without a text are removed."""
        base = await self._mirrors.fetch(self.repository)
        git = self._folder / "workspace/.git"
        await self._mirrors.seed(self.repository, base, f"overnight/{SESSION}", git)
        workspace = checkout(git)
        for path, text in files.items():
            if text is None:
                (self._folder / "workspace" / path).unlink()
        commit_files(workspace, {path: text for path, text in files.items() if text is not None})
        bundle, self.work = bundle_work(workspace, base)
        self.store.create("work/1", bundle)

    async def examined(self, plan: CheckPlan = PLAN) -> Examination:
        return await self._examiner.examine(
            Examine(
                session=SESSION,
                turn=1,
                repository=self.repository,
                base=self.work.base,
                work=self.work,
                plan=plan,
            )
        )

    async def request(
        self, base: Evidence, *now: Evidence, original: Evidence | None = None, **more: object
    ) -> JudgeWork:
        plan = more.pop("plan", PLAN)
        assert isinstance(plan, CheckPlan)
        baseline = Baseline(
            session=SESSION,
            commit=self.work.base,
            results=(await self.facts(base),),
            cached=True,
            seconds=0.0,
        )
        made = JudgeWork(
            session=SESSION,
            turn=1,
            round=1,
            prompt=PROMPT,
            repository=self.repository,
            base=self.work.base,
            work=self.work,
            plan=plan,
            baseline=baseline,
            examination=await self.examined(plan),
            results=tuple([await self.facts(each) for each in now]),
            original=(await self.facts(original),) if original else (),
        )
        return made.model_copy(update=more)

    async def facts(self, evidence: Evidence) -> CheckFacts:
        return CheckFacts(
            name=evidence.check,
            passed=evidence.passed,
            runnable=evidence.runnable,
            findings=len(evidence.report.findings),
            tests=evidence.tests,
            report=await keep_report(self.store, evidence.report),
        )

    async def rules(self, judgement: Judgement) -> set[str]:
        """Return the rules of what blocks."""
        return {each.rule for each in (await read_report(self.store, judgement.report)).findings}

    async def text(self, judgement: Judgement) -> str:
        message = await Transcripts(self.store).get(judgement.message)
        assert isinstance(message, UserMessage)
        return message.text
