"""The one shape of findings that say how work changes what judges it."""

from activities.checks.findings.inert import one_line
from workflows.contract.findings import (
    MESSAGE_CHARACTERS,
    Finding,
    FindingKind,
    Severity,
)

CHECK = "integrity"
PATH_CHARACTERS = 500


def tampering(
    rule: str, path: str, message: str, *, line: int = 0, severity: Severity = Severity.ERROR
) -> Finding:
    """Make such a finding; one of severity `note` is a remark for people and does not block.

    Path and message may be what somebody hostile wrote, and of any length.
    """
    return Finding(
        check=CHECK,
        kind=FindingKind.INTEGRITY,
        severity=severity,
        rule=rule,
        path=one_line(path, PATH_CHARACTERS),
        line=line,
        message=one_line(message, MESSAGE_CHARACTERS),
    )
