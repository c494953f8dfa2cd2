"""Keeps the processes of a stack running, and stops them in order."""

import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from cli.problems import CliProblem
from cli.stack import space
from cli.stack.processes import READY_SECONDS, Child, Death, Program, Stage, last_lines
from cli.stack.restarts import EARLY_DEATHS, Kept
from workflows.contract.problems import Code

STOP_SECONDS = 10.0
"""A process that has not followed SIGTERM by then is killed."""

PROBE_INTERVAL_SECONDS = 0.02
IDLE_INTERVAL_SECONDS = 1.0

Signals = frozenset[signal.Signals]

log = structlog.get_logger()


class Supervisor:
    """Runs programs as children until a signal asks it to stop.

    It must be used from the main thread of a process with one thread. SIGTERM, SIGINT and SIGHUP
    stop it cleanly; a second one skips the patience. The last two do so unless whoever started this
    process had them ignored.
    """

    def __init__(self, programs: Sequence[Program], home: Path) -> None:
        self._kept = [Kept(Child(program, home)) for program in programs]
        self._stopping = _stopping()

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
        awaited = _awaited(self._stopping)
        unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
        try:
            self._start()
            self._keep(changed)
        finally:
            self._stop()
            while signal.sigtimedwait(awaited, 0):
                pass
            signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)

    def _start(self) -> None:
        for kept in self._kept:
            _start(kept.child)

    def _keep(self, changed: Callable[[], None]) -> None:
        give_up_at = time.monotonic() + READY_SECONDS
        announced = False
        while True:
            if _is_asked_to_stop(self._stopping, self._patience()):
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
                restarted |= _restart(kept, now)
        return restarted

    def _stop(self) -> None:
        patient = True
        for stage in Stage:
            children = [kept.child for kept in self._kept if kept.child.program.stage is stage]
            patient = _stop_all(children, self._stopping, patient=patient)

    def _never_ready(self) -> CliProblem:
        late = next(kept.child for kept in self._kept if not kept.child.is_ready)
        return _failure(late, f"was not ready within {READY_SECONDS:.0f} seconds")


def _stopping() -> Signals:
    """Return the signals that stop a stack started as this process was."""
    # nohup has SIGHUP ignored, and a script SIGINT for what it starts in the background. The kernel
    # keeps to that only as long as they are not blocked. SIGTERM is the word of `overnight down`.
    refusable = {signal.SIGINT, signal.SIGHUP}
    ignored = {each for each in refusable if signal.getsignal(each) == signal.SIG_IGN}
    return frozenset({signal.SIGTERM, *refusable} - ignored)


def _awaited(stopping: Signals) -> Signals:
    return stopping | {signal.SIGCHLD}


def _is_asked_to_stop(stopping: Signals, patience_seconds: float) -> bool:
    """Wait until a child has changed or somebody wants the end; tell whether it is the latter."""
    received = signal.sigtimedwait(_awaited(stopping), patience_seconds)
    return received is not None and received.si_signo in stopping


def _start(child: Child) -> None:
    try:
        child.start()
    except OSError as error:
        raise CliProblem(
            Code.PROCESS_FAILED,
            f"the {child.program.name} process cannot be started: {error}",
            child.program.hint,
        ) from error


def _restart(kept: Kept, now: float) -> bool:
    """Start a process again; false when the system refuses, which it may do only for a while."""
    try:
        _start(kept.child)
    except CliProblem as problem:
        pause = kept.note_refusal(now)
        name = kept.child.program.name
        reason = problem.detail
        log.warning("process.not_started", name=name, reason=reason, restart_in_seconds=pause)
        if kept.is_hopeless:
            raise
        return False
    return True


def _report(kept: Kept, death: Death, *, restart_in_seconds: float) -> None:
    name = kept.child.program.name
    log.warning(
        "process.died",
        name=name,
        status=death.status,
        lived_seconds=round(death.lived_seconds, 1),
        restart_in_seconds=restart_in_seconds,
    )
    if kept.is_hopeless:
        raise _failure(kept.child, f"ended {EARLY_DEATHS} times right after its start")


def _failure(child: Child, what: str) -> CliProblem:
    lines = "".join(f"\n  | {line[:300]}" for line in last_lines(child.log))
    return CliProblem(
        Code.PROCESS_FAILED,
        f"the {child.program.name} process {what}; the end of {child.log}:{lines or ' empty'}",
        space.cure(child.log.parent) if space.shortage(child.log.parent) else child.program.hint,
    )


def _stop_all(children: Sequence[Child], stopping: Signals, *, patient: bool) -> bool:
    """Stop these children; false when a signal asked for haste."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + (STOP_SECONDS if patient else 0.0)
    while any(child.pid for child in children) and time.monotonic() < deadline:
        if _is_asked_to_stop(stopping, PROBE_INTERVAL_SECONDS):
            patient, deadline = False, 0.0
        for child in children:
            child.reap()
    for child in children:
        child.kill()
    return patient
