"""A real S3 server on the loopback interface."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import httpx2
from moto.server import ThreadedMotoServer

from tests.patience import PATIENCE_SECONDS

URL = "s3://bucket"

Respond = Callable[..., Any]
Application = Callable[[dict[str, Any], Respond], Iterable[bytes]]


@contextmanager
def serving() -> Iterator[dict[str, str]]:
    """Serve the empty bucket `URL`; gives the provider's variables that reach it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    assert server._server is not None
    server._server.app = _one_at_a_time(server._server.app)
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        httpx2.put(f"{endpoint}/bucket", timeout=PATIENCE_SECONDS).raise_for_status()
        yield {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "id",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }
    finally:
        server.stop()


def _one_at_a_time(application: Application) -> Application:
    """Make `If-None-Match: *` what it is with S3: moto looks first and writes then (5.2)."""
    writing = Lock()

    def serve(environment: dict[str, Any], start_response: Respond) -> Iterable[bytes]:
        if environment["REQUEST_METHOD"] != "PUT":
            return application(environment, start_response)
        with writing:
            return list(application(environment, start_response))

    return serve
