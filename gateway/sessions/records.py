"""What the gateway keeps in the store and reads there: prompts, options, pull requests.

Kept before Temporal is told, so that a repeated request is recognised whatever became of the first.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Set
from contextlib import contextmanager

from gateway.problems import ProblemError
from runtime.store.base import MissingObjectError, ObjectConflictError, Store
from runtime.transcript import read_arguments
from workflows.contract.api import Decision, PromptBody
from workflows.contract.base import SessionId, Sha256
from workflows.contract.model import PromptText
from workflows.contract.problems import Code
from workflows.contract.pull_request import PullRequest
from workflows.contract.session import SessionOptions


class Records:
    """The gateway's objects; each method takes about as long as the store.

    All raise ProblemError `store_unavailable` when that cannot be used.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep_options(
        self, session: SessionId, options: SessionOptions, *, defaulted: Set[str]
    ) -> SessionOptions:
        """Keep what a session is asked for, durably, and return what stands.

        Args:
            session: whose options.
            options: what is asked for now.
            defaulted: fields that the request left to the installation: a repetition fits whatever
                the default was.

        Raises:
            ProblemError: `prompt_conflict` when other options stand.
        """
        key = _options_key(session)
        try:
            await self._create(key, options.model_dump_json().encode())
        except ObjectConflictError as error:
            standing = SessionOptions.model_validate_json(await self._read(key))
            then = {field: getattr(standing, field) for field in defaulted}
            if options.model_copy(update=then) != standing:
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
        if not await self._exists(key):
            return False
        if await self._read(key) != _prompt_object(prompt):
            raise _conflict(prompt)
        return True

    async def require_session(self, session: SessionId) -> None:
        """Do nothing when somebody asked for this session.

        Raises:
            ProblemError: `session_unknown`.
        """
        if not await self._exists(_options_key(session)):
            raise ProblemError(Code.SESSION_UNKNOWN, f"session {session!r} was never started")

    async def options(self, session: SessionId) -> SessionOptions:
        """Return what a session was asked for.

        Raises:
            ProblemError: `session_unknown`.
        """
        await self.require_session(session)
        return SessionOptions.model_validate_json(await self._read(_options_key(session)))

    async def pull_request(self, session: SessionId) -> PullRequest:
        """Return the newest revision of a session's proposal.

        Raises:
            ProblemError: `session_unknown` or `no_pull_request`.
        """
        await self.require_session(session)
        folder = f"pulls/{session}"
        with asking_store("read"):
            keys = await asyncio.to_thread(self._store.list, folder)
        turns = [int(name) for key in keys if (name := key.rpartition("/")[2]).isdecimal()]
        if not turns:
            raise ProblemError(Code.NO_PULL_REQUEST, f"session {session!r} has no pull request")
        record = await self._read(f"{folder}/{max(turns)}")
        return PullRequest.model_validate_json(record)

    async def diff(self, session: SessionId) -> bytes:
        """Return the diff of a session's newest proposal, as `git diff` printed it.

        Raises:
            ProblemError: `session_unknown` or `no_pull_request`.
        """
        return await self._read((await self.pull_request(session)).diff_key)

    async def keep_decision(self, session: SessionId, decision: Decision) -> None:
        """Keep that a decision was sent, so that its repetition is recognised."""
        await self._create(_decision_key(session, decision), decision.model_dump_json().encode())

    async def has_decision(self, session: SessionId, decision: Decision) -> bool:
        """Tell whether this very decision was sent before."""
        return await self._exists(_decision_key(session, decision))

    async def arguments(self, source: Sha256) -> bytes:
        """Return a call's whole arguments, as JSON; an empty object when they are gone."""
        try:
            with asking_store("read"):
                return await read_arguments(self._store, source)
        except MissingObjectError:
            return b"{}"

    async def _create(self, key: str, data: bytes) -> bool:
        with asking_store("written"):
            return await self._store.create_async(key, data)

    async def _read(self, key: str) -> bytes:
        with asking_store("read"):
            return await self._store.read_async(key)

    async def _exists(self, key: str) -> bool:
        with asking_store("read"):
            return await asyncio.to_thread(self._store.exists, key)


@contextmanager
def asking_store(effect: str) -> Iterator[None]:
    """Ask the store inside; `effect` is what cannot be done when it fails: `read`, `written`.

    Raises:
        ProblemError: `store_unavailable`.
    """
    try:
        yield
    except OSError as error:
        detail = f"nothing can be {effect}: {error.strerror or error}"
        raise ProblemError(Code.STORE_UNAVAILABLE, detail) from error


def _options_key(session: SessionId) -> str:
    return f"sessions/{session}"


def _prompt_key(session: SessionId, prompt: PromptBody) -> str:
    return f"prompts/{session}/{prompt.id}"


def _decision_key(session: SessionId, decision: Decision) -> str:
    said = hashlib.sha256(decision.model_dump_json().encode()).hexdigest()[:16]
    return f"decisions/{session}/{decision.question}-{said}"


def _prompt_object(prompt: PromptBody) -> bytes:
    return PromptText(id=prompt.id, text=prompt.text).model_dump_json().encode()


def _conflict(prompt: PromptBody) -> ProblemError:
    detail = f"the prompt {prompt.id!r} was accepted with another text"
    return ProblemError(Code.PROMPT_CONFLICT, detail, errors=("prompt.id: is used",))
