"""Sessions over HTTP, on a real Temporal server with no worker alive."""

import asyncio
import uuid

import pytest
from temporalio.client import Client

from gateway.routes import Readiness
from runtime.store.folder import FolderStore
from tests.gateway.conftest import SESSIONS, Gateway, prompt, serving, settings_at
from workflows.contract import names
from workflows.contract.api import SessionList
from workflows.contract.model import PromptText
from workflows.contract.session import Phase, PromptSignal, SessionInput


async def signals(client: Client, session: str) -> list[PromptSignal]:
    history = await client.get_workflow_handle(session).fetch_history()
    found = []
    for event in history.events:
        if event.HasField("workflow_execution_signaled_event_attributes"):
            payloads = event.workflow_execution_signaled_event_attributes.input.payloads
            [signal] = await client.data_converter.decode(payloads, [PromptSignal])
            found.append(signal)
    return found


async def test_a_session_is_durable_when_it_is_accepted(gateway: Gateway, client: Client):
    """With no worker alive a new session is in Temporal, its text in the store, and shown."""
    asked = gateway.asked("Fix the build\nthen rest", "00000000-0000-4000-8000-0000000000aa")
    answer = await gateway.http.post(SESSIONS, json=asked)
    assert answer.status_code == 202
    session = answer.json()["id"]
    path = f"prompts/{session}/{asked['prompt']['id']}"  # type: ignore[index]  # of JSON
    kept = FolderStore(gateway.settings.store_path).read(path)
    assert PromptText.model_validate_json(kept).text == "Fix the build\nthen rest"
    [signal] = await signals(client, session)
    assert signal.excerpt == "Fix the build then rest"
    shown = await gateway.get(f"{SESSIONS}/{session}")
    assert shown.view.phase is Phase.PREPARING
    assert (shown.title, shown.model) == ("Fix the build", "openai/scripted")
    assert shown.branch == f"overnight/{session}"
    assert shown.model_dump_json() == answer.text


async def test_the_workflow_starts_with_what_was_asked(gateway: Gateway, client: Client):
    """The run's input is the contract's, with the request's options."""
    path = await gateway.create(gateway.asked() | {"model": "openai/other"})
    session = path.rpartition("/")[2]
    handle = client.get_workflow_handle(session)
    first = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
    [start] = await client.data_converter.decode(first.input.payloads, [SessionInput])
    assert (start.session, start.options.model) == (session, "openai/other")
    assert (first.workflow_type.name, first.task_queue.name) == (
        names.SESSION_WORKFLOW,
        names.SESSIONS_QUEUE,
    )


async def test_a_repeated_request_starts_nothing(gateway: Gateway, client: Client):
    """The very same request is answered with 200 and the same session, and signals no more."""
    asked = gateway.asked()
    first = await gateway.http.post(SESSIONS, json=asked)
    again = await gateway.http.post(SESSIONS, json=asked)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == first.json()
    assert len(await signals(client, first.json()["id"])) == 1


async def test_requests_at_the_same_time_make_one_session(gateway: Gateway):
    """Ten clients that send the same request at once get the same session."""
    asked = gateway.asked()
    async with asyncio.TaskGroup() as tasks:
        sent = [tasks.create_task(gateway.http.post(SESSIONS, json=asked)) for _ in range(10)]
    assert {answer.result().status_code for answer in sent} <= {200, 202}
    assert len({answer.result().json()["id"] for answer in sent}) == 1


async def test_a_prompt_id_stands_for_one_request(gateway: Gateway):
    """The same id with another text, repository, model or budget is a conflict."""
    asked = gateway.asked(id=str(uuid.uuid4()))
    await gateway.create(asked)
    for change in (
        {"prompt": {"id": asked["prompt"]["id"], "text": "other"}},  # type: ignore[index]  # of JSON
        {"prompt": {"id": asked["prompt"]["id"], "text": "make it green\nlater"}},  # type: ignore[index]  # of JSON
        {"repository": {"url": str(gateway.settings.home), "base": "other"}},
        {"model": "openai/other"},
        {"budget": {"steps": 7}},
    ):
        answer = await gateway.http.post(SESSIONS, json=asked | change)
        assert (answer.status_code, answer.json()["code"]) == (409, "prompt_conflict"), change


async def test_a_changed_default_model_is_no_conflict(gateway: Gateway, client: Client):
    """A request that named no model is the same one when the default has changed since."""
    asked = gateway.asked()
    await gateway.create(asked)
    newer = {"model": "openai/newer", "model_fallbacks": ("openai/second",)}
    changed = gateway.settings.model_copy(update=newer)
    async with serving(changed, client) as other:
        again = await other.http.post(SESSIONS, json=asked)
    assert (again.status_code, again.json()["model"]) == (200, "openai/scripted")


@pytest.mark.parametrize(
    ("asked", "fallbacks"),
    [
        ({}, ["openai/second"]),
        ({"fallbacks": ["openai/third"]}, ["openai/third"]),
        ({"model": "openai/other"}, []),
    ],
)
async def test_fallbacks_stand_in_only_where_no_model_is_named(
    gateway: Gateway, client: Client, asked: dict[str, object], fallbacks: list[str]
):
    """Who names a model is not given another one unasked."""
    changed = gateway.settings.model_copy(update={"model_fallbacks": ("openai/second",)})
    async with serving(changed, client) as other:
        answer = await other.http.post(SESSIONS, json=gateway.asked() | asked)
    assert answer.json()["fallbacks"] == fallbacks


