"""What `overnight models` does: name the models that are configured, and try one."""

import re

from pydantic import ValidationError

from cli import reaching
from cli.doctor.configuration import changed_since_start
from cli.doctor.examination import lines_of
from cli.problems import CliProblem
from cli.reaching import Reach
from cli.stack import environment, trials
from cli.terminal import Output, inert_line, result, say, table
from runtime.settings import Settings, model_keys
from workflows.contract.base import Frozen
from workflows.contract.health import ModelTrial, Row, Status
from workflows.contract.problems import Code, ExitCode

_CREDENTIALS = re.compile(r"//.*@")

SHORTEST_SECRET = 6
"""A shorter value may be any word, such as the `none` of a local server."""


class ConfiguredModel(Frozen):
    """A model that sessions are given which name none."""

    model: str
    role: str
    """`default`, or `fallback 1` and so on in the order in which they are asked."""

    missing_key: str | None
    """The variable that its provider needs and that is not set here, where known."""


class ConfiguredModels(Frozen):
    """All of them, and what they have in common."""

    data: tuple[ConfiguredModel, ...]
    base_url: str | None
    """Of all models, instead of their providers' own."""

    context_tokens: int
    """Of models that LiteLLM does not list; 0 when not set."""


def list_models(output: Output) -> None:
    """Show the models that this environment configures."""
    found = _configured(reaching.settings())
    if output is Output.ID:
        result("\n".join(each.model for each in found.data))
    elif output is Output.JSON:
        result(found.model_dump_json())
    else:
        result(_shown(found))
        say("try one: overnight models test MODEL")


def try_model(reach: Reach, model: str | None, output: Output) -> ExitCode:
    """Try a model, the configured one if none is named, and fail unless it is usable.

    Raises:
        CliProblem: no model is named, or the trial itself failed.
    """
    settings = reaching.settings()
    chosen = model or settings.model
    if not chosen:
        hint = "overnight models test anthropic/claude-sonnet-4-5, or set OVERNIGHT_MODEL"
        raise CliProblem(Code.MODEL_MISSING, "no model is named", hint)
    if reach.url:
        say("tried from this machine and with its keys, which may not be the gateway's")
    changed = changed_since_start(settings)
    if changed:
        say(f"the running stack has other values of {', '.join(changed)}: overnight down, up")
    found = _tried(chosen, settings)
    failed = [row.what for row in found.rows if row.status is Status.FAIL]
    if output is Output.JSON:
        result(found.model_dump_json())
    elif output is Output.ID:
        result("\n".join(failed))
    else:
        verdict = "cannot be used" if failed else "can be used"
        result("\n".join([*lines_of(found.rows), f"{inert_line(chosen)} {verdict}"]))
    return ExitCode.ERROR if failed else ExitCode.OK


def _configured(settings: Settings) -> ConfiguredModels:
    variables = environment.person_environment() | model_keys(settings)
    named = [(name, f"fallback {place}") for place, name in enumerate(settings.model_fallbacks, 1)]
    if settings.model:
        named.insert(0, (settings.model, "default"))
    base_url = settings.model_base_url
    shown_url = None if base_url is None else _CREDENTIALS.sub("//[hidden]@", base_url)
    return ConfiguredModels(
        data=tuple(
            ConfiguredModel(
                model=name,
                role=role,
                missing_key=environment.missing_key(name, base_url=base_url, environment=variables),
            )
            for name, role in named
        ),
        base_url=shown_url,
        context_tokens=settings.model_context_tokens,
    )


def _shown(found: ConfiguredModels) -> str:
    if not found.data:
        return "no model is configured: set OVERNIGHT_MODEL, or give each session its --model"
    rows = [
        (
            inert_line(each.model),
            each.role,
            f"{each.missing_key} is not set" if each.missing_key else "",
        )
        for each in found.data
    ]
    lines = [table(("MODEL", "ROLE", "KEY"), rows)]
    if found.base_url:
        lines.append(f"all of them at {inert_line(found.base_url)} (OVERNIGHT_MODEL_BASE_URL)")
    return "\n".join(lines)


def _tried(model: str, settings: Settings) -> ModelTrial:
    variables = environment.person_environment() | {"OVERNIGHT_HOME": str(settings.home)}
    done = trials.try_model(model, variables)
    if done.status is None:
        finding = f"the trial took longer than {trials.MODEL_SECONDS:g} s and was given up"
        cure = "check that the endpoint is up and OVERNIGHT_MODEL_BASE_URL leads there"
        return ModelTrial(model=model, rows=(Row.fail("reached", finding, cure),))
    variables |= model_keys(settings)
    said = _without_secrets(done.stdout.strip().rpartition("\n")[2], variables)
    try:
        return ModelTrial.model_validate_json(said)
    except ValidationError as error:
        lines = _without_secrets(done.stderr, variables).strip().splitlines()[-3:]
        told = "".join(f"\n  | {line[:300]}" for line in lines)
        detail = f"the trial of {model!r} ended with {done.status}:{told or ' it said nothing'}"
        raise CliProblem(Code.PROCESS_FAILED, detail, "mend what it reports") from error


def _without_secrets(text: str, variables: dict[str, str]) -> str:
    """Hide the keys themselves: some providers repeat the one that they refuse."""
    for name, value in variables.items():
        if name.endswith(environment.SECRET_SUFFIXES) and len(value) >= SHORTEST_SECRET:
            text = text.replace(value, "[hidden]")
    return text
