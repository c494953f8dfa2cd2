"""The one way from what a check left to its `FindingReport`; the readers by format stand beside it.

Used by the running of checks. Does no IO, and takes seconds for the worst that 32 MiB can hold.
"""

from activities.checks.findings.fingerprints import Sources
from activities.checks.findings.inert import decoded, end
from activities.checks.readers import environment, json_documents, json_lines, junit, sarif, text
from activities.checks.readers.environment import Trouble
from activities.checks.readers.gathering import Gathering, Hit, UnreadableError
from activities.checks.readers.wire import mapping
from workflows.contract.base import Frozen
from workflows.contract.checks import CheckSpec, Reader
from workflows.contract.findings import DETAIL_CHARACTERS, FindingKind, FindingReport
from workflows.contract.sandbox import CommandOutcome

REPORT_BYTES = 32 * 1024 * 1024
"""No longer report is read."""

OUTPUT_CHARACTERS = 6_000

_NONE: Sources = {}


class ToolRun(Frozen):
    """What one run of a check left."""

    stdout: bytes
    """At most 32 MiB; the caller cuts."""

    stderr: bytes = b""
    report: bytes | None = None
    """Content of the file at `$OVERNIGHT_REPORT`; None when there is none."""

    exit_code: int | None
    """None when it was killed, ran out of time or was lost."""

    outcome: CommandOutcome


def read(spec: CheckSpec, run: ToolRun, workspace: str, sources: Sources = _NONE) -> FindingReport:
    """Return what the check found; never raises, whatever the bytes are.

    What cannot be read, and what did not run to its end, is a finding of kind ENVIRONMENT. A
    failed check has a finding always: the end of its output when no problem is understood.
    """
    return gather(spec, run, workspace).report(sources)


def gather(spec: CheckSpec, run: ToolRun, workspace: str) -> Gathering:
    """Do the same as far as it goes without sources: it says which are wanted."""
    into = Gathering(spec, workspace)
    trouble = environment.of_outcome(run.outcome, run.exit_code)
    if trouble is None:
        trouble = _gathered(spec, run, into)
    if trouble:
        into.add_first(_hit(trouble, run))
    elif run.exit_code and not into.findings:
        into.add(_unexplained(run, is_report=run.report is not None))
    return into


def _gathered(spec: CheckSpec, run: ToolRun, into: Gathering) -> Trouble | None:
    unreadable = None
    try:
        _read_format(spec.reader, run, into)
    except UnreadableError as error:
        unreadable = Trouble("unreadable-report", str(error))
        into.forget()
    trouble = None
    if run.exit_code:
        trouble = environment.of_pytest(spec.command, run.exit_code, into.findings)
        if not trouble and not into.findings:
            output = _last_output(run)
            trouble = environment.of_nothing_found(spec.command, run.exit_code, output)
    return trouble or unreadable


def _read_format(reader: Reader, run: ToolRun, into: Gathering) -> None:
    content = _content(run)
    match reader:
        case Reader.JUNIT:
            junit.read(_wanted(content), into)
        case Reader.SARIF:
            sarif.read(_sarif(_wanted(content), is_report=run.report is not None), into)
        case Reader.JSON_LINES:
            # Compilers write theirs where errors go.
            also = run.stderr if run.report is None else b""
            count = json_lines.read(content + b"\n" + also, into)
            if not count and run.report is not None and content.strip():
                reason = "the report holds no JSON"
                raise UnreadableError(reason)
            if run.exit_code and not into.findings:
                text.read(run.stderr or run.stdout, into)
        case Reader.TEXT:
            if run.exit_code:
                text.read(run.stdout + b"\n" + run.stderr, into)


def _sarif(content: bytes, *, is_report: bool) -> object:
    if is_report:
        return json_documents.document(content)
    # Whoever runs the tool may say something before and after it.
    found = json_documents.documents(content)
    return next((document for document in found if "runs" in mapping(document)), None)


def _content(run: ToolRun) -> bytes:
    if run.report is None:
        return run.stdout
    if len(run.report) > REPORT_BYTES:
        reason = f"the report is larger than {REPORT_BYTES // 1024**2} MiB"
        raise UnreadableError(reason)
    return run.report


def _wanted(content: bytes) -> bytes:
    if not content.strip():
        reason = "the check left no report"
        raise UnreadableError(reason)
    return content


def _hit(trouble: Trouble, run: ToolRun) -> Hit:
    return Hit(
        message=trouble.message,
        rule=trouble.rule,
        kind=FindingKind.ENVIRONMENT,
        detail=end(_last_output(run), DETAIL_CHARACTERS),
    )


def _unexplained(run: ToolRun, *, is_report: bool) -> Hit:
    but = ", but its report holds no failure" if is_report else ""
    return Hit(
        message=f"exited with {run.exit_code}{but}",
        rule="exit-code",
        detail=end(_last_output(run), DETAIL_CHARACTERS),
    )


def _last_output(run: ToolRun) -> str:
    """Return the end of what was printed: of the errors, when they are apart and there are any."""
    said = run.stderr if run.stderr.strip() else run.stdout
    return decoded(said[-4 * OUTPUT_CHARACTERS :]).rstrip()
