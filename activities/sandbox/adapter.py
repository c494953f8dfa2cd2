"""The port `Sandbox` for boxes on this host: bubblewrap, or the unsafe host provider."""

import asyncio
import time

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.failures import permanent, temporary
from activities.mirror import Mirrors
from activities.progress import Beats, beating
from activities.sandbox import commands, export, opening, unseen
from activities.sandbox.box import BoxClient, BoxGone, BoxPaths, BoxRefused, StartCommand
from activities.sandbox.commands import Ended
from activities.sandbox.copying import LogCopy
from activities.sandbox.layers import OUR_SECONDS, Layers
from activities.sandbox.lifetime import BoxFailed, destroy, ends_now
from activities.sandbox.live import LiveLog
from activities.sandbox.locks import exclusive
from activities.sandbox.opening import Openings
from activities.sandbox.pace import Pace
from activities.sandbox.preparation import Preparation
from activities.sandbox.provider import boxes_folder, provider_for
from activities.sandbox.unseen import Unseen
from runtime import telemetry, tracing
from runtime.settings import Settings
from runtime.store.base import Store
from runtime.transcript import Transcripts, read_arguments
from workflows.contract import metrics
from workflows.contract.base import CommandId, Sha256
from workflows.contract.failures import Failure
from workflows.contract.output import stream_key
from workflows.contract.sandbox import (
    EXCERPT_CHARACTERS,
    CloseSandbox,
    CommandOutcome,
    CommandResult,
    ExportWork,
    FileResult,
    OpenSandbox,
    RunCommand,
    SandboxBinding,
    SandboxClosed,
    SandboxReady,
    StopCommand,
    UseFile,
    WorkBundle,
)
from workflows.contract.tools import (
    BashArguments,
    EditArguments,
    ViewArguments,
    WriteArguments,
)
from workflows.contract.transcript import ToolCall, ToolMessage, ToolName
from workflows.ports import Sandbox

log = structlog.get_logger()


