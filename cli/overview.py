"""Shows all about one session, for `overnight show`; pure."""

from cli import questions, show
from cli.terminal import inert, inert_line
from workflows.contract.api import SessionResource
from workflows.contract.session import Phase

LABEL_COLUMNS = 10


def session(found: SessionResource, question: str, files: list[str]) -> str:
    """Return what a session does, asks, has and may use.

    `question` is all of what it asks, `files` are lines of the diff that this is about.
    """
    view = found.view
    rows = [
        ("session", f"{found.id}  {inert_line(found.title)}"),
        ("now", show.progress(view)),
        ("branch", f"{inert_line(found.branch)} of {inert_line(found.repository.url)}"),
        ("model", _model(found)),
        ("budget", show.budget(found.budget)),
        ("used", _used(found)),
        *(("approve", each) for each in _approvals(found)),
        *(("trouble", inert_line(each, 500)) for each in [found.trouble] if each),
        *(("refused", inert_line(each)) for each in [view.refused] if each),
        *(("checks", inert(", ".join(each))) for each in [view.checks] if each),
    ]
    return "\n".join(
        [f"{label:<{LABEL_COLUMNS}}{text}" for label, text in rows]
        + _blocks(found, question, files)
    )


def _model(found: SessionResource) -> str:
    asked = found.view.model or found.model
    chosen = "" if asked == found.model else f" (chosen: {inert_line(found.model)})"
    fallbacks = ", ".join(inert_line(each) for each in found.fallbacks)
    return inert_line(asked) + chosen + (f", else {fallbacks}" if fallbacks else "")


def _used(found: SessionResource) -> str:
    budget, usage = found.budget, found.view.usage
    step = found.view.step
    of = f"of {budget.steps}" if step <= budget.steps else f"(more than {budget.steps} are allowed)"
    parts = [f"step {step} {of}"] if step else []
    if budget.tokens is not None:
        parts.append(f"{usage.input_tokens + usage.output_tokens:,} of {budget.tokens:,} tokens")
    unpriced = show.unpriced(found)
    if budget.cost_usd is not None and not unpriced:
        known = usage.model_copy(update={"cost_usd": usage.cost_usd or 0.0})
        parts.append(f"{show.used(known)} of ${budget.cost_usd:g}")
    elif budget.tokens is None:
        parts.append(show.used(usage))
    return ", ".join([*parts, unpriced] if unpriced else parts)


def _approvals(found: SessionResource) -> list[str]:
    wanted = [f"commands like {inert_line(pattern)}" for pattern in found.approvals.commands]
    if found.approvals.pull_request:
        wanted.append("every proposal")
    return [", ".join(wanted)] if wanted else []


def _blocks(found: SessionResource, question: str, files: list[str]) -> list[str]:
    view = found.view
    lines: list[str] = []
    if view.queue:
        lines += ["", *show.prompts(view.queue).splitlines()]
        hidden = view.queued - len(view.queue)
        lines += [f"and {hidden} more"] if hidden > 0 else []
    if view.verdict is not None:
        lines += ["", *show.verdict(view.verdict)]
    if view.pull_request is not None:
        lines += ["", f"proposed, revision {view.pull_request.revision}: overnight pr {found.id}"]
    if view.last is not None and view.phase in (Phase.WAITING, Phase.CLOSED):
        lines += ["", show.end(found.id, view.last, is_closed=view.phase is Phase.CLOSED)]
    if view.asked is not None:
        lines += [
            *(["", *files] if files else []),
            "",
            *questions.lines(view.asked, question),
            *questions.commands(found.id, view.asked),
        ]
    return lines