async def test_without_any_model_the_cure_is_named(gateway: Gateway, client: Client):
    """A request without a model, to a gateway without a default, says what to set."""
    modelless = gateway.settings.model_copy(update={"model": None})
    async with serving(modelless, client) as other:
        answer = await other.http.post(SESSIONS, json=gateway.asked())
    assert (answer.status_code, answer.json()["code"]) == (422, "model_missing")
    assert "OVERNIGHT_MODEL" in answer.json()["hint"]


async def test_twenty_prompts_are_accepted_without_a_worker(gateway: Gateway, client: Client):
    """Follow-ups are durable once answered, in order, however long no worker comes."""
    path = await gateway.create()
    sent = [prompt(f"step {number}") for number in range(20)]
    for each in sent:
        answer = await gateway.http.post(f"{path}/prompts", json=each)
        assert (answer.status_code, answer.json()["repeated"]) == (202, False)
    again = await gateway.http.post(f"{path}/prompts", json=sent[3])
    assert (again.status_code, again.json()["repeated"]) == (200, True)
    arrived = await signals(client, path.rpartition("/")[2])
    assert [signal.id for signal in arrived[1:21]] == [each["id"] for each in sent]


async def test_another_text_under_a_sent_id_is_a_conflict(gateway: Gateway):
    """A follow-up's id stands for its text."""
    path = await gateway.create()
    first = prompt("one")
    await gateway.http.post(f"{path}/prompts", json=first)
    answer = await gateway.http.post(f"{path}/prompts", json=first | {"text": "two"})
    assert (answer.status_code, answer.json()["code"]) == (409, "prompt_conflict")


async def test_an_unknown_session_takes_nothing(gateway: Gateway):
    """Whatever is sent to a session that never was is answered with 404 and kept nowhere."""
    path = f"{SESSIONS}/s-{uuid.uuid4().hex[:20]}"
    for action, body in (
        ("prompts", prompt()),
        ("interrupt", {}),
        ("close", {}),
        ("reopen", {"prompt": prompt()}),
    ):
        answer = await gateway.http.post(f"{path}/{action}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "session_unknown"), action
    assert not (gateway.settings.store_path / "prompts").exists()


async def test_the_list_is_newest_first_and_pages(gateway: Gateway):
    """A new session is on the first page at once; pages follow each other without a gap."""
    made = [await gateway.create() for _ in range(5)]
    found: list[str] = []
    cursor = None
    while not set(made) <= set(found):
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        answer = await gateway.http.get(SESSIONS, params=query)
        page = SessionList.model_validate_json(answer.content)
        found += [each.url for each in page.data]
        cursor = page.next_cursor
        assert len(page.data) <= 2
        assert cursor or not page.has_more
    assert [url for url in found if url in made] == made[::-1]
    assert len(found) == len(set(found))


async def test_the_list_tells_phases_apart(gateway: Gateway, client: Client):
    """A phase selects; a session that ended without its workflow's doing shows as closed."""
    kept, ended = await gateway.create(), await gateway.create()
    await client.get_workflow_handle(ended.rpartition("/")[2]).terminate()

    async def urls(phase: Phase) -> set[str]:
        answer = await gateway.http.get(SESSIONS, params={"phase": phase, "limit": "200"})
        return {each["url"] for each in answer.json()["data"]}

    while ended not in await urls(Phase.CLOSED):
        pass
    assert kept not in await urls(Phase.CLOSED)
    while kept not in (preparing := await urls(Phase.PREPARING)):
        pass
    assert ended not in preparing
    assert kept not in await urls(Phase.WORKING)


async def test_another_gateway_shows_the_same(gateway: Gateway, client: Client):
    """Gateways keep nothing to themselves: a second one shows and lists the session."""
    path = await gateway.create()
    async with serving(settings_at(gateway.settings.home), client) as other:
        assert (await other.get(path)).url == path
        while path not in (await other.http.get(SESSIONS)).text:
            pass


async def test_without_a_worker_the_gateway_is_ready(gateway: Gateway):
    """Readiness tells how many session workers there are; none is needed to take prompts."""
    answer = await gateway.http.get("/readyz")
    assert answer.status_code == 200
    assert Readiness.model_validate_json(answer.content).session_workers >= 0


async def test_before_temporal_is_reached_all_is_refused(gateway: Gateway):
    """A gateway that has not reached Temporal yet lives, is not ready and says so."""
    async with serving(gateway.settings, None) as early:
        assert (await early.http.get("/healthz")).status_code == 200
        for answer in (
            await early.http.get("/readyz"),
            await early.http.get(SESSIONS),
            await early.http.post(SESSIONS, json=gateway.asked()),
        ):
            assert (answer.status_code, answer.json()["code"]) == (503, "temporal_unavailable")
            assert answer.headers["retry-after"] == "1"
