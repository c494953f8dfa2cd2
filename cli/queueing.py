"""What `queue`, `edit`, `withdraw` and `configure` do: a session's prompts and limits, changed."""

import re

from cli import reaching, show
from cli.client import Gateway
from cli.problems import CliProblem
from cli.reaching import Reach
from cli.requests import Limits, change, prompt_body, prompt_text
from cli.terminal import Output, acknowledge, result, say
from workflows.contract.api import PROMPT_ID, SessionResource
from workflows.contract.base import PromptId
from workflows.contract.problems import Code
from workflows.contract.session import PromptMode, QueuedPrompt


def list_prompts(reach: Reach, session: str, output: Output) -> None:
    """Show the prompts that wait."""
    gateway = reaching.connect(reach)
    waiting = gateway.prompts(gateway.find(session))
    if output is Output.JSON:
        result(waiting.model_dump_json())
        return
    if output is Output.ID:
        for prompt in waiting.data:
            result(prompt.id)
    elif waiting.data:
        result(show.prompts(waiting.data))
    if waiting.waiting > len(waiting.data):
        say(f"and {waiting.waiting - len(waiting.data)} more")
    elif not waiting.data:
        say("no prompt waits")


def edit(reach: Reach, session: str, prompt: str, text: str, output: Output) -> None:
    """Put another text into the place of a prompt that waits."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    waiting = _waiting(gateway, found, prompt)
    body = prompt_body(prompt_text(text), waiting.mode)
    left = gateway.revise(found, waiting.id, body)
    acknowledge(left, body.id, f"replaced; the prompt is now {body.id}", output)


def withdraw(reach: Reach, session: str, prompt: str, output: Output) -> None:
    """Take back a prompt that waits."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    waiting = _waiting(gateway, found, prompt)
    left = gateway.withdraw(found, waiting.id)
    acknowledge(left, waiting.id, f"taken back; {left.waiting} wait", output)


def configure(reach: Reach, session: str, limits: Limits, output: Output) -> None:
    """Change what a session goes on with."""
    gateway = reaching.connect(reach)
    found = gateway.find(session)
    before = gateway.session(found)
    changed = change_limits(gateway, before, limits)
    acknowledge(changed, found, f"from its next model call on; see: overnight show {found}", output)


def change_limits(gateway: Gateway, before: SessionResource, limits: Limits) -> SessionResource:
    """Change what a session goes on with, and warn of a limit that does nothing, where known."""
    wanted = change(limits, before.budget)
    changed = gateway.configure(before.id, wanted)
    # Another model may have a price.
    if wanted.budget is not None and wanted.model is None:
        unpriced = show.unpriced(before.model_copy(update={"budget": wanted.budget}))
        if unpriced:
            say(f"warning: {unpriced}")
    return changed


def _waiting(gateway: Gateway, session: str, beginning: str) -> QueuedPrompt:
    """Return the one waiting prompt whose id begins so; one that is not shown by its whole id."""
    waiting = gateway.prompts(session)
    found = [each for each in waiting.data if each.id.startswith(beginning)] if beginning else []
    if len(found) == 1:
        return found[0]
    if re.fullmatch(PROMPT_ID, beginning):
        return QueuedPrompt(id=PromptId(beginning), mode=PromptMode.QUEUE, excerpt="")
    raise CliProblem(
        Code.PROMPT_UNKNOWN,
        f"{len(found) or 'no'} prompts of session {session} that wait begin with {beginning!r}",
        session=session,
    )
