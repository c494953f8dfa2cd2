"""What `overnight doctor` looks at, and how the rows reach the person."""

from typing import Literal, NamedTuple

import typer

from cli.doctor import configuration, data, gateway, machine, probing, sandboxes, stack
from cli.doctor.gateway import Target
from cli.doctor.probing import Group, Probe
from cli.problems import CliProblem
from cli.reaching import Reach, connect, settings_as_given
from cli.stack import folder
from cli.terminal import Output, inert_line, result
from runtime.settings import Settings, gateway_token
from workflows.contract.base import Frozen
from workflows.contract.health import Row, Status
from workflows.contract.problems import ExitCode

FINDING_CHARACTERS = 300
LOCAL = ("sandbox", "data folder", "settings", "model", "stack")
BEHIND_GATEWAY = ("gateway", "temporal", "workers", "store")

_COLOURS = {Status.OK: "green", Status.WARN: "yellow", Status.FAIL: "red"}


class Examination(Frozen):
    """All rows, and what could not be looked at."""

    object: Literal["examination"] = "examination"
    groups: tuple[Group, ...]
    unseen: tuple[str, ...] = ()
    unseen_why: str = ""
    """Why, and how it can be seen."""


class _Plan(NamedTuple):
    probes: list[Probe]
    unseen: tuple[str, ...] = ()
    why: str = ""


def examine(reach: Reach, output: Output) -> ExitCode:
    """Look at everything, show it, and fail when something does.

    Raises:
        CliProblem: what the person named cannot be a gateway.
    """
    plan = _plan(reach)
    found = Examination(
        groups=probing.examine(plan.probes), unseen=plan.unseen, unseen_why=plan.why
    )
    rows = [row for group in found.groups for row in group.rows]
    failed = [row.what for row in rows if row.status is Status.FAIL]
    forms = {Output.JSON: found.model_dump_json, Output.ID: lambda: "\n".join(failed)}
    result(forms.get(output, lambda: _table(found))())
    return ExitCode.ERROR if failed else ExitCode.OK


def _plan(reach: Reach) -> _Plan:
    probes = machine.probes()
    if reach.url:
        endpoint = connect(reach).endpoint
        target = Target(endpoint.url, endpoint.token, local=False)
        why = f"they belong to the machine of {endpoint.url}: run `overnight doctor` there"
        return _Plan([*probes, *gateway.probes(target)], LOCAL, why)
    probes += machine.stack_probes()
    try:
        found = settings_as_given()
    except CliProblem as problem:
        probes += [configuration.names_probe(), configuration.wrong(problem.detail, problem.hint)]
        unseen = (*(what for what in LOCAL if what != "settings"), *BEHIND_GATEWAY)
        return _Plan(probes, unseen, "the settings cannot be read: correct them first")
    return _with_stack(found, probes)


def _with_stack(found: Settings, probes: list[Probe]) -> _Plan:
    probes = [
        *probes,
        *sandboxes.probes(found),
        *data.probes(found),
        *configuration.probes(found),
        *stack.probes(found),
    ]
    try:
        record, owner = folder.read_record(found.home), folder.owner(found.home)
        if record is not None:
            target = Target(record.gateway_url, gateway_token(found), local=True)
            return _Plan([*probes, *gateway.probes(target)])
    except OSError as error:
        return _Plan(probes, BEHIND_GATEWAY, f"the data folder cannot be read: {error.strerror}")
    if owner is not None:
        return _Plan(probes, BEHIND_GATEWAY, "the stack is being started: try again in a moment")
    return _Plan(probes, BEHIND_GATEWAY, "no stack runs: start one with `overnight up`")


def lines_of(rows: tuple[Row, ...]) -> list[str]:
    """Return rows as a person reads them, one line each."""
    width = max((len(row.what) for row in rows), default=0)
    return [_line(row, width) for row in rows]


def _line(row: Row, width: int) -> str:
    mark = typer.style(f"{row.status.value:<4}", fg=_COLOURS[row.status])
    cure = f"  → {inert_line(row.cure, FINDING_CHARACTERS)}" if row.cure else ""
    finding = inert_line(row.finding, FINDING_CHARACTERS)
    return f"  {mark}  {inert_line(row.what):<{width}}  {finding}{cure}"


def _table(found: Examination) -> str:
    lines: list[str] = []
    for group in found.groups:
        lines += [typer.style(group.name, bold=True), *lines_of(group.rows)]
    if found.unseen:
        lines.append(f"not looked at: {', '.join(found.unseen)} ({found.unseen_why})")
    rows = [row for group in found.groups for row in group.rows]
    counts = {status: sum(row.status is status for row in rows) for status in Status}
    lines.append(", ".join(f"{count} {status.value}" for status, count in counts.items()))
    return "\n".join(lines)
