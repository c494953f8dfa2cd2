"""Commands that nobody follows are read back when they have ended."""

from activities.sandbox import unseen
from tests.activities.sandbox.conftest import Box
from workflows.contract.sandbox import CommandOutcome


async def test_both_outputs_are_returned_up_to_a_limit(box: Box):
    """Each to its own limit, while the excerpt has the end of both."""
    shell = "printf 0123456789; printf abcdefghij >&2; exit 3"
    command = box.command(shell, "c-1")
    ended = await unseen.run(box.paths, command, 4)
    assert (ended.outcome, ended.exit_code) == (CommandOutcome.EXITED, 3)
    assert (ended.stdout, ended.stderr) == (b"0123", b"abcd")
    assert sorted(ended.excerpt) == sorted("0123456789abcdefghij")
    assert (await unseen.run(box.paths, command, 0)).stdout == b""


async def test_a_repeat_returns_the_same(box: Box):
    """The command runs once."""
    command = box.command("date +%N", "c-1")
    assert await unseen.run(box.paths, command, 99) == await unseen.run(box.paths, command, 99)


async def test_a_box_that_is_gone_makes_a_lost_command(box: Box):
    """What it printed before is not known to be all."""
    await box.kill()
    ended = await unseen.run(box.paths, box.command("echo x"), 99)
    assert (ended.outcome, ended.exit_code, ended.stdout) == (CommandOutcome.LOST, None, b"")