class LocalSandboxes(Sandbox):
    """Every sandbox of this host, each a folder and a supervisor that outlives this process."""

    def __init__(self, settings: Settings, store: Store, mirrors: Mirrors, queue: str) -> None:
        """Look at the host; raises when the configured provider cannot be used."""
        self._boxes = boxes_folder(settings)
        self._locks = settings.sandboxes_path / "locks"
        self._provider = provider_for(settings)
        self._store = store
        self._transcripts = Transcripts(store)
        self._pace = Pace(store.append_seconds)
        self._queue = queue
        self._mirrors = mirrors
        environments = Layers(
            settings.sandboxes_path / "layers", self._boxes, mirrors, self._provider
        )
        preparation = Preparation(store, mirrors, self._provider, environments)
        self._openings = Openings(preparation, self._provider)

    @activity.defn(name="sandbox.open")
    async def open(self, request: OpenSandbox) -> SandboxReady:
        """Make the box, or find it and start its supervisor again."""
        started = time.monotonic()
        paths = self._paths(request.sandbox_id)
        try:
            async with beating(), exclusive(self._locks / request.sandbox_id):
                prepared, how = await self._openings.open(paths, request)
        except BoxFailed as error:
            # Not marked permanent: a starved host may do it at the next attempt.
            raise ApplicationError(str(error), type=Failure.SANDBOX_UNAVAILABLE) from error
        seconds = time.monotonic() - started
        log.info("sandbox.opened", sandbox=request.sandbox_id, how=how.value, seconds=seconds)
        return SandboxReady(
            session=request.session,
            binding=SandboxBinding(
                sandbox_id=request.sandbox_id,
                queue=self._queue,
                workspace=self._provider.workspace(paths),
                generation=request.generation,
            ),
            how=how,
            provider=self._provider.name,
            base_commit=prepared.base_commit,
            setup=prepared.setup,
            seconds=seconds,
        )

    @activity.defn(name="sandbox.run_command")
    async def run_command(self, request: RunCommand) -> CommandResult:
        """Start or attach, and follow to the end: output goes into the store, then is shown.

        The store failing is `temporary`: the command runs on, and the next attempt goes on from
        what the store has.
        """
        paths = self._paths(request.binding.sandbox_id)
        shell, seconds = await self._wanted(request)
        command = StartCommand(
            id=request.command_id,
            shell=shell,
            env=self._provider.environment(paths),
            timeout_s=seconds,
            output_limit=commands.OUTPUT_LIMIT_BYTES,
        )
        async with beating() as beats:
            ended = await commands.follow(paths, command, self._live(request, beats))
            return await self._result(request, ended)

    @activity.defn(name="sandbox.stop_command")
    async def stop_command(self, request: StopCommand) -> CommandResult:
        """End it, wherever it is, and have all of its output in the store."""
        paths = self._paths(request.binding.sandbox_id)
        async with beating() as beats:
            live = self._live(request, beats)
            ended = await commands.stop(paths, request.command_id, live)
            return await self._result(request, ended)

    @activity.defn(name="sandbox.use_file")
    async def use_file(self, request: UseFile) -> FileResult:
        """Let the supervisor do it, which keeps the result of a change under its effect id."""
        fields = await self._file_fields(request)
        paths = self._paths(request.binding.sandbox_id)
        try:
            async with beating():
                answer = await BoxClient(paths).file(fields)
        except BoxGone as error:
            if not await ends_now(paths):
                raise temporary(str(error)) from error
            raise permanent(Failure.SANDBOX_GONE, str(error)) from error
        except BoxRefused as error:
            raise permanent(Failure.SANDBOX_UNAVAILABLE, str(error)) from error
        return FileResult(
            session=request.session,
            turn=request.turn,
            step=request.step,
            effect_id=request.effect_id,
            ok=answer.ok,
            excerpt=answer.text[:EXCERPT_CHARACTERS],
            message=await self._message(request.call, answer.text),
        )

    @activity.defn(name="sandbox.export_work")
    async def export_work(self, request: ExportWork) -> WorkBundle:
        """Bundle inside, read the bundle from the command's log, keep it under its commit."""
        paths = self._paths(request.binding.sandbox_id)
        command = StartCommand(
            id=request.command_id,
            shell=export.script(request.base, salvage=request.salvage),
            env=self._provider.own_environment(paths),
            timeout_s=OUR_SECONDS,
            output_limit=export.BUNDLE_LIMIT_BYTES,
        )
        async with beating():
            ended = await commands.run(paths, command)
            if ended.outcome is CommandOutcome.LOST:
                raise permanent(Failure.SANDBOX_GONE, "the sandbox ended during the export")
            if ended.code != 0:
                said = ended.summary.text()[-800:]
                message = f"git in the sandbox cannot export ({ended.outcome}): {said}"
                raise permanent(Failure.GIT_TAMPERED, message)
            output = await asyncio.to_thread(commands.stdout_of, paths, request.command_id)
        found = export.parse(output)
        key = await asyncio.to_thread(export.store_key, request.session, found)
        work = WorkBundle(
            base=request.base,
            tip=found.tip,
            tree=found.tree,
            store_key=key,
            left_out=found.left_out,
        )
        await self._keep(paths, work, found.bundle)
        return work

    def tools(self) -> str:
        """Name the programs and packages that boxes find here; an upgrade changes it."""
        return self._provider.identity()

    async def run_in_box(
        self,
        binding: SandboxBinding,
        command_id: CommandId,
        shell: str,
        *,
        seconds: float = OUR_SECONDS,
        keep_bytes: int = 0,
    ) -> Unseen:
        """Run a command once per id, or attach to it; nothing of it is kept in the store.

        At most `keep_bytes` of each output are returned. For the parts of this host that have work
        in a box; they heartbeat themselves. A dead box makes a `lost` command.

        Raises:
            ApplicationError: `temporary` when the box does not answer; `sandbox_unavailable`, not
                retryable, when the command cannot be started (128 KiB of shell are the limit).
        """
        paths = self._paths(binding.sandbox_id)
        command = StartCommand(
            id=command_id,
            shell=shell,
            env=self._provider.environment(paths),
            timeout_s=seconds,
            output_limit=commands.OUTPUT_LIMIT_BYTES,
        )
        return await unseen.run(paths, command, keep_bytes)

    @activity.defn(name="sandbox.close")
    async def close(self, request: CloseSandbox) -> SandboxClosed:
        """Remove the box."""
        sandbox_id = request.binding.sandbox_id
        try:
            async with beating(), exclusive(self._locks / sandbox_id):
                await destroy(self._paths(sandbox_id))
        except BoxFailed as error:
            raise ApplicationError(str(error), type=Failure.TEMPORARY) from error
        log.info("sandbox.closed", sandbox=sandbox_id)
        return SandboxClosed(session=request.session, sandbox_id=sandbox_id)

    async def _keep(self, paths: BoxPaths, work: WorkBundle, bundle: bytes) -> None:
        """Keep the bundle; without one the files must be those of the base."""
        if work.store_key is not None:
            await self._store.create_async(work.store_key, bundle)
            return
        prepared = await asyncio.to_thread(opening.read_prepared, paths)
        await self._mirrors.take(prepared.repository, work, None)

    async def _wanted(self, request: RunCommand) -> tuple[str, float]:
        """Return the command line and its time in seconds."""
        if request.call is None:
            return request.shell or "", request.timeout_seconds
        source = await read_arguments(self._store, request.call.source)
        arguments = BashArguments.model_validate_json(source)
        return arguments.command, min(arguments.timeout_seconds, request.timeout_seconds)

    async def _file_fields(self, request: UseFile) -> dict[str, object]:
        source = await read_arguments(self._store, request.call.source)
        arguments = _FILE_ARGUMENTS[request.call.name].model_validate_json(source)
        return {
            "action": request.call.name.value,
            "effect_id": request.effect_id,
            **arguments.model_dump(exclude_none=True),
        }

    def _live(self, request: RunCommand | StopCommand, beats: Beats) -> LiveLog:
        log_file = self._paths(request.binding.sandbox_id).command(request.command_id) / "log"
        stream = stream_key(request.session, request.command_id)
        copy = LogCopy(log_file, self._store, stream)
        return LiveLog(request.command_id, copy, beats, self._pace)

    async def _result(self, request: RunCommand | StopCommand, ended: Ended) -> CommandResult:
        text = ended.summary.text(await self._whole_output(request, ended))
        stdout, stderr = ended.summary.sizes.values()
        message = None
        if request.call is not None:
            message = await self._message(request.call, _for_model(ended, text))
        _note(request, ended)
        return CommandResult(
            session=request.session,
            turn=request.turn,
            step=request.step,
            command_id=request.command_id,
            outcome=ended.outcome,
            exit_code=ended.code,
            seconds=ended.seconds,
            stdout_bytes=stdout,
            stderr_bytes=stderr,
            output_end=ended.output_end,
            excerpt=text[-EXCERPT_CHARACTERS:],
            message=message,
        )

    async def _whole_output(self, request: RunCommand | StopCommand, ended: Ended) -> str:
        """Have the model find what its excerpt leaves out; returns the words that say where."""
        if request.call is None or not ended.summary.elided():
            return ""
        paths = self._paths(request.binding.sandbox_id)
        try:
            kept = await BoxClient(paths).keep_output(request.command_id, ended.summary.tail_offset)
        except (BoxGone, BoxRefused) as error:
            log.warning("output.not_kept", command=request.command_id, reason=str(error))
            return ""
        part = "the whole output" if kept.whole else "the beginning and end of the output"
        return f"{part} ({ended.summary.lines:,} lines) is in {kept.path}"

    async def _message(self, call: ToolCall, text: str) -> Sha256:
        return await self._transcripts.put(ToolMessage(call_id=call.id, text=text))

    def _paths(self, sandbox_id: str) -> BoxPaths:
        return BoxPaths(self._boxes / sandbox_id)


