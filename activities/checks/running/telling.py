"""What is said of quick findings, and how it is remembered so that nothing is said twice."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from workflows.contract.findings import Finding

MESSAGE_CHARACTERS = 2_000
LINE_CHARACTERS = 240
SHOWN_LINES = 8
REMEMBERED_FILES = 32

_ROOM_FOR_REST = 60


class Told(NamedTuple):
    """The findings that the model knows of, file by file, as hashes."""

    files: Mapping[str, str]
    """Hash of the findings by hash of the path."""

    @classmethod
    def read(cls, text: str) -> "Told":
        """Read what `write` wrote; anything else is nothing."""
        pairs = (word.partition(":") for word in text.split())
        return cls({path: state for path, _, state in pairs})

    def write(self) -> str:
        """Return words for the next quick check; empty when no file has findings."""
        newest = list(self.files.items())[-REMEMBERED_FILES:]
        return " ".join(f"{path}:{state}" for path, state in newest)

    def knows(self, path: str, findings: Iterable[Finding]) -> bool:
        """Tell whether just these findings of a file were told of."""
        return self.files.get(_hash(path)) == _state(findings)

    def had(self, path: str) -> bool:
        """Tell whether any findings of a file were told of."""
        return _hash(path) in self.files

    def after(self, files: Iterable[str], findings: Sequence[Finding]) -> "Told":
        """Return what is known when the findings of these files have been told."""
        hashes = {_hash(path) for path in files}
        kept = {path: state for path, state in self.files.items() if path not in hashes}
        red = {_hash(path): _state(of_file) for path, of_file in _by_path(findings).items()}
        return Told({**kept, **red})


def message(
    told: Told, files: Iterable[str], findings: Sequence[Finding], *, baseline_known: bool
) -> str | None:
    """Return the message for the model, at most 2,000 characters; None when it knows all that."""
    if any(not told.knows(path, of_file) for path, of_file in _by_path(findings).items()):
        return _listed(findings, baseline_known=baseline_known)
    red = {finding.path for finding in findings}
    clean = [path for path in files if told.had(path) and path not in red]
    if not clean:
        return None
    return f"The quick checks find nothing wrong any more in: {', '.join(clean)}"[:LINE_CHARACTERS]


def shown(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return a line for each of the first findings, for people."""
    return tuple(_line(finding) for finding in list(findings)[:SHOWN_LINES])


def _listed(findings: Sequence[Finding], *, baseline_known: bool) -> str:
    count = "1 problem" if len(findings) == 1 else f"{len(findings)} problems"
    new = "not at the base commit" if baseline_known else "perhaps there before, too"
    lines = [f"Quick checks of the files just edited find {count} ({new}); finish runs all checks."]
    room = MESSAGE_CHARACTERS - len(lines[0]) - _ROOM_FOR_REST
    for index, finding in enumerate(findings):
        line = f"- {_line(finding)}"
        if finding.snippet:
            line += f"\n      {finding.snippet[:LINE_CHARACTERS]}"
        room -= len(line) + 1
        if room < 0:
            lines.append(f"… and {len(findings) - index} more")
            break
        lines.append(line)
    return "\n".join(lines)


def _line(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    rule = f" [{finding.rule}]" if finding.rule else ""
    text = f"{place}: {' '.join(finding.message.split())}"
    return f"{text[: LINE_CHARACTERS - len(rule)]}{rule}"[:LINE_CHARACTERS]


def _by_path(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.path, []).append(finding)
    return found


def _state(findings: Iterable[Finding]) -> str:
    return _hash("\n".join(sorted(finding.fingerprint for finding in findings)))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:10]
