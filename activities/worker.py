"""Composes and runs one worker process: `python -m activities.worker sessions|models|host`.

The one place where adapters meet settings, and where the workflow classes are known.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import Any

import structlog
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.sandbox.provider import SandboxRefusedError
from runtime import logs, telemetry, temporal, tracing
from runtime.reading import SettingsRefusedError, read_settings
from runtime.settings import Settings, adopt_model_keys, host_id
from runtime.store.opening import open_store
from runtime.telemetry import MetricsRefusedError
from workflows.contract.names import HOSTS_QUEUE, MODELS_QUEUE, SESSIONS_QUEUE, host_queue
from workflows.session import AgentSession

log = structlog.get_logger()

Activity = Callable[..., Any]

STICKY_TIMEOUT = timedelta(seconds=1)
"""A killed session worker's sessions answer again after this; 10 s by default (measured)."""

HEARTBEAT_INTERVAL = timedelta(milliseconds=50)
"""How often the server takes a heartbeat of one activity; what shows output paces itself."""

GRACE = timedelta(seconds=1)

READY_SECONDS = 5.0
"""How often a worker touches its ready file; one whose loop hangs does not."""

THREADS = 128
"""Calls that may block at once. By default it is cores and four: so many slow fetches, of minutes
each, would hold up the output and the file tools of all other sessions.
"""

WORKFLOW_RUNNER = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules(
        # Without these an idle session costs 1.4 MB and 44 ms (measured).
        "workflows.contract",
        "workflows.policy",
        "workflows.ports",
        "pydantic",
        "pydantic_core",
        "annotated_types",
    )
)


class PortMismatchError(Exception):
    """An adapter does not register exactly the activities of its port."""


def activities_of(port: type, adapter: object) -> list[Activity]:
    """Return the adapter's activities, which must be the port's, name by name.

    Raises:
        PortMismatchError: an override lacks the port's activity name; its calls would otherwise
            be retried as unknown, in silence.
    """
    found = []
    for name, declared in vars(port).items():
        wanted = _activity_name(declared)
        if wanted is None:
            continue
        method = getattr(adapter, name)
        if _activity_name(method) != wanted:
            message = f"{type(adapter).__name__}.{name} must be the activity {wanted!r}"
            raise PortMismatchError(message)
        found.append(method)
    return found


def session_worker(client: Client, settings: Settings) -> list[Worker]:
    """Run decisions; holds nothing."""
    from activities.archive import StoreArchive
    from workflows.ports import Archive

    archive = StoreArchive(client, open_store(settings))
    return [
        Worker(
            client,
            task_queue=SESSIONS_QUEUE,
            workflows=[AgentSession],
            activities=activities_of(Archive, archive),
            workflow_runner=WORKFLOW_RUNNER,
            sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
            graceful_shutdown_timeout=GRACE,
        )
    ]


def model_worker(client: Client, settings: Settings) -> list[Worker]:
    """Call models; the only process with provider keys and with litellm."""
    adopt_model_keys(settings)
    from activities.model.adapter import LiteLlmModel
    from workflows.ports import Model

    model = LiteLlmModel(settings, open_store(settings))
    return [_activity_worker(client, MODELS_QUEUE, activities_of(Model, model))]


def host_worker(client: Client, settings: Settings) -> list[Worker]:
    """Hold this host's sandboxes, and fetch and push for them."""
    from activities.checks.runner import CommandChecks
    from activities.mirror import Mirrors
    from activities.pull_requests.git import GitPullRequests
    from activities.sandbox.adapter import LocalSandboxes
    from workflows.ports import Checks, PullRequests, Sandbox

    store = open_store(settings)
    mirrors = Mirrors(settings)
    queue = host_queue(host_id(settings))
    sandboxes = LocalSandboxes(settings, store, mirrors, queue)
    activities = [
        *activities_of(Sandbox, sandboxes),
        *activities_of(Checks, CommandChecks(mirrors, sandboxes, store)),
        *activities_of(PullRequests, GitPullRequests(mirrors, store)),
    ]
    return [
        _activity_worker(client, queue, activities),
        _activity_worker(client, HOSTS_QUEUE, [sandboxes.open, sandboxes.close]),
    ]


def _activity_worker(client: Client, queue: str, activities: Sequence[Activity]) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        activities=activities,
        max_heartbeat_throttle_interval=HEARTBEAT_INTERVAL,
        graceful_shutdown_timeout=GRACE,
    )


def _activity_name(method: object) -> str | None:
    definition = getattr(method, "__temporal_activity_definition", None)
    return None if definition is None else str(definition.name)


ROLES: dict[str, Callable[[Client, Settings], list[Worker]]] = {
    "sessions": session_worker,
    "models": model_worker,
    "host": host_worker,
}


async def serve(role: str, settings: Settings) -> None:
    """Run one role's workers until cancelled."""
    client = await temporal.connect_patiently(settings)
    async with AsyncExitStack() as stack:
        for worker in ROLES[role](client, settings):
            await stack.enter_async_context(worker)
        if settings.ready_file is not None:
            settings.ready_file.touch()
        log.info("worker.started", role=role)
        while True:
            await asyncio.sleep(READY_SECONDS)
            if settings.ready_file is not None:
                # Without it the worker looks ill, and works.
                with suppress(OSError):
                    settings.ready_file.touch()


def make_room(loop: asyncio.AbstractEventLoop) -> None:
    """Let `THREADS` calls of this loop block at once; a thread is made when it is needed."""
    loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="blocking"))


async def serve_until_signalled(role: str, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; running activities get `GRACE` and are retried elsewhere."""
    loop = asyncio.get_running_loop()
    make_room(loop)
    serving = loop.create_task(serve(role, settings))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, serving.cancel)
    with suppress(asyncio.CancelledError):
        await serving
    log.info("worker.stopped", role=role)


def main() -> None:
    """Run the role named on the command line."""
    role = " ".join(sys.argv[1:])
    if role not in ROLES:
        sys.stderr.write(f"usage: python -m activities.worker {'|'.join(ROLES)}\n")
        sys.exit(2)
    logs.configure(f"worker.{role}")
    # The lines name their session and prompt by themselves.
    workflow.logger.workflow_info_on_message = False
    try:
        settings = read_settings()
        telemetry.configure(settings, role)
        tracing.configure(role)
        asyncio.run(serve_until_signalled(role, settings))
    except SettingsRefusedError as refused:
        log.error("settings.refused", reason=str(refused))  # noqa: TRY400  # it needs no traceback
        sys.exit(1)
    except SandboxRefusedError as refused:
        log.error("sandbox.refused", reason=str(refused))  # noqa: TRY400  # it needs no traceback
        sys.exit(1)
    except MetricsRefusedError as refused:
        log.error("metrics.refused", reason=str(refused))  # noqa: TRY400
        sys.exit(1)
    tracing.stop()
    sys.stderr.flush()
    # The Temporal core can abort the process while the interpreter shuts down
    # (temporalio/sdk-python#300); all work is done here.
    os._exit(0)


if __name__ == "__main__":
    main()
