"""Checks as commands of the session's sandbox; what is run comes from the base commit."""

from temporalio import activity

from activities import configuration
from activities.checks import detection
from activities.mirror import Mirrors
from workflows.contract.checks import CheckPlan, CheckResult, DetectChecks, RunCheck
from workflows.contract.sandbox import CommandOutcome, RunCommand
from workflows.ports import Checks, Sandbox


class CommandChecks(Checks):
    """Reads the plan from the mirror and runs it where the session's commands run."""

    def __init__(self, mirrors: Mirrors, sandbox: Sandbox) -> None:
        self._mirrors = mirrors
        self._sandbox = sandbox

    @activity.defn(name="checks.detect")
    async def detect(self, request: DetectChecks) -> CheckPlan:
        """Read the plan from the commit, so that the work cannot change it.

        Raises:
            ApplicationError: `repository`, when the configuration is broken.
        """
        repository, commit = request.repository, request.commit
        file = await self._mirrors.read_file(repository, commit, configuration.FILE_NAME)
        texts = {}
        for name in detection.TEXTS_READ:
            text = await self._mirrors.read_file(repository, commit, name)
            if text is not None:
                texts[name] = text.decode("utf-8", "replace")
        files = await self._mirrors.list_files(repository, commit)
        return detection.detect(configuration.parse(file), files, texts)

    @activity.defn(name="checks.run")
    async def run(self, request: RunCheck) -> CheckResult:
        """Run the check once per command id; it passed if it ran to its end and exited with 0.

        A lost, stopped or timed out command did not pass, nor did a test runner that found no
        tests (pytest exits with 5 then).
        """
        result = await self._sandbox.run_command(
            RunCommand(
                session=request.session,
                turn=request.turn,
                step=0,
                binding=request.binding,
                command_id=request.command_id,
                shell=request.check.command,
                timeout_seconds=request.check.timeout_seconds,
            )
        )
        return CheckResult(
            session=request.session,
            turn=request.turn,
            name=request.check.name,
            command=request.check.command,
            command_id=request.command_id,
            passed=result.outcome is CommandOutcome.EXITED and result.exit_code == 0,
            outcome=result.outcome,
            exit_code=result.exit_code,
            seconds=result.seconds,
            output_end=result.output_end,
            excerpt=result.excerpt[-1_000:],
        )
