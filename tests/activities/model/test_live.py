"""A reply is shown while it is written, from a real stream to the heartbeats."""

import asyncio
import dataclasses
import random
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from llmock.pytest_plugin import LLMock
from temporalio.testing import ActivityEnvironment

from activities.model import chat, tools, wire
from activities.model.adapter import LiteLlmModel
from activities.model.live import LiveReply
from activities.progress import Beats
from runtime.store.base import Store
from tests.activities.model.conftest import CALL, LITELLM_WARNINGS, settings_for
from workflows.contract.output import WINDOW_LIMIT_BYTES, LiveText
from workflows.contract.transcript import UserMessage

pytestmark = LITELLM_WARNINGS

PIECE_MILLISECONDS = 150
PROVIDERS = {"openai": "openai/gpt-4o", "anthropic": "anthropic/claude-sonnet-4-5"}
TEXT = "The parser drops the last token — c'est la vie. I mend it now, and test it twice. ✓"


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    """Name one of the wire formats."""
    return str(request.param)


class Watched:
    """An activity whose frames are noted."""

    def __init__(self, attempt: int = 1) -> None:
        self.frames: list[tuple[LiveText, bytes]] = []
        self.news = asyncio.Event()
        self.environment = ActivityEnvironment()
        self.environment.info = dataclasses.replace(self.environment.info, attempt=attempt)
        self.environment.on_heartbeat = self._note

    def _note(self, *details: object) -> None:
        if not details:
            return
        live, window = details
        assert isinstance(live, LiveText)
        assert isinstance(window, bytes)
        self.frames.append((live, window))
        self.news.set()

    async def shown(self) -> tuple[LiveText, bytes]:
        """Return the next frame."""
        self.news.clear()
        await self.news.wait()
        return self.frames[-1]


async def test_a_step_shows_what_the_model_says(
    llmock: LLMock, provider: str, store: Store, tmp_path: Path
):
    """Every frame holds the beginning of the reply, each more of it; a repeat shows nothing."""
    llmock.reply(TEXT).pace(PIECE_MILLISECONDS)
    model = LiteLlmModel(settings_for(tmp_path, llmock.base_url(provider)), store)
    call = CALL.model_copy(update={"model": PROVIDERS[provider]})
    watched = Watched(attempt=3)
    step = await watched.environment.run(model.step, call)
    assert step.text == TEXT
    header = LiveText(turn=call.turn, step=call.step, epoch=3, start=0)
    assert [live for live, _ in watched.frames] == [header] * len(watched.frames)
    # A heartbeat that is due shows again what is shown.
    texts = list(dict.fromkeys(window.decode() for _, window in watched.frames))
    assert len(texts) > 1
    assert texts == sorted(texts, key=len)
    assert all(TEXT.startswith(text) for text in texts)
    again = Watched()
    assert (await again.environment.run(model.step, call)).text == TEXT
    assert again.frames == []


async def test_the_answer_is_heard_piece_by_piece(llmock: LLMock, provider: str):
    """In order, and nothing but its text: no call, no silence."""
    llmock.call_tool("bash", {"command": "ls -la"}, text=TEXT)
    heard: list[str] = []
    request = wire.request(PROVIDERS[provider], "be good", [UserMessage(text="list the files")])
    settings = settings_for(Path("unused"), llmock.base_url(provider))
    answer = await chat.ask(request, "1_1", settings, heard.append)
    assert "".join(heard) == answer.message.text == TEXT
    assert len([piece for piece in heard if piece]) > 1


async def _showing(watched: Watched, act: Callable[[LiveReply], object]) -> None:
    """Within an activity, do something to a reply and see it shown."""

    async def activity() -> None:
        with closing(LiveReply(CALL, Beats())) as live:
            act(live)
            await watched.shown()

    await watched.environment.run(activity)


def _add(pieces: list[str], live: LiveReply) -> None:
    for piece in pieces:
        live.add(piece)


async def test_of_a_long_reply_the_end_is_shown():
    """The window is bounded, begins with a whole character and says how much went before."""
    text = "x" + "€" * WINDOW_LIMIT_BYTES
    watched = Watched()
    await _showing(watched, lambda live: live.add(text))
    ((live, window),) = watched.frames
    assert WINDOW_LIMIT_BYTES - 3 < len(window) <= WINDOW_LIMIT_BYTES
    assert window == text.encode()[live.start :]
    assert window.decode() == "€" * (len(window) // 3)


async def test_a_terminal_would_obey_nothing_of_it():
    """Neither escape sequences nor half of a surrogate pair come through."""
    watched = Watched()
    await _showing(watched, lambda live: live.add("a\x1b[2J\ud83d\n"))
    assert (
        watched.frames[0][1].decode() == "a\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}\n"
    )


async def test_a_reply_may_be_cut_anywhere():
    """What is shown says what the whole reply will, also when newlines and characters are cut."""
    chance = random.Random(24)
    for _ in range(100):
        text = "".join(chance.choices("a€\r\n\x1b\ud83d\ude00", k=40)) + "."
        cuts = sorted(chance.choices(range(len(text)), k=20))
        pieces = [text[at:to] for at, to in zip([0, *cuts], [*cuts, None], strict=True)]
        watched = Watched()
        await _showing(watched, partial(_add, pieces))
        assert watched.frames[-1][1].decode() == tools.harmless(text)


async def test_half_a_newline_waits_for_its_other_half():
    """Nothing is shown of which the next piece decides what it is."""
    watched = Watched()
    await _showing(watched, partial(_add, ["a\r", "\nb\ud83d"]))
    assert watched.frames[-1][1] == b"a\nb"


async def test_pieces_that_come_at_once_are_one_frame():
    """What follows within the pause is shown after it, though nothing more is said."""
    watched = Watched()

    async def activity() -> None:
        with closing(LiveReply(CALL, Beats())) as live:
            for piece in ("a", "b", ""):
                live.add(piece)
            assert (await watched.shown())[1] == b"ab"
            live.add("c")
            live.add("d")
            assert (await watched.shown())[1] == b"abcd"
            live.add("e")

    await watched.environment.run(activity)
    assert [window for _, window in watched.frames] == [b"ab", b"abcd"]