_FILE_ARGUMENTS: dict[ToolName, type[ViewArguments | EditArguments | WriteArguments]] = {
    ToolName.VIEW: ViewArguments,
    ToolName.EDIT: EditArguments,
    ToolName.WRITE: WriteArguments,
}


def _note(request: RunCommand | StopCommand, ended: Ended) -> None:
    """Log, count and trace how a command ended."""
    outcome = ended.outcome.value
    log.info(
        "command.ended",
        command=request.command_id,
        outcome=outcome,
        exit_code=ended.code,
        seconds=ended.seconds,
    )
    telemetry.count(metrics.COMMANDS, outcome=outcome)
    telemetry.measure(metrics.COMMAND_SECONDS, ended.seconds, outcome=outcome)
    tracing.note({"overnight.command": request.command_id, "overnight.outcome": outcome})


def _for_model(ended: Ended, text: str) -> str:
    return f"{text.rstrip()}\n[{_ending(ended)}]".lstrip()


def _ending(ended: Ended) -> str:
    after = f"after {ended.seconds:.1f} s"
    endings = {
        CommandOutcome.EXITED: f"exit code {ended.code}",
        CommandOutcome.TIMEOUT: f"killed by its timeout {after}",
        CommandOutcome.STOPPED: f"stopped by the person {after}; it may have partly run",
        CommandOutcome.OUTPUT_LIMIT: f"killed {after}: it printed too much",
        CommandOutcome.KILLED: f"killed from inside the sandbox {after}",
        CommandOutcome.LOST: "lost: the sandbox ended under it; it may have partly run",
    }
    return endings[ended.outcome]
