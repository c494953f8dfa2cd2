"""PID 1 of a box: owns its commands and answers requests on a unix socket.

One thread, one loop. The launcher hands over two descriptors: the state folder, whose lock lives as
long as this process, and a bound socket. Clients come and go; nothing a client does or fails to do
ends a command. On the host provider the same program runs without being PID 1.
"""

import errno
import math
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable

from activities.sandbox.inside import linux, wire
from activities.sandbox.inside.client import Client
from activities.sandbox.inside.commands import Commands
from activities.sandbox.inside.effects import Effects
from activities.sandbox.inside.outputs import Outputs
from activities.sandbox.inside.workspace import Workspace

BACKLOG = 1024
LONGEST_WAIT_S = 60.0
"""An idle box looks so often whether its folder was removed, and otherwise does nothing."""


class Supervisor:
    """The loop and what it serves."""

    def __init__(self, state: int, listener: socket.socket, workspace: str, home: str) -> None:
        self._state = state
        self._selector = selectors.DefaultSelector()
        self._listener = listener
        self._commands = Commands(state, workspace, self._selector)
        self._outputs = Outputs(state, home)
        self._effects = Effects(state, Workspace(workspace), self._outputs)
        self._clients: set[Client] = set()
        self._ending = False
        self._operations: dict[str, Callable[[wire.Request, float], wire.Reply | None]] = {
            "start": lambda request, _: self._commands.start(request),
            "wait": self._commands.wait,
            "stop": lambda request, _: self._commands.stop(request),
            "file": lambda request, _: self._effects.use(request),
            "keep_output": lambda request, _: self._outputs.keep(request),
            "ping": lambda _request, _: self._ping(),
            "shutdown": lambda _request, _: self._shutdown(),
        }

    def run(self) -> None:
        """Serve until a client asks for the end and every command is gone."""
        wakeup = self._listen_to_deaths()
        self._listener.settimeout(0)
        self._listener.listen(BACKLOG)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(wakeup, selectors.EVENT_READ, lambda: self._on_death(wakeup))
        while not (self._ending and not self._commands.running):
            for key, _ in self._selector.select(self._patience_s()):
                key.data()
            self._commands.tick()
            self._answer_waiting()
            if os.fstat(self._state).st_nlink == 0:
                # Nobody could ever find this box again, and no end can be recorded any more.
                self._commands.stop_all()
                return

    def _listen_to_deaths(self) -> int:
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        return reading

    def _on_death(self, wakeup: int) -> None:
        os.read(wakeup, 4096)
        self._commands.reap()

    def _patience_s(self) -> float:
        times = [due for client in self._clients if (due := client.due()) is not None]
        if (due := self._commands.due()) is not None:
            times.append(due)
        left_s = min(times, default=math.inf) - time.monotonic()
        return min(max(0.0, left_s), LONGEST_WAIT_S)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # the client left before it was let in, or there is no descriptor to spare
        client = Client(connection)
        self._clients.add(client)
        self._selector.register(
            connection, selectors.EVENT_READ, lambda: self._serve(client, readable=True)
        )

    def _serve(self, client: Client, *, readable: bool = False) -> None:
        try:
            if readable:
                client.pump()
            while (request := client.request()) is not None:
                reply = self._answer(request, client.waited_s())
                if reply is None:
                    break
                client.reply(reply)
            events = client.events()
        except wire.RefusedError as problem:
            client.refuse(str(problem))
            events = 0
        except OSError:
            events = 0
        self._watch(client, events)

    def _watch(self, client: Client, events: int) -> None:
        if client.is_done or events == 0:
            self._selector.unregister(client.connection)
            self._clients.discard(client)
            client.connection.close()
            return
        key = self._selector.get_key(client.connection)
        if key.events != events:
            self._selector.modify(client.connection, events, key.data)

    def _answer(self, request: wire.Request, waited_s: float) -> wire.Reply | None:
        operation = self._operations.get(wire.text(request, "op"))
        if operation is None:
            return {"error": "no such operation"}
        try:
            return operation(request, waited_s)
        except OSError as problem:
            code = errno.errorcode.get(problem.errno or 0, "OSError")
            return {"error": f"{code}: {problem.strerror or problem}"}
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as problem:
            return {"error": f"{problem}" or type(problem).__name__}

    def _answer_waiting(self) -> None:
        for client in [client for client in self._clients if client.is_waiting]:
            self._serve(client)

    def _ping(self) -> wire.Reply:
        running = sorted(self._commands.running)
        return {"pid1": os.getpid() == 1, "version": wire.VERSION, "running": running}

    def _shutdown(self) -> wire.Reply | None:
        self._ending = True
        self._commands.stop_all()
        return None if self._commands.running else {"ended": True}


def main(arguments: list[str]) -> None:
    """Run it: state descriptor, socket descriptor, workspace, home, and a name for `ps`."""
    state, listener, workspace, home = int(arguments[0]), int(arguments[1]), *arguments[2:4]
    for descriptor in (state, listener):
        os.set_inheritable(descriptor, False)  # noqa: FBT003  # takes no keyword
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Commands have the same user: this keeps them from reading /proc/1/environ, fd and memory.
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    if os.getpid() != 1:
        linux.write_durably(state, "status.json", b'{"child-pid": %d}' % os.getpid())
    Supervisor(state, socket.socket(fileno=listener), workspace, home).run()


if __name__ == "__main__":
    main(sys.argv[1:])
