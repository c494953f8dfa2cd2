"""What follows from a prompt alone: the session's id, its title, the signal. Pure."""

import hashlib
import re

from gateway.problems import ProblemError
from workflows.contract.api import PROMPT_LIMIT_BYTES, PromptBody
from workflows.contract.base import PromptId, SessionId, Sha256
from workflows.contract.problems import Code
from workflows.contract.session import PromptSignal

SESSION_ID = re.compile(r"s-[0-9a-f]{20}")

TITLE_CHARACTERS = 80
EXCERPT_CHARACTERS = 200


def session_of(prompt: PromptId) -> SessionId:
    """Name the session that a prompt starts, so that a repeated request finds it."""
    return SessionId("s-" + hashlib.sha256(prompt.encode()).hexdigest()[:20])


def digest_of(prompt: PromptId) -> str:
    """Return what `SessionState.seen` remembers of a prompt."""
    return hashlib.sha256(prompt.encode()).hexdigest()[:16]


def title_of(text: str) -> str:
    """Return the beginning of the first line that is not blank."""
    lines = [line for line in text.splitlines() if line.strip()]
    return one_line(lines[0].strip(), TITLE_CHARACTERS) if lines else "(blank)"


def one_line(text: str, characters: int) -> str:
    """Return the beginning of a text, with a space for whatever could steer a terminal or a page.

    That is all that is not printable by Unicode: controls, bidirectional marks, invisible tags.
    """
    return "".join(mark if mark.isprintable() else " " for mark in text[:characters])


def announce(prompt: PromptBody) -> PromptSignal:
    """Make the signal of a prompt.

    Raises:
        ProblemError: `prompt_too_large`.
    """
    text = prompt.text.encode()
    if len(text) > PROMPT_LIMIT_BYTES:
        detail = f"the prompt has {len(text)} bytes, at most {PROMPT_LIMIT_BYTES} are taken"
        raise ProblemError(Code.PROMPT_TOO_LARGE, detail, errors=("prompt.text: is too long",))
    return PromptSignal(
        id=prompt.id,
        mode=prompt.mode,
        sha256=Sha256(hashlib.sha256(text).hexdigest()),
        size=len(text),
        excerpt=one_line(prompt.text, EXCERPT_CHARACTERS),
    )
