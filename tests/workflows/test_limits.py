"""What a session hands to Temporal stays small, however long it lives."""

from collections.abc import AsyncIterator

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from activities.worker import WORKFLOW_RUNNER
from tests.fakes import BASE, FINISH, NODE, calls
from tests.workflows.conftest import Rig, prompt
from workflows.contract import names
from workflows.contract.asking import AskedKind
from workflows.contract.base import INLINE_LIMIT_BYTES, PromptId
from workflows.contract.checks import Baseline, CheckFacts, CheckPlan, CheckSpec
from workflows.contract.findings import TestCounts
from workflows.contract.judging import GateState, Verdict, VerdictGiven
from workflows.contract.model import Usage
from workflows.contract.session import (
    QUEUE_MOST,
    QUEUED_EXCERPT_CHARACTERS,
    SEEN_LIMIT,
    VIEWED_QUEUE,
    Budget,
    CloseSignal,
    Phase,
    PromptMode,
    QueuedPrompt,
    SessionView,
    StopReason,
    TurnEnd,
    TurnState,
)
from workflows.contract.transcript import FromNode, FromWorkflow, ToolName
from workflows.policy.admission import Admission, admit
from workflows.policy.questions import question
from workflows.record import SessionRecord
from workflows.session import AgentSession

INPUTS = {
    "workflow_execution_started_event_attributes",
    "workflow_execution_signaled_event_attributes",
    "activity_task_scheduled_event_attributes",
    "workflow_execution_continued_as_new_event_attributes",
}


async def all_runs(rig: Rig) -> AsyncIterator[WorkflowHandle[object, object]]:
    run_id: str | None = None
    handle = rig.client.get_workflow_handle(rig.session)
    run_id = (await handle.describe()).run_id
    while run_id:
        handle = rig.client.get_workflow_handle(rig.session, run_id=run_id)
        yield handle
        first = await anext(handle.fetch_history_events(page_size=1))
        run_id = first.workflow_execution_started_event_attributes.continued_execution_run_id


def input_size(event: HistoryEvent) -> int:
    kind = event.WhichOneof("attributes")
    if kind not in INPUTS:
        return 0
    return int(getattr(event, kind).input.ByteSize())


async def test_three_hundred_steps_continue_as_new_and_lose_nothing(rig: Rig) -> None:
    """Every result reaches the model once, over several runs whose inputs stay under 64 KiB."""
    rig.budget = Budget(steps=400)
    rig.script(lambda call: FINISH if call.step > 300 else calls((ToolName.BASH, f"{call.step}")))
    async with rig.workers():
        handle = await rig.start(prompt("long"))
        await rig.until_waiting(1)
        await handle.signal(names.CLOSE_SIGNAL, CloseSignal())
        end = await handle.result()
    assert end.run_index >= 1
    assert [call.step for call in rig.model.asked] == list(range(1, 302))
    assert all(isinstance(m, FromNode) for call in rig.model.asked[1:] for m in call.new)
    assert [n for n in rig.sandbox.noted if n.startswith("run")] == [
        f"run {step}" for step in range(1, 301)
    ]
    assert rig.archive.runs == list(range(end.run_index + 1))
    replayer = Replayer(
        workflows=[AgentSession],
        data_converter=pydantic_data_converter,
        workflow_runner=WORKFLOW_RUNNER,
    )
    async for run in all_runs(rig):
        history = await run.fetch_history()
        assert max(map(input_size, history.events)) < INLINE_LIMIT_BYTES
        await replayer.replay_workflow(history)


async def test_the_fullest_state_is_handed_on_within_the_limit(rig: Rig) -> None:
    """The fullest queue refuses further prompts, visibly, and continue-as-new still succeeds."""
    handle = await rig.start(prompt("first" * 40))
    for number in range(QUEUE_MOST + 2):
        await handle.signal(names.PROMPT_SIGNAL, prompt(f"{number:0200}"))
    async with rig.workers():
        await rig.until(lambda view: "too much is waiting" in view.refused)
        await rig.until_waiting(QUEUE_MOST)
    assert len(rig.model.asked) == QUEUE_MOST
    async for run in all_runs(rig):
        history = await run.fetch_history()
        assert max(map(input_size, history.events)) < INLINE_LIMIT_BYTES


def test_the_fullest_state_fits_a_new_run(rig: Rig) -> None:
    """Whatever people send and a step leaves, in the longest characters, is under 64 KiB."""
    record = SessionRecord(rig.input)
    owls = "\N{OWL}" * 60
    plan = CheckPlan(
        checks=tuple(CheckSpec(name=f"c{n}", command="x" * 500, fix="x" * 400) for n in range(8)),
        source="\N{OWL}" * 200,
    )
    known = CheckFacts(
        name="c" * 100, passed=True, runnable=True, findings=9, tests=TestCounts(), report=NODE
    )
    record.update(
        plan=plan,
        baseline=Baseline(
            session=rig.session, commit=BASE, results=(known,) * 8, cached=True, seconds=1.0
        ),
        verdict=VerdictGiven(
            verdict=Verdict.RED, round=1, tree="d" * 40, shown=(owls,) * 8, why=owls * 5
        ),
        last=TurnEnd(turn=1, reason=StopReason.FAILED, summary="\N{OWL}" * 300, failure="f" * 60),
        seen=tuple(f"{n:016x}" for n in range(SEEN_LIMIT)),
    )
    for _ in range(QUEUE_MOST):
        further = prompt("\N{OWL}" * 200)
        if admit(further.id, record.state) is Admission.ACCEPTED:
            short = further.model_copy(update={"excerpt": "\N{OWL}" * QUEUED_EXCERPT_CHARACTERS})
            record.update(queue=(*record.state.queue, short))
    assert record.state.queue
    gate = GateState(blocking=("f" * 40,) * 20, report=NODE, red_tree="f" * 40, told="f" * 40)
    first = record.state.queue[0]
    turn = TurnState(number=1, prompt=first, started_at=1.5, gate=gate, recent=("f" * 16,) * 20)
    record.update(turn=turn)
    for n in range(16):
        record.note("\N{OWL}" * 600, f"call-{n}")
        record.note("\N{OWL}" * 600, f"refused-{n}")
    record.tell(FromWorkflow(text="\N{OWL}" * 2_000, call_id="asked"))
    carried = rig.input.model_copy(update={"state": record.state})
    assert len(carried.model_dump_json().encode()) < INLINE_LIMIT_BYTES


def test_what_anybody_may_see_stays_small() -> None:
    """The memo is written at every step, so its largest form is bounded."""
    owl = "\N{OWL}"
    waiting = QueuedPrompt(id=PromptId("p" * 36), mode=PromptMode.QUEUE, excerpt=owl * 60)
    view = SessionView(
        phase=Phase.ASKING,
        run_index=1,
        turn=1,
        step=1,
        queued=50,
        usage=Usage(cost_usd=1.0),
        head=NODE,
        activity=owl * 200,
        last=TurnEnd(turn=1, reason=StopReason.FAILED, summary=owl * 300, failure="f" * 60),
        checks=("c" * 110,) * 8,
        refused=owl * 200,
        asked=question(AskedKind.QUESTION, owl * 600, subject=owl * 500, options=(owl * 100,) * 6),
        queue=(waiting,) * VIEWED_QUEUE,
        model="m" * 200,
        verdict=VerdictGiven(
            verdict=Verdict.RED, round=1, tree="d" * 40, shown=(owl * 60,) * 8, why=owl * 300
        ),
    )
    assert len(view.model_dump_json().encode()) < 18 * 1024
