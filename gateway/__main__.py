"""The gateway's process: `python -m gateway`.

Serves at once and says by `/readyz` when it has reached Temporal.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from typing import Never

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from gateway.app import create_app
from gateway.server import create_server, listen
from gateway.services import Services
from gateway.sessions.connection import Connection
from runtime import logs, telemetry, tracing
from runtime.reading import SettingsRefusedError, read_settings
from runtime.settings import Settings, gateway_token
from runtime.store.opening import open_store
from runtime.telemetry import MetricsRefusedError
from runtime.temporal import connect_patiently, prepare_namespace

PREPARE_PAUSE_SECONDS = 0.5

log = structlog.get_logger()


def main() -> None:
    """Serve until SIGTERM or SIGINT, then finish what is being served within 10 s."""
    logs.configure("gateway")
    try:
        settings = read_settings()
    except SettingsRefusedError as refused:
        log.error("settings.refused", reason=str(refused))  # noqa: TRY400  # expected
        _leave(1)
    try:
        gateway_token(settings)
    except OSError as error:
        log.error("gateway.refused", reason=str(error))  # noqa: TRY400  # expected
        _leave(1)
    try:
        listener = listen(settings.gateway_host, settings.gateway_port)
    except OSError as error:
        address = f"{settings.gateway_host}:{settings.gateway_port}"
        log.error("gateway.refused", address=address, reason=str(error))  # noqa: TRY400  # expected
        _leave(1)
    try:
        telemetry.configure(settings, "gateway")
    except MetricsRefusedError as refused:
        log.error("gateway.refused", reason=str(refused))  # noqa: TRY400  # expected
        _leave(1)
    tracing.configure("gateway")
    asyncio.run(_serve(settings, listener))
    tracing.stop()
    _leave(0)


async def _serve(settings: Settings, listener: socket.socket) -> None:
    connection = Connection()
    services = Services(settings, connection, open_store(settings))
    server = create_server(create_app(services), on_stop=services.close)
    # uvicorn repeats a signal, once it has stopped, to whoever had it before.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
    host, port = listener.getsockname()[:2]
    async with asyncio.TaskGroup() as tasks:
        attaching = tasks.create_task(_attach(settings, connection))
        log.info("gateway.listening", host=host, port=port)
        await server.serve([listener])
        attaching.cancel()
    log.info("gateway.stopped")


async def _attach(settings: Settings, connection: Connection) -> None:
    client = await connect_patiently(settings)
    await _prepare(client)
    connection.attach(client)
    log.info("temporal.reached", namespace=client.namespace)


async def _prepare(client: Client) -> None:
    """Prepare the namespace; where we may not, its operator has to have done it."""
    while True:
        try:
            await prepare_namespace(client)
        except RPCError as error:
            if error.status is not RPCStatusCode.UNAVAILABLE:
                log.warning("namespace.unprepared", status=error.status.name, reason=error.message)
                return
            await asyncio.sleep(PREPARE_PAUSE_SECONDS)
        else:
            return


def _leave(status: int) -> Never:
    """End the process: the Temporal core may abort it in the interpreter's own ending."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
