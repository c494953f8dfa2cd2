"""`make demo`: from an empty folder to a proposal, with nothing left running.

`playground` makes the repository, `hosting` the processes, `tour` runs the session, `endings` shows
what came of it; this says what happens and makes sure that it ends.
"""

import contextlib
import json
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from cli import reaching, show
from cli.client import Gateway
from cli.demo import endings, hosting, scenario, tour
from cli.demo.playground import Playground
from cli.demo.script import Json
from cli.problems import CliProblem
from cli.stack import environment, folder, trials
from cli.terminal import inert, inert_line, report, result, say
from runtime.settings import Settings, model_keys
from workflows.contract.problems import Code, ExitCode

BAR_CHARACTERS = 92

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def demo(
    context: typer.Context,
    *,
    place: Annotated[
        Path, typer.Option("--folder", help="Folder to play in; the demo makes it anew.")
    ] = Path(".demo"),
    cheat: Annotated[
        bool, typer.Option("--cheat", help="Watch a scripted model that changes the tests instead.")
    ] = False,
    no_color: Annotated[str, typer.Option(envvar="NO_COLOR", hidden=True)] = "",
) -> None:
    """Show a session from its prompt to its proposal, or to the refusal of a cheat."""
    if no_color:
        context.color = False
    playground = Playground(place.absolute())
    playground.require_free()
    hosting.sweep(playground.home)
    playground.remove_home()
    raise typer.Exit(_play(playground, cheat=cheat))


def _play(playground: Playground, *, cheat: bool) -> ExitCode:
    began = time.monotonic()
    code = ExitCode.ERROR
    try:
        code = _session(playground, began, cheat=cheat)
    except CliProblem as problem:
        report(problem, whole=True)
        code = problem.exit_code
    except KeyboardInterrupt:
        say("\ninterrupted")
        code = ExitCode.CTRL_C
    finally:
        # Nothing may interrupt the last look for what is left.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        hosting.sweep(playground.home)
    if code is ExitCode.OK:
        playground.remove_home()
        _farewell(playground, cheat=cheat)
    elif (playground.home / "logs").is_dir():
        say(f"\nNothing is left running; the logs are in {playground.home / 'logs'}")
    return code


def _session(playground: Playground, began: float, *, cheat: bool) -> ExitCode:
    own = {"home": playground.home, "token_file": None}
    settings = reaching.settings().model_copy(update=own)
    if cheat:
        settings = settings.model_copy(update={"model": None})
    _announce_model(settings, cheat=cheat)
    sandbox = _choose_sandbox(settings)
    playground.make()
    folder.prepare(playground.home)
    place = _near(playground.repository)
    _fact("repository", f"{place}, a small Python project with a defect")
    script = scenario.cheat() if cheat else scenario.script()
    with _stack(settings, sandbox, script) as gateway:
        stack_seconds = time.monotonic() - began
        _fact("stack", f"Temporal, three workers and the gateway, ready in {stack_seconds:.1f} s")
        session = tour.start(gateway, playground)
        try:
            _fact("session", f"{session.id} on branch {inert_line(session.branch)}")
            _fact("task", typer.style(scenario.TASK, bold=True))
            say("")
            ended = tour.follow(gateway, session.id)
            conclude = endings.refused if cheat else endings.proposed
            is_good = conclude(gateway, playground, ended)
            _costs(settings, ended, stack_seconds)
        finally:
            tour.close(gateway, session.id)
    return ExitCode.OK if is_good else ExitCode.SESSION_FAILED


@contextlib.contextmanager
def _stack(settings: Settings, sandbox: str, replies: dict[str, list[Json]]) -> Iterator[Gateway]:
    """Have a stack that asks the person's model, or else the scripted one."""
    with contextlib.ExitStack() as opened:
        port = None
        if settings.model is None:
            script = settings.home / "script.json"
            script.write_text(json.dumps(replies))
            port = opened.enter_context(hosting.scripted_model(settings.home, script))
        variables = hosting.demo_environment(settings.home, model_port=port, sandbox=sandbox)
        yield opened.enter_context(hosting.local_stack(settings, variables))


