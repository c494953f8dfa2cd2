"""What trying a model tells, in both wire formats, of good providers and of bad ones."""

import asyncio
import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from activities.model import trial
from tests.activities.model.conftest import LITELLM_WARNINGS, settings_for
from tests.activities.model.raw_server import (
    HANG,
    OPENAI,
    WIRES,
    RawServer,
    Response,
    Wire,
    base_url,
    serving,
    streamed,
    whole,
)
from tests.patience import PATIENCE_SECONDS
from workflows.contract.health import ModelTrial, Row, Status

pytestmark = LITELLM_WARNINGS

OK, WARN, FAIL = Status.OK, Status.WARN, Status.FAIL

ROOT = Path(__file__).parents[3]

STALL_SECONDS = 3.0
"""How long a server that hangs is waited for; what it says first must arrive within it too."""

Respond = Callable[[Wire], Response]


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> Wire:
    """One of the two formats."""
    return WIRES[request.param]


def calls(wire: Wire) -> Response:
    """Call bash as it was asked for."""
    return streamed(
        wire.answer(*wire.call(['{"command": ', '"cat trial.txt"}']), finish="tool_calls")
    )


def says(text: str) -> Respond:
    """Answer in words."""
    return lambda wire: streamed(wire.answer(wire.text(text)))


def refuses(status: int, code: str, words: str = "no") -> Respond:
    return lambda wire: whole(status, json.dumps(wire.error(code, words)).encode())


def redirects(_wire: Wire) -> Response:
    return whole(307, b"", Location="http://127.0.0.1:9/elsewhere")


def hangs(_wire: Wire) -> Response:
    return [HANG]


def stalls(wire: Wire) -> Response:
    return streamed([wire.start, wire.text("Loo"), HANG])


def is_cut(wire: Wire) -> Response:
    return streamed([wire.start, wire.text("Loo")], is_ended=False)


def is_a_page(_wire: Wire) -> Response:
    return whole(200, b"<html>hello</html>", Content_Type="text/html")


def calls_brokenly(wire: Wire) -> Response:
    return streamed(wire.answer(*wire.call(['{"command": ']), finish="tool_calls"))


def counts_nothing(wire: Wire) -> Response:
    """Call as asked for, but name no tokens; Anthropic's format cannot leave them out."""
    answer = [event for event in wire.answer(*wire.call(['{"command": "cat trial.txt"}'])) if event]
    return streamed([event for event in answer if event != wire.usage])


async def tried(
    wire: Wire, *responses: Respond, model: str | None = None, **settings: object
) -> tuple[dict[str, Row], RawServer]:
    """Try a model of a server that answers so; return the rows by name."""
    with serving(*(respond(wire) for respond in responses)) as server:
        stall = STALL_SECONDS if server.hangs else PATIENCE_SECONDS
        chosen = settings_for(
            Path("unused"), base_url(wire, server), model_stall_seconds=stall, **settings
        )
        found = await trial.attempt(model or wire.model, chosen)
    assert len(server.requests) <= 2
    return {row.what: row for row in found.rows}, server


def status_of(rows: dict[str, Row]) -> dict[str, Status]:
    return {what: row.status for what, row in rows.items()}


async def test_a_good_model_is_usable(wire: Wire):
    """A model that calls a tool and reads its result passes every row but those of the price list.

    Two requests were sent, and the second one carries the tool's result.
    """
    rows, server = await tried(wire, calls, says("It is lantern-4917."))
    assert status_of(rows) == {
        "reached": OK,
        "streaming": OK,
        "usage": OK,
        "tool call": OK,
        "tool result": OK,
        "price": WARN,
        "context": WARN,
    }
    assert rows["reached"].finding == server.host
    assert rows["tool call"].finding == "bash: cat trial.txt"
    assert rows["usage"].finding == "reported by the provider: 9 tokens in, 3 out"
    assert "OVERNIGHT_MODEL_CONTEXT_TOKENS" in rows["context"].cure
    assert [b"lantern-4917" in request.body for request in server.requests] == [False, True]


async def test_what_is_configured_or_listed_is_told():
    """The price and the limit of a listed model, and the limit that a person has set."""
    rows, _ = await tried(OPENAI, calls, says("lantern-4917"), model="openai/gpt-4o")
    assert rows["price"].finding == "$2.50 in, $10.00 out, per million tokens"
    assert rows["context"].finding == "128,000 tokens"
    rows, _ = await tried(OPENAI, calls, says("lantern-4917"), model_context_tokens=32_000)
    assert rows["context"] == Row(status=OK, what="context", finding="32,000 tokens")


@pytest.mark.parametrize(
    ("respond", "finding", "cure"),
    [
        (refuses(401, "invalid_api_key"), "auth (status 401)", "{KEY} in the environment"),
        (refuses(403, "permission_error"), "auth (status 403)", "{KEY} in the environment"),
        (refuses(404, "not_found_error"), "unknown model (status 404)", "check the model's name"),
        (refuses(429, "rate_limit_error"), "rate limit (status 429)", "try again later"),
        (refuses(429, "insufficient_quota"), "quota (status 429)", "raise the account's quota"),
        (refuses(500, "api_error"), "provider failed (status 500)", "try again later"),
        (refuses(400, "x", "content_policy_violation"), "declined (status 400)", "another model"),
        (refuses(413, "request_too_large"), "too long (status 413)", "takes more tokens"),
        (refuses(422, "x"), "refused (status 422)", "the provider's words"),
        (redirects, "redirected (status 307)", "to the endpoint itself"),
        (stalls, "broken answer: ", "OVERNIGHT_MODEL_BASE_URL"),
        (is_cut, "broken answer: ", "OVERNIGHT_MODEL_BASE_URL"),
        (is_a_page, "broken answer: ", "OVERNIGHT_MODEL_BASE_URL"),
    ],
)
async def test_an_answer_that_fails_is_named(wire: Wire, respond: Respond, finding: str, cure: str):
    """The endpoint was reached; what went wrong has its class and cure. Nothing more is asked."""
    rows, server = await tried(wire, respond)
    assert rows["reached"] == Row(status=OK, what="reached", finding=server.host)
    assert rows["answer"].status is FAIL
    assert rows["answer"].finding.startswith(finding)
    key = "OPENAI_API_KEY" if wire is OPENAI else "ANTHROPIC_API_KEY"
    assert cure.format(KEY=key) in rows["answer"].cure
    assert len(server.requests) == 1


