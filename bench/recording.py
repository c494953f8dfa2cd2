"""Records `overnight attach` in a terminal while three processes of its stack are killed.

    .venv/bin/python -m bench.recording > docs/attach-through-kills.txt

What the terminal shows stands as it is, behind the seconds since the beginning; lines that begin
with `>>>` tell what was done meanwhile.
"""

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

from bench.api import POLL_SECONDS
from bench.scripted import RECORDED
from bench.stack import Arena, arena
from cli.client import Gateway
from cli.transport import Transport
from runtime.settings import gateway_token
from workflows.contract.session import Phase

VICTIMS = {"host": 9.0, "gateway": 18.0, "temporal": 26.0}
"""Which process is killed, and how many seconds after the beginning."""

ATTACHED_SECONDS = 90.0


class Recorder:
    """Prints what a terminal shows, line by line, and what is done to the stack."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """Time since the beginning."""
        return time.monotonic() - self._began

    def line(self, text: str) -> None:
        """Print a line with the time."""
        with self._lock:
            print(f"{self.seconds:5.1f}  {text.rstrip()}", flush=True)

    def follow(self, terminal: int) -> None:
        """Print what the terminal shows until its program has ended."""
        pending = b""
        with suppress(OSError):  # how a terminal says that nobody is left
            while data := os.read(terminal, 65_536):
                *lines, pending = (pending + data).split(b"\n")
                for each in lines:
                    self.line(each.decode(errors="replace"))


def main() -> None:
    """Start a stack, attach to a session, kill, and stop."""
    with arena() as stack:
        gateway = _gateway(stack)
        session = stack.api().create(stack.repository, RECORDED).id
        recorder = Recorder()
        recorder.line(f"$ overnight attach {session}")
        ours, theirs = pty.openpty()
        program = subprocess.Popen(
            [sys.executable, "-P", "-m", "cli.main", "attach", session],
            env=stack.environment() | {"NO_COLOR": "1"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        killing = threading.Thread(target=_kill_all, args=(stack, recorder), daemon=True)
        killing.start()
        reading = threading.Thread(target=recorder.follow, args=(ours,), daemon=True)
        reading.start()
        killing.join()
        _until_waiting(gateway, session, 1)
        recorder.line(">>> the session waits; a follow-up is typed")
        os.write(ours, b"Say how it went.\n")
        _until_waiting(gateway, session, 2)
        gateway.close(session, "end of the recording")
        program.wait(ATTACHED_SECONDS)
        reading.join(ATTACHED_SECONDS)
        recorder.line(f"$ echo $?  →  {program.returncode}")


def _gateway(stack: Arena) -> Gateway:
    url, token = stack.record().gateway_url, gateway_token(stack.settings)
    return Gateway(Transport(url, token, local=True, may_return=lambda: True))


def _until_waiting(gateway: Gateway, session: str, turns: int) -> None:
    while True:
        view = gateway.session(session).view
        if view.phase is Phase.WAITING and view.last is not None and view.last.turn >= turns:
            return
        time.sleep(POLL_SECONDS)


def _kill_all(stack: Arena, recorder: Recorder) -> None:
    for name, at in VICTIMS.items():
        time.sleep(max(0.0, at - recorder.seconds))
        pid = stack.record().processes[name]
        recorder.line(f">>> kill -9 {pid}   (the {name} process)")
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