def _announce_model(settings: Settings, *, cheat: bool) -> None:
    if cheat:
        say(typer.style("Overnight: a model that cheats gets nothing proposed\n", bold=True))
        _fact("model", "SCRIPTED: it changes the tests instead of the code; all else is real")
        return
    say(typer.style("Overnight: from a task to a proposal\n", bold=True))
    if settings.model is None:
        _fact("model", "SCRIPTED: no OVERNIGHT_MODEL is set, so the replies come from a script,")
        _fact("", "through the same client as a real model's; all else is real. With a model:")
        _fact("", "OVERNIGHT_MODEL=anthropic/claude-sonnet-4-5 ANTHROPIC_API_KEY=… make demo")
        return
    key = environment.missing_key(
        settings.model,
        base_url=settings.model_base_url,
        environment=environment.person_environment() | model_keys(settings),
    )
    if key:
        raise CliProblem(
            Code.MODEL_MISSING,
            f"OVERNIGHT_MODEL is {settings.model!r}, but {key} is not set",
            f"set {key}, or unset OVERNIGHT_MODEL to see the demo with a scripted model",
        )
    _fact("model", inert_line(settings.model))


def _choose_sandbox(settings: Settings) -> str:
    if settings.sandbox == "host":
        _fact("sandbox", typer.style("NONE: OVERNIGHT_SANDBOX=host is set", fg="red", bold=True))
        return "host"
    refusal = trials.try_sandbox().refusal
    if not refusal:
        _fact("sandbox", "bubblewrap: own namespaces, no network, sees no file of yours")
        return "bubblewrap"
    if settings.model is not None:
        raise CliProblem(
            Code.SANDBOX_MISSING,
            f"no sandbox can be made here for what {settings.model!r} will run: {refusal}",
            "do that, or unset OVERNIGHT_MODEL: the scripted demo needs no sandbox",
        )
    _warn_of_no_sandbox(refusal)
    return "host"


def _warn_of_no_sandbox(refusal: str) -> None:
    why, _, cure = refusal.rpartition("; ")
    bar = typer.style("!" * BAR_CHARACTERS, fg="red", bold=True)
    say(f"\n{bar}")
    say(typer.style("NO SANDBOX: this machine lets none be made.", fg="red", bold=True))
    say(f"  why   {inert(why)}")
    say(f"  cure  {inert(cure)}")
    say("The demo goes on with the unsafe provider `host`, which isolates nothing: the commands of")
    say("its script are our own and harmless. For this demo only; your sessions need the cure.")
    say(f"{bar}\n")


def _costs(settings: Settings, ended: tour.Ended, stack_seconds: float) -> None:
    view = ended.session.view
    tokens = f"{view.usage.input_tokens:,} tokens in, {view.usage.output_tokens:,} out"
    price = "scripted, so no cost" if settings.model is None else "price unknown"
    if settings.model is not None and view.usage.cost_usd is not None:
        price = show.used(view.usage)
    result(f"used     {view.usage.requests} model requests, {tokens}; {price}")
    first = ended.first_reply_seconds
    replied = f"first reply of the model after {first:.1f} s, " if first is not None else ""
    result(f"time     stack ready in {stack_seconds:.1f} s; {replied}session {ended.seconds:.1f} s")


def _farewell(playground: Playground, *, cheat: bool) -> None:
    place = _near(playground.repository)
    if cheat:
        say(f"\nNothing is left running; {place} is as it was. The honest way: make demo")
        return
    say(f"\nNothing is left running; {place} stays with its branch: paste the merge command above.")
    say("On a repository of your own:")
    overnight = _near(Path(sys.executable).with_name("overnight"))
    say("  export OVERNIGHT_MODEL=anthropic/claude-sonnet-4-5 ANTHROPIC_API_KEY=…")
    say(f'  {overnight} run --repo path/to/repository "Fix the failing test"')
    say(f"  {overnight} down")


def _near(path: Path) -> str:
    """Return the path as a person here would type it."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


def _fact(name: str, text: str) -> None:
    say(f"{name:<11} {text}")


def main() -> None:
    """Run the demo; being asked to stop is the same as Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        app(prog_name="make demo")
    except CliProblem as problem:
        report(problem, whole=True)
        sys.exit(problem.exit_code)


if __name__ == "__main__":
    main()
