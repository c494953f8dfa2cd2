"""What `diff` and `checks` do, and what a person is shown of the files before deciding on them."""

import sys
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from cli import diffs, findings, reaching
from cli.client import Gateway
from cli.problems import CliProblem
from cli.questions import ABOUT_FILES
from cli.reaching import Reach
from cli.terminal import Output, result, result_bytes, say
from workflows.contract.api import OpenQuestion, SessionResource
from workflows.contract.judging import Verdict
from workflows.contract.problems import Code, ExitCode

Found = TypeVar("Found")

NO_DIFF = "  no diff can be shown: it is kept when checks judge the work, and no checks did"


def diff(reach: Reach, session: str) -> None:
    """Print the diff that a session asks about, else of what was judged last, else as proposed."""
    gateway = reaching.connect(reach)
    what, content = _newest(gateway, gateway.session(gateway.find(session)))
    say(f"note: {what}")
    print_diff(content)


def print_diff(content: bytes) -> None:
    """Print a diff byte by byte; in a terminal inert, and coloured."""
    if sys.stdout.isatty():
        result(diffs.coloured(content))
    else:
        result_bytes(content)


def checks(reach: Reach, session: str, output: Output) -> ExitCode:
    """Print what the checks say of the work that was judged last.

    Raises:
        CliProblem: nothing was judged yet (`not_judged`).
    """
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    view = gateway.session(found).view
    given = view.verdict
    if given is None:
        raise CliProblem(
            Code.NOT_JUDGED,
            f"no checks have judged work of session {found}",
            session=found,
        )
    report = _if_any(partial(gateway.findings, found))
    if output is Output.JSON:
        verdict = given.model_dump_json()
        shown = report.model_dump_json() if report is not None else "null"
        result(f'{{"verdict":{verdict},"findings":{shown}}}')
    elif output is Output.ID:
        for each in report.findings if report is not None else ():
            result(each.fingerprint)
    else:
        result(findings.judged(view, given, report))
    return ExitCode.CHECKS_FAILED if given.verdict is Verdict.RED else ExitCode.OK


def of_question(gateway: Gateway, session: str, opened: OpenQuestion) -> list[str]:
    """Return the files that a question is about, with the beginning of their diff."""
    if opened.asked.kind not in ABOUT_FILES:
        return []
    if not opened.diff:
        return [NO_DIFF]
    content = gateway.question_diff(session, opened.asked.id)
    return diffs.beginning(content, f"overnight diff {session}")


def beginning(gateway: Gateway, session: str) -> list[str]:
    """Return the files that a session asks about, or else its newest work, as far as they fit."""
    what, content = _newest(gateway, gateway.session(session))
    return [f"{what}:", *diffs.beginning(content, f"overnight diff {session}")]


def _newest(gateway: Gateway, session: SessionResource) -> tuple[str, bytes]:
    asked = session.view.asked
    if asked is not None and asked.kind in ABOUT_FILES:
        return "the files that the session asks about", gateway.question_diff(session.id, asked.id)
    for what, read in (
        ("the work that was judged last", gateway.judged_diff),
        ("the work as it was proposed", gateway.proposed_diff),
    ):
        content = _if_any(partial(read, session.id))
        if content is not None:
            return what, content
    raise CliProblem(
        Code.NOTHING_CHANGED,
        f"session {session.id} has no work to be looked at yet",
        session=session.id,
    )


def _if_any(read: Callable[[], Found]) -> Found | None:
    """Return what the gateway has; none when there is no such thing."""
    try:
        return read()
    except CliProblem as problem:
        if problem.exit_code is ExitCode.NOT_FOUND:
            return None
        raise
