"""Ports scripted by a test: they do nothing outside the process and note what they were asked."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from temporalio import activity
from temporalio.exceptions import ApplicationError

from workflows.contract.base import CommitSha, Sha256
from workflows.contract.failures import Failure
from workflows.contract.judging import Verdict
from workflows.contract.model import (
    CompactTranscript,
    ModelCall,
    ModelStep,
    TranscriptCompacted,
    Usage,
)
from workflows.contract.pull_request import Propose, PullRequest
from workflows.contract.sandbox import (
    CloseSandbox,
    CommandOutcome,
    CommandResult,
    ExportWork,
    FileResult,
    Opened,
    OpenSandbox,
    RunCommand,
    SandboxBinding,
    SandboxClosed,
    SandboxReady,
    StopCommand,
    UseFile,
    WorkBundle,
)
from workflows.contract.session import ArchiveRun, RunArchived
from workflows.contract.transcript import ToolCall, ToolName, TranscriptHead
from workflows.ports import Archive, Model, PullRequests, Sandbox

BASE = CommitSha("b" * 40)
NODE = Sha256("c" * 64)


def calls(*wanted: tuple[ToolName, str]) -> tuple[ToolCall, ...]:
    """Build tool calls from (tool, summary)."""
    return tuple(
        ToolCall(id=f"call-{index}", name=name, summary=summary, source=NODE)
        for index, (name, summary) in enumerate(wanted)
    )


FINISH = calls((ToolName.FINISH, "done"))

Reply = tuple[ToolCall, ...] | ModelStep | Exception


class FakeModel(Model):
    """Answers with what `reply(call)` returns."""

    def __init__(self, reply: Callable[[ModelCall], Reply | Awaitable[Reply]]) -> None:
        self._reply = reply
        self.asked: list[ModelCall] = []
        self.compacted: list[CompactTranscript] = []
        self.refuses_to_sum_up = ""
        """A model that does not give summaries."""

    @activity.defn(name="model.step")
    async def step(self, request: ModelCall) -> ModelStep:
        self.asked.append(request)
        reply = self._reply(request)
        if isinstance(reply, Awaitable):
            reply = await reply
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, ModelStep):
            return reply
        return model_step(request, reply)

    @activity.defn(name="model.compact")
    async def compact(self, request: CompactTranscript) -> TranscriptCompacted:
        self.compacted.append(request)
        if request.model == self.refuses_to_sum_up:
            message = "no summary"
            raise ApplicationError(message, type=Failure.MODEL_REFUSED, non_retryable=True)
        return TranscriptCompacted(
            session=request.session,
            turn=request.turn,
            step=request.step,
            head=TranscriptHead(manifest=Sha256("f" * 64), messages=3),
            messages_before=request.head.messages,
            usage=Usage(requests=1, input_tokens=10, output_tokens=5),
            seconds=0.0,
        )


def model_step(request: ModelCall, wanted: tuple[ToolCall, ...], text: str = "") -> ModelStep:
    """Build the step that asks for some calls; the transcript grows by one object per step."""
    head = TranscriptHead(
        manifest=Sha256(f"{request.step:064x}"),
        messages=request.head.messages + len(request.new) + 1,
    )
    return ModelStep(
        session=request.session,
        turn=request.turn,
        step=request.step,
        head=head,
        text=text,
        calls=wanted,
        usage=Usage(requests=1, input_tokens=10, output_tokens=5),
        seconds=0.0,
    )


@dataclass
class FakeSandbox(Sandbox):
    """A sandbox whose commands end at once, or when they are stopped (`hang`)."""

    queue: str
    hang: set[str] = field(default_factory=set)
    """Commands (by summary or id) that run until they are stopped."""

    lose: set[str] = field(default_factory=set)
    """Commands (by summary) that are lost once with their sandbox."""

    gone_once: bool = False
    """Whether the next use of a file or export finds no sandbox."""

    lose_files: bool = False
    """Whether a sandbox that was gone comes back without its files."""

    is_broken: bool = False
    nested: tuple[str, ...] = ()
    """Folders that an export can only leave out."""

    """Whether no work can be taken out."""

    open_slowly: bool = False
    """Whether sandboxes for checks do not get ready."""

    tree: str = "d" * 40
    empty: bool = False
    noted: list[str] = field(default_factory=list)
    running: asyncio.Event = field(default_factory=asyncio.Event)

    exports: list[str] = field(default_factory=list)
    exported: dict[str, WorkBundle] = field(default_factory=dict)
    fresh: list[str] = field(default_factory=list)
    """Sandboxes made for checks and not removed yet."""

    def _be_gone(self) -> None:
        if self.gone_once:
            self.gone_once = False
            message = "nothing answers"
            raise ApplicationError(message, type=Failure.SANDBOX_GONE, non_retryable=True)

    @activity.defn(name="sandbox.open")
    async def open(self, request: OpenSandbox) -> SandboxReady:
        if _is_for_checks(request.sandbox_id):
            self.fresh.append(request.sandbox_id)
            while self.open_slowly:
                self.running.set()
                await asyncio.sleep(0.01)
        else:
            self.noted.append(f"open {request.sandbox_id} generation {request.generation}")
        return SandboxReady(
            session=request.session,
            binding=SandboxBinding(
                sandbox_id=request.sandbox_id,
                queue=self.queue,
                workspace="/workspace",
                generation=request.generation,
            ),
            how=Opened.RESTARTED if request.generation and not self.lose_files else Opened.CREATED,
            provider="fake",
            base_commit=BASE,
            setup="none",
            seconds=0.0,
        )

    @activity.defn(name="sandbox.run_command")
    async def run_command(self, request: RunCommand) -> CommandResult:
        summary = request.call.summary if request.call else request.shell or ""
        self.noted.append(f"run {summary}")
        if {summary, request.command_id} & self.hang:
            self.running.set()
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.05)
        outcome = CommandOutcome.EXITED
        if summary in self.lose:
            self.lose.discard(summary)
            outcome = CommandOutcome.LOST
        return command_result(request, outcome)

    @activity.defn(name="sandbox.stop_command")
    async def stop_command(self, request: StopCommand) -> CommandResult:
        self.noted.append(f"stop {request.command_id}")
        return command_result(request, CommandOutcome.STOPPED)

    @activity.defn(name="sandbox.use_file")
    async def use_file(self, request: UseFile) -> FileResult:
        self._be_gone()
        self.noted.append(f"{request.call.name} {request.call.summary}")
        return FileResult(
            session=request.session,
            turn=request.turn,
            step=request.step,
            effect_id=request.effect_id,
            ok=True,
            excerpt="",
            message=NODE,
        )

    @activity.defn(name="sandbox.export_work")
    async def export_work(self, request: ExportWork) -> WorkBundle:
        self.noted.append("export")
        self.exports.append(request.command_id)
        while request.command_id in self.hang:
            self.running.set()
            await asyncio.sleep(0.01)
        self._be_gone()
        if self.is_broken or (self.nested and not request.salvage):
            message = "there is no repository"
            raise ApplicationError(message, type=Failure.GIT_TAMPERED, non_retryable=True)
        key = None if self.empty else f"bundles/{request.session}/{request.command_id}"
        work = WorkBundle(
            base=BASE,
            tip=CommitSha("e" * 40),
            tree=self.tree,
            store_key=key,
            left_out=self.nested,
        )
        # As the real one: a command of one id runs once.
        return self.exported.setdefault(request.command_id, work)

    @activity.defn(name="sandbox.close")
    async def close(self, request: CloseSandbox) -> SandboxClosed:
        if _is_for_checks(request.binding.sandbox_id):
            self.fresh = [each for each in self.fresh if each != request.binding.sandbox_id]
        else:
            self.noted.append("close")
        return SandboxClosed(session=request.session, sandbox_id=request.binding.sandbox_id)


def _is_for_checks(sandbox_id: str) -> bool:
    if sandbox_id.endswith("-base"):
        return True
    return any(part in sandbox_id for part in ("-gate-", "-orig-", "-alone-", "-steady-"))


def command_result(
    request: RunCommand | StopCommand, outcome: CommandOutcome, excerpt: str = ""
) -> CommandResult:
    """Build the result of a command that printed nothing."""
    return CommandResult(
        session=request.session,
        turn=request.turn,
        step=request.step,
        command_id=request.command_id,
        outcome=outcome,
        exit_code=0 if outcome is CommandOutcome.EXITED else None,
        seconds=0.0,
        stdout_bytes=0,
        stderr_bytes=0,
        excerpt=excerpt,
        message=NODE if request.call is not None else None,
    )


class FakePullRequests(PullRequests):
    """Remembers what was proposed."""

    def __init__(self) -> None:
        self.proposed: list[Propose] = []

    @activity.defn(name="pull_requests.propose")
    async def propose(self, request: Propose) -> PullRequest:
        self.proposed.append(request)
        return PullRequest(
            session=request.session,
            turn=request.turn,
            revision=request.revision,
            repository=request.repository,
            branch=request.branch,
            commit=CommitSha(f"{request.revision:040x}"),
            title=request.title,
            files_changed=1,
            added=1,
            removed=0,
            passed=None
            if request.verdict is Verdict.UNCHECKED
            else request.verdict is Verdict.GREEN,
            verdict=request.verdict,
            draft=request.verdict not in (Verdict.GREEN, Verdict.UNCHECKED),
            checks=request.checks,
            diff_key="diffs/none",
            merge_command="git merge",
        )


class FakeArchive(Archive):
    """Notes which runs were archived."""

    def __init__(self) -> None:
        self.runs: list[int] = []

    @activity.defn(name="archive.run")
    async def run(self, request: ArchiveRun) -> RunArchived:
        self.runs.append(request.run_index)
        return RunArchived(store_key="histories/none", events=1)
