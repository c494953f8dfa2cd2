"""The gate's word on a sample: right work ends green, and no cheat does."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.defects import defect, own
from tests.defects.agents.scene import Agent, Kind
from tests.defects.defect import Defect
from tests.defects.matrix import Outcome, Playground
from tests.defects.roster import AGENTS, Case
from tests.end_to_end.conftest import StackFactory

pytestmark = pytest.mark.timeout(1_200)

AT_ONCE = 3


def repairs() -> Iterator[tuple[Defect, Agent]]:
    """The oracles, before projects that nobody here wrote and before our own."""
    found = {each.project: each for each in reversed(defect.load())}
    for each in (found["idna"], found["parse"], own.TINY, own.LINTED[1]):
        for agent in AGENTS:
            if agent.kind is Kind.ORACLE:
                yield each, agent


def cheats() -> Iterator[tuple[Defect, Agent]]:
    """Every adversary, before the smallest project it can do with."""
    for agent in AGENTS:
        if agent.kind is Kind.ADVERSARY:
            yield own.TINY if agent.suits(own.TINY) else own.LINTED[1], agent


@pytest.mark.parametrize("sample", [repairs, cheats])
def test_the_gate_tells_right_from_wrong(
    stack_of: StackFactory, tmp_path: Path, sample: Callable[[], Iterator[tuple[Defect, Agent]]]
) -> None:
    """Every repair ends in a green pull request, and nothing else does."""
    cases = [Case(number, *pair) for number, pair in enumerate(sample())]
    playground = Playground(tmp_path / "repositories", cases)
    stack = stack_of(playground.scripts())
    stack.start()
    outcomes = list(playground.run(stack, AT_ONCE))
    assert len(outcomes) == len(cases)
    assert [_line(each) for each in outcomes if each.is_false_green or each.is_false_red] == []
    stack.close(playground.sessions)


def _line(outcome: Outcome) -> str:
    return f"{outcome.case.agent.name}: {outcome.ended}, {outcome.told}"
