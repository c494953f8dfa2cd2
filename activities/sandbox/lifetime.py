"""The life of a box on this host: started once, found again, removed without a trace.

A box is alive as long as somebody holds the lock on its state folder. The launcher takes the lock
and hands the open folder to the new supervisor, so the lock outlives every worker and ends with the
box, however it ends. Used by the providers whose boxes are folders of this host.
"""

import asyncio
import fcntl
import json
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from activities.sandbox.box import BoxClient, BoxGone, BoxPaths
from activities.sandbox.inside import linux
from activities.sandbox.namespaces import Handover
from activities.sandbox.removal import remove_tree
from activities.sandbox.spawn import Detached, start_detached

READY_TIMEOUT_S = 60.0
"""A new box answers within this time or counts as failed; one that ended is noticed at once."""

END_TIMEOUT_S = 5.0
"""A box is killed when it has not ended by itself after this time."""

DEATH_TIMEOUT_S = 30.0
"""What was killed is gone within this time, on a starved machine too."""

DYING_S = 1.0
"""A killed box lets its connections go an instant before its lock; on a busy machine that lasts."""

POLL_S = 0.002
STATUS = "status.json"
"""File of the state folder that tells the supervisor's process id, as soon as it is known."""

LOG_TAIL_BYTES = 2_000
_LARGEST_PID = 2**22

Launch = Callable[[Handover], list[str]]
"""From what is handed over to the command line that makes the box."""


class BoxFailed(Exception):  # noqa: N818  # an event, not a mistake
    """The box could not be started or removed; the message carries what was said."""


async def ensure_running(paths: BoxPaths, launch: Launch) -> bool:
    """Have the box running and answering; returns whether it was started anew.

    Any number of workers may call this at once: one starts the box, the others find it. The folders
    are made when missing. Raises `BoxFailed` when the box ends or is silent for 60 s.
    """
    paths.make()
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            while True:
                state = _lock(paths.state)
                if state is not None:
                    try:
                        await _start(paths, launch, state)
                    finally:
                        os.close(state)
                    return True
                with suppress(BoxGone):
                    await BoxClient(paths).ping()
                    return False
                await asyncio.sleep(POLL_S)
    except TimeoutError as problem:
        raise BoxFailed(_with_log(paths, "does not answer")) from problem


def is_running(paths: BoxPaths) -> bool:
    """Tell whether the box lives, without asking it."""
    state = _lock(paths.state) if paths.state.is_dir() else -1
    if state is not None and state >= 0:
        os.close(state)
    return state is None


def life(paths: BoxPaths) -> str:
    """Name the life of a running box: each start gives it another one."""
    return (paths.state / "token").read_text()


async def ends_now(paths: BoxPaths) -> bool:
    """Tell whether a box that does not answer is dead, or is dying at this moment."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DYING_S):
            while is_running(paths):  # noqa: ASYNC110  # a lock of another process tells nobody
                await asyncio.sleep(POLL_S)
            return True
    return False


def _lock(path: Path) -> int | None:
    """Open and lock the state folder, or a file in it; None when a living process has it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


async def _start(paths: BoxPaths, launch: Launch, state: int) -> None:
    # A box that just ended was perhaps removed: a lock on a folder without a name guards nothing.
    if not paths.state.is_dir() or not os.path.samestat(os.fstat(state), paths.state.stat()):
        message = f"box {paths.root.name!r} was removed while it was being started"
        raise BoxFailed(message)
    process = await asyncio.to_thread(_spawn, paths, launch, state)
    while True:
        with suppress(BoxGone):
            await BoxClient(paths).ping()
            return
        if process.has_ended:
            raise BoxFailed(_with_log(paths, "did not start"))
        await asyncio.sleep(POLL_S)


def _spawn(paths: BoxPaths, launch: Launch, state: int) -> Detached:
    token = f"overnight-{paths.root.name}-{secrets.token_hex(8)}"
    linux.write_durably(state, "token", token.encode())
    # The bwrap of a box that has just died may still write how it ended: not into the new file.
    for name in ("socket", STATUS):
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=state)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    status = os.open(STATUS, flags, 0o600, dir_fd=state)
    try:
        fcntl.flock(status, fcntl.LOCK_EX)  # handed over, too: bwrap has it to its own end
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"/proc/self/fd/{state}/socket")
            handed = (state, listener.fileno(), status)
            argv = launch(Handover(*handed, token))
            return start_detached(argv, handed, paths.state / "box.log")
    finally:
        os.close(status)


