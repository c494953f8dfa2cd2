"""Sessions that older code began go on with today's."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from activities.worker import WORKFLOW_RUNNER
from runtime.causes import Causes
from workflows.session import AgentSession

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


def read(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, path.read_text())


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_recorded_history_replays(path: Path) -> None:
    """Today's code asks for the same things in the same order."""
    replayer = Replayer(
        workflows=[AgentSession],
        data_converter=pydantic_data_converter,
        workflow_runner=WORKFLOW_RUNNER,
        # The headers that it sends along are no part of what is compared.
        interceptors=[Causes()],
    )
    await replayer.replay_workflow(read(path))


def test_histories_are_recorded() -> None:
    """The list above is not empty by mistake."""
    assert len(HISTORIES) >= 3
