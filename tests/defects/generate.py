"""Finds defects that the projects' own suites notice: `python -m tests.defects.generate`.

All mutations of a project's sources are put into an order that follows from the seed, in turn one
of each operator. Each is tried until enough are found: some tests must fail, few enough for a
defect that is not all over the place, the others must run, and another mutation of the same line,
the bad repair, must be noticed as well. Equal seeds and releases give equal defects; each knows the
number of the try that found it, so that any one can be made again without the search.
"""

import json
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from tests.defects.defect import FOUND, Defect
from tests.defects.mutations import Mutation, mutations
from tests.defects.projects import PROJECTS, Project, SuiteRun, copy_of, run_suite

SEED = 20_261_125
EACH = 12
"""Defects of each project."""

FAILING_LIMIT = 12
CONTEXT_LINES = 12
WRONG_TRIES = 6


def main() -> None:
    """Find all and write them."""
    found: list[Defect] = []
    for project in PROJECTS.values():
        found += generate(project, EACH)
        sys.stdout.write(f"{project.name}: {len(found)} so far\n")
    document = {
        "made with": "python -m tests.defects.generate",
        "seed": SEED,
        "defects": [defect.model_dump(mode="json") for defect in found],
    }
    FOUND.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def generate(project: Project, count: int) -> list[Defect]:
    """Return the first defects of a project, each found by its suite just now."""
    with _search(project) as search:
        return list(islice(search.run(), count))


def again(project: Project, number: int) -> Defect | None:
    """Return what one try gives."""
    with _search(project) as search:
        return search.attempt(number)


@contextmanager
def _search(project: Project) -> "Iterator[_Search]":
    with tempfile.TemporaryDirectory() as scratch:
        folder = copy_of(project, Path(scratch) / "project")
        right = run_suite(folder)
        assert right.sound, f"the suite of {project.name} does not run here"
        assert right.failed == (), f"the suite of {project.name} fails here: {right.failed}"
        yield _Search(project, folder, right.passed)


class _Search:
    """Tries the mutations of one project in their order."""

    def __init__(self, project: Project, folder: Path, tests: int) -> None:
        self._project = project
        self._folder = folder
        self._tests = tests
        self._candidates = list(_candidates(project, folder))

    def run(self) -> Iterator[Defect]:
        """Yield a defect for each line that has one."""
        taken: set[tuple[str, int]] = set()
        for number, (path, mutation) in enumerate(self._candidates):
            place = path, mutation.line
            defect = self.attempt(number) if place not in taken else None
            if defect is not None:
                taken.add(place)
                yield defect

    def attempt(self, number: int) -> Defect | None:
        """Return the defect of one candidate; none when it does not do."""
        path, mutation = self._candidates[number]
        source = (self._folder / path).read_text()
        mutated = mutation.apply(source)
        run = self._run_with(path, mutated)
        if not self._is_noticed(run) or len(run.failed) > FAILING_LIMIT:
            return None
        wrong = self._wrong_repair(path, mutation, run.failed)
        window = _window(mutation.line, (source, mutated, wrong)) if wrong else None
        if wrong is None or window is None:
            return None
        return Defect(
            project=self._project.name,
            path=path,
            number=number,
            operator=mutation.operator,
            original=_cut(source, window),
            mutated=_cut(mutated, window),
            wrong=_cut(wrong, window),
            failing=run.failed,
        )

    def _wrong_repair(self, path: str, mutation: Mutation, failing: tuple[str, ...]) -> str | None:
        """Return the source with another noticed change in the line, best with other failures."""
        source = (self._folder / path).read_text()
        mutated = mutation.apply(source)
        beside = [each.apply(source) for each in mutations(source) if each.line == mutation.line]
        on_top = [each.apply(mutated) for each in mutations(mutated) if each.line == mutation.line]
        second: str | None = None
        candidates = [text for text in (*beside, *on_top) if text not in (source, mutated)]
        for candidate in candidates[:WRONG_TRIES]:
            run = self._run_with(path, candidate)
            if self._is_noticed(run) and run.failed != failing:
                return candidate
            if self._is_noticed(run):
                second = second or candidate
        return second

    def _is_noticed(self, run: SuiteRun) -> bool:
        everything_ran = len(run.failed) + run.passed == self._tests
        return run.sound and everything_ran and bool(run.failed) and bool(run.passed)

    def _run_with(self, path: str, text: str) -> SuiteRun:
        file = self._folder / path
        source = file.read_text()
        file.write_text(text)
        try:
            return run_suite(self._folder)
        finally:
            file.write_text(source)


def _candidates(project: Project, folder: Path) -> Iterator[tuple[str, Mutation]]:
    by_operator: dict[str, list[tuple[str, Mutation]]] = defaultdict(list)
    for path in project.sources:
        for mutation in mutations((folder / path).read_text()):
            by_operator[mutation.operator].append((path, mutation))
    order = random.Random(f"{SEED} {project.name}")
    for _, found in sorted(by_operator.items()):
        order.shuffle(found)
    queues = [found for _, found in sorted(by_operator.items())]
    while any(queues):
        for queue in queues:
            if queue:
                yield queue.pop()


def _window(line: int, texts: tuple[str, ...]) -> tuple[int, int] | None:
    """Return the fewest lines around a line that occur once in each text."""
    last = len(texts[0].splitlines())
    for around in range(CONTEXT_LINES):
        window = max(1, line - around), min(last, line + around)
        if all(text.count(_cut(text, window)) == 1 for text in texts):
            return window
    return None


def _cut(text: str, window: tuple[int, int]) -> str:
    return "".join(text.splitlines(keepends=True)[window[0] - 1 : window[1]])


if __name__ == "__main__":
    main()
