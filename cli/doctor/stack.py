"""Rows about the local stack: its ports and its processes."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from cli.doctor.probing import Probe
from cli.stack import folder, ports
from cli.stack.environment import EVERYBODY, OURS, cluster_address, person_environment
from cli.stack.programs import metrics_addresses
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
    if wanted == 0:
        yield Row.ok("port", "a free one is taken")
        return
    taken = ports.try_to_bind(settings.gateway_host, wanted)
    if taken is None:
        cure = "set OVERNIGHT_GATEWAY_PORT to a free one, or to 0 to have one chosen"
        yield Row.fail("port", f"{wanted} is taken by another program", cure)
        return
    with closing(taken):
        yield Row.ok("port", f"{wanted} is free")


def _metrics_ports(settings: Settings) -> Iterator[Row]:
    record = folder.read_record(settings.home)
    addresses = metrics_addresses(settings) if record is None else record.metrics
    if not addresses:
        return
    shown = ", ".join(addresses.values())
    if record is not None:
        yield Row.ok("metrics ports", f"{shown}, held by the stack of this data folder")
        return
    taken = [address for address in addresses.values() if not _is_free(address)]
    if taken:
        cure = "set OVERNIGHT_METRICS_ADDRESS to the first of four free ports"
        yield Row.fail("metrics ports", f"taken by other programs: {', '.join(taken)}", cure)
    else:
        yield Row.ok("metrics ports", f"{shown} are free")


def _is_free(address: str) -> bool:
    host, _, port = address.rpartition(":")
    bound = ports.try_to_bind(host, int(port))
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
