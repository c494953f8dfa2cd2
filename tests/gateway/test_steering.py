"""Decisions, changes of model and budget, and prompts that wait, over HTTP and on the socket."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from gateway.sessions import room
from gateway.sessions.connection import TEMPORAL_SECONDS
from gateway.sessions.prompts import announce
from runtime.store.base import Store
from runtime.store.folder import FolderStore
from runtime.transcript import keep_arguments
from tests.fakes import FINISH, Reply, calls
from tests.gateway.conftest import SESSIONS, Gateway, prompt, waiting_for_temporal
from tests.gateway.streaming import Scripted, Watcher, watching, working
from tests.gateway.test_websocket import ask
from tests.patience import PATIENCE_SECONDS
from tests.workflows.beating import beating
from workflows.contract import events
from workflows.contract.api import DecisionTaken, OpenQuestion, PromptBody, PromptList
from workflows.contract.asking import AskedKind
from workflows.contract.base import Sha256
from workflows.contract.events import DecisionRefused, PromptRefused
from workflows.contract.explanations.table import TABLE
from workflows.contract.failures import Failure
from workflows.contract.model import ModelCall
from workflows.contract.names import PROMPT_SIGNAL
from workflows.contract.problems import Code
from workflows.contract.session import QUEUE_LIMIT, QUEUE_MOST, Phase
from workflows.contract.socket import Ack, Nack
from workflows.contract.transcript import ToolCall, ToolName

WHICH = calls((ToolName.ASK, "Which port?"))
QUESTION = "f" * 16


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return FolderStore(tmp_path / "store")


@pytest.fixture
async def asking(client: Client, gateway: Gateway, store: Store) -> AsyncIterator[str]:
    """The path of a session whose model asks a person."""
    async with working(client, store, Scripted([WHICH])):
        path = await gateway.create()
        await gateway.until(path, Phase.ASKING)
        yield path


@pytest.fixture
def settling(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker may take its time: what it has seen counts twice as long as it is not done."""
    monkeypatch.setattr(room, "SETTLING_SECONDS", PATIENCE_SECONDS)


async def asked_of(gateway: Gateway, path: str) -> OpenQuestion:
    answer = await gateway.http.get(f"{path}/question")
    assert answer.status_code == 200, answer.text
    return OpenQuestion.model_validate_json(answer.content)


async def waiting(gateway: Gateway, path: str) -> PromptList:
    answer = await gateway.http.get(f"{path}/prompts")
    assert answer.status_code == 200, answer.text
    return PromptList.model_validate_json(answer.content)


def decision(question: str, text: str = "", *, approved: bool = True) -> dict[str, object]:
    return {"question": question, "approved": approved, "text": text}


async def test_a_models_question_is_answered(gateway: Gateway, asking: str) -> None:
    """The session waits for the answer to exactly its question and goes on with it, once."""
    asked = (await asked_of(gateway, asking)).asked
    assert (asked.kind, asked.text) == (AskedKind.QUESTION, "Which port?")
    empty = await gateway.http.post(f"{asking}/decisions", json=decision(asked.id, " "))
    assert (empty.status_code, empty.json()["code"]) == (422, "invalid_request")
    body = decision(asked.id, "8080")
    for _ in range(2):
        taken = await gateway.http.post(f"{asking}/decisions", json=body)
        assert taken.status_code == 202, taken.text
        assert DecisionTaken.model_validate_json(taken.content).question == asked.id
        await gateway.until(asking, Phase.WAITING, turns=1)
    later = await gateway.http.post(f"{asking}/decisions", json=decision(asked.id, "9090"))
    assert (later.status_code, later.json()["code"]) == (409, "question_not_open")
    async with watching(gateway, asking) as watcher:
        await watcher.caught_up()
    made = [each.event for each in watcher.events if isinstance(each.event, events.DecisionMade)]
    assert made == [events.DecisionMade(question=asked.id, approved=True, text="8080")]


async def test_an_answer_to_another_question_changes_nothing(gateway: Gateway, asking: str) -> None:
    """It is refused with what is asked instead, also on the socket; the session waits on."""
    asked = (await asked_of(gateway, asking)).asked
    answer = await gateway.http.post(f"{asking}/decisions", json=decision(QUESTION))
    assert (answer.status_code, answer.json()["code"]) == (409, "question_not_open")
    assert asked.id in answer.json()["detail"]
    async with watching(gateway, asking) as watcher:
        await watcher.caught_up()
        message = {"type": "decide", "id": "1", "decision": decision(QUESTION)}
        refused = await ask(watcher, message)
        assert isinstance(refused, Nack)
        assert refused.problem.code == "question_not_open"
        assert (await gateway.get(asking)).view.phase is Phase.ASKING
        right = {"type": "decide", "id": "2", "decision": decision(asked.id, "8080")}
        assert isinstance(await ask(watcher, right), Ack)
        await watcher.until_kind("decision.made")


