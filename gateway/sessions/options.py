"""What a new session is asked for, checked against this installation's settings."""

from pathlib import Path
from typing import Never

from gateway.problems import ProblemError
from gateway.sessions import prompts
from runtime.settings import Settings
from workflows.contract.api import CreateSession
from workflows.contract.branch_name import check_branch_name
from workflows.contract.problems import Code
from workflows.contract.repository_url import parse_repository_url
from workflows.contract.sandbox import Repository
from workflows.contract.session import SessionOptions


def options_of(body: CreateSession, settings: Settings) -> SessionOptions:
    """Complete a request; blocks as long as the disk takes to resolve a local path.

    Raises:
        ProblemError: `model_missing`, `repository_refused`.
    """
    model = body.model or settings.model
    if not model:
        detail = "the request names no model and the gateway has no default"
        raise ProblemError(Code.MODEL_MISSING, detail, errors=("body.model: is missing",))
    fallbacks = settings.model_fallbacks if "fallbacks" in defaulted(body) else body.fallbacks
    session = prompts.session_of(body.prompt.id)
    return SessionOptions(
        repository=_checked(body.repository, settings),
        model=model,
        fallbacks=fallbacks,
        budget=body.budget,
        approvals=body.approvals,
        branch=f"overnight/{session}",
        title=prompts.title_of(body.prompt.text),
    )


def defaulted(body: CreateSession) -> frozenset[str]:
    """Name the options that a request leaves to this installation."""
    if body.model is not None:
        # Who names a model is not given another one unasked.
        return frozenset()
    return frozenset({"model"} if body.fallbacks else {"model", "fallbacks"})


def _checked(repository: Repository, settings: Settings) -> Repository:
    try:
        url = parse_repository_url(repository.url, settings.git_hosts)
    except ValueError as error:
        _refuse(str(error))
    try:
        check_branch_name(repository.base)
    except ValueError as error:
        wrong = ("body.repository.base: no branch can have this name",)
        raise ProblemError(
            Code.REPOSITORY_REFUSED, str(error), hint="name a branch that exists", errors=wrong
        ) from error
    if url.kind == "local":
        _require_allowed(url.canonical, settings.local_roots)
    return repository.model_copy(update={"url": url.canonical})


def _require_allowed(path: str, roots: tuple[Path, ...]) -> None:
    # Resolved, so that neither '..' nor a symbolic link leads out of a root.
    place = Path(path).resolve()
    if not any(place.is_relative_to(root.resolve()) for root in roots):
        listed = ", ".join(map(str, roots)) or "none"
        _refuse(f"the path {path[:200]!r} is under no allowed folder ({listed})")


def _refuse(detail: str) -> Never:
    raise ProblemError(
        Code.REPOSITORY_REFUSED, detail, errors=("body.repository.url: is not allowed",)
    )
