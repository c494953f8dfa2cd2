"""Every error has a stable code, a status and a cure; none shows more than it should."""

import logging

import pytest

from gateway.problems import ProblemError
from tests.gateway.conftest import SESSIONS, Gateway
from workflows.contract.api import Problem
from workflows.contract.explanations.table import TABLE
from workflows.contract.problems import Code

ANSWERED = [code for code, row in TABLE.items() if row.status is not None]


@pytest.mark.parametrize("code", ANSWERED)
def test_each_code_is_a_whole_problem(code: Code):
    """Each code renders as an RFC 9457 problem with a title and what to do about it."""
    answer = ProblemError(code, "what happened").answer("request-1")
    problem = Problem.model_validate_json(answer.body)
    assert (problem.code, problem.status) == (code, answer.status)
    assert 400 <= answer.status < 600
    assert problem.title
    assert problem.hint
    assert problem.request_id == "request-1"


def test_long_details_are_cut():
    """What a client sent comes back shortened, however long it was."""
    error = ProblemError(Code.INVALID_REQUEST, "x" * 9_999, errors=("y" * 9_999,) * 99)
    assert len(error.answer("r").body) < 12_000


async def test_a_defect_shows_only_its_id(gateway: Gateway, caplog: pytest.LogCaptureFixture):
    """When the gateway itself fails the client gets an error id, and the log the cause."""
    path = await gateway.create()
    record = gateway.settings.store_path / "pulls" / path.rpartition("/")[2] / "1"
    record.parent.mkdir(parents=True)
    record.write_text("not a pull request")
    with caplog.at_level(logging.INFO):
        answer = await gateway.http.get(f"{path}/pull-request")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "not a pull request" not in answer.text
    assert answer.json()["detail"].startswith("error id ")
    assert "ValidationError" in caplog.text


async def test_a_store_that_cannot_be_used_is_said_so(gateway: Gateway):
    """Reading and writing alike: it is not the request's fault, which may be repeated."""
    path = await gateway.create()
    record = gateway.settings.store_path / "pulls" / path.rpartition("/")[2] / "1"
    record.mkdir(parents=True)
    answer = await gateway.http.get(f"{path}/pull-request")
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert answer.json()["detail"] == "nothing can be read: Is a directory"
    sessions = gateway.settings.store_path / "sessions"
    sessions.rename(sessions.with_name("elsewhere"))
    sessions.write_text("in the way")
    answer = await gateway.http.post(SESSIONS, json=gateway.asked())
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert answer.json()["detail"].startswith("nothing can be written: ")
