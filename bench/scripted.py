"""The model that every measured agent talks to, and its journal, the clock of all steps."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench import programs
from bench.stream import program

STEPS = 110
"""Steps of a long run."""

LONG, MINI, SHORT, END = "bench-long", "bench-mini", "bench-short", "bench-end"
"""Markers: 110 steps, the same for mini-swe-agent, one step, none."""

RECORDED = "bench-recorded"
"""Counts to thirty, one a second, on both channels."""

COUNT = (
    "for n in $(seq 1 30); do echo $n; "
    "[ $((n % 10)) -ne 0 ] || echo a warning at $n >&2; sleep 1; done"
)

MINI_END = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"


class Asked(NamedTuple):
    """One request's place in the script, and when it arrived in seconds since the epoch."""

    marker: str
    number: int
    at: float


class ScriptedModel:
    """A running scripted model."""

    def __init__(self, port: int, journal: Path) -> None:
        self.url = f"http://127.0.0.1:{port}/v1"
        self._journal = journal

    def count(self) -> int:
        """Return how many requests arrived."""
        return len(self.since(0))

    def since(self, count: int) -> list[Asked]:
        """Return the requests after the first `count`, in order of arrival."""
        found = [json.loads(line) for line in self._journal.read_text().splitlines()[count:]]
        return [Asked(each["marker"], each["index"], each["t"]) for each in found]


@contextmanager
def scripted_model(folder: Path) -> Iterator[ScriptedModel]:
    """Run the model on a free port, as a process of its own."""
    script, journal = folder / "script.json", folder / "requests.jsonl"
    script.write_text(json.dumps(_script()))
    journal.touch()
    files = ("--script", str(script), "--journal", str(journal))
    with programs.serving("cli.demo.scripted_model", "--port", "0", *files) as said:
        yield ScriptedModel(int(said.split()[-1]), journal)


def _script() -> dict[str, list[dict[str, Any]]]:
    # The same again and again would be taken for going round in circles.
    steps = [_step(f"true {number}") for number in range(STEPS)]
    return {
        LONG: steps,
        MINI: [*steps, _step(MINI_END)],
        SHORT: steps[:1],
        END: [],
        RECORDED: [
            {**_step(COUNT), "text": "I count to thirty, one a second."},
            {"calls": [{"name": "finish", "arguments": {"summary": "Counted to thirty."}}]},
        ],
        **program.scripts(),
    }


def _step(command: str) -> dict[str, Any]:
    return {"text": "Next.", "calls": [{"name": "bash", "arguments": {"command": command}}]}
