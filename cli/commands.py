"""What each command does; `main` holds how they are typed and imports this only to run one."""

import sys
import uuid
from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from cli import following, reaching, repository, show
from cli.client import Gateway
from cli.problems import CliProblem, Code, ExitCode
from cli.reaching import Reach
from cli.stack import up
from cli.stack.folder import StackRecord
from cli.terminal import Output, inert_line, result, result_bytes, say, table
from runtime import logs
from workflows.contract.api import CreateSession, PromptBody, ReopenSession
from workflows.contract.base import PromptId
from workflows.contract.sandbox import Repository
from workflows.contract.session import Budget, PromptMode


class Request(NamedTuple):
    """What `run` is asked for."""

    prompt: str
    repo: str
    base: str | None
    model: str | None
    steps: int | None
    minutes: float | None


def start(output: Output) -> None:
    """Run the local stack until it is stopped."""
    logs.configure("up")

    def ready(record: StackRecord, seconds: float) -> None:
        if output is Output.TABLE:
            result(_stack(record))
            say(f"ready in {seconds:.1f} s; stop it with Ctrl-C or: overnight down")
            reaching.warn_of_host(found)
        else:
            result(record.model_dump_json() if output is Output.JSON else str(record.pid))

    found = reaching.settings()
    up.run_stack(found, ready)


def end() -> None:
    """Stop the local stack."""
    pid = up.stop_stack(reaching.settings())
    say("no stack runs" if pid is None else f"stopped (pid {pid}); sessions go on at the next up")


def run(reach: Reach, request: Request, *, detach: bool, output: Output) -> ExitCode:
    """Start a session and, unless detached, follow its first turn."""
    text = _prompt_text(request.prompt)
    chosen = repository.choose(request.repo, request.base)
    for note in chosen.notes:
        say(f"note: {inert_line(note, 1_000)}")
    body = _creation(text, chosen.repository, request)
    gateway = reaching.start_if_needed(reach, request.model)
    session = gateway.create(body)
    if not detach:
        say(f"session {session.id} on branch {inert_line(session.branch)}")
        return following.turn(gateway, session.id, after=0, output=output, is_new=True)
    if output is Output.JSON:
        result(session.model_dump_json())
    elif output is Output.ID:
        result(session.id)
    else:
        result(f"session {session.id} works; watch it with: overnight watch {session.id}")
    return ExitCode.OK


def watch(reach: Reach, session: str, output: Output) -> ExitCode:
    """Follow a session until its running turn ends; one that waits already shows its last end."""
    gateway = reaching.connect(reach)
    return following.turn(gateway, gateway.find(session), after=0, output=output)


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
        result(show.sessions(found, datetime.now(UTC)))
    else:
        say('no sessions; start one with: overnight run "…"')


def prompt(
    reach: Reach, session: str, text: str, mode: str, *, follow: bool, output: Output
) -> ExitCode:
    """Send a follow-up, and see its turn through if asked to."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    body = _body(_prompt_text(text), PromptMode(mode))
    before = _last_turn(gateway, found) if follow else 0
    accepted = gateway.prompt(found, body)
    if follow:
        return following.turn(gateway, found, after=before, output=output)
    _acknowledge(accepted, accepted.id, f"accepted; watch it with: overnight watch {found}", output)
    return ExitCode.OK


def stop(reach: Reach, session: str, *, close: bool) -> None:
    """Interrupt a session, or end it."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    if close:
        gateway.close(found, "closed by the command line")
        say(f'session {found} closes; go on later with: overnight reopen {found} "…"')
    else:
        gateway.interrupt(found, "stopped by the command line")
        say(f'session {found} stops and waits; go on with: overnight prompt {found} "…"')


def reopen(reach: Reach, session: str, text: str, *, follow: bool, output: Output) -> ExitCode:
    """Go on with a closed session, and see its turn through if asked to."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    before = _last_turn(gateway, found) if follow else 0
    again = gateway.reopen(found, ReopenSession(prompt=_body(_prompt_text(text), PromptMode.QUEUE)))
    if follow:
        return following.turn(gateway, found, after=before, output=output)
    _acknowledge(again, again.id, f"reopened; watch it with: overnight watch {found}", output)
    return ExitCode.OK


def pull_request(reach: Reach, session: str, *, diff: bool, output: Output) -> None:
    """Show a session's proposal, or its diff as git prints it."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    if diff:
        result_bytes(gateway.diff(found))
        return
    proposal = gateway.pull_request(found)
    _acknowledge(proposal, proposal.branch, show.pull_request(proposal), output)


def _prompt_text(text: str) -> str:
    try:
        text = sys.stdin.buffer.read().decode() if text == "-" else text
        text.encode()
    except UnicodeError as error:
        raise CliProblem(
            Code.PROMPT_UNREADABLE,
            "the prompt is not UTF-8",
            "convert it",
            exit_code=ExitCode.USAGE,
        ) from error
    if not text.strip():
        raise CliProblem(
            Code.PROMPT_EMPTY,
            "the prompt is empty",
            'say what to do: overnight run "Fix the failing test"',
            exit_code=ExitCode.USAGE,
        )
    return text


def _body(text: str, mode: PromptMode) -> PromptBody:
    return PromptBody(id=PromptId(str(uuid.uuid4())), text=text, mode=mode)


def _creation(text: str, chosen: Repository, request: Request) -> CreateSession:
    budget = {"steps": request.steps, "minutes": request.minutes}
    try:
        return CreateSession(
            prompt=_body(text, PromptMode.QUEUE),
            repository=chosen,
            model=request.model,
            budget=Budget.model_validate(
                {name: value for name, value in budget.items() if value is not None}
            ),
        )
    except ValidationError as error:
        wrong = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors())
        raise CliProblem(
            Code.REQUEST_INVALID,
            f"this cannot be asked for: {wrong}",
            "see: overnight run --help",
            exit_code=ExitCode.USAGE,
        ) from error


def _last_turn(gateway: Gateway, session: str) -> int:
    last = gateway.session(session).view.last
    return last.turn if last else 0


def _acknowledge(answer: BaseModel, answer_id: str, text: str, output: Output) -> None:
    forms = {Output.JSON: answer.model_dump_json, Output.ID: lambda: answer_id}
    result(forms.get(output, lambda: text)())


def _stack(record: StackRecord) -> str:
    addresses = {"gateway": record.gateway_url, "temporal": record.temporal_address}
    rows = [
        (name, str(pid), addresses.get(name, "")) for name, pid in sorted(record.processes.items())
    ]
    return table(("PROCESS", "PID", "ADDRESS"), rows)
