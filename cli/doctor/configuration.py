"""Rows about settings and models, from the environment that `overnight` was called with."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from cli.doctor.probing import Probe
from cli.stack import environment, folder
from cli.stack.environment import Role
from runtime.reading import PREFIX, unknown_names
from runtime.settings import Settings, model_keys
from workflows.contract.health import Row

GROUP = "settings"

SUPERVISED = frozenset(
    PREFIX + name
    for name in ("GATEWAY_PORT", "HOME", "METRICS_ADDRESS", "READY_FILE", "TEMPORAL_ADDRESS")
)
"""What the supervisor of a stack sets for its processes, whatever the person has set."""


def probes(settings: Settings) -> list[Probe]:
    """Return what there is to look at."""
    return [
        names_probe(),
        Probe(GROUP, "model", partial(_model, settings)),
        Probe(GROUP, "provider key", partial(_keys, settings)),
        Probe(GROUP, "in force", partial(_in_force, settings)),
    ]


def names_probe() -> Probe:
    """Return what can be looked at even when the settings have wrong values."""
    return Probe(GROUP, "names", lambda: _names(environment.person_environment()))


def wrong(detail: str, cure: str) -> Probe:
    """Return the row of settings that cannot be read."""
    return Probe(GROUP, "values", lambda: (Row.fail("values", detail, cure),))


def _names(variables: Mapping[str, str]) -> Iterator[Row]:
    given = [name for name in variables if name.upper().startswith(PREFIX)]
    unknown = unknown_names(variables)
    for name, cure in unknown.items():
        yield Row.fail("names", f"there is no setting {name}", cure)
    if not unknown:
        yield Row.ok(
            "names", f"all {len(given)} that are set are known" if given else "none is set"
        )


def _model(settings: Settings) -> Iterator[Row]:
    if settings.model is None:
        cure = "set OVERNIGHT_MODEL, or give each session its --model"
        yield Row.warn("model", "none is named for sessions that name none", cure)
        return
    then = "".join(f", then {name}" for name in settings.model_fallbacks)
    where = "" if settings.model_base_url is None else " at OVERNIGHT_MODEL_BASE_URL"
    yield Row.ok("model", f"{settings.model}{then}{where}; try it: overnight models test")


def _keys(settings: Settings) -> Iterator[Row]:
    models = dict.fromkeys(name for name in (settings.model, *settings.model_fallbacks) if name)
    variables, where = _model_worker_variables(settings)
    missing = {
        model: environment.missing_key(
            model, base_url=settings.model_base_url, environment=variables
        )
        for model in models
    }
    for model, key in missing.items():
        if key is not None:
            cure = f"set {key}, then: overnight down, overnight up"
            yield Row.fail("provider key", f"{key}, which {model} needs, is not set {where}", cure)
    if not any(missing.values()):
        finding = f"none is missing {where}" if models else "no model is named, so none is needed"
        yield Row.ok("provider key", finding)


def _in_force(settings: Settings) -> Iterator[Row]:
    if folder.read_record(settings.home) is None:
        return
    changed = changed_since_start(settings)
    if changed:
        finding = f"the running stack was started with other values of {', '.join(changed)}"
        yield Row.warn("in force", finding, "overnight down, overnight up: settings are read once")
    else:
        yield Row.ok("in force", "what is set here is what the running stack was started with")


def changed_since_start(settings: Settings) -> list[str]:
    """Return the variables of this environment that the running model worker has otherwise."""
    record = folder.read_record(settings.home)
    pid = record.processes.get(Role.MODELS) if record else None
    if pid is None:
        return []
    running = _variables_of(pid)
    return [
        name
        for name, value in sorted(_share().items())
        if _is_chosen(name) and running.get(name) != value
    ]


def _is_chosen(name: str) -> bool:
    """Tell whether a person's word counts, and not what the supervisor or the shell says."""
    ours = name.startswith(PREFIX) and name not in SUPERVISED
    return ours or name.endswith((*environment.PROVIDER_SUFFIXES, *environment.SECRET_SUFFIXES))


def _model_worker_variables(settings: Settings) -> tuple[dict[str, str], str]:
    """Return what the model worker has or would get, and which of the two, in words.

    Holds secrets: for names only.
    """
    record = folder.read_record(settings.home)
    pid = record.processes.get(Role.MODELS) if record else None
    if pid is not None:
        return _variables_of(pid) | model_keys(settings), "in the running model worker"
    return _share() | model_keys(settings), "in this environment"


def _share() -> dict[str, str]:
    person = environment.person_environment()
    cluster = environment.cluster_address(person) is not None
    return environment.share_of(Role.MODELS, person, cluster=cluster)


def _variables_of(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    return {name: value for name, _, value in (entry.partition("=") for entry in entries)}
