"""Many prompts, large prompts and many steps, on real processes."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from cli.stack import folder
from cli.stack.ports import Ports, reserved
from cli.stack.processes import Answering, Program
from cli.stack.programs import stack_of
from tests.end_to_end.conftest import StackFactory
from tests.end_to_end.local_stack import ROOT, LocalStack, bash, finish, until
from tests.patience import PATIENCE_SECONDS
from workflows.contract.session import StopReason

PROMPTS = 20
STEPS = 300
STEPS_SECONDS = 1_200.0
"""The last requests hold 2 MB each, which takes a good part of a second of a busy processor."""


def run_without_workers(stack: LocalStack) -> "subprocess.Popen[bytes]":
    """Run Temporal and the gateway of a stack, and nothing that could handle a prompt."""
    home = stack.settings.home
    folder.prepare(home)
    with reserved(home, gateway_host="127.0.0.1", gateway_port=0) as ports:
        return _run_without_workers(stack, ports)


def _run_without_workers(stack: LocalStack, ports: Ports) -> "subprocess.Popen[bytes]":
    home = stack.settings.home
    found = stack_of(stack.settings, ports, stack.environment())
    programs = []
    for program in found.programs:
        if program.name == "gateway":
            ready = Answering(host="127.0.0.1", port=ports.gateway, paths=("/healthz",))
            programs.append(program.model_copy(update={"ready": ready}))
        elif program.name == "temporal":
            programs.append(program)
    table = TypeAdapter(tuple[Program, ...]).dump_json(tuple(programs))
    (home / "table.json").write_bytes(table)
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.supervised", str(home)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until(lambda: folder.read_record(home) is not None, "Temporal and the gateway run")
    stack.connect(f"http://127.0.0.1:{ports.gateway}")
    return supervisor


def test_prompts_sent_with_no_worker_alive_are_handled_once_and_in_order(
    stack_of: StackFactory, repository: Path
) -> None:
    """Though the Temporal server is killed twice while they arrive."""
    markers = [f"prompt-{number:02}" for number in range(PROMPTS)]
    stack = stack_of({marker: [finish(marker)] for marker in markers})
    supervisor = run_without_workers(stack)
    session = stack.run(repository, markers[0]).id
    for number, marker in enumerate(markers[1:], start=1):
        if number in (7, 14):
            stack.kill("temporal")
        stack.gateway.prompt(session, stack.prompt(marker))
    supervisor.send_signal(signal.SIGTERM)
    supervisor.wait(timeout=PATIENCE_SECONDS)
    stack.start()
    stack.until_waiting(session, turns=PROMPTS)
    assert [line["marker"] for line in stack.requests()] == markers
    stack.close([session])


def test_three_large_prompts_do_not_hurt_a_session(
    stack_of: StackFactory, repository: Path
) -> None:
    """Each of 900 KB is handled; what Temporal keeps stays small."""
    markers = ["large-0", "large-1", "large-2"]
    stack = stack_of({marker: [finish(marker)] for marker in markers})
    stack.start()
    text = "x" * 900_000
    session = stack.run(repository, markers[0], text).id
    for marker in markers[1:]:
        stack.gateway.prompt(session, stack.prompt(f"{marker}\n{text}"))
    ended = stack.until_waiting(session, turns=3)
    assert ended.view.last is not None
    assert ended.view.last.reason is StopReason.FINISHED
    assert [line["marker"] for line in stack.requests()] == markers
    stack.close([session])
    (archived,) = (stack.settings.store_path / "histories" / session).iterdir()
    assert archived.stat().st_size < 200_000


@pytest.mark.timeout(1_800)
def test_three_hundred_steps_with_long_results_lose_nothing(
    stack_of: StackFactory, repository: Path
) -> None:
    """The session goes on in new runs between steps; every result reaches the model once."""
    # Each another one: a model that asks for the same again and again is stopped.
    printing = [bash(f"echo {step}; head -c 8000 /dev/zero | tr '\\0' x") for step in range(STEPS)]
    stack = stack_of({"long": [*printing, finish("long")]})
    stack.start()
    session = stack.run(repository, "long", steps=STEPS + 10).id
    ended = stack.until_waiting(session, seconds=STEPS_SECONDS)
    assert ended.view.last is not None
    assert ended.view.last.reason is StopReason.FINISHED
    assert ended.view.run_index >= 1
    assert [line["index"] for line in stack.requests()] == list(range(STEPS + 1))
    stack.close([session])
