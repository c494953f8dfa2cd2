"""The HTTP client against a real server."""

from collections.abc import Iterator

import pytest

from cli.client import Gateway
from cli.problems import CliProblem
from cli.transport import Transport
from tests.cli.scripted_gateway import Reply, Script, problem, serving
from tests.cli.sessions import OTHER, SESSION, resource
from workflows.contract.api import PromptBody
from workflows.contract.base import PromptId
from workflows.contract.problems import Code

PROMPT = PromptBody(id=PromptId("00000000-0000-4000-8000-000000000000"), text="Go on.")
ACCEPTED = {"id": PROMPT.id, "session": SESSION, "repeated": False}


@pytest.fixture
def script() -> Iterator[Script]:
    """Return a script that is served."""
    script = Script()
    with serving(script):
        yield script


def gateway(script: Script, *, may_return: bool = True) -> Gateway:
    transport = Transport(script.url, "secret", local=True, may_return=lambda: may_return)
    return Gateway(transport)


def page(*sessions: str, cursor: str | None = None) -> Reply:
    data = [resource(session) for session in sessions]
    return Reply(200, {"data": data, "has_more": cursor is not None, "next_cursor": cursor})


def test_the_token_is_sent_and_the_answer_is_typed(script: Script):
    """A request carries the bearer token; its answer is the contract's model."""
    script.on(f"GET /sessions/{SESSION}", Reply(200, resource()))
    assert gateway(script).session(SESSION).id == SESSION
    assert script.asked[0].authorization == "Bearer secret"


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(Reply(0), id="connection lost"),
        pytest.param(problem(503, "outcome_unknown", "who knows", retry_after="0"), id="unknown"),
        pytest.param(problem(503, "temporal_unavailable", "not now"), id="no retry-after"),
    ],
)
def test_a_prompt_is_repeated_with_its_id_until_it_is_accepted(script: Script, first: Reply):
    """After a lost connection and after 503 the very same body is sent again."""
    script.on(f"POST /sessions/{SESSION}/prompts", first, Reply(202, ACCEPTED))
    assert gateway(script).prompt(SESSION, PROMPT).id == PROMPT.id
    assert [asked.body["id"] for asked in script.asked] == [PROMPT.id, PROMPT.id]


@pytest.mark.parametrize("first", [Reply(0), problem(503, "outcome_unknown", "who knows")])
def test_an_interrupt_of_unknown_outcome_is_not_repeated(script: Script, first: Reply):
    """A second interrupt could stop the turn after the one that was meant."""
    script.on(f"POST /sessions/{SESSION}/interrupt", first, Reply(202, resource()))
    with pytest.raises(CliProblem):
        gateway(script).interrupt(SESSION, "")
    assert len(script.asked) == 1


def test_a_gateway_that_is_gone_for_good_is_not_waited_for(script: Script):
    """When the local stack has ended, the first failure is the last."""
    script.on(f"GET /sessions/{SESSION}", Reply(0))
    with pytest.raises(CliProblem) as caught:
        gateway(script, may_return=False).session(SESSION)
    assert (caught.value.code, caught.value.exit_code) == ("gateway_unreachable", 5)
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (403, Code.ORIGIN_NOT_ALLOWED, 4),
        (409, Code.PROMPT_CONFLICT, 6),
        (422, Code.REPOSITORY_REFUSED, 2),
        (500, Code.INTERNAL_ERROR, 1),
    ],
)
def test_a_refusal_keeps_its_code_detail_and_hint(
    script: Script, status: int, code: Code, exit_code: int
):
    """An error of the gateway reaches the person as it was said, with the table's exit status."""
    script.on(f"GET /sessions/{SESSION}", problem(status, code, "the detail"))
    with pytest.raises(CliProblem) as caught:
        gateway(script).session(SESSION)
    assert (caught.value.code, caught.value.hint) == (code, "do this")
    assert caught.value.detail == "no: the detail"
    assert caught.value.exit_code == exit_code


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (401, Code.UNAUTHENTICATED, 4),
        (404, Code.NOT_FOUND, 3),
        (409, Code.ANSWER_NOT_UNDERSTOOD, 1),
        (500, Code.ANSWER_NOT_UNDERSTOOD, 1),
        (504, Code.GATEWAY_UNREACHABLE, 5),
    ],
)
def test_a_code_of_another_version_is_shown_and_sorted_by_its_status(
    script: Script, status: int, code: Code, exit_code: int
):
    """What a newer gateway or a proxy says is passed on, under a code that programs know."""
    script.on(f"GET /sessions/{SESSION}", problem(status, "some_code", "the detail"))
    with pytest.raises(CliProblem) as caught:
        gateway(script).session(SESSION)
    assert (caught.value.code, caught.value.hint) == (code, "do this")
    assert caught.value.detail == "no: the detail (some_code)"
    assert caught.value.exit_code == exit_code


def test_a_cure_is_named_as_a_command(script: Script):
    """Where the gateway names a request to programs; what is said twice is said once."""
    script.on(
        f"POST /sessions/{SESSION}/prompts",
        Reply(
            409,
            {
                "title": "The session is closed",
                "detail": f"session {SESSION!r} is closed",
                "code": "session_closed",
                "hint": "POST /reopen",
            },
        ),
    )
    with pytest.raises(CliProblem) as caught:
        gateway(script).prompt(SESSION, PROMPT)
    assert caught.value.hint == f'go on with it: overnight reopen {SESSION} "…"'
    assert caught.value.detail == f"session {SESSION!r} is closed"


@pytest.mark.parametrize("body", [b"<html>", {"object": "session"}])
def test_an_answer_that_is_not_understood_is_an_error(script: Script, body: object):
    """What is not the contract's model is refused with the cure, not with a traceback."""
    script.on(f"GET /sessions/{SESSION}", Reply(200, body))
    with pytest.raises(CliProblem, match="is no SessionResource"):
        gateway(script).session(SESSION)


def test_an_error_that_is_no_problem_document_is_reported_by_its_status(script: Script):
    """A proxy's error page becomes an error that names the status."""
    script.on(f"GET /sessions/{SESSION}", Reply(502, b"<html>"))
    with pytest.raises(CliProblem, match="answered with 502"):
        gateway(script).session(SESSION)


def test_lists_are_read_to_their_end(script: Script):
    """Every page is fetched by the cursor of the one before."""
    script.on("GET /sessions", page(SESSION, cursor="next"), page(OTHER))
    assert [session.id for session in gateway(script).sessions()] == [SESSION, OTHER]
    assert "cursor=next" in script.asked[1].path


@pytest.mark.parametrize(("text", "requests"), [(SESSION, 0), ("s-01234", 1), (SESSION[:-1], 1)])
def test_a_session_is_found_by_an_unambiguous_beginning(script: Script, text: str, requests: int):
    """A beginning that only one session has is enough; a whole id is not looked up."""
    script.on("GET /sessions", page(SESSION, OTHER))
    assert gateway(script).find(text) == SESSION
    assert len(script.asked) == requests


@pytest.mark.parametrize(
    ("text", "code", "exit_code"),
    [
        ("s-01", "session_ambiguous", 2),
        ("s-7", "session_unknown", 3),
        ("", "session_unknown", 3),
        ("../x", "session_unknown", 3),
    ],
)
def test_no_session_is_guessed(script: Script, text: str, code: str, exit_code: int):
    """A beginning of several sessions, or of none, is an error."""
    script.on("GET /sessions", page(SESSION, OTHER))
    with pytest.raises(CliProblem) as caught:
        gateway(script).find(text)
    assert (caught.value.code, caught.value.exit_code) == (code, exit_code)
