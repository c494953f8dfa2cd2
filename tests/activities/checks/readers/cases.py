"""The corpus: what real tools left on disk, and what is expected to be read from it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from activities.checks.readers.reading import ToolRun, read
from workflows.contract.checks import CheckSpec
from workflows.contract.findings import Finding, FindingReport
from workflows.contract.sandbox import CommandOutcome

CORPUS = Path(__file__).parent / "corpus"
WORKSPACE = "/workspace"
MOVED = 20
"""Lines put on top of every source file for the second run of each tool."""


class Case(NamedTuple):
    """One run of one tool, and the same after the sources moved down."""

    folder: Path
    spec: CheckSpec
    exit_code: int
    project: str

    def run(self, prefix: str = "") -> ToolRun:
        """Return what the tool left."""
        return ToolRun(
            stdout=self._content(f"{prefix}stdout") or b"",
            stderr=self._content(f"{prefix}stderr") or b"",
            report=self._content(f"{prefix}report"),
            exit_code=self.exit_code,
            outcome=CommandOutcome.EXITED,
        )

    def read(self, prefix: str = "") -> FindingReport:
        """Return what is read from it."""
        lines = self.moved_sources() if prefix else self.sources()
        return read(self.spec, self.run(prefix), WORKSPACE, lines)

    def sources(self) -> dict[str, Sequence[str]]:
        """Return the lines of the project that the tool looked at."""
        found = json.loads((CORPUS / f"{self.project}.sources.json").read_text())
        return {path: list(lines) for path, lines in found.items()}

    def moved_sources(self) -> dict[str, Sequence[str]]:
        """Return the lines of the same project after they moved down."""
        return {path: ["# moved"] * MOVED + list(lines) for path, lines in self.sources().items()}

    def _content(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.exists() else None


def cases() -> list[Case]:
    """Return all of the corpus."""
    return [_case(path.parent) for path in sorted(CORPUS.glob("*/run.json"))]


def told(finding: Finding) -> dict[str, object]:
    """Return what a report says of a finding, without what is empty."""
    said = {
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "rule": finding.rule,
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "message": finding.message,
        "test_id": finding.test_id,
        "fixable": finding.fixable,
    }
    return {key: value for key, value in said.items() if value}


def _case(folder: Path) -> Case:
    run = json.loads((folder / "run.json").read_text())
    spec = CheckSpec(name="check", command=run["command"], reader=run["reader"], kind=run["kind"])
    return Case(folder, spec, run["exit_code"], run["sources"])
