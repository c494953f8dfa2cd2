"""The ports of a stack: kept over restarts, and from other stacks while theirs start."""

import contextlib
import random
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from cli.problems import CliProblem
from cli.stack.binding import bound, for_gateway, for_metrics, for_temporal, try_to_bind
from cli.stack.folder import using, write_atomically
from workflows.contract.base import Frozen
from workflows.contract.problems import Code

PATIENCE_SECONDS = 2.0
"""The processes of a killed supervisor let their ports go within this time."""

POLL_SECONDS = 0.02
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST_PORT = 20_000
HIGHEST_PORT = 61_000
ATTEMPTS = 200


class Ports(Frozen):
    """Ports on the loopback interface, kept over restarts so that clients find them again."""

    temporal: int
    temporal_http: int
    temporal_metrics: int
    gateway: int


@contextlib.contextmanager
def reserved(home: Path, *, gateway_host: str, gateway_port: int) -> Iterator[Ports]:
    """Keep the folder's ports for the servers that start in this block.

    Each is taken anew when another program listens there, or another stack has reserved it: between
    the choice and the server's start lie seconds. A `gateway_port` other than 0 is used as it is.

    Raises:
        CliProblem: `gateway_port` is taken, or no port is free (`port_taken`); or the gateway can
            listen there never (`settings`).
    """
    path = home / "ports.json"
    with using(home):
        try:
            known = Ports.model_validate_json(path.read_bytes()).model_dump()
        except (FileNotFoundError, ValidationError):
            known = {}
    if gateway_port:
        known["gateway"] = gateway_port
    with contextlib.ExitStack() as marks:
        chosen: dict[str, int] = {}
        for name in Ports.model_fields:
            port = known.get(name, 0)
            if name == "gateway":
                with for_gateway(gateway_host, gateway_port):
                    chosen[name], mark = _mark_best(gateway_host, port)
            else:
                with for_temporal():
                    chosen[name], mark = _mark_best("127.0.0.1", port)
            marks.enter_context(mark)
        if gateway_port and chosen["gateway"] != gateway_port:
            raise CliProblem(
                Code.PORT_TAKEN,
                f"port {gateway_port} of the gateway is taken by another program",
            )
        ports = Ports(**chosen)
        with using(home):
            write_atomically(path, ports.model_dump_json(indent=2) + "\n")
        yield ports


def require_free(addresses: Mapping[str, str]) -> None:
    """Look whether each process can serve its metrics at its address, named by the process.

    Raises:
        CliProblem: one cannot: its port is taken (`port_taken`), or never can (`settings`).
    """
    for name, address in addresses.items():
        host, _, port = address.rpartition(":")
        with for_metrics(name, address):
            mark = _mark_patiently(host, int(port))
        if mark is None:
            raise CliProblem(
                Code.PORT_TAKEN,
                f"the metrics of {name} cannot be served at {address}: another program has that "
                "port",
                "choose another port with --metrics or OVERNIGHT_METRICS_ADDRESS; the next three "
                "must be free too",
            )
        mark.close()


def mark_any(host: str) -> tuple[int, socket.socket]:
    """Reserve a free port that no outgoing connection can take before its server starts.

    Returns the port and what reserves it until it is closed.

    Raises:
        CliProblem: there is none (`port_taken`).
        OSError: the system refuses them for another reason than that they are taken.
    """
    choices = eligible(int(EPHEMERAL.read_text().split()[0]))
    for port in random.sample(choices, min(len(choices), ATTEMPTS)):
        mark = _mark(host, port)
        if mark is not None:
            return port, mark
    raise CliProblem(
        Code.PORT_TAKEN,
        f"no free port of {host} was found between {choices[0]} and {choices[-1]}",
        "end what listens on them, or set OVERNIGHT_GATEWAY_PORT",
    )


def eligible(first_ephemeral: int) -> range:
    """Return the ports to choose from where outgoing connections take this one and those above."""
    below = range(LOWEST_PORT, first_ephemeral)
    # A machine may leave none to servers: then a port that can be lost is better than none.
    return below if len(below) >= ATTEMPTS else range(LOWEST_PORT, HIGHEST_PORT)


def _mark_best(host: str, port: int) -> tuple[int, socket.socket]:
    """Reserve this port, or any when it is 0 or taken."""
    mark = _mark_patiently(host, port)
    return mark_any(host) if mark is None else (port, mark)


def _mark_patiently(host: str, port: int) -> socket.socket | None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while port and time.monotonic() < deadline:
        mark = _mark(host, port)
        if mark is not None:
            return mark
        time.sleep(POLL_SECONDS)
    return None


def _mark(host: str, port: int) -> socket.socket | None:
    """Reserve a port; none when another program listens there, or has reserved it."""
    # A name in the kernel that ends with its process, and that is of the same network as the port.
    mark = socket.socket(socket.AF_UNIX)
    if not bound(mark, f"\0overnight-port-{port}"):
        return None
    with contextlib.ExitStack() as undone:
        undone.enter_context(mark)
        found = try_to_bind(host, port)
        if found is None:
            return None
        found.close()
        undone.pop_all()
    return mark
