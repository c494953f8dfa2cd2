"""Checks as commands of sandboxes; what is run comes from the base commit."""

from temporalio import activity

from activities import configuration
from activities.checks import detection, tools
from activities.checks.baseline import Baselines
from activities.checks.boxes import Boxes
from activities.checks.fixing import Fixers
from activities.checks.judging import Judge
from activities.checks.quick import QuickChecks
from activities.checks.running import CheckRunner
from activities.git.bare import FILES_LIMIT
from activities.mirror import Mirrors
from activities.progress import beating
from runtime.store.base import Store
from runtime.transcript import keep_instructions
from workflows.contract.base import Sha256
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

INSTRUCTIONS_CHARACTERS = 16_000
INSTRUCTIONS_LIMIT_BYTES = 64 * 1024 * 1024


class CommandChecks(Checks):
    """Reads the plan from the mirror and runs it in boxes of this host."""

    def __init__(self, mirrors: Mirrors, boxes: Boxes, store: Store) -> None:
        self._mirrors = mirrors
        self._store = store
        self._runner = CheckRunner(boxes, store)
        self._baselines = Baselines(mirrors, boxes, store)
        self._quick = QuickChecks(boxes, store)
        self._fixers = Fixers(boxes)
        self._judge = Judge(mirrors, store)

    @activity.defn(name="checks.detect")
    async def detect(self, request: DetectChecks) -> CheckPlan:
        """Read the plan from the commit, so that the work cannot change it.

        Raises:
            ApplicationError: `repository`, when the configuration is broken.
        """
        repository, commit = request.repository, request.commit
        file = await self._mirrors.read_file(repository, commit, configuration.FILE_NAME)
        files = await self._mirrors.list_files(repository, commit)
        there = set(files)
        if len(files) >= FILES_LIMIT:  # the list is cut, so any of them may be there
            there.update(tools.TEXTS_READ, detection.INSTRUCTIONS)
        texts = {}
        for name in there.intersection(tools.TEXTS_READ):
            text = await self._mirrors.read_file(repository, commit, name)
            if text is not None:
                texts[name] = text.decode("utf-8", "replace")
        instructions = await self._instructions(request, there)
        return detection.detect(configuration.parse(file), files, texts, instructions)

    @activity.defn(name="checks.run")
    async def run(self, request: RunCheck) -> CheckResult:
        """Run the check once per command id and read its report.

        It passed if it ran to its end, exited with 0, and its report could be read and holds
        neither an error nor a failed test.
        """
        return await self._runner.run(request)

    @activity.defn(name="checks.baseline")
    async def baseline(self, request: PrepareBaseline) -> Baseline:
        """Find the baseline or make it, in a sandbox that is gone when this returns or raises.

        Only a worker that shuts down leaves it, for the next attempt to attach to.
        """
        async with beating():
            return await self._baselines.prepare(request)

    @activity.defn(name="checks.quick")
    async def quick(self, request: QuickCheck) -> QuickResult:
        """Look at the files for at most 10 s."""
        async with beating():
            return await self._quick.look(request)

    @activity.defn(name="checks.fix")
    async def fix(self, request: FixFiles) -> FilesFixed:
        """Run the fixers for at most 300 s."""
        async with beating():
            return await self._fixers.fix(request)

    @activity.defn(name="checks.examine")
    async def examine(self, request: Examine) -> Examination:
        """Read in the bare mirror what the work changes."""
        async with beating():
            return await self._judge.examine(request)

    @activity.defn(name="checks.judge")
    async def judge(self, request: JudgeWork) -> Judgement:
        """Compare and put into words."""
        async with beating():
            return await self._judge.judge(request)

    async def _instructions(self, request: DetectChecks, files: set[str]) -> Sha256 | None:
        for name in detection.INSTRUCTIONS:
            if name not in files:
                continue
            data = await self._mirrors.read_file(
                request.repository, request.commit, name, limit_bytes=INSTRUCTIONS_LIMIT_BYTES
            )
            if data is not None and data.strip():
                text = data.decode("utf-8", "replace")
                return await keep_instructions(self._store, _cut(name, text))
        return None


def _cut(name: str, text: str) -> str:
    if len(text) <= INSTRUCTIONS_CHARACTERS:
        return text
    remark = f"\n[{name} is longer; view the file for the rest]"
    return text[: INSTRUCTIONS_CHARACTERS - len(remark)] + remark
