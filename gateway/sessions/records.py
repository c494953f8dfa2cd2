"""What the gateway keeps in the store and reads there: prompts, options, pull requests.

Kept before Temporal is told, so that a repeated request is recognised whatever became of the first.
"""

import asyncio

from gateway.problems import Code, ProblemError
from runtime.store import ObjectConflictError, Store
from workflows.contract.api import PromptBody
from workflows.contract.base import SessionId
from workflows.contract.model import PromptText
from workflows.contract.pull_request import PullRequest
from workflows.contract.session import SessionOptions


class Records:
    """The gateway's objects; each method takes about as long as the disk."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep_options(
        self, session: SessionId, options: SessionOptions, *, any_model: bool
    ) -> SessionOptions:
        """Keep what a session is asked for, durably, and return what stands.

        Args:
            session: whose options.
            options: what is asked for now.
            any_model: the request named no model, so a repetition fits whatever was the default.

        Raises:
            ProblemError: `prompt_conflict` when other options stand.
        """
        key = _options_key(session)
        try:
            await self._create(key, options.model_dump_json().encode())
        except ObjectConflictError as error:
            standing = SessionOptions.model_validate_json(await self._store.read_async(key))
            same = options.model_copy(update={"model": standing.model}) if any_model else options
            if same != standing:
                detail = f"the prompt started session {session!r} with another text or options"
                raise ProblemError(Code.PROMPT_CONFLICT, detail) from error
            return standing
        return options

    async def keep_prompt(self, session: SessionId, prompt: PromptBody) -> bool:
        """Keep a prompt's text, durably; False when it stood already.

        Raises:
            ProblemError: `prompt_conflict` when its id stands with another text.
        """
        try:
            return await self._create(_prompt_key(session, prompt), _prompt_object(prompt))
        except ObjectConflictError as error:
            raise _conflict(prompt) from error

    async def has_prompt(self, session: SessionId, prompt: PromptBody) -> bool:
        """Tell whether this very prompt stands.

        Raises:
            ProblemError: `prompt_conflict` when its id stands with another text.
        """
        key = _prompt_key(session, prompt)
        if not await asyncio.to_thread(self._store.exists, key):
            return False
        if await self._store.read_async(key) != _prompt_object(prompt):
            raise _conflict(prompt)
        return True

    async def require_session(self, session: SessionId) -> None:
        """Do nothing when somebody asked for this session.

        Raises:
            ProblemError: `session_unknown`.
        """
        if not await asyncio.to_thread(self._store.exists, _options_key(session)):
            raise ProblemError(Code.SESSION_UNKNOWN, f"session {session!r} was never started")

    async def pull_request(self, session: SessionId) -> PullRequest:
        """Return the newest revision of a session's proposal.

        Raises:
            ProblemError: `session_unknown` or `no_pull_request`.
        """
        await self.require_session(session)
        folder = f"pulls/{session}"
        keys = await asyncio.to_thread(self._store.list, folder)
        revisions = [int(name) for key in keys if (name := key.rpartition("/")[2]).isdecimal()]
        if not revisions:
            raise ProblemError(Code.NO_PULL_REQUEST, f"session {session!r} has no pull request")
        record = await self._store.read_async(f"{folder}/{max(revisions)}")
        return PullRequest.model_validate_json(record)

    async def diff(self, session: SessionId) -> bytes:
        """Return the diff of a session's newest proposal, as `git diff` printed it.

        Raises:
            ProblemError: `session_unknown` or `no_pull_request`.
        """
        return await self._store.read_async((await self.pull_request(session)).diff_key)

    async def _create(self, key: str, data: bytes) -> bool:
        try:
            return await self._store.create_async(key, data)
        except OSError as error:
            detail = f"nothing can be written: {error.strerror or error}"
            raise ProblemError(Code.STORE_UNAVAILABLE, detail) from error


def _options_key(session: SessionId) -> str:
    return f"sessions/{session}"


def _prompt_key(session: SessionId, prompt: PromptBody) -> str:
    return f"prompts/{session}/{prompt.id}"


def _prompt_object(prompt: PromptBody) -> bytes:
    return PromptText(id=prompt.id, text=prompt.text).model_dump_json().encode()


def _conflict(prompt: PromptBody) -> ProblemError:
    detail = f"the prompt {prompt.id!r} was accepted with another text"
    return ProblemError(Code.PROMPT_CONFLICT, detail, errors=("prompt.id: is used",))
