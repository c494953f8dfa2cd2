"""What the gateway finds out about Temporal, the workers and the store, for people."""

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, GetSystemInfoRequest
from temporalio.service import RPCError

from gateway.problems import ProblemError
from gateway.sessions.connection import POLLER_AGE, Connection
from runtime.settings import Settings
from runtime.store.base import Store
from workflows.contract.health import GatewayHealth, QueueHealth, StoreHealth, TemporalHealth
from workflows.contract.names import (
    HOSTS_QUEUE,
    MODELS_QUEUE,
    PHASE_ATTRIBUTE,
    SESSIONS_QUEUE,
    host_queue,
)

LOOK_SECONDS = 2.0
"""What has not answered by then is said to hang; less than people's tools wait."""

PROBE_STREAM = "streams/health/probe"
"""Grows by one byte a look. All its bytes are the same, so any number of gateways can add some."""

PROBE_OBJECT = "health/probe"
"""In a bucket."""

PROBE = b"."
TROUBLE_CHARACTERS = 300

_WORKFLOWS = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
_ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
_Found = TypeVar("_Found")


class Health:
    """Looks anew each time it is asked."""

    def __init__(self, connection: Connection, store: Store, settings: Settings) -> None:
        self._connection = connection
        self._store = store
        self._settings = settings

    async def look(self) -> GatewayHealth:
        """Look at everything at once; answers within `LOOK_SECONDS`, whatever hangs."""
        temporal, store = await asyncio.gather(self._temporal(), self._try_store())
        return GatewayHealth(
            version=metadata.version("overnight"),
            time=datetime.now(UTC),
            sandbox=self._settings.sandbox,
            model=self._settings.model,
            fallbacks=self._settings.model_fallbacks,
            temporal=temporal,
            store=store,
        )

    async def _temporal(self) -> TemporalHealth:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await self._ask_temporal()
        except TimeoutError:
            trouble = f"Temporal did not answer within {LOOK_SECONDS:g} s"
        except ProblemError as problem:
            trouble = problem.detail
        except RPCError as error:
            trouble = f"Temporal answered {error.status.name}: {error.message}"
        return TemporalHealth(trouble=trouble[:TROUBLE_CHARACTERS])

    async def _ask_temporal(self) -> TemporalHealth:
        client = self._connection.client
        service = client.workflow_service
        system, namespace, prepared, queues = await asyncio.gather(
            service.get_system_info(GetSystemInfoRequest()),
            service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace)),
            _unless_refused(self._has_attribute()),
            asyncio.gather(*map(self._queue, self._queues())),
        )
        retention = namespace.config.workflow_execution_retention_ttl.ToTimedelta()
        return TemporalHealth(
            version=system.server_version,
            namespace=client.namespace,
            retention_days=round(retention / timedelta(days=1), 2),
            is_prepared=prepared,
            queues=tuple(queues),
        )

    async def _has_attribute(self) -> bool:
        client = self._connection.client
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
        return PHASE_ATTRIBUTE in known.custom_attributes

    def _queues(self) -> tuple[str, ...]:
        host_id = self._settings.home / "host-id"
        shared = (SESSIONS_QUEUE, MODELS_QUEUE, HOSTS_QUEUE)
        # Only if its worker uses this data folder, too: no list of queues can be had.
        return (*shared, host_queue(_text(host_id))) if host_id.is_file() else shared

    async def _queue(self, queue: str) -> QueueHealth:
        kind = _WORKFLOWS if queue == SESSIONS_QUEUE else _ACTIVITIES
        asked = await self._connection.pollers(queue, kind)
        ages = sorted(datetime.now(UTC) - at for at in asked.values())
        return QueueHealth(
            queue=queue,
            workers=sum(age < POLLER_AGE for age in ages),
            asked_seconds_ago=round(max(ages[0].total_seconds(), 0.0), 1) if ages else None,
        )

    async def _try_store(self) -> StoreHealth:
        began = time.monotonic()
        trouble = ""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                back = await self._write_and_read()
            if back != PROBE:
                trouble = "the byte that was written is not the byte that came back"
        except TimeoutError:
            trouble = f"it did not take and give back a byte within {LOOK_SECONDS:g} s"
        except OSError as error:
            trouble = str(error)
        return StoreHealth(
            place="folder" if self._settings.store is None else "bucket",
            trouble=trouble[:TROUBLE_CHARACTERS],
            seconds=round(time.monotonic() - began, 4),
        )

    async def _write_and_read(self) -> bytes:
        if self._settings.store is not None:
            # Nothing of a bucket is ever removed, so the same object is written each time.
            await self._store.create_async(PROBE_OBJECT, PROBE)
            return await self._store.read_async(PROBE_OBJECT)
        end = await self._store.stream_end_async(PROBE_STREAM)
        await self._store.append_async(PROBE_STREAM, end, PROBE)
        return await self._store.read_stream_async(PROBE_STREAM, end, len(PROBE))


async def _unless_refused(asking: Coroutine[Any, Any, _Found]) -> _Found | None:
    try:
        return await asking
    except RPCError:
        return None


def _text(path: Path) -> str:
    return path.read_text().strip()