async def test_a_command_is_shown_whole_before_it_is_allowed(
    client: Client, gateway: Gateway, store: Store
) -> None:
    """The view has its beginning only; a refusal keeps it from being run."""
    command = "rm -rf build; " + "x" * 1_000
    source: Sha256 = await keep_arguments(store, f'{{"command":"{command}"}}'.encode())
    held = ToolCall(id="1", name=ToolName.BASH, summary=command, source=source, held=True)
    async with working(client, store, Scripted([(held,)])) as sandbox:
        path = await gateway.create()
        await gateway.until(path, Phase.ASKING)
        found = await asked_of(gateway, path)
        assert (found.asked.kind, found.whole) == (AskedKind.COMMAND, command)
        assert command.startswith(found.asked.subject)
        assert found.asked.subject != command
        body = decision(found.asked.id, "keep it", approved=False)
        assert (await gateway.http.post(f"{path}/decisions", json=body)).status_code == 202
        await gateway.until(path, Phase.WAITING, turns=1)
    assert not [each for each in sandbox.noted if each.startswith("run rm")]


async def test_nothing_is_decided_where_nothing_is_asked(gateway: Gateway, client: Client) -> None:
    """A session that works, one that is closed and one that never was refuse, each in its way."""
    path = await gateway.create()
    working_on = await gateway.http.post(f"{path}/decisions", json=decision(QUESTION))
    assert (working_on.status_code, working_on.json()["code"]) == (409, "question_not_open")
    question = await gateway.http.get(f"{path}/question")
    assert (question.status_code, question.json()["code"]) == (409, "question_not_open")
    await client.get_workflow_handle(path.rpartition("/")[2]).terminate()
    unknown = f"{SESSIONS}/s-{'0' * 20}"
    for place, status, code in ((path, 409, "session_closed"), (unknown, 404, "session_unknown")):
        for method, action, body in (
            ("POST", "/decisions", decision(QUESTION)),
            ("PATCH", "", {"model": "openai/other"}),
            ("DELETE", f"/prompts/{prompt()['id']}", None),
            ("PUT", f"/prompts/{prompt()['id']}", prompt()),
        ):
            answer = await gateway.http.request(method, place + action, json=body)
            assert (answer.status_code, answer.json()["code"]) == (status, code), action


async def test_a_session_goes_on_with_another_model_and_budget(
    client: Client, gateway: Gateway, store: Store
) -> None:
    """What is changed counts from the next model call on; what is not named stays."""
    async with working(client, store, Scripted([WHICH])):
        path = await gateway.create(gateway.asked() | {"fallbacks": ["openai/second"]})
        before = await gateway.until(path, Phase.ASKING)
        assert (before.model, before.fallbacks) == ("openai/scripted", ("openai/second",))
        change = {"model": "openai/other", "budget": {"steps": 7, "cost_usd": 2.5}}
        answer = await gateway.http.patch(path, json=change)
        assert (answer.status_code, answer.json()["model"]) == (202, "openai/scripted")
        while (shown := await gateway.get(path)).model != "openai/other":
            pass
        assert (shown.budget.steps, shown.budget.cost_usd) == (7, 2.5)
        assert shown.fallbacks == ("openai/second",)
        body = decision((await asked_of(gateway, path)).asked.id, "8080")
        await gateway.http.post(f"{path}/decisions", json=body)
        async with watching(gateway, path) as watcher:
            await watcher.until_kind("pull_request.proposed")
    steps = [each.event for each in watcher.events if isinstance(each.event, events.StepAsked)]
    assert [each.model for each in steps] == ["openai/scripted", "openai/other"]
    assert "session.configured" in watcher.kinds
    # The checks' own sandboxes are not shown as if they were the session's.
    assert watcher.kinds.count("sandbox.opened") == 1
    assert {"baseline.started", "baseline.ready", "work.judged"} <= set(watcher.kinds)


async def test_a_change_is_durable_with_no_worker(gateway: Gateway, client: Client) -> None:
    """It waits in the session's history; one that changes nothing is refused."""
    path = await gateway.create()
    assert (await gateway.http.patch(path, json={"model": "openai/other"})).status_code == 202
    history = await client.get_workflow_handle(path.rpartition("/")[2]).fetch_history()
    signalled = history.events[-1].workflow_execution_signaled_event_attributes
    assert signalled.signal_name == "configure"
    empty = await gateway.http.patch(path, json={})
    assert (empty.status_code, empty.json()["code"]) == (422, "invalid_request")


async def test_a_new_session_names_the_prompt_that_waits(gateway: Gateway) -> None:
    """Also while no worker has seen it."""
    asked = gateway.asked("Fix it")
    path = await gateway.create(asked)
    found = await waiting(gateway, path)
    assert ([each.excerpt for each in found.data], found.waiting) == (["Fix it"], 1)


