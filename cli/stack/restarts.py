"""When a process of the stack is started again, and when that has become hopeless."""

import signal

from cli.stack.processes import Child, Death

FIRST_BACKOFF_SECONDS = 0.2
LONGEST_BACKOFF_SECONDS = 5.0
HEALTHY_SECONDS = 10.0
"""A process that lived so long is restarted without a grudge."""

EARLY_SECONDS = 5.0
EARLY_DEATHS = 5
"""So many deaths in a row, each so soon after its start or before readiness, end the stack."""


class Kept:
    """A child together with the record of its deaths."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.early_deaths = 0
        self.restart_at: float | None = None
        self._backoff_seconds = FIRST_BACKOFF_SECONDS

    @property
    def is_hopeless(self) -> bool:
        """Whether it has failed so often that another start is of no use."""
        return self.early_deaths >= EARLY_DEATHS

    def note(self, death: Death, now: float) -> float:
        """Plan the next start after this death, and return in how many seconds it will be."""
        if death.lived_seconds >= HEALTHY_SECONDS:
            self._backoff_seconds = FIRST_BACKOFF_SECONDS
        if death.was_ready and death.lived_seconds >= EARLY_SECONDS:
            self.early_deaths = 0
        elif not (death.was_ready and death.status == -signal.SIGKILL):
            # Somebody's SIGKILL of a working process says nothing about its ability to start.
            self.early_deaths += 1
        return self._plan(now)

    def note_refusal(self, now: float) -> float:
        """Plan the next start after one that the system refused; return as `note` does."""
        self.early_deaths += 1
        return self._plan(now)

    def _plan(self, now: float) -> float:
        pause = self._backoff_seconds
        self.restart_at = now + pause
        self._backoff_seconds = min(2 * pause, LONGEST_BACKOFF_SECONDS)
        return pause
