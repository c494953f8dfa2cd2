"""Runs measurements and prints their tables: `python -m bench [--only NAME] [--write]`."""

import argparse
import sys
from collections.abc import Callable

from bench import breakdown, document, machine, memory, prompts, sandboxes, starting, steps
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
}


def main() -> None:
    """Run the measurements asked for, each on a stack of its own."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=MEASUREMENTS, help="one measurement instead of all")
    parser.add_argument("--write", action="store_true", help="also write docs/benchmarks.md")
    arguments = parser.parse_args()
    for name in [arguments.only] if arguments.only else MEASUREMENTS:
        text = _run(name)
        print(text)
        sys.stdout.flush()
        if arguments.write:
            document.replace(name, text)


def _run(name: str) -> str:
    before = machine.load()
    with arena() as made:
        taken_on = machine.describe(made.base)
        tables = MEASUREMENTS[name](made)
    conditions = f"{taken_on}; load average {before} before, {machine.load()} after."
    return "\n".join([conditions, "", *map(markdown, tables)])


if __name__ == "__main__":
    main()