async def test_a_provider_that_hangs_is_given_up(wire: Wire):
    """A server that takes the request and says nothing is told from one that refuses."""
    rows, server = await tried(wire, hangs)
    assert rows["reached"].status is FAIL
    assert rows["reached"].finding.startswith(f"{server.host}: no answer in time")
    assert "OVERNIGHT_MODEL_BASE_URL" in rows["reached"].cure


async def test_nobody_listening_is_unreachable(wire: Wire):
    """A refused connection is named with its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    found = await trial.attempt(wire.model, settings_for(Path("unused"), f"http://{address}/v1"))
    (row,) = [row for row in found.rows if row.what == "reached"]
    assert row.status is FAIL
    assert row.finding.startswith(f"{address}: unreachable")


@pytest.mark.parametrize("model", ["openai/gpt-4o", "anthropic/claude-sonnet-4-5"])
async def test_a_missing_key_is_named_before_anything_is_sent(
    model: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """Without an endpoint of one's own the provider's key is needed, and its name is told."""
    name = "OPENAI_API_KEY" if model.startswith("openai") else "ANTHROPIC_API_KEY"
    for variable in (name, "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    settings = settings_for(tmp_path, "http://unused/v1").model_copy(
        update={"model_base_url": None}
    )
    found = await trial.attempt(model, settings)
    row = found.rows[0]
    assert (row.what, row.status) == ("reached", FAIL)
    assert row.finding.startswith("auth: ")
    assert row.cure == f"set a valid {name} in the environment of `overnight up`"


@pytest.mark.parametrize("model", ["no-such-model", "no-such/model", "gpt 5", ""])
async def test_a_name_that_is_none_is_not_sent(model: str, tmp_path: Path):
    """No provider is known for it, or it cannot be a name at all."""
    settings = settings_for(tmp_path, "http://unused/v1").model_copy(
        update={"model_base_url": None}
    )
    row = (await trial.attempt(model, settings)).rows[0]
    assert (row.what, row.status) == ("reached", FAIL)
    assert row.finding.startswith("unknown model: ")
    assert row.cure.startswith("check the model's name")


@pytest.mark.parametrize(
    ("respond", "finding"),
    [
        (says("I would run cat."), "the model answered in words instead of calling bash"),
        (calls_brokenly, "'bash': the arguments are not valid JSON"),
    ],
)
async def test_a_model_without_tools_is_not_usable(wire: Wire, respond: Respond, finding: str):
    """It streams, but a session needs calls; no second request is made."""
    rows, server = await tried(wire, respond)
    assert (rows["streaming"].status, rows["tool call"].status) == (OK, FAIL)
    assert rows["tool call"].finding.startswith(finding)
    assert "calls tools" in rows["tool call"].cure
    assert len(server.requests) == 1


async def test_a_result_that_is_not_understood_fails(wire: Wire):
    """A model that does not read what a tool printed is no use; so is one that fails then."""
    rows, _ = await tried(wire, calls, says("Done."))
    assert rows["tool result"].finding == "the model did not repeat what the tool printed"
    rows, _ = await tried(wire, calls, refuses(429, "rate_limit_error"))
    assert rows["tool result"].status is FAIL
    assert rows["tool result"].finding.startswith("rate limit (status 429)")


async def test_usage_that_nobody_reported_is_called_an_estimate():
    """A provider that counts no tokens leaves budgets to estimates, which is said."""
    rows, _ = await tried(OPENAI, counts_nothing, says("lantern-4917"))
    assert rows["usage"].status is WARN
    assert rows["usage"].finding.startswith("not reported; estimated: ")
    assert rows["tool result"].status is OK


async def test_a_key_that_a_provider_repeats_is_hidden():
    """What looks like a key does not reach the row."""
    key = "sk-" + "a1b2c3" * 5
    rows, _ = await tried(OPENAI, refuses(401, "invalid_api_key", f"wrong key: {key}"))
    assert key not in rows["answer"].finding
    assert "[hidden]" in rows["answer"].finding


async def test_it_is_a_program_that_prints_one_line(tmp_path: Path):
    """Other programs start it and read its last line; it needs nothing but its environment."""
    with serving(calls(OPENAI), says("lantern-4917")(OPENAI)) as server:
        done = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "activities.model.trial", OPENAI.model),
            cwd=ROOT,
            env={
                "OVERNIGHT_HOME": str(tmp_path),
                "OVERNIGHT_MODEL_BASE_URL": base_url(OPENAI, server),
            },
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await done.communicate()
    found = ModelTrial.model_validate_json(said)
    assert done.returncode == 0
    assert found.model == OPENAI.model
    assert Status.FAIL not in {row.status for row in found.rows}
