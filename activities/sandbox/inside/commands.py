"""The commands of a box by id: claimed once, pumped into a framed log, ended with one record.

Used by the supervisor's loop, which calls `reap` after SIGCHLD and `tick` after every wait.
Each command has a folder `commands/<id>/` in the state folder: `log` (frames, see `wire.FRAME`)
and, once the command and all it started are gone, `exit.json`. A folder without `exit.json` whose
command does not run is of an earlier life of the box: the command is `lost`, never repeated.
"""

import os
import selectors
import time
from contextlib import suppress

from activities.sandbox.inside import linux, records, warden, wire
from activities.sandbox.inside.command import Command, Log

DEFAULT_OUTPUT_LIMIT_BYTES = 10 * 1024 * 1024


class Commands:
    """Every command this box has ever been asked to run."""

    def __init__(self, state: int, workspace: str, selector: selectors.BaseSelector) -> None:
        self._folder = linux.open_folder(state, "commands")
        self._workspace = workspace
        self._selector = selector
        self.running: dict[str, Command] = {}

    def start(self, request: wire.Request) -> wire.Reply:
        """Run a command unless its id is taken; says what became of an id that is."""
        name = wire.identifier(request, "id")
        if name in self.running:
            return {"state": "running"}
        ended = self._ended(name)
        if ended is not None:
            return {"state": "ended", "exit": ended}
        task = warden.Task(
            shell=wire.text(request, "shell"),
            cwd=os.path.join(self._workspace, wire.text(request, "cwd", ".")),  # noqa: PTH118
            env=wire.environment(request, "env"),
        )
        timeout_s = wire.seconds(request, "timeout_s", wire.MAX_SECONDS)
        limit = wire.whole(request, "output_limit", DEFAULT_OUTPUT_LIMIT_BYTES)
        self.running[name] = self._launch(name, task, timeout_s, limit)
        return {"state": "started"}

    def _launch(self, name: str, task: warden.Task, timeout_s: float, limit: int) -> Command:
        folder = self._claim(name)
        try:
            log = Log(folder, limit)
            os.fsync(self._folder)
            command = Command(folder, log, warden.launch(task), timeout_s)
        except OSError:
            # Nothing runs yet, so a repeat of the request may try again.
            self._unclaim(name, folder)
            raise
        command.watch(self._selector)
        return command

    def _claim(self, name: str) -> int:
        os.mkdir(name, 0o700, dir_fd=self._folder)
        return linux.open_folder(self._folder, name)

    def _unclaim(self, name: str, folder: int) -> None:
        for file in os.listdir(folder):
            with suppress(OSError):
                os.unlink(file, dir_fd=folder)
        os.close(folder)
        os.rmdir(name, dir_fd=self._folder)

    def wait(self, request: wire.Request, waited_s: float) -> wire.Reply | None:
        """Say how long the log is and how the command ended; None means: ask again later."""
        name = wire.identifier(request, "id")
        command = self.running.get(name)
        if command is None:
            ended = self._ended(name)
            if ended is None:
                return {"error": "unknown"}
            return {"size": self._log_size(name), "exit": ended}
        patience_s = min(wire.seconds(request, "wait_s", 0), wire.MAX_WAIT_S)
        if command.log.size > wire.whole(request, "offset", 0) or waited_s >= patience_s:
            return {"size": command.log.size, "exit": None}
        return None

    def stop(self, request: wire.Request) -> wire.Reply | None:
        """End a command; None until its end is recorded. An id not yet used never will run."""
        name = wire.identifier(request, "id")
        command = self.running.get(name)
        if command is not None:
            command.stop(wire.seconds(request, "grace_s", 1.0))
            return None
        return {"exit": self._ended(name) or self._bury(name)}

    def stop_all(self) -> None:
        """Kill every command; `running` is empty once all are gone."""
        for command in self.running.values():
            command.kill("stopped")

    def reap(self) -> None:
        """Collect every child that died."""
        wardens = {command.warden: command for command in self.running.values()}
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid in wardens:
                    wardens[pid].mark_warden_gone(clean=status == 0)

    def tick(self) -> None:
        """Do what time and deaths have made due."""
        now = time.monotonic()
        for command in self.running.values():
            command.tick(now)
        if any(command.orphans_possible for command in self.running.values()):
            self._kill_strays()
        for name, command in list(self.running.items()):
            if command.is_over and now >= command.record_at and self._record(command, now):
                del self.running[name]

    def due(self) -> float | None:
        """Return the monotonic time in seconds at which `tick` has work at the latest."""
        times = [due for command in self.running.values() if (due := command.due()) is not None]
        return min(times, default=None)

    def _kill_strays(self) -> None:
        # A command killed its own warden, so its processes became children of the supervisor, whose
        # only other children are the wardens.
        table = linux.living_children()
        wardens = {command.warden for command in self.running.values()}
        strays = [pid for pid in table.get(os.getpid(), []) if pid not in wardens]
        for pid in strays:
            linux.kill_all([pid, *linux.descendants(table, pid)])
        if not strays:
            for command in self.running.values():
                command.orphans_possible = False

    def _record(self, command: Command, now: float) -> bool:
        try:
            record = command.finish(self._selector)
            records.write(command.folder, record)
        except OSError:
            # A full disk: the end is kept in memory until there is room to write it down.
            command.record_at = now + 1.0
            return False
        command.close()
        return True

    def _ended(self, name: str) -> wire.Reply | None:
        try:
            folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._folder)
        except FileNotFoundError:
            return None
        try:
            record = records.read(folder)
            if record is None:
                record = records.lost(folder)
                records.write(folder, record)
            return record
        finally:
            os.close(folder)

    def _bury(self, name: str) -> wire.Reply:
        now = time.time_ns()
        record = records.ended("stopped", None, {}, (now, now))
        folder = self._claim(name)
        try:
            records.write(folder, record)
            os.fsync(self._folder)
        finally:
            os.close(folder)
        return record

    def _log_size(self, name: str) -> int:
        try:
            return os.stat(f"{name}/log", dir_fd=self._folder).st_size
        except FileNotFoundError:
            return 0