async def test_a_waiting_prompt_is_replaced_and_taken_back(
    client: Client, gateway: Gateway, store: Store
) -> None:
    """Each once, however often it is asked; what does not wait is refused."""
    done = asyncio.Event()

    async def work(_call: ModelCall) -> Reply:
        await beating(done.wait())
        return FINISH

    first, second, third = prompt("first"), prompt("second"), prompt("third")
    async with working(client, store, work):
        path = await gateway.create(gateway.asked() | {"prompt": first})
        await gateway.until(path, Phase.WORKING)
        await gateway.http.post(f"{path}/prompts", json=second)
        for _ in range(2):
            changed = await gateway.http.put(f"{path}/prompts/{second['id']}", json=third)
            assert (changed.status_code, changed.json()) == (200, {"waiting": 1})
        assert [each.excerpt for each in (await waiting(gateway, path)).data] == ["third"]
        for body, place, code in (
            (prompt(), first["id"], "prompt_not_waiting"),
            (prompt(), second["id"], "prompt_not_waiting"),
            (third | {"text": "other"}, third["id"], "invalid_request"),
            (third | {"text": "other"}, second["id"], "prompt_conflict"),
        ):
            refused = await gateway.http.put(f"{path}/prompts/{place}", json=body)
            assert refused.json()["code"] == code, refused.text
        for _ in range(2):
            taken = await gateway.http.delete(f"{path}/prompts/{third['id']}")
            assert (taken.status_code, taken.json()) == (200, {"waiting": 0})
        gone = await gateway.http.delete(f"{path}/prompts/{second['id']}")
        assert (gone.status_code, gone.json()["code"]) == (409, "prompt_not_waiting")
        assert gone.json()["hint"]
        done.set()
        shown = await gateway.until(path, Phase.WAITING, turns=1)
        watcher = await all_of(gateway, path)
    assert shown.view.turn == 1
    told = [each for each in watcher.kinds if each in ("prompt.revised", "prompt.withdrawn")]
    assert told == ["prompt.revised", "prompt.withdrawn"]


async def all_of(gateway: Gateway, path: str) -> Watcher:
    async with watching(gateway, path) as watcher:
        await watcher.caught_up()
    return watcher


async def test_without_a_worker_a_queue_is_not_known_to_have_changed(
    client: Client, gateway: Gateway, store: Store
) -> None:
    """That is said after a while, and the very same request succeeds once there is one."""
    done = asyncio.Event()

    async def work(_call: ModelCall) -> Reply:
        await beating(done.wait())
        return FINISH

    first, second, third = prompt("first"), prompt("second"), prompt("third")
    path = await gateway.create(gateway.asked() | {"prompt": first})
    await gateway.http.post(f"{path}/prompts", json=second)
    place = f"{path}/prompts/{second['id']}"
    with waiting_for_temporal(TEMPORAL_SECONDS):
        unknown = await gateway.http.put(place, json=third)
    assert (unknown.status_code, unknown.json()["code"]) == (503, "outcome_unknown")
    async with working(client, store, work):
        while (again := await gateway.http.put(place, json=third)).status_code == 503:
            pass
        assert again.status_code == 200, again.text
        done.set()
        await gateway.until(path, Phase.WAITING, turns=2)


@pytest.mark.usefixtures("settling")
async def test_one_prompt_more_than_may_wait_is_refused(gateway: Gateway, asking: str) -> None:
    """At once, with when to come back; one that waits may be repeated, one taken back is room."""
    sent = [prompt(f"number {number}") for number in range(QUEUE_LIMIT)]
    for each in sent:
        assert (await gateway.http.post(f"{asking}/prompts", json=each)).status_code == 202
    while (await gateway.get(asking)).view.queued < QUEUE_LIMIT:
        pass
    late = prompt("one too many")
    refused = await gateway.http.post(f"{asking}/prompts", json=late)
    assert (refused.status_code, refused.json()["code"]) == (429, "queue_full")
    assert int(refused.headers["retry-after"]) > 0
    repeated = await gateway.http.post(f"{asking}/prompts", json=sent[-1])
    assert repeated.is_success
    assert repeated.json()["repeated"]
    assert (await gateway.http.delete(f"{asking}/prompts/{sent[0]['id']}")).is_success
    while (await gateway.get(asking)).view.queued == QUEUE_LIMIT:
        pass
    assert (await gateway.http.post(f"{asking}/prompts", json=late)).status_code == 202


