"""What makes a finding the same finding after lines moved; used to compare two reports."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from activities.checks.readers.inert import one_line
from workflows.contract.findings import Finding, FindingReport

SNIPPET_CHARACTERS = 300

_VARYING = re.compile(
    r"/(?:private/)?(?:tmp|var/tmp|var/folders)/[^\s'\":,;)\]]*"
    r"|\b0x[0-9a-fA-F]+|\b(?=[0-9a-f]*[0-9])[0-9a-f]{12,64}\b|[0-9]+"
)


def located(report: FindingReport, sources: Mapping[str, Sequence[str]]) -> FindingReport:
    """Return the report with snippet and fingerprint of every finding.

    Sources are lines by path; findings in other files get no snippet. Of findings that are alike
    the first in the file keeps the first fingerprint, whichever order the tool tells them in.
    """
    found = report.findings
    snippets = [_snippet(finding, sources) for finding in found]
    fingerprints = [""] * len(found)
    seen: Counter[str] = Counter()
    for index in sorted(range(len(found)), key=lambda index: _place(found[index])):
        identity = _identity(found[index], snippets[index])
        seen[identity] += 1
        fingerprints[index] = _digest(f"{identity}\0{seen[identity]}")
    findings = tuple(
        finding.model_copy(update={"snippet": snippet, "fingerprint": fingerprint})
        for finding, snippet, fingerprint in zip(found, snippets, fingerprints, strict=True)
    )
    return report.model_copy(update={"findings": findings})


def second_key(finding: Finding) -> str:
    """Return what stays the same when the line itself is edited: for a second match.

    That is check, rule, path, test and message without what varies; several may share it.
    """
    message = normalised(finding.message)
    return "\0".join((finding.check, finding.rule, finding.path, finding.test_id, message))


def normalised(message: str) -> str:
    """Return the message without numbers, addresses, hashes and paths of temporary files."""
    return _VARYING.sub("#", message)


def _identity(finding: Finding, snippet: str) -> str:
    if finding.test_id:
        return f"{finding.check}\0{finding.test_id}"
    return f"{second_key(finding)}\0{snippet}"


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(errors="replace"), usedforsecurity=False).hexdigest()


def _place(finding: Finding) -> tuple[str, int, int]:
    return finding.path, finding.line, finding.column


def _snippet(finding: Finding, sources: Mapping[str, Sequence[str]]) -> str:
    lines = sources.get(finding.path, ())
    if not 0 < finding.line <= len(lines):
        return ""
    return one_line(lines[finding.line - 1].strip(), SNIPPET_CHARACTERS)
