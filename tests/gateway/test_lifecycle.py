"""Sessions from start to reopening, worked on by the real workflow with scripted ports."""

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker

from runtime.store.folder import FolderStore
from tests.gateway.conftest import SESSIONS, Gateway, prompt, workers
from workflows.contract import names
from workflows.contract.base import CommitSha, SessionId
from workflows.contract.judging import Verdict
from workflows.contract.pull_request import PullRequest
from workflows.contract.sandbox import Repository
from workflows.contract.session import Phase, SessionInput


async def close(gateway: Gateway, path: str) -> None:
    answer = await gateway.http.post(f"{path}/close", json={"reason": "done"})
    assert answer.status_code == 202, answer.text
    await gateway.until(path, Phase.CLOSED)


async def test_prompts_sent_before_a_worker_came_are_worked_on(gateway: Gateway, client: Client):
    """A session started with no worker alive is finished once there is one."""
    path = await gateway.create()
    await gateway.http.post(f"{path}/prompts", json=prompt("and this"))
    async with workers(client):
        shown = await gateway.until(path, Phase.WAITING, turns=2)
    assert shown.view.last is not None
    assert shown.view.last.turn == 2


async def test_a_closed_session_takes_no_prompt(gateway: Gateway, client: Client):
    """A prompt to a closed session is refused with how to reopen; closing again is harmless."""
    asked = gateway.asked()
    async with workers(client):
        path = await gateway.create(asked)
        await gateway.until(path, Phase.WAITING, turns=1)
        await close(gateway, path)
        late = await gateway.http.post(f"{path}/prompts", json=prompt())
        assert (late.status_code, late.json()["code"]) == (409, "session_closed")
        assert f"{path}/reopen" in late.json()["hint"]
        stop = await gateway.http.post(f"{path}/interrupt", json={})
        assert (stop.status_code, stop.json()["code"]) == (409, "session_closed")
        await close(gateway, path)
        assert (await gateway.http.post(SESSIONS, json=asked)).status_code == 200
        seen = await gateway.http.post(f"{path}/prompts", json=asked["prompt"])
        assert (seen.status_code, seen.json()["repeated"]) == (200, True)
    assert (await gateway.get(path)).ended_at is not None


async def test_a_reopened_session_goes_on(gateway: Gateway, client: Client):
    """A reopening starts a run from what the closed one left, once, however often it is asked."""
    again = {"prompt": prompt("go on")}
    async with workers(client):
        path = await gateway.create()
        before = await gateway.until(path, Phase.WAITING, turns=1)
        await close(gateway, path)
        first = await gateway.http.post(f"{path}/reopen", json=again)
        assert (first.status_code, first.json()["view"]["run_index"]) == (202, 1), first.text
        shown = await gateway.until(path, Phase.WAITING, turns=2)
        repeated = await gateway.http.post(f"{path}/reopen", json=again)
        assert repeated.status_code == 200
        await close(gateway, path)
        late = await gateway.http.post(f"{path}/reopen", json=again)
        assert (late.status_code, late.json()["view"]["phase"]) == (200, "closed")
    assert shown.created_at == before.created_at
    assert shown.view.turn == 2


async def test_a_reopened_session_is_listed_once(gateway: Gateway, client: Client):
    """The list shows a session's newest run only, at once and after visibility has both."""
    async with workers(client):
        path = await gateway.create()
        await gateway.until(path, Phase.WAITING, turns=1)
        await close(gateway, path)
        await gateway.http.post(f"{path}/reopen", json={"prompt": prompt()})
        await gateway.until(path, Phase.WAITING, turns=2)

        async def listed(phase: str | None) -> list[int]:
            query = {"limit": "200"} | ({"phase": phase} if phase else {})
            page = (await gateway.http.get(SESSIONS, params=query)).json()["data"]
            return [each["view"]["run_index"] for each in page if each["url"] == path]

        assert await listed(None) == [1]
        while await listed("waiting") != [1]:
            pass
        assert await listed("closed") == []


