"""Runs the process table in `<home>/table.json` as `overnight up` runs its own."""

import sys
from pathlib import Path

from pydantic import TypeAdapter

from cli.problems import CliProblem
from cli.stack import folder, hosting
from cli.stack.folder import StackRecord
from cli.stack.processes import Program
from cli.stack.programs import Stack
from cli.terminal import report
from runtime import logs

TABLE = TypeAdapter(tuple[Program, ...])


def main(home: Path) -> None:
    """Supervise until a signal ends it."""
    programs = TABLE.validate_json((home / "table.json").read_bytes())
    with folder.owned(home):
        hosting.supervise(Stack(programs, "http://127.0.0.1:1", "127.0.0.1:2"), home, announce)


def announce(record: StackRecord) -> None:
    """Tell the test that reads along."""
    print(f"ready {record.pid}", flush=True)  # noqa: T201 - its test reads it


if __name__ == "__main__":
    logs.configure("test")
    try:
        main(Path(sys.argv[1]))
    except CliProblem as problem:
        report(problem)
        sys.exit(problem.exit_code)
