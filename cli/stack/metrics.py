"""Where the processes of a stack serve their metrics."""

from cli.problems import CliProblem
from cli.stack.environment import Role
from runtime.settings import LAST_PORT, Settings
from workflows.contract.problems import Code

METERED = (Role.GATEWAY, Role.SESSIONS, Role.MODELS, Role.HOST)
"""The processes with metrics, in the order of their ports."""


def metrics_addresses(settings: Settings) -> dict[str, str]:
    """Return where each process serves its metrics: the gateway where asked, workers behind it.

    Raises:
        CliProblem: there are not ports enough above it (`settings`).
    """
    if settings.metrics_address is None:
        return {}
    host, _, text = settings.metrics_address.rpartition(":")
    port, highest = int(text), LAST_PORT - len(METERED) + 1
    if port > highest:
        raise CliProblem(
            Code.SETTINGS,
            f"the metrics take port {port} and the next three, but there is none above {LAST_PORT}",
            f"choose a port of at most {highest} with --metrics or OVERNIGHT_METRICS_ADDRESS",
        )
    return {str(role): f"{host}:{port + more}" for more, role in enumerate(METERED)}
