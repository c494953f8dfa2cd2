"""What is done for a prompt knows the prompt and its trace, and nothing else knows them."""

from collections.abc import AsyncIterator, Callable

import pytest
from temporalio.client import Client

from runtime.causes import Causes
from tests.fakes import FINISH, FakeSandbox, Reply, calls
from tests.workflows.conftest import Rig, prompt
from workflows.contract import cause, names
from workflows.contract.base import SessionId
from workflows.contract.cause import Cause
from workflows.contract.model import ModelCall
from workflows.contract.session import Budget, PromptSignal
from workflows.contract.transcript import ToolName

MANY_STEPS = 190
"""After about so many a history is long enough for a fresh one."""


@pytest.fixture
async def rig(client: Client, unique: str) -> AsyncIterator[Rig]:
    """A session whose client and workers carry causes, as every process of ours does."""
    carrying = Client(
        client.service_client,
        namespace=client.namespace,
        data_converter=client.data_converter,
        interceptors=[Causes()],
    )
    queue = f"q-{unique}"
    rig = Rig(carrying, queue, SessionId(f"s-{unique}"), FakeSandbox(queue=queue))
    yield rig
    await rig.end()


def trace(digit: str) -> str:
    return f"00-{digit * 32}-{digit * 16}-01"


def noting(seen: list[Cause], steps: int = 1) -> Callable[[ModelCall], Reply]:
    """Return a model that notes what it works for and finishes with its last step."""

    def reply(request: ModelCall) -> Reply:
        seen.append(cause.current())
        is_last = request.step % steps == 0
        return FINISH if is_last else calls((ToolName.BASH, f"echo {request.step}"))

    return reply


async def signal(rig: Rig, sent: PromptSignal, traced: str) -> None:
    """Send a prompt as a gateway does in whose request this trace began."""
    cause.CAUSE.set(Cause(rig.session, sent.id, traced))
    await rig.client.get_workflow_handle(rig.session).signal(names.PROMPT_SIGNAL, sent)


async def test_each_prompt_is_worked_on_in_its_own_trace(rig: Rig) -> None:
    """A follow-up has its own id and trace, one that came without a trace has none."""
    seen: list[Cause] = []
    rig.script(noting(seen))
    first, second, third = prompt("first"), prompt("second"), prompt("third")
    async with rig.workers():
        cause.CAUSE.set(Cause(rig.session, first.id, trace("1")))
        await rig.start(first)
        await rig.until_waiting(1)
        await signal(rig, second, trace("2"))
        await rig.until_waiting(2)
        await signal(rig, third, "")
        await rig.until_waiting(3)
    assert seen == [
        Cause(rig.session, first.id, trace("1")),
        Cause(rig.session, second.id, trace("2")),
        Cause(rig.session, third.id, ""),
    ]


async def test_a_trace_outlives_the_run_it_came_to(rig: Rig) -> None:
    """A prompt that waited while the session changed to a fresh history keeps its trace."""
    seen: list[Cause] = []
    rig.budget = Budget(steps=2 * MANY_STEPS)
    rig.script(noting(seen, steps=MANY_STEPS))
    first, second = prompt("first"), prompt("second")
    async with rig.workers():
        await rig.start(first)
        await signal(rig, second, trace("2"))
        view = await rig.until_waiting(2)
    assert view.run_index > 0
    assert {each.trace for each in seen if each.prompt == second.id} == {trace("2")}
    assert {each.trace for each in seen if each.prompt == first.id} == {""}
