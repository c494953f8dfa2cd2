"""What a person can look at before deciding, over HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from temporalio.client import Client

from runtime.reviews import Reviews, report_key
from runtime.settings import gateway_token
from runtime.store.base import Store
from tests.gateway.conftest import SESSIONS, Gateway, serving, settings_at, terminate
from tests.gateway.streaming import Scripted, working
from tests.gateway.test_steering import WHICH, asked_of, decision
from tests.patience import PATIENCE_SECONDS
from workflows.contract.asking import AskedKind
from workflows.contract.base import SessionId, Sha256
from workflows.contract.findings import Finding, FindingCounts, FindingKind, FindingReport
from workflows.contract.judging import Judgement
from workflows.contract.session import Phase

DIFF = b"diff --git a/x b/x\n+\xff\r\n"
TREE = "d" * 40
REPORT = Sha256("a" * 64)


@pytest.fixture
async def proposing(client: Client, gateway: Gateway, store: Store) -> AsyncIterator[str]:
    """The path of a session that asks whether it may propose its work."""
    async with working(client, store, Scripted()):
        path = await gateway.create(gateway.asked() | {"approvals": {"pull_request": True}})
        await gateway.until(path, Phase.ASKING)
        yield path


async def refusal(gateway: Gateway, path: str) -> tuple[int, str]:
    answer = await gateway.http.get(path)
    problem = answer.json()
    assert problem["hint"]
    return answer.status_code, problem["code"]


async def test_the_diff_of_exactly_what_is_asked_is_shown(
    gateway: Gateway, proposing: str, store: Store
) -> None:
    """Whole, byte by byte, for this question only, and as long as it is open."""
    before = await asked_of(gateway, proposing)
    assert (before.asked.kind, before.diff) == (AskedKind.PULL_REQUEST, "")
    place = f"{proposing}/question/diff"
    assert await refusal(gateway, place) == (404, "no_diff")
    await Reviews(store).keep_diff(SessionId(proposing.rpartition("/")[2]), TREE, DIFF)
    found = await asked_of(gateway, proposing)
    assert (found.asked.subject, found.asked.id) == (f"tree {TREE}", before.asked.id)
    for url in (found.diff, place, f"{proposing}/diff"):
        answer = await gateway.http.get(url)
        assert (answer.status_code, answer.content) == (200, DIFF)
        assert answer.headers["content-type"] == "text/x-diff"
    other = f"{place}?question={'f' * 16}"
    assert await refusal(gateway, other) == (409, "question_not_open")
    assert await refusal(gateway, f"{place}?question=x") == (422, "invalid_request")
    body = decision(found.asked.id)
    assert (await gateway.http.post(f"{proposing}/decisions", json=body)).status_code == 202
    await gateway.until(proposing, Phase.WAITING, turns=1)
    assert await refusal(gateway, found.diff) == (409, "question_not_open")
    assert (await gateway.http.get(f"{proposing}/diff")).content == DIFF


async def test_the_findings_of_the_work_judged_last_are_shown(
    gateway: Gateway, proposing: str, store: Store
) -> None:
    """All that the newest judgement found; what it has not found yet is nothing, and said so."""
    assert await refusal(gateway, f"{proposing}/findings") == (404, "not_judged")
    wrong = Finding(check="ruff", kind=FindingKind.LINT, path="a.py", line=3, message="unused")
    report = FindingReport(check="all", findings=(wrong,))
    store.create(report_key(REPORT), report.model_dump_json().encode())
    judgement = Judgement(
        session=SessionId(proposing.rpartition("/")[2]),
        turn=1,
        round=1,
        tree=TREE,
        counts=FindingCounts(new=1),
        blocking="x",
        report=REPORT,
        message=REPORT,
    )
    await Reviews(store).keep(judgement, is_second=False)
    answer = await gateway.http.get(f"{proposing}/findings")
    assert answer.headers["content-type"] == "application/json"
    assert FindingReport.model_validate_json(answer.content) == report


async def test_where_there_is_nothing_to_look_at_it_is_said(
    client: Client, gateway: Gateway, store: Store
) -> None:
    """A session that never was, one that has done nothing yet, and a question about no files."""
    unknown = f"{SESSIONS}/s-{'0' * 20}"
    path = await gateway.create()
    for place, code in (("findings", "not_judged"), ("diff", "no_diff")):
        assert await refusal(gateway, f"{unknown}/{place}") == (404, "session_unknown")
        assert await refusal(gateway, f"{path}/{place}") == (404, code)
    assert await refusal(gateway, f"{unknown}/question/diff") == (404, "session_unknown")
    assert await refusal(gateway, f"{path}/question/diff") == (409, "question_not_open")
    async with working(client, store, Scripted([WHICH])):
        await gateway.until(path, Phase.ASKING)
        assert (await asked_of(gateway, path)).diff == ""
        assert await refusal(gateway, f"{path}/question/diff") == (404, "no_diff")


async def test_a_reader_of_a_diff_that_stalls_is_hung_up(
    client: Client, tmp_path: Path, store: Store
) -> None:
    """And one that reads gets all of it, in its length and with its type."""
    diff = b"+" + b"x" * 8_000_000
    hasty = settings_at(tmp_path).model_copy(update={"socket_stall_seconds": 0.5})
    async with (
        serving(hasty, client) as gateway,
        # Who reads on a slow machine may be as slow as one that stalls.
        serving(settings_at(tmp_path), client) as patient,
        working(client, store, Scripted()),
    ):
        path = await gateway.create(gateway.asked() | {"approvals": {"pull_request": True}})
        await gateway.until(path, Phase.ASKING)
        session = path.rpartition("/")[2]
        await Reviews(store).keep_diff(SessionId(session), TREE, diff)
        for place in ("diff", "question/diff"):
            whole = await patient.http.get(f"{path}/{place}")
            assert whole.content == diff
            assert whole.headers["content-length"] == str(len(diff))
            assert whole.headers["content-type"] == "text/x-diff"
            await stall(gateway, f"{path}/{place}")
        await terminate(client, session)


async def stall(gateway: Gateway, path: str) -> None:
    """Ask for something large, read nothing of it, and return once the gateway has hung up."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{gateway.port}",
        f"Authorization: Bearer {gateway_token(gateway.settings)}",
    ]
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        await asyncio.to_thread(connection.sendall, "\r\n".join([*lines, "", ""]).encode())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while is_served(connection.getsockname()):  # noqa: ASYNC110  # it cannot be read
                await asyncio.sleep(0.05)


def is_served(address: tuple[str, int]) -> bool:
    ours = psutil.Process().net_connections("tcp")
    return any(each.raddr == address and each.status == "ESTABLISHED" for each in ours)
