"""Follows a turn of a session to its end, and says what it came to."""

import time

from cli import show
from cli.client import Gateway
from cli.problems import CliProblem, ExitCode
from cli.terminal import Output, inert_line, result, say
from workflows.contract.api import SessionResource
from workflows.contract.pull_request import PullRequest
from workflows.contract.session import Phase, SessionView, StopReason

POLL_SECONDS = 0.3

_EXIT_CODES = {
    StopReason.FINISHED: ExitCode.OK,
    StopReason.STEP_BUDGET: ExitCode.BUDGET,
    StopReason.TIME_BUDGET: ExitCode.BUDGET,
    StopReason.INTERRUPTED: ExitCode.STOPPED,
    StopReason.FAILED: ExitCode.SESSION_FAILED,
}


def turn(gateway: Gateway, session: str, *, after: int, output: Output) -> ExitCode:
    """Show the session's progress until a turn later than `after` has ended and nothing runs.

    Ctrl-C leaves the session working and says how to come back.
    """
    started = time.monotonic()
    try:
        ended = _await_end(gateway, session, after=after, started=started)
        return _conclude(gateway, ended, seconds=time.monotonic() - started, output=output)
    except KeyboardInterrupt:
        say(f"\nsession {session} goes on")
        say(f"  watch it again with: overnight watch {session}")
        say(f"  or stop it with:     overnight stop {session}")
        return ExitCode.CTRL_C


def _await_end(gateway: Gateway, session: str, *, after: int, started: float) -> SessionResource:
    shown = refused = trouble = ""
    while True:
        found = gateway.session(session)
        line = show.progress(found.view)
        if line != shown:
            shown = line
            say(f"{time.monotonic() - started:6.1f}s {line}")
        if found.view.refused != refused:
            refused = found.view.refused
            say(f"        refused: {inert_line(refused)}")
        if found.trouble != trouble:
            trouble = found.trouble
            if trouble:
                say(f"        {inert_line(trouble, 500)}")
        if _has_ended(found.view, after):
            return found
        time.sleep(POLL_SECONDS)


def _has_ended(view: SessionView, after: int) -> bool:
    if view.phase is Phase.CLOSED:
        return True
    resting = view.phase is Phase.WAITING and not view.queued
    return resting and view.last is not None and view.last.turn > after


def _conclude(
    gateway: Gateway, session: SessionResource, *, seconds: float, output: Output
) -> ExitCode:
    view = session.view
    proposal = _proposal(gateway, session)
    if output is Output.JSON:
        shown = proposal.model_dump_json() if proposal else "null"
        result(f'{{"session":{session.model_dump_json()},"pull_request":{shown}}}')
    elif output is Output.ID:
        result(session.id)
    else:
        if proposal:
            result(show.pull_request(proposal))
        result(show.costs(view, seconds))
    if view.last is None:
        say(f"session {session.id} was closed before its first turn ended")
        return ExitCode.STOPPED
    if view.last.reason is not StopReason.FINISHED or proposal is None:
        say(show.end(session.id, view.last))
        if proposal is None:
            say("  it proposed nothing")
    code = _EXIT_CODES[view.last.reason]
    failed_checks = proposal is not None and proposal.passed is False
    return ExitCode.CHECKS_FAILED if code is ExitCode.OK and failed_checks else code


def _proposal(gateway: Gateway, session: SessionResource) -> PullRequest | None:
    if session.view.pull_request is None:
        return None
    try:
        return gateway.pull_request(session.id)
    except CliProblem as problem:
        if problem.exit_code is ExitCode.NOT_FOUND:
            return None
        raise
