"""How a transcript is made to fit, and what becomes of a model that goes round in circles."""

import pytest
from temporalio.exceptions import ApplicationError

from tests.fakes import FINISH, Reply, calls, model_step
from tests.workflows.conftest import Rig, prompt
from workflows.contract.failures import Failure
from workflows.contract.model import ModelCall, Usage
from workflows.contract.session import StopReason
from workflows.contract.transcript import FromWorkflow, ToolName


def step_of(call: ModelCall, tokens: int, limit: int = 1_000) -> Reply:
    """Build a step whose answer came at the fourth attempt."""
    wanted = FINISH if call.step > 40 else calls((ToolName.BASH, f"{call.step}"))
    usage = Usage(requests=4, input_tokens=tokens, output_tokens=5)
    return model_step(call, wanted).model_copy(update={"usage": usage, "context_limit": limit})


async def finished(rig: Rig) -> None:
    async with rig.workers():
        await rig.start(prompt("work"))
        await rig.until_waiting(1)


async def test_old_results_are_left_out_before_anything_is_summed_up(rig: Rig) -> None:
    """At three quarters of what the model takes; the newest twenty messages stay whole."""
    rig.script(lambda call: step_of(call, 800 if call.step == 20 else 100))
    await finished(rig)
    blanked = [call.blanked for call in rig.model.asked]
    assert blanked[:20] == [0] * 20
    assert set(blanked[20:]) == {rig.model.asked[20].head.messages - 20}
    assert rig.model.compacted == []


async def test_a_transcript_that_stays_too_long_is_summed_up(rig: Rig) -> None:
    """Once nothing more can be left out; the next calls go on from the summary."""
    rig.script(lambda call: step_of(call, 800 if call.step in (20, 21) else 100))
    await finished(rig)
    assert [each.step for each in rig.model.compacted] == [21]
    after = rig.model.asked[21]
    assert (after.head.messages, after.blanked) == (3, 0)


async def test_a_request_that_was_too_long_is_made_shorter_and_sent_again(rig: Rig) -> None:
    """The provider said so before the limit was known; the step is not counted twice."""
    refused: list[int] = []

    def reply(call: ModelCall) -> Reply:
        if call.step == 30 and len(refused) < 2:
            refused.append(call.blanked)
            return ApplicationError("long", type=Failure.MODEL_COMPACT, non_retryable=True)
        return step_of(call, 100, limit=0)

    rig.script(reply)
    await finished(rig)
    assert refused[0] == 0
    assert refused[1] > 0
    assert len(rig.model.compacted) == 1
    assert [call.step for call in rig.model.asked].count(30) == 3


async def test_a_request_that_cannot_be_made_short_enough_fails_the_turn(rig: Rig) -> None:
    """After three attempts: the provider has another reason."""
    too_long = ApplicationError("long", type=Failure.MODEL_COMPACT, non_retryable=True)
    rig.script(lambda _: too_long)
    async with rig.workers():
        await rig.start(prompt("work"))
        view = await rig.until_waiting(1)
    assert view.last is not None
    assert (view.last.reason, view.last.summary) == (StopReason.FAILED, "long")
    assert len(rig.model.asked) == 4


async def test_a_model_that_goes_round_in_circles_is_told_and_then_stopped(rig: Rig) -> None:
    """At the third and fourth time of the same call with the same outcome."""
    rig.script(lambda _: calls((ToolName.BASH, "again")))
    async with rig.workers():
        await rig.start(prompt("work"))
        view = await rig.until_waiting(1)
    assert view.last is not None
    assert view.last.reason is StopReason.STUCK
    assert len(rig.model.asked) == 4
    notes = [m.text for m in rig.model.asked[3].new if isinstance(m, FromWorkflow)]
    assert any("the same several times" in note for note in notes)


async def test_the_newest_results_are_left_out_as_the_last_resort(rig: Rig) -> None:
    """They alone may be too long for a small model."""
    wanted = tuple(calls((ToolName.BASH, "ls"), (ToolName.BASH, "ls -l")))

    def reply(call: ModelCall) -> Reply:
        if call.step == 1:
            return wanted
        if call.blanked < call.head.messages + len(call.new):
            return ApplicationError("long", type=Failure.MODEL_COMPACT, non_retryable=True)
        return FINISH

    rig.script(reply)
    await finished(rig)
    assert len(rig.model.compacted) == 1
    assert rig.pull_requests.proposed != []


async def test_a_summary_that_fails_is_done_without_or_by_another_model(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """Early, the request is sent as it is; after an overflow the next model is asked.

    Logs name the kind of the failures, and hold none of the provider's words.
    """
    rig.fallbacks = ("large/model",)
    overflown: list[str] = []

    def reply(call: ModelCall) -> Reply:
        if call.step == 22 and call.model != "large/model":
            overflown.append(call.model)
            return ApplicationError("long", type=Failure.MODEL_COMPACT, non_retryable=True)
        return step_of(call, 800 if call.step in (20, 21) else 100)

    rig.script(reply)
    rig.model.refuses_to_sum_up = "openai/scripted"
    await finished(rig)
    assert overflown == ["openai/scripted"]
    assert [each.model for each in rig.model.compacted] == ["openai/scripted"] * 2
    assert rig.model.asked[-1].model == "large/model"
    logged = [line for line in caplog.records if "failure" in vars(line)]
    assert {line.message.split(" ")[0] for line in logged} == {
        "compaction.failed",
        "model.replaced",
    }
    assert {vars(line)["failure"] for line in logged} == {Failure.MODEL_REFUSED}
