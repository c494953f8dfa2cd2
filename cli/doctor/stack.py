"""Rows about the local stack: its ports and its processes."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from cli.doctor.probing import Probe
from cli.problems import CliProblem
from cli.stack import folder
from cli.stack.binding import for_gateway, for_metrics, try_to_bind
from cli.stack.environment import EVERYBODY, OURS, cluster_address, person_environment
from cli.stack.metrics import metrics_addresses
from runtime.settings import Settings
from workflows.contract.health import Row

GROUP = "stack"


def probes(settings: Settings) -> list[Probe]:
    """Return what there is to look at of a stack of this data folder, running or not."""
    return [
        Probe(GROUP, "port", partial(_port, settings)),
        Probe(GROUP, "metrics ports", partial(_metrics_ports, settings)),
        Probe(GROUP, "processes", partial(_processes, settings.home)),
    ]


def _port(settings: Settings) -> Iterator[Row]:
    record = folder.read_record(settings.home)
    wanted = settings.gateway_port
    if record is not None:
        ours = urlsplit(record.gateway_url).port
        if wanted in (0, ours):
            yield Row.ok("port", f"{ours}, held by the stack of this data folder")
            return
        cure = "overnight down, then: overnight up"
        yield Row.warn("port", f"{wanted} is set, but the running stack has {ours}", cure)
        return
    yield _free_port(settings.gateway_host, wanted)


def _free_port(host: str, wanted: int) -> Row:
    try:
        with for_gateway(host, wanted):
            bound = try_to_bind(host, wanted)
    except CliProblem as problem:
        return Row.fail("port", problem.detail, problem.hint)
    if bound is None:
        cure = "set OVERNIGHT_GATEWAY_PORT to a free one, or to 0 to have one chosen"
        return Row.fail("port", f"{wanted} is taken by another program", cure)
    bound.close()
    return Row.ok("port", f"{wanted} is free" if wanted else "a free one is taken")


def _metrics_ports(settings: Settings) -> Iterator[Row]:
    record = folder.read_record(settings.home)
    if record is None:
        yield from _free_metrics_ports(settings)
    elif record.metrics:
        shown = ", ".join(record.metrics.values())
        yield Row.ok("metrics ports", f"{shown}, held by the stack of this data folder")


def _free_metrics_ports(settings: Settings) -> Iterator[Row]:
    try:
        addresses = metrics_addresses(settings)
        taken = [address for name, address in addresses.items() if not _is_free(name, address)]
    except CliProblem as problem:
        yield Row.fail("metrics ports", problem.detail, problem.hint)
        return
    if taken:
        cure = "set OVERNIGHT_METRICS_ADDRESS to the first of four free ports"
        yield Row.fail("metrics ports", f"taken by other programs: {', '.join(taken)}", cure)
    elif addresses:
        yield Row.ok("metrics ports", f"{', '.join(addresses.values())} are free")


def _is_free(name: str, address: str) -> bool:
    host, _, port = address.rpartition(":")
    with for_metrics(name, address):
        bound = try_to_bind(host, int(port))
    if bound is None:
        return False
    bound.close()
    return True


def _processes(home: Path) -> Iterator[Row]:
    record = folder.read_record(home)
    if record is None:
        return
    cluster = cluster_address(person_environment()) is not None
    wanted = OURS if cluster else EVERYBODY
    gone = sorted(role for role in wanted if not _runs(record.processes.get(role)))
    for role in gone:
        finding = f"the {role} process does not run"
        yield Row.fail("processes", finding, f"see {home / 'logs' / role}.log")
    if not gone:
        yield Row.ok("processes", f"all {len(wanted)} run: {', '.join(sorted(wanted))}")


def _runs(pid: int | None) -> bool:
    """Tell whether a process runs; a dead one that nobody collected does not."""
    try:
        found = "" if pid is None else Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    # Its name, in parentheses, may hold any character.
    return found.rpartition(")")[2].split()[:1] not in ([], ["Z"], ["X"])
