"""Checks come from the base commit and run as commands of the sandbox."""

import pytest
from git import Repo
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.checks.runner import CommandChecks
from activities.mirror import Mirrors
from tests.activities.repositories import commit_files, named
from tests.fakes import FakeSandbox, command_result
from workflows.contract.base import CommandId, CommitSha, SessionId
from workflows.contract.checks import CheckSpec, DetectChecks, RunCheck
from workflows.contract.sandbox import CommandOutcome, CommandResult, RunCommand, SandboxBinding

SESSION = SessionId("s1")


class EndingSandbox(FakeSandbox):
    """Ends every command in one way."""

    def __init__(self, outcome: CommandOutcome, exit_code: int | None) -> None:
        super().__init__(queue="host")
        self._outcome = outcome
        self._exit_code = exit_code
        self.asked: list[RunCommand] = []

    @activity.defn(name="sandbox.run_command")
    async def run_command(self, request: RunCommand) -> CommandResult:
        self.asked.append(request)
        result = command_result(request, self._outcome, "the end")
        return result.model_copy(update={"exit_code": self._exit_code, "output_end": 21})


def detecting(origin: Repo) -> DetectChecks:
    commit = CommitSha(origin.head.commit.hexsha)
    return DetectChecks(session=SESSION, repository=named(origin), commit=commit)


async def test_the_plan_is_read_from_the_commit(mirrors: Mirrors, origin: Repo):
    """What is written later does not change the plan."""
    checks = CommandChecks(mirrors, FakeSandbox(queue="host"))
    commit_files(origin, {".overnight.toml": "[checks]\ntests = 'make test'\n"})
    request = detecting(origin)
    commit_files(origin, {".overnight.toml": "[checks]\ntests = 'true'\n"})
    plan = await checks.detect(request)
    assert plan.checks == (CheckSpec(name="tests", command="make test"),)


async def test_a_repository_set_up_for_pytest_is_tested_with_it(mirrors: Mirrors, origin: Repo):
    """Contents of the configuration files are looked at, also when they are not UTF-8."""
    checks = CommandChecks(mirrors, FakeSandbox(queue="host"))
    assert (await checks.detect(detecting(origin))).checks == ()
    commit_files(origin, {"pyproject.toml": "[tool.pytest.ini_options]\n"})
    assert [check.name for check in (await checks.detect(detecting(origin))).checks] == ["pytest"]


async def test_a_broken_configuration_is_refused(mirrors: Mirrors, origin: Repo):
    """The session does not go on with checks that nobody meant."""
    checks = CommandChecks(mirrors, FakeSandbox(queue="host"))
    commit_files(origin, {".overnight.toml": "[checks\n"})
    with pytest.raises(ApplicationError, match=r"\.overnight\.toml cannot be used"):
        await checks.detect(detecting(origin))


@pytest.mark.parametrize(
    ("outcome", "exit_code", "passed"),
    [
        (CommandOutcome.EXITED, 0, True),
        (CommandOutcome.EXITED, 1, False),
        (CommandOutcome.EXITED, 5, False),
        (CommandOutcome.LOST, None, False),
        (CommandOutcome.TIMEOUT, None, False),
        (CommandOutcome.STOPPED, 0, False),
        (CommandOutcome.OUTPUT_LIMIT, None, False),
    ],
)
async def test_only_a_clean_exit_passes(
    mirrors: Mirrors, outcome: CommandOutcome, exit_code: int | None, *, passed: bool
):
    """The check's command runs under its id and limit; how it ended is told in full."""
    sandbox = EndingSandbox(outcome, exit_code)
    request = RunCheck(
        session=SESSION,
        turn=3,
        binding=SandboxBinding(sandbox_id="b", queue="host", workspace="/workspace"),
        command_id=CommandId("c1"),
        check=CheckSpec(name="tests", command="make test", timeout_seconds=7),
    )
    result = await CommandChecks(mirrors, sandbox).run(request)
    (asked,) = sandbox.asked
    assert (asked.shell, asked.command_id, asked.timeout_seconds) == ("make test", "c1", 7)
    assert (result.passed, result.outcome, result.exit_code) == (passed, outcome, exit_code)
    assert (result.name, result.turn, result.excerpt) == ("tests", 3, "the end")
    assert result.output_end == 21
