"""What `overnight doctor` finds of stacks that run: a whole one, and a gateway nobody works for."""

import asyncio
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from temporalio.client import Client

from runtime.settings import gateway_token
from tests.cli.doctor.examined import Rows, is_given_up, rows_in
from tests.cli.running import clean_environment, overnight
from tests.conftest import EMPTY_NAMESPACE
from tests.end_to_end.local_stack import LocalStack
from tests.gateway.conftest import serving, settings_at


def rows_of(done: "subprocess.CompletedProcess[str]") -> Rows:
    return rows_in(json.loads(done.stdout))


def doctor(environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run the doctor; again when the machine was too busy for it."""
    while True:
        done = overnight("doctor", "-o", "json", environment=environment)
        if not is_given_up(rows_of(done)):
            return done


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[LocalStack]:
    """A whole local stack, whose model worker has a key that must not be shown."""
    stack = LocalStack(tmp_path, {})
    stack.variables = {"OPENAI_API_KEY": "canary-of-the-key"}
    stack.start()
    try:
        yield stack
    finally:
        stack.end()


def test_a_whole_stack_is_well(stack: LocalStack):
    """Nothing fails, each queue has its worker, and the processes that run are what is looked at.

    The keys are those of the running model worker, not of whoever asks; none of them is shown.
    """
    person = {name: value for name, value in stack.environment().items() if "API_KEY" not in name}
    done = doctor(person)
    rows = rows_of(done)
    assert done.returncode == 0, [row for row in rows.values() if row["status"] == "fail"]
    queues = {name for name in rows if name.startswith("queue ")}
    mine = (stack.settings.home / "host-id").read_text().strip()
    assert queues == {"queue sessions", "queue models", "queue hosts", f"queue host-{mine}"}
    for name in queues:
        assert rows[name]["finding"].startswith("1 worker, the last asked for work ")
    assert rows["temporal"]["status"] == rows["namespace"]["status"] == "ok"
    assert rows["store"]["finding"].startswith("the folder took and gave a byte")
    assert rows["processes"]["finding"] == "all 5 run: gateway, host, models, sessions, temporal"
    assert rows["port"]["finding"].endswith(", held by the stack of this data folder")
    assert rows["provider key"]["finding"] == "none is missing in the running model worker"
    assert rows["in force"]["status"] == "ok"
    assert json.loads(done.stdout)["unseen"] == []
    assert "canary" not in done.stdout + done.stderr
    assert gateway_token(stack.settings) not in done.stdout


def test_settings_that_came_after_the_start_are_told(stack: LocalStack):
    """A stack reads its settings once: those that are otherwise here are named, not shown.

    A key counts when the running model worker has it.
    """
    changed = {
        "OVERNIGHT_MODEL": "groq/x",
        "OPENAI_API_KEY": "canary-of-another-key",
        "OVERNIGHT_SANDBOX": stack.environment()["OVERNIGHT_SANDBOX"],
    }
    done = doctor({**stack.environment(), **changed})
    rows = rows_of(done)
    assert rows["in force"]["finding"] == (
        "the running stack was started with other values of OPENAI_API_KEY, OVERNIGHT_MODEL"
    )
    assert rows["in force"]["status"] == "warn"
    assert rows["provider key"]["finding"].startswith(
        "GROQ_API_KEY, which groq/x needs, is not set"
    )
    assert "canary" not in done.stdout


def test_a_process_that_is_gone_is_named_at_once(stack: LocalStack):
    """Temporal remembers a dead worker for a minute; its process is looked at, too."""
    stack.freeze_supervisor()
    try:
        stack.kill_for_good("models")
        done = doctor(stack.environment())
    finally:
        stack.thaw_supervisor()
    row = rows_of(done)["processes"]
    assert done.returncode == 1
    assert row["finding"] == "the models process does not run"
    assert row["cure"] == f"see {stack.settings.home}/logs/models.log"


async def test_a_gateway_that_nobody_works_for_is_told(client: Client, tmp_path: Path):
    """A real gateway over a namespace without workers: it is ready, and each queue fails."""
    config = client.config()
    config["namespace"] = EMPTY_NAMESPACE
    async with serving(settings_at(tmp_path), Client(**config)) as gateway:
        environment = clean_environment(
            tmp_path / "home",
            OVERNIGHT_URL=f"http://127.0.0.1:{gateway.port}",
            OVERNIGHT_TOKEN=gateway_token(gateway.settings),
        )
        done = await asyncio.to_thread(doctor, environment)
    rows = rows_of(done)
    assert done.returncode == 1
    assert (rows["/readyz"]["status"], rows["store"]["status"]) == ("ok", "ok")
    for queue in ("sessions", "models", "hosts"):
        assert rows[f"queue {queue}"]["status"] == "fail"
        assert rows[f"queue {queue}"]["finding"] == "no worker takes from it"
    assert rows["namespace"]["finding"] == "empty lacks the search attribute OvernightPhase"