@pytest.mark.usefixtures("settling")
async def test_of_many_prompts_sent_at_once_none_is_accepted_and_dropped(
    gateway: Gateway, asking: str
) -> None:
    """Those for which there is room wait, all others are refused by the answer itself."""
    sent = [prompt(f"number {number}") for number in range(QUEUE_LIMIT + 10)]
    async with asyncio.TaskGroup() as tasks:
        posts = [
            tasks.create_task(gateway.http.post(f"{asking}/prompts", json=each)) for each in sent
        ]
    answers = [each.result().status_code for each in posts]
    assert (answers.count(202), answers.count(429)) == (QUEUE_LIMIT, 10)
    while (view := (await gateway.get(asking)).view).queued < QUEUE_LIMIT:
        pass
    assert (view.queued, view.full, view.refused) == (QUEUE_LIMIT, True, "")


async def test_without_a_worker_no_more_is_accepted_than_may_wait(gateway: Gateway) -> None:
    """What was sent counts, though nothing shows it yet."""
    path = await gateway.create()
    answers = [
        (await gateway.http.post(f"{path}/prompts", json=prompt())).status_code
        for _ in range(QUEUE_LIMIT)
    ]
    assert (answers.count(202), answers[-1]) == (QUEUE_LIMIT - 1, 429)


async def test_a_prompt_that_a_session_does_not_take_is_told_as_such(
    client: Client, gateway: Gateway, store: Store
) -> None:
    """By an event with its id and why; what several gateways send at once is taken before that."""
    path = await gateway.create()
    handle = client.get_workflow_handle(path.rpartition("/")[2])
    sent = [announce(PromptBody.model_validate(prompt(f"{n}"))) for n in range(QUEUE_MOST + 1)]
    for each in sent:
        await handle.signal(PROMPT_SIGNAL, each)
    async with working(client, store, Scripted([WHICH])), watching(gateway, path) as watcher:
        await watcher.until(lambda self: self.kinds.count("prompt.refused") == 2)
    refused = [each.event for each in watcher.events if isinstance(each.event, PromptRefused)]
    # The first prompt of the session waited too when these arrived.
    assert [each.prompt_id for each in refused] == [each.id for each in sent[-2:]]
    assert "too much is waiting" in refused[0].reason
    assert [each.excerpt for each in refused] == ["99", "100"]


async def test_of_two_answers_the_second_is_told_not_to_count(
    client: Client, gateway: Gateway, store: Store
) -> None:
    """Whatever it says; the very same one twice is no second one."""
    async with working(client, store, Scripted([WHICH])):
        path = await gateway.create()
        await gateway.until(path, Phase.ASKING)
        asked = (await asked_of(gateway, path)).asked
    for body in (
        decision(asked.id, "8080"),
        decision(asked.id, "9090"),
        decision(asked.id, "8080"),
        decision(asked.id, "no", approved=False),
    ):
        taken = await gateway.http.post(f"{path}/decisions", json=body)
        assert taken.status_code == 202, taken.text
    async with working(client, store, Scripted([WHICH])):
        shown = await gateway.until(path, Phase.WAITING, turns=1)
        watcher = await all_of(gateway, path)
    told = [each.event for each in watcher.events if isinstance(each.event, DecisionRefused)]
    why = "this question is not open: another answer came first"
    assert told == [
        DecisionRefused(question=asked.id, approved=True, text="9090", reason=why),
        DecisionRefused(question=asked.id, approved=False, text="no", reason=why),
    ]
    assert shown.view.refused == f"{asked.id}: {why}"


async def test_what_is_tried_again_is_told_with_its_code_and_cure(
    client: Client, gateway: Gateway, store: Store
) -> None:
    """A person learns from the session itself whether to wait or to act."""
    busy = ApplicationError(
        "model 'x' asks to wait",
        type=Failure.MODEL_WAIT,
        next_retry_delay=timedelta(minutes=5),
    )
    async with working(client, store, Scripted([busy])):
        path = await gateway.create()
        while not (shown := await gateway.get(path)).trouble:
            pass
    assert shown.trouble == (
        "model.step is tried again (attempt 2) [model_wait]: model 'x' asks to wait; "
        f"{TABLE[Code.MODEL_WAIT].cure}"
    )


async def test_a_failed_turn_is_shown_with_its_code_and_cure(
    client: Client, gateway: Gateway, store: Store
) -> None:
    """Whoever looks later learns what to do; a turn that finishes afterwards needs nothing."""
    refused = ApplicationError("the model declines", type=Failure.MODEL_REFUSED, non_retryable=True)
    async with working(client, store, Scripted([refused])):
        path = await gateway.create()
        shown = await gateway.until(path, Phase.WAITING, turns=1)
        assert shown.view.last is not None
        assert shown.view.last.failure == Code.MODEL_REFUSED
        assert shown.cure == TABLE[Code.MODEL_REFUSED].cure
        await gateway.http.post(f"{path}/prompts", json=prompt("another way"))
        assert (await gateway.until(path, Phase.WAITING, turns=2)).cure == ""
