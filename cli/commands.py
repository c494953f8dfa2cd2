"""What each command does; `main` holds how they are typed and imports this only to run one."""

from datetime import UTC, datetime

from cli import following, overview, queueing, reaching, repository, reviewing, show, turns
from cli.client import Gateway
from cli.problems import CliProblem
from cli.reaching import Reach
from cli.requests import (
    FollowUp,
    Limits,
    Request,
    creation,
    prompt_body,
    prompt_text,
)
from cli.terminal import Output, acknowledge, inert_line, result, say, width
from cli.turns import Followed
from workflows.contract.api import ReopenSession, SessionResource
from workflows.contract.problems import ExitCode
from workflows.contract.session import PromptMode


def run(reach: Reach, request: Request, *, detach: bool, output: Output, no_wait: bool) -> ExitCode:
    """Start a session and, unless detached, follow its first turn."""
    text = prompt_text(request.prompt)
    chosen = repository.choose(request.repo, request.base)
    body = creation(text, chosen.repository, request)
    gateway = reaching.start_if_needed(reach, request.limits.model)
    session = gateway.create(body)
    for note in chosen.notes:
        say(f"note: {inert_line(note, 1_000)}")
    if not detach:
        say(f"session {session.id} on branch {inert_line(session.branch)}")
        first = Followed(1)
        return following.turn(
            gateway, session.id, first, output=output, is_new=True, no_wait=no_wait
        )
    if output is Output.JSON:
        result(session.model_dump_json())
    elif output is Output.ID:
        result(session.id)
    else:
        result(f"session {session.id} works; watch it with: overnight watch {session.id}")
    return ExitCode.OK


def watch(reach: Reach, session: str, output: Output, *, no_wait: bool) -> ExitCode:
    """Follow a session until its running turn ends; one that waits already shows its last end."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    turn = turns.watched(gateway.session(found).view)
    return following.turn(gateway, found, turn, output=output, no_wait=no_wait)


def show_session(reach: Reach, session: str, *, with_diff: bool, output: Output) -> None:
    """Show all about one session: what it does, asks, has, may use, and what the checks say."""
    gateway = reaching.connect(reach)
    found = gateway.session(gateway.find(session))
    if output is not Output.TABLE:
        acknowledge(found, found.id, "", output)
        return
    question, files = _question(gateway, found, with_diff=with_diff)
    result(overview.session(found, question, files))


def list_sessions(reach: Reach, *, closed: bool, output: Output) -> None:
    """Show the open sessions, or all."""
    gateway = reaching.connect(reach)
    found = list(gateway.sessions()) if closed else gateway.open_sessions()
    if output is Output.JSON:
        result("[" + ",".join(session.model_dump_json() for session in found) + "]")
    elif output is Output.ID:
        for session in found:
            result(session.id)
    elif found:
        result(show.sessions(found, datetime.now(UTC), width()))
    else:
        say('no sessions; start one with: overnight run "…"')


def prompt(
    reach: Reach, session: str, wanted: FollowUp, *, follow: bool, output: Output, no_wait: bool
) -> ExitCode:
    """Send a follow-up, and see its turn through if asked to; limits change before it."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    body = prompt_body(prompt_text(wanted.text), PromptMode(wanted.mode))
    before = gateway.session(found) if follow or wanted.limits != Limits() else None
    if before is not None and wanted.limits != Limits():
        queueing.change_limits(gateway, before, wanted.limits)
    accepted = gateway.prompt(found, body)
    if follow and before is not None:
        turn = turns.of_prompt(before.view, body.id, body.mode)
        return following.turn(gateway, found, turn, output=output, no_wait=no_wait)
    acknowledge(accepted, accepted.id, f"accepted; watch it with: overnight watch {found}", output)
    return ExitCode.OK


def stop(reach: Reach, session: str, *, close: bool) -> None:
    """Interrupt a session, or end it."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    if close:
        gateway.close(found, "closed by the command line")
        say(f'session {found} closes; go on later with: overnight reopen {found} "…"')
        return
    waiting = gateway.interrupt(found, "stopped by the command line").view.queued
    if waiting:
        say(f"session {found} stops what it runs; {show.taken_up(waiting)}")
        say(f"  list them with:     overnight queue {found}")
        say(f"  take one back with: overnight withdraw {found} PROMPT")
        say(f"  or end it with:     overnight stop {found} --close")
    else:
        say(f'session {found} stops and waits; go on with: overnight prompt {found} "…"')


def reopen(
    reach: Reach, session: str, text: str, *, follow: bool, output: Output, no_wait: bool
) -> ExitCode:
    """Go on with a closed session, and see its turn through if asked to."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    body = prompt_body(prompt_text(text))
    before = gateway.session(found) if follow else None
    again = gateway.reopen(found, ReopenSession(prompt=body))
    if before is not None:
        turn = turns.of_prompt(before.view, body.id, body.mode)
        return following.turn(gateway, found, turn, output=output, no_wait=no_wait)
    acknowledge(again, again.id, f"reopened; watch it with: overnight watch {found}", output)
    return ExitCode.OK


def pull_request(reach: Reach, session: str, *, diff: bool, output: Output) -> None:
    """Show a session's proposal, or its diff as git prints it."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    if diff:
        reviewing.print_diff(gateway.proposed_diff(found))
        return
    proposal = gateway.pull_request(found)
    acknowledge(proposal, proposal.branch, show.pull_request(proposal), output)


def _question(
    gateway: Gateway, session: SessionResource, *, with_diff: bool
) -> tuple[str, list[str]]:
    """Return all of what the session asks, and of its files; nothing when it was answered."""
    asked = session.view.asked
    if asked is None:
        return "", []
    try:
        now = gateway.question(session.id)
        if now.asked.id != asked.id:
            return "", []
        return now.whole, reviewing.of_question(gateway, session.id, now) if with_diff else []
    except CliProblem as problem:
        if problem.exit_code is ExitCode.CONFLICT:
            return "", []
        raise
