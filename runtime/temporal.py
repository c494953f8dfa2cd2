"""The one way to reach Temporal, for workers and gateway alike."""

import asyncio
from datetime import timedelta

import structlog
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError, RPCStatusCode

from runtime.causes import Causes
from runtime.settings import Settings
from workflows.contract.names import PHASE_ATTRIBUTE

RETENTION = timedelta(days=30)
"""A margin: closed runs are archived to the store by the session itself."""

CONNECT_PAUSE_SECONDS = 0.1

log = structlog.get_logger()


async def connect(settings: Settings) -> Client:
    """Connect to the configured cluster; `settings.temporal_address` wins over the environment.

    Raises:
        RuntimeError: the server cannot be reached.
    """
    config = ClientConfig.load_client_connect_config()
    config["target_host"] = (
        settings.temporal_address or config.get("target_host") or "127.0.0.1:7233"
    )
    return await Client.connect(
        **config, data_converter=pydantic_data_converter, interceptors=[Causes()]
    )


async def connect_patiently(settings: Settings) -> Client:
    """Connect, waiting for as long as the server cannot be reached; says so once."""
    said = False
    while True:
        try:
            return await connect(settings)
        except RuntimeError as error:
            if not said:
                log.info("temporal.awaited", reason=str(error)[:300])
                said = True
            await asyncio.sleep(CONNECT_PAUSE_SECONDS)


async def prepare_namespace(client: Client) -> None:
    """Register our search attribute and raise the retention; repeating it is harmless."""
    await _add_search_attributes(client)
    await client.workflow_service.update_namespace(
        UpdateNamespaceRequest(
            namespace=client.namespace,
            config=NamespaceConfig(
                workflow_execution_retention_ttl=Duration(seconds=int(RETENTION.total_seconds()))
            ),
        )
    )


async def _add_search_attributes(client: Client) -> None:
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    if PHASE_ATTRIBUTE in known.custom_attributes:
        return
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace,
                search_attributes={PHASE_ATTRIBUTE: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD},
            )
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
