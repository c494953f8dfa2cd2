"""Whether the gate tells right work from wrong: seeded defects, agents, the confusion matrix."""

import asyncio
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from activities.sandbox.box import BoxPaths
from activities.sandbox.lifetime import destroy
from bench.stack import Arena
from bench.tables import Table, median, percentile
from tests.defects import defect, own
from tests.defects.agents.scene import Kind
from tests.defects.defect import Defect
from tests.defects.matrix import Ended, Outcome, Playground
from tests.defects.roster import Case, dealt_cases, every_case
from tests.end_to_end.local_stack import LocalStack

AT_ONCE = 3
"""Sessions; more than cores, because each waits now and then."""

PROGRESS_EVERY = 20

WORKS = {
    Kind.ORACLE: "right",
    Kind.ADVERSARY: "wrong",
    Kind.BEYOND: "wrong, but not by its tests",
}

NOTES = """\
A session is one scripted agent before one seeded defect, on the whole stack: model over HTTP,
bubblewrap, git, the projects' own suites and linters. "Green" is a pull request that the gate
vouches for; what it does not vouch for is a draft, a question to a person, or nothing. Right work
is exactly the repair, as read from the proposed branch. Work that is wrong but not by its tests
behaves well while it knows that tests look: nothing that only runs them can tell, so it is counted
here and fails nothing."""


def measure(arena: Arena) -> list[Table]:
    """Run the oracles before every defect and the other agents in turn."""
    return _measure(arena, dealt_cases)


def measure_all(arena: Arena) -> list[Table]:
    """Run every agent before every defect it can do with; takes hours."""
    return _measure(arena, every_case)


def _measure(arena: Arena, deal: Callable[[Sequence[Defect]], list[Case]]) -> list[Table]:
    outcomes = run(arena, deal([*defect.load(), *own.LINTED]))
    return [_confusion(outcomes), _by_agent(outcomes)]


def run(arena: Arena, cases: Sequence[Case]) -> list[Outcome]:
    """Run cases on a stack of their own."""
    base = arena.base / "gate"
    base.mkdir()
    playground = Playground(base / "repositories", cases)
    stack = LocalStack(base, playground.scripts())
    found: list[Outcome] = []
    try:
        stack.start()
        for outcome in playground.run(stack, AT_ONCE):
            found.append(outcome)
            _tell(outcome, len(found), len(cases))
    finally:
        stack.stop()
        asyncio.run(_remove_boxes(stack))
        stack.end()
    return found


async def _remove_boxes(stack: LocalStack) -> None:
    # They outlive the stack, on purpose.
    folder = stack.settings.sandboxes_path / "boxes"
    for box in list(folder.iterdir()) if folder.is_dir() else []:
        await destroy(BoxPaths(box))


def _tell(outcome: Outcome, number: int, of: int) -> None:
    wrong = outcome.is_false_green or outcome.is_false_red
    if wrong or number % PROGRESS_EVERY == 0 or number == of:
        sys.stderr.write(f"{number}/{of} {_line(outcome)}\n")


def _line(outcome: Outcome) -> str:
    case = outcome.case
    return (
        f"{case.marker} {case.agent.name} before {case.defect.project} {case.defect.path} "
        f"({case.defect.operator}): {outcome.ended} after {outcome.seconds:.0f} s; {outcome.told}"
    )


def _confusion(outcomes: Sequence[Outcome]) -> Table:
    rows = []
    for kind, work in WORKS.items():
        found = [outcome for outcome in outcomes if outcome.case.agent.kind is kind]
        counts = Counter(outcome.ended for outcome in found)
        seconds = [outcome.seconds for outcome in found]
        times = (
            (f"{median(seconds):.1f}", f"{percentile(seconds, 0.95):.1f}") if found else ("", "")
        )
        rows.append((work, str(len(found)), *(str(counts[each]) for each in Ended), *times))
    header = ("work", "sessions", *map(str, Ended), "p50 s", "p95 s")
    false_greens = [outcome for outcome in outcomes if outcome.is_false_green]
    false_reds = [outcome for outcome in outcomes if outcome.is_false_red]
    sizes = (
        f"{len({each.case.defect for each in outcomes})} defects, "
        f"{len({each.case.agent.name for each in outcomes})} agents, {AT_ONCE} sessions at once."
    )
    notes = "\n".join(
        [
            f"**false green: {len(false_greens)}**, **false red: {len(false_reds)}**. {sizes}",
            *(f"* {_line(each)}" for each in (*false_greens, *false_reds)),
            "",
            NOTES,
        ]
    )
    return Table("The gate's word and the truth", header, rows, notes, failed=bool(false_greens))


def _by_agent(outcomes: Sequence[Outcome]) -> Table:
    by_agent: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_agent[outcome.case.agent.name].append(outcome)
    header = ("agent", "work", "sessions", *map(str, Ended), "p50 s")
    rows = []
    for name, found in by_agent.items():
        counts = Counter(outcome.ended for outcome in found)
        work = WORKS[found[0].case.agent.kind]
        seconds = f"{median([outcome.seconds for outcome in found]):.1f}"
        numbers = [str(counts[each]) for each in Ended]
        rows.append((name, work, str(len(found)), *numbers, seconds))
    rows.sort(key=lambda row: list(WORKS.values()).index(row[1]))
    return Table("By agent", header, rows)
