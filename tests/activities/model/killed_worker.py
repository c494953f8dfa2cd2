"""A process that makes one model call until it is killed: home, URL and the call as JSON."""

import asyncio
import sys
from pathlib import Path

from activities.model.adapter import LiteLlmModel
from runtime.store.folder import FolderStore
from tests.activities.model.conftest import settings_for
from workflows.contract.model import ModelCall

home, url, call = sys.argv[1:]
model = LiteLlmModel(settings_for(Path(home), url), FolderStore(Path(home) / "store"))
asyncio.run(model.step(ModelCall.model_validate_json(call)))
