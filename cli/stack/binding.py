"""Whether a server can listen at an address, and which setting is wrong when none ever can."""

import contextlib
import errno
import socket
from collections.abc import Iterator

from cli.problems import CliProblem
from workflows.contract.problems import Code

METRICS = "OVERNIGHT_METRICS_ADDRESS"


def try_to_bind(host: str, port: int) -> socket.socket | None:
    """Take a port as a server would; none when another program has it.

    Raises:
        OSError: the system refuses for another reason, such as that `host` is not its own.
    """
    candidate = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    # As servers do: a connection in TIME_WAIT does not count as a listener.
    candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if not bound(candidate, (host.strip("[]"), port)):
        return None
    return candidate


def bound(candidate: socket.socket, address: tuple[str, int] | str) -> bool:
    """Bind a socket; it is closed, and this false, when the address is taken.

    Raises:
        OSError: the system refuses for another reason; the socket is closed.
    """
    try:
        candidate.bind(address)
    except (OSError, TypeError) as error:
        candidate.close()
        if isinstance(error, TypeError):  # a name that cannot be written as DNS wants it
            raise OSError(errno.EINVAL, "it is no name of a machine") from error
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


@contextlib.contextmanager
def for_gateway(host: str, port: int) -> Iterator[None]:
    """Try addresses of the gateway in this block; 0 stands for a port of our choice.

    Raises:
        CliProblem: the system refuses one that is not taken (`settings`).
    """
    try:
        yield
    except OSError as error:
        where = f"{host}, port {port}" if port else host
        what = f"the gateway cannot listen at {where}"
        raise _wrong(what, error, "OVERNIGHT_GATEWAY_HOST", "OVERNIGHT_GATEWAY_PORT") from error


@contextlib.contextmanager
def for_temporal() -> Iterator[None]:
    """Try addresses of the embedded Temporal server in this block.

    Raises:
        CliProblem: the system refuses one that is not taken (`port_taken`).
    """
    try:
        yield
    except OSError as error:
        detail = f"no port of 127.0.0.1 can be used: {error.strerror}"
        raise CliProblem(Code.PORT_TAKEN, detail, "mend that, then: overnight up") from error


@contextlib.contextmanager
def for_metrics(name: str, address: str) -> Iterator[None]:
    """Try the address of a process's metrics in this block.

    Raises:
        CliProblem: the system refuses it, though it is not taken (`settings`).
    """
    try:
        yield
    except OSError as error:
        what = f"the metrics of {name} cannot be served at {address}"
        raise _wrong(what, error, METRICS, METRICS) from error


def _wrong(what: str, error: OSError, host_setting: str, port_setting: str) -> CliProblem:
    if isinstance(error, PermissionError):
        cure = f"choose a port of 1024 or above with {port_setting}"
    else:
        cure = f"let {host_setting} name an address of this machine, such as 127.0.0.1"
    return CliProblem(Code.SETTINGS, f"{what}: {error.strerror or error}", cure)
