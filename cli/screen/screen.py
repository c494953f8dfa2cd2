"""Writes lines and unfinished lines of several sources so that none runs into another."""

from collections.abc import Callable, Hashable

import typer

from cli.screen.inert import InertBytes
from cli.stream.items import Output
from workflows.contract.base import CommandId
from workflows.contract.output import Channel
from workflows.contract.sandbox import CommandOutcome
from workflows.contract.socket import OutputSkipped

LINE_LIMIT_CHARACTERS = 4_000
"""More of one line tells a person nothing; `overnight logs` has it whole."""

MOST_BEHIND_BYTES = 1024 * 1024
"""A person who is shown a command live does not read on at a larger distance."""


_FAILURES = {
    CommandOutcome.TIMEOUT: "timeout: it took too long and was stopped",
    CommandOutcome.STOPPED: "stopped before its end",
    CommandOutcome.OUTPUT_LIMIT: "output limit: it printed too much and was stopped",
    CommandOutcome.KILLED: "killed from within the sandbox",
    CommandOutcome.LOST: "lost: the sandbox ended under it",
}


def to_stdout(text: str, *, plain: bool = False) -> None:
    """Write text as it is; without colours where there is no terminal, or with `plain`.

    What NO_COLOR asks for is known by itself in the main thread only.
    """
    typer.echo(text, nl=False, color=False if plain else None)


def to_stderr(text: str) -> None:
    """Write text as it is; without colours where there is no terminal."""
    typer.echo(text, nl=False, err=True)


class Screen:
    """What a person reads; `write` takes text with its line ends. All text must be inert."""

    def __init__(
        self, write: Callable[[str], None], was_ended: Callable[[], bool] = lambda: False
    ) -> None:
        self._write = write
        self._was_ended = was_ended
        """Whether somebody else has ended the line that was not finished."""

        self._unfinished: Hashable = None
        """The source of the line that has not ended yet."""

    def line(self, text: str) -> None:
        """Write one line."""
        self.finish_line()
        self._write(text + "\n")

    def finish_line(self) -> None:
        """End a line that is not finished."""
        was_ended = self._was_ended()
        if self._unfinished is not None:
            self._unfinished = None
            if not was_ended:
                self._write("\n")

    def text(self, source: Hashable, prefix: str, text: str) -> None:
        """Go on with a source's text; each of its lines begins with the prefix."""
        if not text:
            return
        if self._unfinished != source:
            self.finish_line()
        elif self._was_ended():
            self._unfinished = None
        begun = self._unfinished is not None
        *whole, rest = text.split("\n")
        pieces: list[str] = []
        for line in whole:
            pieces += ["" if begun else prefix, line, "\n"]
            begun = False
        if rest:
            pieces += ["" if begun else prefix, rest]
            begun = True
        self._unfinished = source if begun else None
        self._write("".join(pieces))


class CommandOutput:
    """Shows the output of commands on a screen, line by line, stderr marked."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._inert: dict[tuple[CommandId, Channel], InertBytes] = {}
        self._prefixes = {
            Channel.STDOUT: typer.style("│ ", dim=True),
            Channel.STDERR: typer.style("│! ", fg="red", dim=True),
        }

    def show(self, output: Output) -> None:
        """Show the next frames of a command."""
        for frame in output.frames:
            source = (output.command_id, frame.channel)
            inert = self._inert.setdefault(source, InertBytes(LINE_LIMIT_CHARACTERS))
            self._screen.text(source, self._prefixes[frame.channel], inert.feed(frame.data))

    def skipped(self, skipped: OutputSkipped) -> None:
        """Tell what was left out."""
        size = f"{skipped.end - skipped.start:,} bytes"
        self._screen.line(self._prefixes[Channel.STDOUT] + f"… {size} left out …")
        self._forget(skipped.command_id)

    def ended(self, command_id: CommandId) -> None:
        """End what a command left unfinished."""
        for channel in Channel:
            inert = self._inert.get((command_id, channel))
            if inert is not None:
                self._screen.text((command_id, channel), self._prefixes[channel], inert.end())
        self._screen.finish_line()
        self._forget(command_id)

    def failed(self, outcome: CommandOutcome, exit_code: int | None) -> None:
        """Tell how a command ended, unless it did well."""
        if outcome is CommandOutcome.EXITED and exit_code == 0:
            return
        code = "unknown" if exit_code is None else exit_code
        how = _FAILURES.get(outcome, f"exit {code}")
        colour = None if outcome is CommandOutcome.STOPPED else "red"
        self._screen.line(self._prefixes[Channel.STDOUT] + typer.style(how, fg=colour, dim=True))

    def _forget(self, command_id: CommandId) -> None:
        for channel in Channel:
            self._inert.pop((command_id, channel), None)
