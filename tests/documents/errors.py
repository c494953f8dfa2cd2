"""docs/errors.md: every code of the table."""

from pathlib import Path

from workflows.contract.explanations.table import TABLE
from workflows.contract.problems import Code, Explanation, Source

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"

HEAD = """\
# Errors

Every stable code that a client of the interface, a person at the command line or a reader of the
page can meet. `overnight explain CODE` prints a row. This page is made from
`workflows/contract/explanations/table.py`; do not edit it.

An answer of the gateway that is an error is `application/problem+json` with `status`, `title`,
`detail`, `code`, `hint`, `request_id` and `errors`. The command line prints `error[code]:` with
what happened, then why and what to try; with `-o json` the last line of stderr is one JSON object
with `code`, `title`, `detail`, `cause`, `hint` and `exit_code`. A wrong option or argument is
refused before that, in words alone, with status 2.
"""

SECTIONS = {
    Source.GATEWAY: (
        "Answers of the gateway",
        "Where `Retry-After` is named, the same request may be sent again after so many seconds.",
    ),
    Source.COMMAND_LINE: (
        "Found by the command line",
        "Before a gateway is asked, or when what answers is none.",
    ),
    Source.SESSION: (
        "Failures and ends of sessions",
        """\
The failures stand in the event `work.failed` and in `view.last.failure`, the ends in
`view.last.reason`. The exit status is that of a command that follows the session.""",
    ),
}


def page() -> str:
    """Return the page as it has to be."""
    parts = [HEAD]
    for source, (title, text) in SECTIONS.items():
        rows = [_row(code, row) for code, row in TABLE.items() if row.sources[0] is source]
        head = "| code | HTTP | exit | means | when | what to do |\n|---|---|---|---|---|---|"
        parts.append(f"\n## {title}\n\n{text}\n\n{head}\n" + "\n".join(rows) + "\n")
    return "".join(parts)


def _row(code: Code, row: Explanation) -> str:
    status = "" if row.status is None else str(row.status)
    exit_code = "" if row.exit_code is None else str(int(row.exit_code))
    after = f" (Retry-After: {row.retry_seconds})" if row.retry_seconds else ""
    typed = row.typed.format(session="SESSION")
    cure = row.cure + after + (f"; at the command line: {typed}" if typed else "")
    cells = (f"`{code}`", status, exit_code, row.title, row.cause, cure)
    return f"| {' | '.join(cell.replace('<', chr(92) + '<') for cell in cells)} |"
