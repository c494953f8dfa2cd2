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
from temporalio.testing import WorkflowEnvironment

from runtime import temporal
from tests.conftest import FASTER_QUEUES, temporal_binary
from tests.fakes import FINISH, FakeSandbox, calls
from tests.workflows.conftest import Rig, prompt
from workflows.contract import names
from workflows.contract.base import SessionId
from workflows.contract.session import CloseSignal, InterruptSignal, PromptMode
from workflows.contract.transcript import ToolName

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


SCENARIOS: tuple[Scenario, ...] = (proposed_and_closed, interrupted, sandbox_lost)


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
