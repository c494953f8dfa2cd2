"""Runs measurements and prints their tables: `python -m bench [--only NAME] [--write]`."""

import argparse
import sys
from collections.abc import Callable

from bench import (
    breakdown,
    document,
    findings,
    gate,
    machine,
    memory,
    prompts,
    sandboxes,
    starting,
    steps,
    summary,
)
from bench.stack import Arena, arena
from bench.stream import parts as stream
from bench.tables import Table, markdown

MEASUREMENTS: dict[str, Callable[[Arena], list[Table]]] = {
    "steps": steps.measure,
    "breakdown": breakdown.measure,
    "starting": starting.measure,
    "prompts": prompts.measure,
    "memory": memory.measure,
    "sandboxes": sandboxes.measure,
    "stream": stream.measure,
    "findings": findings.measure,
    "gate": gate.measure,
}
ONLY_WHEN_ASKED = frozenset({"gate"})
"""Takes as long as all others together."""


def main() -> None:
    """Run the measurements asked for, each on a stack of its own."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=MEASUREMENTS, help="one measurement instead of all")
    parser.add_argument("--write", action="store_true", help="also write docs/benchmarks.md")
    parser.add_argument("--all", action="store_true", help="gate: all agents, all defects; hours")
    arguments = parser.parse_args()
    chosen = MEASUREMENTS | ({"gate": gate.measure_all} if arguments.all else {})
    failed = False
    usual = [name for name in MEASUREMENTS if name not in ONLY_WHEN_ASKED]
    taken = []
    for name in [arguments.only] if arguments.only else usual:
        text, found = _run(chosen[name])
        failed = failed or found
        taken.append(text)
        print(text)
        sys.stdout.flush()
        if arguments.write:
            document.replace(name, text)
    print(summary.text("\n".join(taken)))
    sys.exit(failed)


def _run(measure: Callable[[Arena], list[Table]]) -> tuple[str, bool]:
    before = machine.load()
    with arena() as made:
        taken_on = machine.describe(made.base)
        tables = measure(made)
    conditions = f"{taken_on}; load average {before} before, {machine.load()} after."
    text = "\n".join([conditions, "", *map(markdown, tables)])
    return text, any(table.failed for table in tables)


if __name__ == "__main__":
    main()
