"""Every fault a provider's socket can show, in both wire formats, through the whole adapter."""

import json
from collections.abc import Callable
from datetime import timedelta
from email.utils import formatdate
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.model.adapter import LiteLlmModel
from runtime.store.base import Store
from runtime.transcript import Transcripts, read_arguments
from tests.activities.model.conftest import CALL, LITELLM_WARNINGS, SESSION, settings_for
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
from workflows.contract.failures import Failure
from workflows.contract.model import ModelStep
from workflows.contract.transcript import AssistantMessage

pytestmark = LITELLM_WARNINGS

WAIT, RETRY, COMPACT = Failure.MODEL_WAIT, Failure.MODEL_RETRY, Failure.MODEL_COMPACT
FATAL, REFUSED = Failure.MODEL_FATAL, Failure.MODEL_REFUSED

STALL_SECONDS = 3.0
"""How long a server that hangs is waited for; what it says first must arrive within it too."""
FAR_FUTURE = formatdate(32_503_680_000, usegmt=True)
PAST = formatdate(0, usegmt=True)

Respond = Callable[[Wire], Response]


def refusal(status: int, code: str = "some_error", words: str = "no", **headers: str) -> Respond:
    return lambda wire: whole(status, json.dumps(wire.error(code, words)).encode(), **headers)


def page(status: int) -> Respond:
    return lambda _: whole(status, b"<html><h1>Oh</h1></html>", Content_Type="text/html")


def event_error(code: str, words: str = "no") -> Respond:
    """Fail with an error event in the middle of an answer that began well."""
    return lambda wire: streamed([wire.start, wire.text("Loo"), wire.event_error(code, words)])


def command(wire: Wire) -> list[bytes]:
    """Return a call of `rm -r build/cache` whose middle piece is an event of its own."""
    return wire.call(['{"command": "rm -r build', '/cache"', "}"])


def in_the_middle(spoil: Callable[[bytes], bytes]) -> Respond:
    """Spoil the event that holds the end of the command, and go on to a good end."""

    def respond(wire: Wire) -> Response:
        events = command(wire)
        return streamed(
            wire.answer(*events[:2], spoil(events[2]), *events[3:], finish="tool_calls")
        )

    return respond


def cut(take: Callable[[bytes], bytes], *, is_ended: bool) -> Respond:
    """Break off within the event that holds the end of the command."""

    def respond(wire: Wire) -> Response:
        events = command(wire)
        return streamed([wire.start, *events[:2], take(events[2])], is_ended=is_ended)

    return respond


def ends_for(reason: str) -> Respond:
    return lambda wire: streamed(wire.answer(*command(wire), finish=reason))


