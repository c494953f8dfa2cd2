"""A person's client in a thread, which keeps all it gets."""

import json
import threading
from pathlib import Path
from typing import Self

from cli.stream.items import Output
from cli.stream.session import SessionStream
from cli.transport import Endpoint
from runtime.settings import gateway_token
from tests.end_to_end.local_stack import LocalStack, until
from tests.patience import PATIENCE_SECONDS
from workflows.contract.events import CommandFinished, SessionEvent
from workflows.contract.output import Channel
from workflows.contract.socket import Subscribe

Bytes = dict[tuple[str, Channel], bytearray]


class Onlooker:
    """Follows a session as `overnight attach` does, through whatever happens on the way."""

    def __init__(
        self,
        stack: LocalStack,
        session: str,
        *,
        url: str | None = None,
        wanted: Subscribe | None = None,
    ) -> None:
        endpoint = Endpoint(
            url or stack.record().gateway_url,
            gateway_token(stack.settings),
            local=True,
            may_return=lambda: True,
        )
        self._stream = SessionStream(endpoint, session, wanted or Subscribe())
        self._thread = threading.Thread(target=self._run, name="onlooker")
        self.events: list[SessionEvent] = []
        self.output: Bytes = {}
        self.failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.close()
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        if self.failure is not None:
            raise self.failure

    def wait(self) -> None:
        """Return when the session is closed and all of it is here."""
        until(lambda: not self._thread.is_alive(), "the session's stream has ended")

    def stdout(self, command: str) -> bytes:
        return bytes(self.output.get((command, Channel.STDOUT), b""))

    def stderr(self, command: str) -> bytes:
        return bytes(self.output.get((command, Channel.STDERR), b""))

    @property
    def kinds(self) -> list[str]:
        return [event.event.kind for event in self.events]

    @property
    def received(self) -> int:
        """Bytes of output so far."""
        return sum(map(len, self.output.values()))

    def until_more(self, bytes_more: int = 1) -> None:
        """Wait until more output has come than there is now."""
        enough = self.received + bytes_more
        until(lambda: self.failure or self.received >= enough, "more output comes")
        assert self.failure is None, repr(self.failure)

    def finished(self, command: str) -> CommandFinished:
        (found,) = (
            event.event
            for event in self.events
            if isinstance(event.event, CommandFinished) and event.event.command_id == command
        )
        return found

    def _run(self) -> None:
        try:
            for item in self._stream.items():
                if isinstance(item, SessionEvent):
                    self.events.append(item)
                elif isinstance(item, Output):
                    for frame in item.frames:
                        key = (item.command_id, frame.channel)
                        self.output.setdefault(key, bytearray()).extend(frame.data)
        except BaseException as failure:  # noqa: BLE001  # told by the test's own thread
            self.failure = failure


def printer(rate_bytes: int) -> str:
    """Return a program that prints on both channels until there is a file `stop`.

    Bytes of all values, also none that are text; it then leaves the hashes in `truth.json`.
    """
    return f"""
import hashlib, json, os, pathlib, random, sys, time

dice = random.Random(1)
hashes = [hashlib.sha256(), hashlib.sha256()]
pathlib.Path("started").touch()
while not pathlib.Path("stop").exists():
    for channel in (0, 1):
        data = dice.randbytes(dice.randint(1, {rate_bytes // 100}))
        hashes[channel].update(data)
        view = memoryview(data)
        while view:
            view = view[os.write(channel + 1, view):]
    time.sleep(0.01)
truth = [each.hexdigest() for each in hashes]
pathlib.Path("truth.json").write_text(json.dumps(truth))
"""


def truth_of(workspace: Path) -> list[str]:
    """Return the hashes of stdout and stderr that a `printer` has left."""
    truth: list[str] = json.loads((workspace / "truth.json").read_text())
    return truth
