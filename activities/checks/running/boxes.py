"""What checks need of their host's sandboxes, which they do not import: adapters are strangers.

Every command has an id and runs once under it, so whoever repeats a step attaches to what it did.
"""

import hashlib
from typing import Protocol

from workflows.contract.base import CommandId
from workflows.contract.sandbox import (
    CloseSandbox,
    CommandOutcome,
    CommandResult,
    OpenSandbox,
    RunCommand,
    SandboxBinding,
    SandboxClosed,
    SandboxReady,
)

OUR_SECONDS = 120.0
"""What a command of ours may take: it reads or moves some files."""

ID_CHARACTERS = 120
"""No command id is longer."""


class Ending(Protocol):
    """How a command ended, and the beginning of what it printed."""

    @property
    def outcome(self) -> CommandOutcome:
        """Tell how it ended."""

    @property
    def exit_code(self) -> int | None:
        """Return 128 + n for signal n; None when it is not known."""

    @property
    def seconds(self) -> float:
        """Return how long it ran."""

    @property
    def stdout(self) -> bytes:
        """Return its first bytes, as many as were asked for."""

    @property
    def stderr(self) -> bytes:
        """Return its first bytes, as many as were asked for."""

    @property
    def excerpt(self) -> str:
        """Return the beginning and the end of both."""


class Boxes(Protocol):
    """The sandboxes of this host; `activities.sandbox.adapter` has them."""

    async def open(self, request: OpenSandbox) -> SandboxReady:
        """Do what the port `Sandbox` says."""

    async def run_command(self, request: RunCommand) -> CommandResult:
        """Do what the port `Sandbox` says."""

    async def close(self, request: CloseSandbox) -> SandboxClosed:
        """Do what the port `Sandbox` says."""

    def tools(self) -> str:
        """Name the programs and packages that sandboxes find here; an upgrade changes it."""

    async def run_in_box(
        self,
        binding: SandboxBinding,
        command_id: CommandId,
        shell: str,
        *,
        seconds: float = OUR_SECONDS,
        keep_bytes: int = 0,
    ) -> Ending:
        """Run a command once per id, or attach to it, without keeping anything in the store.

        Raises:
            ApplicationError: `temporary`, when a retry may find the box again; else not retryable.
        """


def part_of(command_id: CommandId, part: str) -> CommandId:
    """Name a command that belongs to another one."""
    name = f"{command_id}-{part}"
    if len(name) > ID_CHARACTERS:
        name = f"{hashlib.sha256(command_id.encode()).hexdigest()[:40]}-{part}"
    return CommandId(name)