FAULTS: dict[str, tuple[Respond, Failure, str]] = {
    "400": (refusal(400), FATAL, "the request was refused"),
    "401": (refusal(401), FATAL, "set a valid {KEY}"),
    "403": (refusal(403), FATAL, "set a valid {KEY}"),
    "404": (refusal(404, "not_found_error"), FATAL, "check the model's name"),
    "408": (refusal(408), RETRY, ""),
    "413": (refusal(413, "request_too_large"), COMPACT, ""),
    "413 without words": (page(413), COMPACT, ""),
    "422": (refusal(422), FATAL, ""),
    "429": (refusal(429, "rate_limit_error", "slow down"), WAIT, "limits the rate"),
    "429 quota by code": (refusal(429, "insufficient_quota"), FATAL, "quota is used up"),
    "429 quota by words": (refusal(429, "x", "You exceeded your current quota"), FATAL, "quota"),
    "400 credit": (refusal(400, "x", "Your credit balance is too low"), FATAL, "quota"),
    "500": (refusal(500, "api_error"), RETRY, "(status 500)"),
    "502 page": (page(502), RETRY, "(status 502)"),
    "503": (refusal(503), RETRY, "(status 503)"),
    "529": (refusal(529, "overloaded_error"), RETRY, "(status 529)"),
    "overflow by code": (refusal(400, "context_length_exceeded", "too much"), COMPACT, ""),
    "overflow by words": (
        refusal(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000"),
        COMPACT,
        "",
    ),
    "overflow by OpenAI's words": (
        refusal(400, "x", "This model's maximum context length is 8192 tokens."),
        COMPACT,
        "",
    ),
    "policy by code": (refusal(400, "content_policy_violation"), REFUSED, "declines the content"),
    "policy by words": (
        refusal(400, "invalid_request_error", "Output blocked by content filtering policy"),
        REFUSED,
        "",
    ),
    "hang before headers": (lambda _: [HANG], RETRY, "did not answer in time at {HOST}"),
    "hang between events": (
        lambda wire: streamed([wire.start, *command(wire)[:2], HANG]),
        RETRY,
        "broke off",
    ),
    "closed at once": (lambda _: [], RETRY, "cannot be reached at {HOST}"),
    "cut after an event": (cut(bytes, is_ended=False), RETRY, "broke off"),
    "cut in JSON": (cut(lambda event: event[: len(event) // 2], is_ended=False), RETRY, ""),
    "cut in JSON, tidily": (cut(lambda event: event[: len(event) // 2], is_ended=True), RETRY, ""),
    "cut in a character": (
        lambda wire: streamed([wire.start, wire.text("€").split(b"\xac")[0]], is_ended=True),
        RETRY,
        "",
    ),
    "ends without a reason": (cut(bytes, is_ended=True), RETRY, "cut before its end"),
    "done without a reason": (
        lambda wire: streamed([wire.start, *command(wire), wire.done]),
        RETRY,
        "cut before its end",
    ),
    "an event is broken": (in_the_middle(lambda event: event.replace(b"}\n", b"\n")), RETRY, ""),
    "a character is broken": (
        in_the_middle(lambda event: event.replace(b"cache", b"c\xe2che")),
        RETRY,
        "",
    ),
    "error event 429": (event_error("rate_limit_error"), WAIT, "(status 429)"),
    "error event 529": (event_error("overloaded_error"), RETRY, "(status 529)"),
    "error event 500": (event_error("api_error"), RETRY, "(status 500)"),
    "error event 401": (event_error("authentication_error"), FATAL, "set a valid {KEY}"),
    "error event overflow": (event_error("x", "prompt is too long"), COMPACT, ""),
    "error event quota": (event_error("insufficient_quota"), FATAL, "quota is used up"),
    "error event policy": (event_error("content_policy_violation"), REFUSED, ""),
    "stopped for an error": (ends_for("error"), RETRY, "stopped for 'error'"),
    "stopped by a filter": (ends_for("content_filter"), REFUSED, "declined to answer"),
    "nothing said": (lambda wire: streamed(wire.answer()), RETRY, "empty answer"),
    "blank": (lambda wire: streamed(wire.answer(wire.text(" "))), RETRY, "empty answer"),
    "cut while it thinks": (
        lambda wire: streamed(wire.answer(finish="length")),
        RETRY,
        "empty answer",
    ),
    "empty choices": (
        lambda wire: streamed([b'data: {"choices": []}\n\n', wire.done]),
        RETRY,
        "cut before its end",
    ),
    "200 page": (page(200), RETRY, "{HOST} answered with 'text/html'"),
}

KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}


@pytest.fixture(params=WIRES)
def provider(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name one of the wire formats, with a key for it."""
    for key in KEYS.values():
        monkeypatch.setenv(key, "none")
    return str(request.param)


async def step(provider: str, server: RawServer, store: Store, home: Path) -> ModelStep:
    """Make one step against the server."""
    wire = WIRES[provider]
    stall = STALL_SECONDS if server.hangs else PATIENCE_SECONDS
    settings = settings_for(home, base_url(wire, server), model_stall_seconds=stall)
    call = CALL.model_copy(update={"model": wire.model})
    return await LiteLlmModel(settings, store).step(call)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_costs_one_request_and_has_its_class(
    provider: str, store: Store, tmp_path: Path, fault: str
):
    """It becomes the class of who can act; nothing of it is journaled or becomes a call."""
    respond, expected, words = FAULTS[fault]
    with serving(respond(WIRES[provider])) as server:
        with pytest.raises(ApplicationError) as caught:
            await step(provider, server, store, tmp_path)
        assert caught.value.type == expected
        assert words.format(KEY=KEYS[provider], HOST=server.host) in caught.value.message
        assert len(server.requests) == 1
    assert caught.value.non_retryable is (expected not in (WAIT, RETRY))
    assert store.list(f"answers/{SESSION}") == []
    assert store.list("arguments") == []


@pytest.mark.parametrize("status", [429, 503, 529])
@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("7", timedelta(seconds=7)),
        ("0.5", timedelta(seconds=1)),
        ("-3", timedelta(seconds=1)),
        ("1e9", timedelta(minutes=10)),
        (FAR_FUTURE, timedelta(minutes=10)),
        (PAST, timedelta(seconds=1)),
        ("nan", None),
        ("soon", None),
    ],
)
async def test_the_wait_that_is_asked_for_is_bounded(
    provider: str,
    store: Store,
    tmp_path: Path,
    status: int,
    header: str,
    expected: timedelta | None,
):
    """Retry-After, in seconds or as a date, is the next attempt's delay; nonsense is none."""
    with serving(refusal(status, retry_after=header)(WIRES[provider])) as server:
        with pytest.raises(ApplicationError) as caught:
            await step(provider, server, store, tmp_path)
        assert len(server.requests) == 1
    assert caught.value.next_retry_delay == expected


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(provider: str, store: Store, tmp_path: Path, status: int):
    """Neither key nor prompt reach the host that a provider points to, and a person is told."""
    with serving(streamed([])) as other:
        elsewhere = whole(status, b"", Location=f"http://{other.host}/v1/messages")
        with serving(elsewhere) as server:
            with pytest.raises(ApplicationError, match="sends requests elsewhere") as caught:
                await step(provider, server, store, tmp_path)
            assert len(server.requests) == 1
        assert other.requests == []
    assert caught.value.type == FATAL


@pytest.mark.parametrize("host", ["127.0.0.1:9", "model.invalid:80"])
async def test_a_host_that_cannot_be_reached_is_named(
    provider: str, store: Store, tmp_path: Path, host: str
):
    """A refused connection and an unknown name are asked again, and people see which it was."""
    call = CALL.model_copy(update={"model": WIRES[provider].model})
    model = LiteLlmModel(settings_for(tmp_path, f"http://{host}/v1"), store)
    with pytest.raises(
        ApplicationError, match=f"cannot be reached at {host.removesuffix(':80')}"
    ) as caught:
        await model.step(call)
    assert caught.value.type == RETRY


COMMAND = "printf '[DONE] \u2028 \x85 €😀'"
WRITTEN = json.dumps({"command": COMMAND}, ensure_ascii=False)

GOOD: dict[str, Callable[[Wire], list[bytes]]] = {
    "as a whole": lambda wire: [b"".join(_answered(wire))],
    "byte by byte": lambda wire: [bytes([byte]) for byte in b"".join(_answered(wire))],
    "with other newlines": lambda wire: [
        event.replace(b"\n", b"\r\n") for event in _answered(wire)
    ],
    "without a last word": lambda wire: [event for event in _answered(wire) if event != wire.done],
    "with comments": lambda wire: [b": ping\n\n", *_answered(wire)],
}


def _answered(wire: Wire) -> list[bytes]:
    return wire.answer(*wire.call([WRITTEN[:20], WRITTEN[20:]]), finish="tool_calls")


@pytest.mark.parametrize("how", GOOD)
async def test_a_whole_answer_is_taken_however_it_comes(
    provider: str, store: Store, tmp_path: Path, how: str
):
    """A command arrives character by character, whatever ends a line or a stream elsewhere."""
    with serving(streamed(GOOD[how](WIRES[provider]))) as server:
        taken = await step(provider, server, store, tmp_path)
    (call,) = taken.calls
    kept = json.loads(await read_arguments(store, call.source))
    assert kept["command"] == COMMAND


async def test_an_unknown_reason_to_stop_is_a_stop(provider: str, store: Store, tmp_path: Path):
    """The provider said that it was done, if in its own words."""
    with serving(ends_for("because")(WIRES[provider])) as server:
        taken = await step(provider, server, store, tmp_path)
    assert [call.summary for call in taken.calls] == ["rm -r build/cache"]


async def test_a_call_cut_by_the_output_limit_is_refused(
    provider: str, store: Store, tmp_path: Path
):
    """Its arguments may read well and still be half of what was meant."""
    with serving(ends_for("length")(WIRES[provider])) as server:
        taken = await step(provider, server, store, tmp_path)
    assert taken.calls == ()
    assert [refused.name for refused in taken.refused] == ["bash"]


@pytest.mark.parametrize("arguments", ['{"command": "l', "", "[]", '{"command": 1}', "nonsense"])
async def test_arguments_that_do_not_fit_are_refused(
    provider: str, store: Store, tmp_path: Path, arguments: str
):
    """The model hears why; nothing is carried out."""
    wire = WIRES[provider]
    with serving(streamed(wire.answer(*wire.call([arguments]), finish="tool_calls"))) as server:
        taken = await step(provider, server, store, tmp_path)
    assert taken.calls == ()
    assert "arguments" in taken.refused[0].reason


async def test_unsaid_usage_is_estimated(provider: str, store: Store, tmp_path: Path):
    """A step always counts against the budget."""
    wire = WIRES[provider]
    events = [event for event in wire.answer(wire.text("Good.")) if event != wire.usage]
    spoiled = [event.replace(b"tokens", b"slices") for event in events]
    with serving(streamed(spoiled)) as server:
        taken = await step(provider, server, store, tmp_path)
    assert taken.usage.input_tokens > 100
    assert taken.usage.output_tokens > 0


async def test_a_declined_answer_in_openais_form_is_refused(
    monkeypatch: pytest.MonkeyPatch, store: Store, tmp_path: Path
):
    """`refusal` stands where the text would; litellm drops it."""
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    declined = OPENAI.text("I can't").replace(b'"content"', b'"refusal"')
    with (
        serving(streamed(OPENAI.answer(declined))) as server,
        pytest.raises(ApplicationError) as caught,
    ):
        await step("openai", server, store, tmp_path)
    assert caught.value.type == REFUSED


async def test_a_call_written_as_text_is_taken(provider: str, store: Store, tmp_path: Path):
    """A model without native calls can work: the fence it ends in becomes the call."""
    wire = WIRES[provider]
    text = 'Looking.\n```json\n{"name": "bash", "arguments": {"command": "ls"}}\n```'
    with serving(streamed(wire.answer(wire.text(text)))) as server:
        taken = await step(provider, server, store, tmp_path)
    assert [(call.name, call.summary) for call in taken.calls] == [("bash", "ls")]
    assert taken.text == "Looking."
    last = (await Transcripts(store).load(taken.head))[-1]
    assert isinstance(last, AssistantMessage)
    assert last.calls[0].id == taken.calls[0].id


@pytest.mark.parametrize("name", ["openai/a b", "openai/a\nb", "", "openai/a\x00", "openai/ä"])
async def test_an_odd_name_is_refused_before_anything_is_sent(
    store: Store, tmp_path: Path, name: str
):
    """It could only be a mistake, or become a header."""
    with serving(streamed([])) as server:
        model = LiteLlmModel(settings_for(tmp_path, f"http://{server.host}/v1"), store)
        with pytest.raises(ApplicationError, match="odd character") as caught:
            await model.step(CALL.model_copy(update={"model": name}))
        assert server.requests == []
    assert caught.value.type == FATAL
