"""Whether an installation works, row by row; spoken by gateway, model trial and command line."""

from datetime import datetime
from enum import StrEnum
from typing import Literal, Self

from workflows.contract.base import Frozen


class Status(StrEnum):
    """How a thing that was looked at is."""

    OK = "ok"
    WARN = "warn"
    """It works, but not as it should."""

    FAIL = "fail"


class Row(Frozen):
    """One thing that was looked at; holds no secret."""

    status: Status
    what: str
    """Its name, a word or two; stable, for programs."""

    finding: str
    cure: str = ""
    """What to do about it; empty when there is nothing to be done."""

    @classmethod
    def ok(cls, what: str, finding: str) -> Self:
        """Say that it is as it should be."""
        return cls(status=Status.OK, what=what, finding=finding)

    @classmethod
    def warn(cls, what: str, finding: str, cure: str) -> Self:
        """Say that it could be better."""
        return cls(status=Status.WARN, what=what, finding=finding, cure=cure)

    @classmethod
    def fail(cls, what: str, finding: str, cure: str) -> Self:
        """Say that it does not work."""
        return cls(status=Status.FAIL, what=what, finding=finding, cure=cure)


class ModelTrial(Frozen):
    """What came of trying one model; usable unless a row fails."""

    object: Literal["model_trial"] = "model_trial"
    model: str
    rows: tuple[Row, ...]


class QueueHealth(Frozen):
    """Who takes work from one task queue."""

    queue: str
    workers: int
    """How many have asked for work within the last 75 s."""

    asked_seconds_ago: float | None = None
    """Since the newest request for work, of those that Temporal remembers for five minutes.

    A worker that is alive asks at least once a minute.
    """


class TemporalHealth(Frozen):
    """Temporal as the gateway finds it."""

    trouble: str = ""
    """Why it could not be asked; empty when it answered."""

    version: str = ""
    namespace: str = ""
    retention_days: float | None = None
    """How long closed sessions can be listed and reopened."""

    is_prepared: bool | None = None
    """Whether the namespace has our search attribute; none when we may not ask."""

    queues: tuple[QueueHealth, ...] = ()


class StoreHealth(Frozen):
    """What came of writing a byte into the store, synced, and reading it again."""

    place: Literal["folder", "bucket"]
    trouble: str = ""
    """Why that failed; empty when the byte came back."""

    seconds: float = 0.0


class GatewayHealth(Frozen):
    """What only the gateway can find out about an installation."""

    object: Literal["health"] = "health"
    version: str
    time: datetime
    """The gateway's clock."""

    sandbox: str
    model: str | None
    """The model of sessions that name none."""

    fallbacks: tuple[str, ...] = ()
    temporal: TemporalHealth
    store: StoreHealth
