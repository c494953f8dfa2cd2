"""Records the histories that `test_replay` replays: `python -m tests.workflows.record_histories`.

Run it when the workflow gains a feature; keep the old files, since sessions live longer than code.
"""

import asyncio
import os
import re
import sys
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from runtime import temporal
from tests.conftest import FASTER_QUEUES, temporal_binary
from tests.fake_checks import red
from tests.fakes import FINISH, FakeSandbox, Reply, calls
from tests.workflows.conftest import Rig, decision, prompt
from workflows.contract import names
from workflows.contract.asking import AskedKind
from workflows.contract.base import SessionId, Sha256
from workflows.contract.checks import CheckSpec
from workflows.contract.failures import Failure
from workflows.contract.findings import FindingKind
from workflows.contract.judging import Suspect
from workflows.contract.model import ModelCall
from workflows.contract.session import (
    Budget,
    CloseSignal,
    ConfigureSignal,
    InterruptSignal,
    PromptMode,
)
from workflows.contract.transcript import ToolCall, ToolName

FOLDER = Path(__file__).parent / "histories"

Scenario = Callable[[Rig], Awaitable[None]]


async def proposed_and_closed(rig: Rig) -> None:
    """Two turns, each with a proposal, then the end."""
    replies = [calls((ToolName.BASH, "ls"), (ToolName.EDIT, "a.py")), FINISH, FINISH]
    rig.script(lambda call: replies[call.step - 1])
    async with rig.workers():
        handle = await rig.start(prompt("fix it"))
        await rig.until_waiting(1)
        rig.sandbox.tree = "f" * 40
        await handle.signal(names.PROMPT_SIGNAL, prompt("more"))
        await rig.until_waiting(2)
        await handle.signal(names.CLOSE_SIGNAL, CloseSignal())
        await handle.result()


async def interrupted(rig: Rig) -> None:
    """A command is stopped, then an urgent prompt overtakes a queued one."""
    rig.sandbox.hang.add("sleep 1000")
    sleep = calls((ToolName.BASH, "sleep 1000"), (ToolName.BASH, "never"))
    rig.script(lambda call: sleep if call.step == 1 else FINISH)
    async with rig.workers():
        handle = await rig.start(prompt("hang"))
        await rig.sandbox.running.wait()
        await handle.signal(names.PROMPT_SIGNAL, prompt("later"))
        await handle.signal(names.PROMPT_SIGNAL, prompt("now", PromptMode.INTERRUPT))
        await rig.until_waiting(3)
        await handle.signal(names.INTERRUPT_SIGNAL, InterruptSignal())


async def sandbox_lost(rig: Rig) -> None:
    """A command is lost with its sandbox, an edit finds none."""
    rig.sandbox.lose.add("make")
    replies = [calls((ToolName.BASH, "make")), calls((ToolName.EDIT, "a.py")), FINISH]
    rig.script(lambda call: replies[call.step - 1])
    async with rig.workers():
        await rig.start(prompt("build"))
        rig.sandbox.gone_once = True
        await rig.until_waiting(1)


async def refused_and_repaired(rig: Rig) -> None:
    """A wish to finish is refused twice, fixers and an edit mend it, flaky tests are run alone."""
    spec = CheckSpec(name="pytest", command="pytest", kind=FindingKind.TEST, rerun="pytest")
    rig.checks.plan = rig.checks.plan.model_copy(update={"checks": (spec,)})
    rig.checks.original = ("tests/test_a.py",)
    rounds = {
        1: red("a", fixable=1),
        2: red("b"),
        3: red("c", suspects=(Suspect(check="pytest", test="t::x"),)),
    }
    rig.checks.judges = lambda work: {} if work.alone_at_base else rounds.get(work.round, {})

    def reply(call: ModelCall) -> Reply:
        rig.sandbox.tree = f"{call.step:040x}"
        return calls((ToolName.EDIT, "a.py"), (ToolName.FINISH, "done"))

    rig.script(reply)
    async with rig.workers():
        await rig.start(prompt("mend"))
        await rig.until_waiting(1)


async def asked_and_decided(rig: Rig) -> None:
    """A question, a held command, a spent budget, a model that fails, a red verdict."""
    rig.budget, rig.fallbacks = Budget(steps=2), ("second/model",)
    rig.checks.judges = lambda _: red("a")
    source = Sha256("c" * 64)
    ask = ToolCall(id="call-0", name=ToolName.ASK, summary="Which?", source=source)
    push = ToolCall(id="call-0", name=ToolName.BASH, summary="git push", held=True, source=source)

    def reply(call: ModelCall) -> Reply:
        if call.model != "second/model":
            return ApplicationError("no key", type=Failure.MODEL_FATAL, non_retryable=True)
        return {1: (ask,), 2: (push,)}.get(call.step, FINISH)

    rig.script(reply)
    async with rig.workers():
        handle = await rig.start(prompt("mend"))
        for kind in (AskedKind.QUESTION, AskedKind.COMMAND, AskedKind.BUDGET, AskedKind.VERDICT):
            asked = await rig.until_asked(kind)
            approved = kind is not AskedKind.VERDICT
            await handle.signal(names.DECIDE_SIGNAL, decision(asked, approved=approved))
            if kind is AskedKind.BUDGET:
                limits = ConfigureSignal(budget=Budget(steps=50))
                await handle.signal(names.CONFIGURE_SIGNAL, limits)
        await rig.until_waiting(1)


SCENARIOS: tuple[Scenario, ...] = (
    proposed_and_closed,
    interrupted,
    sandbox_lost,
    refused_and_repaired,
    asked_and_decided,
)


async def record() -> None:
    """Play every scenario on a server of its own and write its history."""
    FOLDER.mkdir(exist_ok=True)
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=temporal_binary(),
        dev_server_extra_args=FASTER_QUEUES,
        data_converter=pydantic_data_converter,
    ) as environment:
        await temporal.prepare_namespace(environment.client)
        for scenario in SCENARIOS:
            queue = f"q-{uuid.uuid4().hex}"
            session = SessionId(f"s-{scenario.__name__}")
            rig = Rig(environment.client, queue, session, FakeSandbox(queue=queue))
            await scenario(rig)
            history = await environment.client.get_workflow_handle(session).fetch_history()
            (FOLDER / f"{scenario.__name__}.json").write_text(anonymous(history.to_json()))


def anonymous(history: str) -> str:
    """Leave out which machine and folder it was recorded on."""
    telling = r'("(?:identity|stackTrace)": |"name": (?="[0-9]+@))'
    return re.sub(telling + r'"(?:[^"\\]|\\.)*"', r'\1"-"', history)


if __name__ == "__main__":
    asyncio.run(record())
    sys.stdout.flush()
    os._exit(0)  # see activities/worker.py
