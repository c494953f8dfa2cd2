"""The processes of a local stack, as data for the supervisor."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from cli.problems import CliProblem
from cli.stack.environment import Role, cluster_address, share_of
from cli.stack.metrics import metrics_addresses
from cli.stack.ports import Ports
from cli.stack.processes import Answering, ListeningPort, Program, ReadyFile, Stage
from runtime.settings import Settings
from workflows.contract.names import PHASE_ATTRIBUTE
from workflows.contract.problems import Code

POLL_RATE = 2_000
"""With the server's default a step of two activities takes 200 ms instead of 43 (measured)."""

TEMPORAL_OPTIONS = (
    # Readers do not wait for writers, and what was acknowledged survives a power loss.
    "--sqlite-pragma=journal_mode=WAL",
    "--sqlite-pragma=synchronous=FULL",
    f"--dynamic-config-value=history.transferProcessorMaxPollRPS={POLL_RATE}",
    f"--dynamic-config-value=history.timerProcessorMaxPollRPS={POLL_RATE}",
    # A cancel reaches an activity in 15 ms instead of with its next heartbeat.
    "--dynamic-config-value=frontend.WorkerCommandsEnabled=true",
    "--dynamic-config-value=system.enableCancelActivityWorkerCommand=true",
    f"--search-attribute={PHASE_ATTRIBUTE}=Keyword",
    "--log-level=warn",
)

# -P: no module is ever imported from the folder the process happens to stand in.
PYTHON = (sys.executable, "-P", "-m")


class Stack(NamedTuple):
    """What a supervisor is to run, and where it will be found."""

    programs: tuple[Program, ...]
    gateway_url: str
    temporal_address: str
    metrics: Mapping[str, str] = MappingProxyType({})
    """Where each process serves its metrics, by name; none without metrics."""


def stack_of(settings: Settings, ports: Ports, environment: Mapping[str, str]) -> Stack:
    """Return the processes for these settings; `environment` is the person's own.

    Raises:
        CliProblem: the embedded Temporal server is not installed, or there are not ports enough
            above that of the metrics (`settings`).
    """
    home = settings.home
    address = cluster_address(environment)
    programs = [] if address else [_temporal(home, ports, environment)]
    metrics = metrics_addresses(settings)
    shared = _shared(settings, ports, cluster=address is not None)
    ours = _OurPrograms(home, environment, shared, metrics)
    programs += [
        ours.worker(Role.SESSIONS),
        ours.worker(Role.MODELS),
        ours.worker(Role.HOST),
        ours.gateway(_reachable(settings.gateway_host), ports.gateway),
    ]
    return Stack(
        tuple(programs),
        gateway_url=f"http://{_reachable(settings.gateway_host)}:{ports.gateway}",
        temporal_address=address or f"127.0.0.1:{ports.temporal}",
        metrics=metrics,
    )


class _OurPrograms:
    """Builds the programs that speak to Temporal."""

    def __init__(
        self,
        home: Path,
        environment: Mapping[str, str],
        shared: dict[str, str],
        metrics: dict[str, str],
    ) -> None:
        self._home = home
        self._environment = environment
        self._shared = shared
        self._metrics = metrics

    def worker(self, role: Role) -> Program:
        """Return a worker, ready once it polls."""
        return Program(
            name=role,
            argv=(*PYTHON, "activities.worker", role),
            environment=self._environment_of(role),
            stage=Stage.WORKER,
            ready=ReadyFile(path=self._ready_file(role)),
            hint=self._hint(role),
        )

    def gateway(self, host: str, port: int) -> Program:
        """Return the gateway, ready once it is healthy and sees what it needs."""
        return Program(
            name=Role.GATEWAY,
            argv=(*PYTHON, "gateway"),
            environment=self._environment_of(Role.GATEWAY),
            stage=Stage.GATEWAY,
            ready=Answering(host=host.strip("[]"), port=port, paths=("/healthz", "/readyz")),
            address=f"http://{host}:{port}",
            hint=self._hint(Role.GATEWAY),
        )

    def _environment_of(self, role: Role) -> dict[str, str]:
        cluster = "OVERNIGHT_TEMPORAL_ADDRESS" not in self._shared
        mine = share_of(role, self._environment, cluster=cluster)
        mine.pop("OVERNIGHT_TEMPORAL_ADDRESS", None)
        own = {"OVERNIGHT_READY_FILE": str(self._ready_file(role))}
        if role in self._metrics:
            own["OVERNIGHT_METRICS_ADDRESS"] = self._metrics[role]
        return mine | self._shared | own

    def _ready_file(self, role: Role) -> Path:
        return self._home / "run" / f"{role}.ready"

    def _hint(self, role: Role) -> str:
        return f"mend what {self._home / 'logs' / role}.log reports, then: overnight up"


def _shared(settings: Settings, ports: Ports, *, cluster: bool) -> dict[str, str]:
    shared = {
        "OVERNIGHT_HOME": str(settings.home),
        "OVERNIGHT_GATEWAY_PORT": str(ports.gateway),
    }
    if not cluster:
        shared["OVERNIGHT_TEMPORAL_ADDRESS"] = f"127.0.0.1:{ports.temporal}"
        # A person's profile for a cluster, with its TLS and key, is not for the embedded server.
        shared["TEMPORAL_CONFIG_FILE"] = os.devnull
    return shared


def _temporal(home: Path, ports: Ports, environment: Mapping[str, str]) -> Program:
    database = home / "temporal.db"
    return Program(
        name=Role.TEMPORAL,
        argv=(
            _temporal_binary(),
            "server",
            "start-dev",
            "--headless",
            "--ip=127.0.0.1",
            f"--port={ports.temporal}",
            f"--http-port={ports.temporal_http}",
            f"--metrics-port={ports.temporal_metrics}",
            f"--db-filename={database}",
            *TEMPORAL_OPTIONS,
        ),
        environment=share_of(Role.TEMPORAL, environment, cluster=False),
        stage=Stage.SERVER,
        ready=ListeningPort(port=ports.temporal),
        address=f"127.0.0.1:{ports.temporal}",
        # The server creates its schema only with a new file and never migrates one.
        hint=(
            f"{database} may be damaged, of another version of Temporal, or in use by another "
            "program: end that, or move the file away and its sessions with it; then: overnight up"
        ),
    )


def _temporal_binary() -> str:
    beside = Path(sys.executable).with_name("temporal")
    found = str(beside) if beside.exists() else shutil.which("temporal")
    if found is None:
        raise CliProblem(
            Code.TEMPORAL_MISSING,
            "the embedded Temporal server is not installed",
        )
    return found


def _reachable(host: str) -> str:
    """Return the address under which this machine reaches a server bound to `host`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host.strip("[]"), host.strip("[]"))  # noqa: S104
    return f"[{host}]" if ":" in host else host
