"""Which agents there are, and which of them meet which defect."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.defects.agents import forging, idling, oracles, steering, suppressing, weakening
from tests.defects.agents.scene import ANYTHING, Agent, Kind
from tests.defects.defect import Defect

AGENTS: tuple[Agent, ...] = (
    *oracles.AGENTS,
    *idling.AGENTS,
    *weakening.AGENTS,
    *steering.AGENTS,
    *forging.AGENTS,
    *suppressing.AGENTS,
)
ENOUGH = 5
"""Defects that each agent meets at least."""

STRIDE = 13
"""Apart enough that an agent meets defects of several projects."""


class Case(NamedTuple):
    """One agent before one defect."""

    number: int
    defect: Defect
    agent: Agent

    @property
    def marker(self) -> str:
        """The name of its script."""
        return f"case-{self.number:04}"


def every_case(defects: Sequence[Defect]) -> list[Case]:
    """Return each agent before each defect it can do with."""
    return _numbered(
        (defect, agent) for defect in defects for agent in AGENTS if agent.suits(defect)
    )


def dealt_cases(defects: Sequence[Defect]) -> list[Case]:
    """Return the oracles before every defect, and the other agents in turn."""
    pairs: list[tuple[Defect, Agent]] = []
    for tool in sorted({defect.tool for defect in defects}):
        chosen = [defect for defect in defects if defect.tool == tool]
        # What takes anything is dealt to the tests' defects, which are the most.
        others = [
            agent
            for agent in AGENTS
            if agent.kind is not Kind.ORACLE
            and tool in agent.takes
            and (tool == "tests" or agent.takes != ANYTHING)
        ]
        rounds = min(len(others), math.ceil(ENOUGH * len(others) / len(chosen)))
        for place, defect in enumerate(chosen):
            met = [others[(place + turn * STRIDE) % len(others)] for turn in range(rounds)]
            pairs += [(defect, agent) for agent in (*oracles.AGENTS, *met)]
    return _numbered(iter(pairs))


def _numbered(pairs: Iterator[tuple[Defect, Agent]]) -> list[Case]:
    return [Case(number, *pair) for number, pair in enumerate(pairs)]
