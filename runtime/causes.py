"""Carries through Temporal which prompt something is done for, in headers beside the inputs.

The gateway's signal brings a prompt's trace, if there is one, to the workflow; the workflow tells
every activity which prompt its turn works for. Headers are no part of what a replay compares.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Never

import structlog
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Interceptor as ClientInterceptor,
)
from temporalio.client import (
    OutboundInterceptor,
    SignalWorkflowInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from temporalio.converter import PayloadConverter
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ContinueAsNewInput,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    HandleSignalInput,
    HandleUpdateInput,
    StartActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.worker import (
    Interceptor as WorkerInterceptor,
)

from runtime import tracing
from workflows.contract import cause
from workflows.contract.cause import Cause

HEADER = "overnight-cause"

TRACES_KEPT = 64
"""Prompts of a session whose traces its workflow remembers; older ones go on without."""

Headers = Mapping[str, Payload]

log = structlog.get_logger()


class Causes(ClientInterceptor, WorkerInterceptor):
    """Given to a client, works for it and for all its workers."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        """Send along what the gateway's request is about."""
        return _Asking(next)

    def intercept_activity(
        self,
        next: ActivityInboundInterceptor,  # noqa: A002
    ) -> ActivityInboundInterceptor:
        """Take up what the activity is done for."""
        return _Doing(next)

    def workflow_interceptor_class(
        self, _input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        """Take up prompts' traces, and send along what a turn works for."""
        return _Deciding


class _Asking(OutboundInterceptor):
    """Only with traces: the signal itself names its prompt."""

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002
        with tracing.span("session.start", {}, kind="CLIENT"):
            input.headers = _with_trace(input.headers)
            return await super().start_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:  # noqa: A002
        with tracing.span(f"session.signal {input.signal}", {}, kind="CLIENT"):
            input.headers = _with_trace(input.headers)
            await super().signal_workflow(input)

    async def start_workflow_update(
        self,
        input: StartWorkflowUpdateInput,  # noqa: A002
    ) -> WorkflowUpdateHandle[Any]:
        with tracing.span(f"session.update {input.update}", {}, kind="CLIENT"):
            input.headers = _with_trace(input.headers)
            return await super().start_workflow_update(input)


class _Deciding(WorkflowInboundInterceptor):
    """Remembers the traces of a session's prompts from run to run."""

    def __init__(self, next: WorkflowInboundInterceptor) -> None:  # noqa: A002
        super().__init__(next)
        self._traces: dict[str, str] = {}

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """Look at what the workflow asks for."""
        super().init(_Ordering(outbound, self._traces))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002, ANN401
        cause.CAUSE.set(Cause(workflow.info().workflow_id))
        self._remember(input.headers)
        cause.TRACES.set(self._traces)
        return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002
        self._remember(input.headers, input.signal)
        await super().handle_signal(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # noqa: A002, ANN401
        self._remember(input.headers, input.update)
        return await super().handle_update_handler(input)

    def _remember(self, headers: Headers, taken: str = "") -> None:
        told = _read(headers)
        self._traces.update(told.get("traces", {}))
        prompt, trace = told.get("prompt", ""), told.get("trace", "")
        if not prompt or not trace:
            return
        self._traces[prompt] = trace
        while len(self._traces) > TRACES_KEPT:
            del self._traces[next(iter(self._traces))]
        if taken and not workflow.unsafe.is_replaying():
            cause.CAUSE.set(Cause(workflow.info().workflow_id, prompt))
            with tracing.span(f"session.took {taken}", {}, kind="CONSUMER", parent=trace):
                pass


class _Ordering(WorkflowOutboundInterceptor):
    def __init__(self, next: WorkflowOutboundInterceptor, traces: dict[str, str]) -> None:  # noqa: A002
        super().__init__(next)
        self._traces = traces

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002
        now = cause.current()
        if now.prompt:
            told = {"prompt": now.prompt} | ({"trace": now.trace} if now.trace else {})
            input.headers = _with(input.headers, told)
        return super().start_activity(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> Never:  # noqa: A002
        if self._traces:
            input.headers = _with(input.headers, {"traces": dict(self._traces)})
        super().continue_as_new(input)


class _Doing(ActivityInboundInterceptor):
    """Logs one line for each attempt, and traces it."""

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401
        info, told = activity.info(), _read(input.headers)
        trace = told.get("trace", "")
        cause.CAUSE.set(Cause(info.workflow_id or "", told.get("prompt", ""), trace))
        started, outcome = time.monotonic(), "failed"
        with tracing.span(
            info.activity_type,
            {"overnight.attempt": info.attempt},
            kind="CONSUMER",
            parent=trace,
        ):
            try:
                result = await super().execute_activity(input)
                outcome = "done"
            except ApplicationError as error:
                outcome = error.type or outcome
                raise
            except asyncio.CancelledError:
                outcome = "cancelled"
                raise
            finally:
                seconds = round(time.monotonic() - started, 3)
                log.info(
                    "activity.ended",
                    activity=info.activity_type,
                    attempt=info.attempt,
                    outcome=outcome,
                    seconds=seconds,
                )
        return result


def _with_trace(headers: Headers) -> Headers:
    now = cause.current()
    if not now.prompt or not now.trace:
        return headers
    return _with(headers, {"prompt": now.prompt, "trace": now.trace})


def _with(headers: Headers, told: dict[str, Any]) -> Headers:
    return {**headers, HEADER: PayloadConverter.default.to_payload(told)}


def _read(headers: Headers) -> dict[str, Any]:
    payload = headers.get(HEADER)
    if payload is None:
        return {}
    told: dict[str, Any] = PayloadConverter.default.from_payload(payload)
    return told