async def test_the_reopened_run_knows_the_one_before(gateway: Gateway, client: Client):
    """The new run's input holds the closed run's state and names it, to be archived."""
    async with workers(client):
        path = await gateway.create()
        await gateway.until(path, Phase.WAITING, turns=1)
        handle = client.get_workflow_handle(path.rpartition("/")[2])
        closed_run = (await handle.describe()).run_id
        await close(gateway, path)
    await gateway.http.post(f"{path}/reopen", json={"prompt": prompt()})
    events = (await handle.fetch_history()).events
    payloads = events[0].workflow_execution_started_event_attributes.input.payloads
    [start] = await client.data_converter.decode(payloads, [SessionInput])
    assert (start.run_index, start.state.turns) == (1, 1)
    assert (start.previous.run_id, start.previous.run_index) == (closed_run, 0)


async def test_only_a_closed_session_is_reopened(gateway: Gateway, client: Client):
    """An open session refuses, and one that ended without a result says what is left to do."""
    path = await gateway.create()
    running = await gateway.http.post(f"{path}/reopen", json={"prompt": prompt()})
    assert (running.status_code, running.json()["code"]) == (409, "session_open")
    await client.get_workflow_handle(path.rpartition("/")[2]).terminate()
    ended = await gateway.http.post(f"{path}/reopen", json={"prompt": prompt()})
    assert (ended.status_code, ended.json()["code"]) == (409, "session_unrecoverable")
    assert ended.json()["hint"]


async def test_an_interrupt_reaches_an_open_session(gateway: Gateway, client: Client):
    """An interrupt is durable with no worker alive and leaves the session open."""
    path = await gateway.create()
    answer = await gateway.http.post(f"{path}/interrupt", json={"reason": "wait"})
    assert (answer.status_code, answer.json()["view"]["phase"]) == (202, "preparing")
    history = await client.get_workflow_handle(path.rpartition("/")[2]).fetch_history()
    assert (
        history.events[-1].workflow_execution_signaled_event_attributes.signal_name == "interrupt"
    )


async def test_the_newest_pull_request_is_shown(gateway: Gateway):
    """Of many revisions the last by number is shown, with its whole diff byte by byte."""
    path = await gateway.create()
    none_yet = await gateway.http.get(f"{path}/pull-request")
    assert (none_yet.status_code, none_yet.json()["code"]) == (404, "no_pull_request")
    session, store = path.rpartition("/")[2], FolderStore(gateway.settings.store_path)
    store.create("diffs/ten", b"--- a\n+++ \xff\r\n")
    for revision in (2, 9, 10):
        record = PullRequest(
            session=SessionId(session),
            turn=1,
            revision=revision,
            repository=Repository(url="/r", base="main"),
            branch="b",
            commit=CommitSha("0" * 40),
            title="t",
            files_changed=1,
            added=1,
            removed=0,
            passed=True,
            verdict=Verdict.GREEN,
            draft=False,
            diff_key="diffs/ten" if revision == 10 else "diffs/other",
            merge_command="git merge b",
        )
        store.create(f"pulls/{session}/{revision}", record.model_dump_json().encode())
    assert (await gateway.http.get(f"{path}/pull-request")).json()["revision"] == 10
    diff = await gateway.http.get(f"{path}/pull-request/diff")
    assert diff.content == b"--- a\n+++ \xff\r\n"
    assert diff.headers["content-type"] == "text/x-diff"


@workflow.defn(name=names.SESSION_WORKFLOW, sandboxed=False)
class Broken:
    """A session whose worker has a defect."""

    @workflow.run
    async def run(self, _start: SessionInput) -> None:
        message = "a defect"
        raise ValueError(message)


async def test_a_session_that_no_worker_can_decide_for_says_so(gateway: Gateway, client: Client):
    """It does not look as if it worked."""
    path = await gateway.create()
    async with Worker(client, task_queue=names.SESSIONS_QUEUE, workflows=[Broken]):
        while not (shown := await gateway.get(path)).trouble:
            pass
    assert "no session worker can go on" in shown.trouble