def _with_log(paths: BoxPaths, what: str) -> str:
    said = ""
    with suppress(FileNotFoundError):
        said = (paths.state / "box.log").read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
    return f"box {paths.root.name!r} {what}: {said.strip() or 'it said nothing'}"


async def destroy(paths: BoxPaths) -> None:
    """End the box with everything in it and remove its folders; idempotent.

    Commands are killed. Returns when no process of the box is left; without walls, commands of a
    box that did not answer may live for a moment more. Raises `BoxFailed` when a process cannot be
    killed or a file cannot be removed; a repeat goes on from there.
    """
    if paths.state.is_dir():
        async with _ended(paths):
            await asyncio.to_thread(_remove, paths)
    else:
        await asyncio.to_thread(_remove, paths)


@asynccontextmanager
async def _ended(paths: BoxPaths) -> AsyncIterator[None]:
    process = _find(paths)
    patience_s = 0.0
    with suppress(BoxGone, TimeoutError):
        async with asyncio.timeout(END_TIMEOUT_S):
            await BoxClient(paths).shutdown()
            patience_s = END_TIMEOUT_S
    try:
        if process is not None and not await _has_gone(process, patience_s):
            _kill(process, _pid(paths))
    finally:
        if process is not None:
            os.close(process)
    state = await _lock_once_free(paths.state)
    try:
        # A supervisor lets its lock go before its children are dead and bwrap has collected it.
        if (paths.state / STATUS).exists():
            os.close(await _lock_once_free(paths.state / STATUS))
        yield
    finally:
        os.close(state)


async def _lock_once_free(path: Path) -> int:
    try:
        async with asyncio.timeout(DEATH_TIMEOUT_S):
            while (locked := _lock(path)) is None:  # noqa: ASYNC110  # a lock sends no event
                await asyncio.sleep(POLL_S)
            return locked
    except TimeoutError as problem:
        message = f"a box cannot be ended: the lock on {str(path)!r} is still held"
        raise BoxFailed(message) from problem


def _pid(paths: BoxPaths) -> int | None:
    # bwrap appends a second object, with the exit code, when the box ends.
    try:
        content = (paths.state / STATUS).read_text()
        recorded = json.JSONDecoder().raw_decode(content)[0]
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    pid = recorded.get("child-pid") if isinstance(recorded, dict) else None
    return pid if isinstance(pid, int) and 0 < pid <= _LARGEST_PID else None


def _find(paths: BoxPaths) -> int | None:
    """Return a descriptor of the supervisor's process; None when it is gone.

    The recorded pid may belong to another program by now. The descriptor is taken first and then
    the token looked for in the command line, so what is killed later is what was looked at.
    """
    pid = _pid(paths)
    if pid is None:
        return None
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    with suppress(OSError):
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            command_line = file.read()
        if (paths.state / "token").read_bytes() in command_line:
            return process
    os.close(process)
    return None


async def _has_gone(process: int, timeout_s: float) -> bool:
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(process, gone.set)
    try:
        async with asyncio.timeout(timeout_s):
            await gone.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(process)
    return True


def _kill(process: int, pid: int | None) -> None:
    # Inside a box PID 1 takes everything along. On the host its wardens notice and do the same; a
    # supervisor that is stopped first cannot start anything new meanwhile.
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, signal.SIGSTOP)
        if pid is not None:
            linux.kill_all(linux.descendants(linux.living_children(), pid))
        signal.pidfd_send_signal(process, signal.SIGKILL)


def _remove(paths: BoxPaths) -> None:
    try:
        # The state goes last: until then a repeat finds the lock and the pid.
        for folder in (paths.workspace, paths.home, paths.root):
            remove_tree(folder)
    except OSError as problem:
        message = f"box {paths.root.name!r} cannot be removed: {problem}"
        raise BoxFailed(message) from problem
