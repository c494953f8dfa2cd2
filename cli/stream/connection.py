"""Opens a session's websocket and tells what its end means: try again, or give up."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    NegotiationError,
)
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from cli.problems import CliProblem
from cli.transport import Endpoint
from workflows.contract.problems import Code
from workflows.contract.socket import PROTOCOL, CloseCode

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
"""A gateway that does not answer a farewell is not waited for any longer."""

UNREAD_SECONDS = 30.0
"""What was sent and is not taken by then ends the connection."""

MESSAGE_LIMIT_BYTES = 16 * 1024 * 1024
"""A longer message of the gateway is refused."""

_TOO_BIG = 1009
_PATIENT_STATUS = (408, 425, 429)
_SERVER_ERRORS = 500

_FINAL = {
    401: CloseCode.UNAUTHENTICATED,
    403: CloseCode.UNAUTHENTICATED,
    404: CloseCode.SESSION_UNKNOWN,
}


class LostError(Exception):
    """There is no connection, or none any more; another attempt may succeed."""


@contextmanager
def connected(endpoint: Endpoint, session: str) -> Iterator[ClientConnection]:
    """Open a session's websocket for as long as the block runs.

    Raises:
        CliProblem: another attempt would fail too.
        LostError: the connection could not be made, or was lost in the block.
    """
    try:
        with connect(
            f"ws{endpoint.url.removeprefix('http').rstrip('/')}/api/v1/sessions/{session}/ws",
            subprotocols=[Subprotocol(PROTOCOL)],
            additional_headers={"authorization": f"Bearer {endpoint.token}"},
            # A person's proxy does not lead to the loopback interface.
            proxy=None if endpoint.local else True,
            compression=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            ping_interval=None,
            max_size=MESSAGE_LIMIT_BYTES,
        ) as connection:
            if connection.subprotocol != PROTOCOL:
                raise _wrong_version("it speaks no " + PROTOCOL)
            _bound_unread(connection.socket)
            yield connection
    except ConnectionClosed as closed:
        raise _ended(closed, session) from closed
    except InvalidStatus as refused:
        raise _refused(refused, session) from refused
    except NegotiationError as error:
        raise _wrong_version(str(error)) from error
    except (OSError, EOFError, InvalidHandshake) as error:
        raise LostError(str(error) or type(error).__name__) from error


def is_drained(closed: ConnectionClosed) -> bool:
    """Tell whether the gateway ended the connection because all of it was sent."""
    return closed.rcvd is not None and closed.rcvd.code == CloseCode.DRAINED


def _bound_unread(connection: socket.socket) -> None:
    milliseconds = int(1_000 * UNREAD_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)


def _ended(closed: ConnectionClosed, session: str) -> CliProblem | LostError:
    if closed.sent is not None and closed.sent.code == _TOO_BIG:
        return _wrong_version(closed.sent.reason or "a message is too long")
    if closed.rcvd is None:
        return LostError(str(closed))
    return _final(closed.rcvd.code, closed.rcvd.reason, session) or LostError(str(closed))


def _refused(refused: InvalidStatus, session: str) -> CliProblem | LostError:
    status = refused.response.status_code
    if status >= _SERVER_ERRORS or status in _PATIENT_STATUS:
        return LostError(f"it answered with {status}")
    code = _FINAL.get(status, CloseCode.WRONG_PROTOCOL)
    problem = _final(code, f"it answered with {status}", session)
    return problem or LostError(f"it answered with {status}")


def _final(code: int, reason: str, session: str) -> CliProblem | None:
    match code:
        case CloseCode.BAD_MESSAGE | CloseCode.WRONG_PROTOCOL:
            return _wrong_version(reason or f"it closed with {code}")
        case CloseCode.UNAUTHENTICATED:
            return CliProblem(
                Code.UNAUTHENTICATED,
                f"the gateway does not accept the token: {reason or 'it is missing or wrong'}",
            )
        case CloseCode.SESSION_UNKNOWN:
            return CliProblem(
                Code.SESSION_UNKNOWN,
                f"the gateway has no live view of session {session!r}",
            )
        case _:
            return None


def _wrong_version(why: str) -> CliProblem:
    return CliProblem(
        Code.ANSWER_NOT_UNDERSTOOD,
        f"the gateway and this `overnight` do not understand each other: {why}",
    )
