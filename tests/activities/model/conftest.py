"""A real scripted model, a real store, and the adapter between them."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from activities.model.adapter import LiteLlmModel
from cli.demo.script import Script
from cli.demo.scripted_model import ScriptedModel
from runtime.settings import Settings
from runtime.store.base import Store
from runtime.store.folder import FolderStore
from workflows.contract.base import PromptId, SessionId
from workflows.contract.model import ModelCall, PromptText, WorkingFacts
from workflows.contract.transcript import FromPrompt, TranscriptHead

SESSION = SessionId("session-1")
PROMPT = PromptId("00000000-0000-4000-8000-000000000001")
FACTS = WorkingFacts(repository="/srv/app", base="main", workspace="/workspace", checks=("make",))
CALL = ModelCall(
    session=SESSION,
    turn=1,
    step=1,
    model="openai/scripted",
    facts=FACTS,
    head=TranscriptHead(),
    new=(FromPrompt(prompt_id=PROMPT),),
)

LITELLM_WARNINGS = [
    pytest.mark.filterwarnings("ignore:.*ReadOnly:UserWarning"),
    pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning"),
]
"""What litellm's own code provokes; as errors they would break its streams."""

POLL_SECONDS = 0.01

Replies = dict[str, list[dict[str, object]]]


class Scripted:
    """A running scripted model."""

    def __init__(self, port: int, journal: Path) -> None:
        self.url = f"http://127.0.0.1:{port}/v1"
        self._journal = journal

    @property
    def requests(self) -> list[dict[str, object]]:
        """The requests it got so far."""
        if not self._journal.exists():
            return []
        return [json.loads(line) for line in self._journal.read_text().splitlines()]

    async def received(self, count: int) -> None:
        """Return when so many requests have come."""
        await asyncio.to_thread(self._await_requests, count)

    def _await_requests(self, count: int) -> None:
        while len(self.requests) < count:
            time.sleep(POLL_SECONDS)


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Callable[[Replies], Scripted]]:
    """Start a scripted model on a free port."""
    servers: list[ScriptedModel] = []

    def start(replies: Replies) -> Scripted:
        journal = tmp_path / f"requests-{len(servers)}.jsonl"
        server = ScriptedModel(0, Script(replies, journal))
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        return Scripted(server.server_address[1], journal)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store that holds the first prompt."""
    store = FolderStore(tmp_path / "store")
    put_prompt(store, PROMPT, "mend the parser")
    return store


def put_prompt(store: Store, name: PromptId, text: str) -> None:
    """Keep a prompt as the gateway does."""
    store.create(
        f"prompts/{SESSION}/{name}", PromptText(id=name, text=text).model_dump_json().encode()
    )


def settings_for(home: Path, url: str, **changes: object) -> Settings:
    """Return settings that send requests to `url`."""
    return Settings.model_validate({"home": home, "model_base_url": url, **changes})


@pytest.fixture
def model_for(tmp_path: Path, store: Store) -> Callable[[Scripted], LiteLlmModel]:
    """Make the adapter over the store, talking to a scripted model."""
    return lambda server: LiteLlmModel(settings_for(tmp_path, server.url), store)
