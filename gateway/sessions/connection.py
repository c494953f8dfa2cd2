"""The gateway's connection to Temporal and the bound on every use of it.

The gateway serves before Temporal can be reached; until then every use is refused.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from gateway.problems import ProblemError
from workflows.contract.base import SessionId
from workflows.contract.names import SESSION_WORKFLOW, SESSIONS_QUEUE
from workflows.contract.problems import Code

TEMPORAL_SECONDS = 3.0
"""All calls of one request together; the client's own retries would take 9 s and more."""

POLLER_AGE = timedelta(seconds=75)
"""A worker asks again at least once a minute; the server remembers dead ones for five."""

_OUR_FAULT = frozenset(
    {
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.UNAUTHENTICATED,
        RPCStatusCode.UNIMPLEMENTED,
    }
)


class Connection:
    """Holds the client once there is one."""

    def __init__(self) -> None:
        self._client: Client | None = None

    def attach(self, client: Client) -> None:
        """Use this client from now on."""
        self._client = client

    @property
    def client(self) -> Client:
        """The client.

        Raises:
            ProblemError: `temporal_unavailable`, as long as Temporal has not been reached.
        """
        if self._client is None:
            detail = "the gateway has not reached it since it was started"
            raise ProblemError(Code.TEMPORAL_UNAVAILABLE, detail)
        return self._client

    async def describe(self, session: SessionId) -> WorkflowExecutionDescription | None:
        """Return the newest run of a session; none when Temporal knows no such session."""
        try:
            found = await self.client.get_workflow_handle(session).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        return found if found.workflow_type == SESSION_WORKFLOW else None

    async def count_workers(self) -> int:
        """Return how many session workers have asked for work lately."""
        asked = await self.pollers(SESSIONS_QUEUE, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)
        oldest = datetime.now(UTC) - POLLER_AGE
        return sum(at > oldest for at in asked.values())

    async def pollers(self, queue: str, kind: "TaskQueueType.ValueType") -> dict[str, datetime]:
        """Return when each worker of a queue asked for work last; dead ones for five minutes."""
        request = DescribeTaskQueueRequest(
            namespace=self.client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
        )
        found = await self.client.workflow_service.describe_task_queue(request)
        return {
            poller.identity: poller.last_access_time.ToDatetime(tzinfo=UTC)
            for poller in found.pollers
        }


@asynccontextmanager
async def bounded(code: Code) -> AsyncIterator[None]:
    """Bound the calls made inside to `TEMPORAL_SECONDS` together.

    Raises:
        ProblemError: with this code, when Temporal did not answer in time or failed.
    """
    try:
        async with asyncio.timeout(TEMPORAL_SECONDS):
            yield
    except TimeoutError as error:
        detail = f"Temporal did not answer within {TEMPORAL_SECONDS:.0f} s"
        raise ProblemError(code, detail) from error
    except RPCError as error:
        if error.status in _OUR_FAULT:
            raise
        raise ProblemError(code, f"Temporal answered {error.status.name}") from error
