"""A process that makes one model call until it is killed: home, URL and the call as JSON."""

import asyncio
import sys
from pathlib import Path

from pydantic import TypeAdapter

from activities.model.adapter import LiteLlmModel
from runtime.store.folder import FolderStore
from tests.activities.model.conftest import settings_for
from workflows.contract.model import CompactTranscript, ModelCall

home, url, text = sys.argv[1:]
model = LiteLlmModel(settings_for(Path(home), url), FolderStore(Path(home) / "store"))
call: ModelCall | CompactTranscript = TypeAdapter(ModelCall | CompactTranscript).validate_json(text)
asyncio.run(model.step(call) if isinstance(call, ModelCall) else model.compact(call))
