"""What the routes and sockets of one gateway work with."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import HTTPConnection

from gateway.browsers import Browsers
from gateway.feed.feed import Feed
from gateway.feed.output import Outputs
from gateway.problems import ProblemError
from gateway.sessions.connection import Connection
from gateway.sessions.health import Health
from gateway.sessions.lifecycle import Sessions
from gateway.sessions.listing import Listing
from gateway.sessions.records import Records
from gateway.sessions.reviewing import Reviewing
from gateway.sessions.steering import Steering
from gateway.tickets import Purpose, Tickets
from runtime import telemetry
from runtime.settings import Settings, gateway_token
from runtime.store.base import Store
from workflows.contract import metrics
from workflows.contract.problems import Code


class Services:
    """Made once per gateway; `close` ends what it started."""

    def __init__(self, settings: Settings, connection: Connection, store: Store) -> None:
        self.settings = settings
        self.connection = connection
        self.store = store
        self.records = Records(store)
        self.listing = Listing(connection)
        self.health = Health(connection, store, settings)
        self.sessions = Sessions(connection, self.records, self.listing)
        self.steering = Steering(connection, self.records)
        self.reviewing = Reviewing(connection, self.records, store)
        self.feed = Feed(connection, self.records, self.sessions, store)
        self.outputs = Outputs(store)
        self._token = gateway_token(settings)
        self.tickets = Tickets(self._token, Purpose.SOCKET)
        self.sign_in_tickets = Tickets(self._token, Purpose.SIGN_IN)
        self.browsers = Browsers(self._token)
        self.sockets = 0
        """How many are open."""

    def close(self) -> None:
        """Stop watching sessions."""
        self.feed.close()

    def is_token(self, given: str) -> bool:
        """Tell whether this is the gateway's token."""
        return hmac.compare_digest(given.encode(), self._token.encode())

    @contextmanager
    def one_more_socket(self) -> Iterator[None]:
        """Count a socket while the block runs.

        Raises:
            ProblemError: `too_many_sockets`.
        """
        if self.sockets >= self.settings.sockets_limit:
            detail = f"{self.sockets} sockets are open already"
            raise ProblemError(Code.TOO_MANY_SOCKETS, detail)
        self._count_sockets(1)
        try:
            yield
        finally:
            self._count_sockets(-1)

    def _count_sockets(self, more: int) -> None:
        self.sockets += more
        telemetry.set_level(metrics.SOCKETS, self.sockets)


def services_of(connection: HTTPConnection) -> Services:
    """Return the services of the gateway that serves a request or socket."""
    services: Services = connection.app.state.services
    return services
