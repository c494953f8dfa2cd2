"""Reads in the bare mirror what a repository says of its checks."""

from activities import configuration
from activities.checks.planning import detection, tools
from activities.git.bare import FILES_LIMIT
from activities.mirror import Mirrors
from runtime.store.base import Store
from runtime.transcript import keep_instructions
from workflows.contract.base import Sha256
from workflows.contract.checks import CheckPlan, DetectChecks

INSTRUCTIONS_CHARACTERS = 16_000
INSTRUCTIONS_LIMIT_BYTES = 64 * 1024 * 1024


class Planner:
    """Makes plans; depends on nothing but its request and the commit that this names."""

    def __init__(self, mirrors: Mirrors, store: Store) -> None:
        self._mirrors = mirrors
        self._store = store

    async def plan(self, request: DetectChecks) -> CheckPlan:
        """Return the plan of the commit, and keep its text for agents.

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
