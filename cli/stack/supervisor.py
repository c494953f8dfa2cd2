"""Keeps the processes of a stack running, and stops them in order."""

import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from cli.problems import CliProblem
from cli.stack import space
from cli.stack.processes import READY_SECONDS, Child, Death, Program, Stage, last_lines
from workflows.contract.problems import Code

STOP_SECONDS = 10.0
"""A process that has not followed SIGTERM by then is killed."""

FIRST_BACKOFF_SECONDS = 0.2
LONGEST_BACKOFF_SECONDS = 5.0
HEALTHY_SECONDS = 10.0
"""A process that lived so long is restarted without a grudge."""

EARLY_SECONDS = 5.0
EARLY_DEATHS = 5
"""So many deaths in a row, each so soon after its start or before readiness, end the stack."""

PROBE_INTERVAL_SECONDS = 0.02
IDLE_INTERVAL_SECONDS = 1.0

STOPPING = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
AWAITED = STOPPING | {signal.SIGCHLD}

log = structlog.get_logger()


class Kept:
    """A child together with the record of its deaths."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.backoff_seconds = FIRST_BACKOFF_SECONDS
        self.early_deaths = 0
        self.restart_at: float | None = None

    def note(self, death: Death, now: float) -> float:
        """Plan the next start after this death, and return in how many seconds it will be."""
        if death.lived_seconds >= HEALTHY_SECONDS:
            self.backoff_seconds = FIRST_BACKOFF_SECONDS
        if death.was_ready and death.lived_seconds >= EARLY_SECONDS:
            self.early_deaths = 0
        elif not (death.was_ready and death.status == -signal.SIGKILL):
            # Somebody's SIGKILL of a working process says nothing about its ability to start.
            self.early_deaths += 1
        pause = self.backoff_seconds
        self.restart_at = now + pause
        self.backoff_seconds = min(2 * pause, LONGEST_BACKOFF_SECONDS)
        return pause


class Supervisor:
    """Runs programs as children until a signal asks it to stop.

    It must be used from the main thread of a process with one thread. SIGTERM, SIGINT and SIGHUP
    stop it cleanly; a second one skips the patience.
    """

    def __init__(self, programs: Sequence[Program], home: Path) -> None:
        self._kept = [Kept(Child(program, home)) for program in programs]

    def pids(self) -> dict[str, int]:
        """Return the process ids by name, without the processes that wait for their restart."""
        return {
            kept.child.program.name: kept.child.pid
            for kept in self._kept
            if kept.child.pid is not None
        }

    def run(self, changed: Callable[[], None]) -> None:
        """Start everything, keep it running, and return when it was asked to stop.

        `changed` is called when all processes have become ready for the first time, and after each
        restart from then on. Whatever the outcome, no child is left.

        Raises:
            CliProblem: a process cannot be kept running, or the stack never became ready.
        """
        unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
        try:
            self._start()
            self._keep(changed)
        finally:
            self._stop()
            while signal.sigtimedwait(AWAITED, 0):
                pass
            signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)

    def _start(self) -> None:
        for kept in self._kept:
            _start(kept.child)

    def _keep(self, changed: Callable[[], None]) -> None:
        give_up_at = time.monotonic() + READY_SECONDS
        announced = False
        while True:
            received = signal.sigtimedwait(AWAITED, self._patience())
            if received and received.si_signo in STOPPING:
                return
            restarted = self._bury_and_restart()
            for kept in self._kept:
                kept.child.probe()
            if announced:
                if restarted:
                    changed()
            elif all(kept.child.is_ready for kept in self._kept):
                announced = True
                changed()
            elif time.monotonic() > give_up_at:
                raise self._never_ready()

    def _patience(self) -> float:
        if not all(kept.child.is_ready for kept in self._kept):
            return PROBE_INTERVAL_SECONDS
        return IDLE_INTERVAL_SECONDS

    def _bury_and_restart(self) -> bool:
        now = time.monotonic()
        restarted = False
        for kept in self._kept:
            death = kept.child.reap()
            if death is not None:
                _report(kept, death, restart_in_seconds=kept.note(death, now))
            if kept.restart_at is not None and now >= kept.restart_at:
                kept.restart_at = None
                _start(kept.child)
                restarted = True
        return restarted

    def _stop(self) -> None:
        patient = True
        for stage in Stage:
            children = [kept.child for kept in self._kept if kept.child.program.stage is stage]
            patient = _stop_all(children, patient=patient)

    def _never_ready(self) -> CliProblem:
        late = next(kept.child for kept in self._kept if not kept.child.is_ready)
        return _failure(late, f"was not ready within {READY_SECONDS:.0f} seconds")


def _start(child: Child) -> None:
    try:
        child.start()
    except OSError as error:
        raise CliProblem(
            Code.PROCESS_FAILED,
            f"the {child.program.name} process cannot be started: {error}",
            child.program.hint,
        ) from error


def _report(kept: Kept, death: Death, *, restart_in_seconds: float) -> None:
    name = kept.child.program.name
    log.warning(
        "process.died",
        name=name,
        status=death.status,
        lived_seconds=round(death.lived_seconds, 1),
        restart_in_seconds=restart_in_seconds,
    )
    if kept.early_deaths >= EARLY_DEATHS:
        raise _failure(kept.child, f"ended {EARLY_DEATHS} times right after its start")


def _failure(child: Child, what: str) -> CliProblem:
    lines = "".join(f"\n  | {line[:300]}" for line in last_lines(child.log))
    return CliProblem(
        Code.PROCESS_FAILED,
        f"the {child.program.name} process {what}; the end of {child.log}:{lines or ' empty'}",
        space.cure(child.log.parent) if space.shortage(child.log.parent) else child.program.hint,
    )


def _stop_all(children: Sequence[Child], *, patient: bool) -> bool:
    """Stop these children; false when a signal asked for haste."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + (STOP_SECONDS if patient else 0.0)
    while any(child.pid for child in children) and time.monotonic() < deadline:
        received = signal.sigtimedwait(AWAITED, PROBE_INTERVAL_SECONDS)
        if received and received.si_signo in STOPPING:
            patient, deadline = False, 0.0
        for child in children:
            child.reap()
    for child in children:
        child.kill()
    return patient
