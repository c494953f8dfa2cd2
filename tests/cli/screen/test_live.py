"""A followed session as text."""

from typing import Any

import pytest
from click import unstyle

from cli.screen.live import LiveScreen
from cli.screen.screen import Screen
from cli.stream.items import Item, Output, PutOff, Reconnected, Waiting
from tests.cli.happenings import event, hello
from workflows.contract import events
from workflows.contract.api import Problem, PromptBody
from workflows.contract.base import CommandId, PromptId
from workflows.contract.output import Channel, OutputFrame
from workflows.contract.socket import OutputEnded, OutputSkipped, SendPrompt

C1 = CommandId("c1")


def shown(*items: Item) -> str:
    """Return what is written of these."""
    written: list[str] = []
    screen = LiveScreen(Screen(written.append))
    for item in items:
        screen.show(item)
    return unstyle("".join(written))


def test_an_outage_is_told_beside_what_is_shown(capsys: pytest.CaptureFixture[str]):
    """Its beginning and its end go to stderr, and do not run into a line that is not finished."""
    piece = Output(C1, 0, (OutputFrame(Channel.STDOUT, 0, b"half"),))
    assert shown(piece, Waiting("http://x"), hello(), Reconnected(3)) == "│ half\n"
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "waiting for the gateway at http://x …",
        "the gateway is back; 3 events happened meanwhile",
    ]


def test_the_end_of_output_ends_its_line():
    """A command that ends without a line end does not spoil what comes after it."""
    piece = Output(C1, 0, (OutputFrame(Channel.STDERR, 0, b"half \xc3"),))
    ended = OutputEnded(command_id=C1, end=19)
    skipped = OutputSkipped(command_id=C1, start=0, end=2_000)
    mark = "\N{REPLACEMENT CHARACTER}"
    assert shown(piece, ended, skipped) == f"│! half {mark}\n│ … 2,000 bytes left out …\n"


def test_a_prompt_that_is_put_off_is_told_with_its_cause(capsys: pytest.CaptureFixture[str]):
    """A person knows which one waits, why, and that nothing is to be done."""
    prompt = PromptBody(id=PromptId("00000000-0000-4000-8000-000000000000"), text="Go\x1b[2J\non.")
    problem = Problem(title="Temporal does not answer", status=503, detail="", code="x")
    assert shown(PutOff(SendPrompt(id=prompt.id, prompt=prompt), problem)) == ""
    assert capsys.readouterr().err.splitlines() == [
        "not taken yet: Go\N{REPLACEMENT CHARACTER}[2J on.",
        "  Temporal does not answer; it is sent again until it is",
    ]


def ended_turn(turn: int, reason: str = "finished") -> dict[str, Any]:
    last = {"turn": turn, "reason": reason, "summary": "it is done"}
    return {"phase": "waiting", "last": last}


def test_the_end_of_a_turn_is_told_when_it_happens():
    """Once, with why; the first of the past events is no news of an end before it."""
    views = [hello(**ended_turn(turn)).session.view for turn in (1, 2, 2)]
    past = [event(number, events.ViewChanged(view=view)) for number, view in enumerate(views)]
    told = "turn 2 has ended: finished\n  it is done\n"
    assert shown(hello(**ended_turn(2)), *past, hello(**ended_turn(2))) == told
    stopped = hello(**ended_turn(3, "interrupted")).session.view
    live = event(9, events.ViewChanged(view=stopped))
    assert "turn 3 has ended: stopped by a person" in shown(hello(**ended_turn(2)), live)
