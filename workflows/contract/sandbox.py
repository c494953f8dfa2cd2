"""What is asked of a sandbox and what it answers."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from workflows.contract.base import CommandId, CommitSha, EffectId, Frozen, SessionId, Sha256
from workflows.contract.transcript import ToolCall

EXCERPT_CHARACTERS = 2_000
"""How much of a text an activity result carries for people."""

BASE_REF = "refs/overnight/base"
"""Names the base commit in a sandbox whose HEAD is the work."""


class Repository(Frozen):
    """Where a session's code comes from and where its branch goes."""

    url: str = Field(max_length=2_000)
    """An absolute path on the host, or an https or ssh URL of an allowed host."""

    base: str = Field(max_length=300)
    """Branch that the work starts from and is proposed to."""

    commit: CommitSha | None = None
    """Commit to start from; the tip of `base` when none is given."""


class SandboxBinding(Frozen):
    """Which sandbox a session has, and which queue reaches it."""

    sandbox_id: str
    queue: str
    workspace: str
    """Absolute path of the repository as commands see it."""

    generation: int = 0
    """Counts how often the sandbox was made anew."""


class WorkBundle(Frozen):
    """Work taken out of a sandbox as a git bundle in the store."""

    base: CommitSha
    """The bundle holds what is reachable from `tip` and not from this commit."""

    tip: CommitSha
    tree: str
    """Git tree of the work; equal trees mean equal files."""

    store_key: str | None
    """None when the tree equals the base's: there is nothing to carry."""

    left_out: tuple[str, ...] = ()
    """Folders that could not be carried; only an export that salvages leaves any out."""


class OpenSandbox(Frozen):
    """Make the session's sandbox ready, or attach to it when it is there already."""

    session: SessionId
    sandbox_id: str
    repository: Repository
    branch: str
    base_commit: CommitSha | None = None
    """Known once the session had a sandbox; the repository's own rule applies before."""

    restore: WorkBundle | None = None
    """Work of an earlier sandbox of this session to start from."""

    committed: bool = False
    """Have the work as the commit that HEAD points at, as continuous integration would, and not
    as if it had just been done."""

    generation: int = 0


class Opened(StrEnum):
    """How a sandbox came to be ready."""

    CREATED = "created"
    ATTACHED = "attached"
    RESTARTED = "restarted"
    """Its processes were gone, its files survived; running commands are lost."""


class SandboxReady(Frozen):
    """A sandbox with the repository checked out and its environment set up."""

    kind: Literal["sandbox"] = "sandbox"
    session: SessionId
    binding: SandboxBinding
    how: Opened
    provider: str
    base_commit: CommitSha
    setup: Literal["none", "cached", "run"]
    seconds: float


class CommandOutcome(StrEnum):
    """How a command ended."""

    EXITED = "exited"
    TIMEOUT = "timeout"
    STOPPED = "stopped"
    OUTPUT_LIMIT = "output_limit"
    KILLED = "killed"
    """Something inside the sandbox killed it; the exit code is unknown."""

    LOST = "lost"
    """The sandbox's processes died under it; it may have partly run and is not repeated."""


class RunCommand(Frozen):
    """Run one shell command, once: a second request with the same id attaches to it."""

    session: SessionId
    turn: int
    step: int
    binding: SandboxBinding
    command_id: CommandId
    shell: str | None = Field(default=None, max_length=8_000)
    """The command; none when it stands in the arguments of `call`."""

    call: ToolCall | None = None
    """The model's call that this command answers, if any."""

    timeout_seconds: float = 600.0


class CommandResult(Frozen):
    """What became of a command."""

    kind: Literal["command"] = "command"
    session: SessionId
    turn: int
    step: int
    command_id: CommandId
    outcome: CommandOutcome
    exit_code: int | None
    """128 + n when signal n ended it; none when that is not known."""

    seconds: float
    stdout_bytes: int
    stderr_bytes: int
    output_end: int = 0
    """Length of its log in the store, in bytes; histories of the time before it have none."""

    excerpt: str = Field(max_length=EXCERPT_CHARACTERS)
    """End of the interleaved output, for people."""

    message: Sha256 | None = None
    """The tool message for the model (at most 16,000 characters of output), if a call asked."""


class StopCommand(Frozen):
    """End a command and everything it started; a command not yet started never will be."""

    session: SessionId
    turn: int
    step: int
    binding: SandboxBinding
    command_id: CommandId
    call: ToolCall | None = None


class UseFile(Frozen):
    """View, edit or write one file of the workspace; a change is applied once per effect id."""

    session: SessionId
    turn: int
    step: int
    binding: SandboxBinding
    effect_id: EffectId
    call: ToolCall


class FileResult(Frozen):
    """What became of a use of a file; a refusal is a value, not an exception."""

    kind: Literal["file"] = "file"
    session: SessionId
    turn: int
    step: int
    effect_id: EffectId
    ok: bool
    excerpt: str = Field(max_length=EXCERPT_CHARACTERS)
    message: Sha256


class ExportWork(Frozen):
    """Take the workspace's files out as a bundle, without touching the workspace."""

    session: SessionId
    turn: int
    binding: SandboxBinding
    base: CommitSha
    command_id: CommandId
    salvage: bool = False
    """Leave out folders that cannot be carried, and name them, instead of failing."""


class CloseSandbox(Frozen):
    """Remove the sandbox with its processes and files; an absent one is closed already."""

    session: SessionId
    binding: SandboxBinding


class SandboxClosed(Frozen):
    """Nothing of the sandbox is left."""

    kind: Literal["sandbox_closed"] = "sandbox_closed"
    session: SessionId
    sandbox_id: str
