"""Streams on real sockets that break as a test's conversations say."""

from collections.abc import Iterator
from contextlib import contextmanager

from cli.stream.session import Pace, SessionStream
from cli.transport import Endpoint
from tests.cli.scripted_socket import Conversation, SocketServer
from tests.cli.sessions import SESSION
from workflows.contract.api import Problem, PromptBody
from workflows.contract.base import PromptId
from workflows.contract.socket import (
    Subscribe,
)

PACE = Pace(
    first_pause=0.001,
    longest_pause=0.01,
    announced=0.05,
    quiet=5.0,
    first_repeat=0.001,
    longest_repeat=0.01,
)
PROMPT = PromptBody(id=PromptId("00000000-0000-4000-8000-000000000000"), text="Go on.")
LATER = Problem(title="Not now", status=503, detail="no Temporal", code="temporal_unavailable")
REFUSAL = Problem(title="No", status=409, detail="it is closed", code="session_closed")


def stream(
    server: SocketServer,
    wanted: Subscribe | None = None,
    *,
    may_return: bool = True,
    pace: Pace = PACE,
) -> SessionStream:
    endpoint = Endpoint(server.url, "secret", local=True, may_return=lambda: may_return)
    return SessionStream(endpoint, SESSION, wanted or Subscribe(), pace)


@contextmanager
def following(*conversations: Conversation, pace: Pace = PACE) -> Iterator[SessionStream]:
    with SocketServer(*conversations).serving() as server:
        yield stream(server, pace=pace)
