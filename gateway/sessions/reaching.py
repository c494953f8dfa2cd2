"""Finds a session's newest run and signals it; what every operation on a session begins with."""

from temporalio.client import WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from gateway.problems import ProblemError
from gateway.sessions.connection import Connection
from gateway.sessions.resources import is_open, is_shown, shown
from workflows.contract.asking import Asked
from workflows.contract.base import SessionId
from workflows.contract.problems import Code


async def described(connection: Connection, session: SessionId) -> WorkflowExecutionDescription:
    """Return the newest run of a session.

    Raises:
        ProblemError: `session_unknown`.
    """
    run = await connection.describe(session)
    if run is None or not is_shown(run):
        raise ProblemError(Code.SESSION_UNKNOWN, f"Temporal knows no session {session!r}")
    return run


async def described_open(
    connection: Connection, session: SessionId
) -> WorkflowExecutionDescription:
    """Return the run of a session that takes signals.

    Raises:
        ProblemError: `session_unknown`, `session_closed`.
    """
    run = await described(connection, session)
    if not is_open(run):
        raise closed(session)
    return run


async def asked_by(connection: Connection, session: SessionId) -> Asked | None:
    """Return what an open session asks a person; none when it asks nothing.

    Raises:
        ProblemError: `session_unknown`, `session_closed`.
    """
    run = await described_open(connection, session)
    return (await shown(run)).view.asked


async def tell(connection: Connection, session: SessionId, signal: str, argument: object) -> bool:
    """Signal a session; False when it is closed."""
    try:
        await connection.client.get_workflow_handle(session).signal(signal, argument)
    except RPCError as error:
        raise_unless_not_found(error)
        return False
    return True


def raise_unless_not_found(error: RPCError) -> None:
    """Raise the error on, unless it says that no open run was found."""
    if error.status is not RPCStatusCode.NOT_FOUND:
        raise error


def closed(session: SessionId) -> ProblemError:
    """Return the refusal of a closed session."""
    hint = f"reopen it: POST /api/v1/sessions/{session}/reopen with the prompt"
    return ProblemError(Code.SESSION_CLOSED, f"session {session!r} is closed", hint=hint)
