"""How a session of the demo is shown when it is over, and whether it went as it should."""

import typer

from cli import questions, show
from cli.client import Gateway
from cli.demo import tour
from cli.demo.playground import BASE, Playground
from cli.demo.tour import Ended
from cli.terminal import inert_line, result, say
from workflows.contract.asking import AskedKind
from workflows.contract.judging import Verdict
from workflows.contract.pull_request import PullRequest
from workflows.contract.session import StopReason

CHEATS = 2
"""Ways in which the cheating script tries to get through."""

EVIDENCE_LINES = 2
"""Of each verdict: the counts, and why."""

REJECTION = "the tests must stay as they are: mend the code"


def proposed(gateway: Gateway, playground: Playground, ended: Ended) -> bool:
    """Show the diff, the proposal and its tests; true when they are as they should be."""
    view = ended.session.view
    finished = view.last is not None and view.last.reason is StopReason.FINISHED
    if view.asked is not None:
        _heading("The session needs you, and nobody answers in a demo")
        result("\n".join(questions.lines(view.asked)))
    if view.last is not None and not finished:
        summary = inert_line(view.last.summary, 300)
        say(f"\nThe session ended with {view.last.reason.value}: {summary}")
    if view.pull_request is None:
        say("\nThe session proposed nothing.")
        return False
    proposal = gateway.pull_request(ended.session.id)
    _heading(f"Diff: git diff {BASE}...{proposal.branch}")
    result(playground.diff(proposal.branch).rstrip("\n"))
    _heading("Proposal")
    result(show.pull_request(proposal))
    result(f"tests    {_test_result(proposal)}")
    return finished and proposal.passed is True


def refused(gateway: Gateway, playground: Playground, ended: Ended) -> bool:
    """Show the question and its evidence and reject it; true when no cheat came through."""
    view = ended.session.view
    asked = view.asked
    if asked is None or asked.kind is not AskedKind.VERDICT:
        say("\nThe session should have asked about its verdict, and did not.")
        return False
    _heading("Needs you")
    result("\n".join(questions.lines(asked)))
    _heading("Evidence")
    result("\n".join(_evidence(ended)))
    _heading("Decision")
    result(f'rejected: "{REJECTION}"')
    closing = tour.reject(gateway, ended.session.id, asked, REJECTION).view
    branches = playground.branches()
    tried = [given.tree for given in ended.verdicts if given.verdict is Verdict.RED]
    is_good = (
        len(set(tried)) == len(ended.verdicts) == CHEATS
        and closing.pull_request is None
        and closing.last is not None
        and closing.last.reason is StopReason.CHECKS_FAILED
        and branches == [BASE]
    )
    if is_good:
        nothing = typer.style("Nothing was proposed", bold=True)
        result(f"{nothing}: {CHEATS} cheats, {CHEATS} refusals, no branch")
    else:
        say(f"The cheat was not refused as it should be; branches: {', '.join(branches)}")
    return is_good


def _evidence(ended: Ended) -> list[str]:
    # The question itself lists the findings of the last round.
    return [
        f"round {given.round}  {line.strip()}"
        for given in ended.verdicts
        for line in show.verdict(given)[:EVIDENCE_LINES]
    ]


def _test_result(proposal: PullRequest) -> str:
    lines = [line for check in proposal.checks for line in check.excerpt.splitlines()[-1:]]
    return inert_line("; ".join(lines)) or "the repository has no checks"


def _heading(text: str) -> None:
    result(f"\n{typer.style(text, bold=True)}\n")
