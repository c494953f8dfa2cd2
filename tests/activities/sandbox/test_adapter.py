"""The sandbox port on real boxes, with a real repository behind them."""

import asyncio
import json
import os
import re
import signal
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.mirror import Mirrors
from runtime.transcript import Transcripts, keep_arguments
from tests.activities.sandbox.rigging import Rig, git
from workflows.contract.base import CommandId
from workflows.contract.failures import Failure
from workflows.contract.output import FRAME_HEADER, Channel, FrameDecoder, stream_key
from workflows.contract.sandbox import (
    CommandOutcome,
    Opened,
    SandboxReady,
    StopCommand,
)
from workflows.contract.transcript import ToolCall, ToolMessage, ToolName


async def test_a_session_from_open_to_export(rig: Rig) -> None:
    """The repository is checked out on its branch, commands see the set-up, the work comes out."""
    ready = await rig.open()
    assert ready.how is Opened.CREATED
    assert ready.base_commit == git(rig.source, "rev-parse", "HEAD")
    seen = await rig.run(ready, "git status --short --branch; cat a.txt build/made $HOME/tool; pwd")
    assert seen.exit_code == 0
    assert seen.excerpt.startswith("## overnight/s-1\none\n")
    assert seen.excerpt.endswith(f"tool\n{ready.binding.workspace}\n")
    edited = await rig.use(ready, "e-1", ToolName.EDIT, path="a.txt", old_str="one", new_str="two")
    assert edited.ok
    work = await rig.export(ready)
    assert work.store_key is not None
    mirrors = Mirrors(rig.settings)
    await mirrors.take(rig.repository, work, rig.store.read(work.store_key))
    commit = await mirrors.commit(
        rig.repository, tree=work.tree, parent=work.base, message="work", authored_at=1
    )
    changes = await mirrors.changes(rig.repository, work.base, commit)
    assert [(c.path, c.added, c.removed) for c in changes] == [("a.txt", 1, 1)]


async def test_nothing_changed_carries_nothing(rig: Rig) -> None:
    """What the set-up left and what git ignores is no work."""
    ready = await rig.open()
    await rig.run(ready, "echo x > build/more")
    assert (await rig.export(ready)).store_key is None


async def test_an_edit_in_the_second_of_the_checkout_is_work(rig: Rig) -> None:
    """It leaves the file's size and time alone, so git finds it by reading the file only."""
    ready = await rig.open()
    then = "touch -d @1000000000"
    known = f"git config core.trustctime false; {then} a.txt; git update-index --refresh"
    await rig.run(ready, known)
    await rig.run(ready, f"echo two > a.txt; {then} a.txt .git/index", "c-2")
    assert (await rig.export(ready)).store_key is not None


async def test_work_that_carries_nothing_is_the_base(rig: Rig, tmp_path: Path) -> None:
    """A git that lies about it is found out, and asking again would not help."""
    lying = tmp_path / "lying/bin/git"
    lying.parent.mkdir(parents=True)
    answers = f"write-tree|rev-parse) echo {'e' * 40};; commit-tree) echo {'c' * 40}"
    lying.write_text(f'#!/bin/sh\nfor a; do case "$a" in\n{answers};; esac; done\n')
    lying.chmod(0o755)
    ready = await rig.open()
    rig.settings = rig.settings.model_copy(update={"toolchain": (lying.parents[1],)})
    rig.restart()
    await rig.kill(ready)
    await rig.open(generation=1)
    with pytest.raises(ApplicationError, match="has the tree") as refused:
        await rig.export(ready)
    assert (refused.value.type, refused.value.non_retryable) == (Failure.GIT_TAMPERED, True)


async def test_a_git_made_in_the_sandbox_is_not_asked(rig: Rig) -> None:
    """Neither for the work nor when a sandbox is filled; it is for the session's own commands."""
    plant = (
        "mkdir -p ~/.local/bin && cd ~/.local/bin && echo exit 3 > git && cp git sed && chmod +x *"
    )
    rig.configure(plant)
    ready = await rig.open()
    assert (await rig.run(ready, "echo two > a.txt; git status")).exit_code == 3
    assert (await rig.export(ready)).store_key is not None


async def test_equal_work_may_be_packed_in_two_ways(rig: Rig) -> None:
    """Both bundles are kept: what packs them may have been configured meanwhile."""
    ready = await rig.open()
    await rig.run(ready, "seq 1000 > a.txt; git config pack.compression 9")
    first = await rig.export(ready)
    await rig.run(ready, "git config pack.compression 0; git config core.looseCompression 0", "c-2")
    second = await rig.export(ready, "again")
    assert (first.tip, first.tree) == (second.tip, second.tree)
    assert first.store_key != second.store_key
    other = await rig.open("s-2", restore=second)
    assert (await rig.run(other, "tail -n 1 a.txt")).excerpt == "1000\n"


async def test_broken_git_data_is_refused(rig: Rig) -> None:
    """It is for a person or the model to mend; no repetition does."""
    ready = await rig.open()
    await rig.run(ready, "rm -rf .git")
    with pytest.raises(ApplicationError, match="git in the sandbox cannot export") as refused:
        await rig.export(ready)
    assert (refused.value.type, refused.value.non_retryable) == (Failure.GIT_TAMPERED, True)


async def test_another_worker_finds_the_sandbox(rig: Rig) -> None:
    """A second opening attaches; a command's result is the same for both workers."""
    ready = await rig.open()
    first = await rig.run(ready, "date +%N; exit 3")
    rig.restart()
    again = await rig.open(generation=1)
    assert again.how is Opened.ATTACHED
    assert await rig.run(again, "date +%N; exit 3") == first
    assert first.exit_code == 3


async def test_a_cancelled_activity_leaves_its_command_running(rig: Rig) -> None:
    """The command belongs to the box; stopping it is a call of its own, before or after its end."""
    ready = await rig.open()
    command = rig.command(ready, "echo started; sleep 100")
    running = asyncio.get_running_loop().create_task(rig.sandboxes.run_command(command))
    log = rig.settings.sandboxes_path / "boxes/s-1/state/commands/c-1/log"
    while not log.exists() or not log.stat().st_size:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    stop = StopCommand(
        session=ready.session,
        turn=1,
        step=1,
        binding=ready.binding,
        command_id=CommandId("c-1"),
    )
    assert (await rig.sandboxes.stop_command(stop)).outcome is CommandOutcome.STOPPED
    result = await rig.sandboxes.stop_command(stop)
    assert (result.outcome, result.excerpt) == (CommandOutcome.STOPPED, "started\n")
    assert rig.store.read_stream(stream_key(ready.session, command.command_id), 0, 99) == (
        log.read_bytes()
    )
    assert result.output_end == log.stat().st_size


async def test_a_dead_box_is_lost_and_comes_back_with_its_files(rig: Rig) -> None:
    """The running command is lost, not repeated; files survive; the reopening says so."""
    ready = await rig.open()
    kill = "echo kept > kept; kill -9 1; sleep 30" if ready.provider == "bubblewrap" else "sleep 30"
    command = rig.command(ready, kill)
    running = asyncio.get_running_loop().create_task(rig.follow_to_the_end(command))
    state = rig.settings.sandboxes_path / "boxes/s-1/state"
    while not (state / "commands/c-1").exists():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    pid = json.JSONDecoder().raw_decode((state / "status.json").read_text())[0]["child-pid"]
    os.kill(pid, signal.SIGKILL)
    result = await running
    assert result.outcome is CommandOutcome.LOST
    with pytest.raises(ApplicationError) as gone:
        await rig.use(ready, "e-1", ToolName.VIEW, path="a.txt")
    assert gone.value.type == Failure.SANDBOX_GONE
    assert (await rig.open(generation=1)).how is Opened.RESTARTED
    again = await rig.sandboxes.run_command(command)
    assert again.outcome is CommandOutcome.LOST
    assert (await rig.run(ready, "cat a.txt", "c-2")).excerpt == "one\n"


async def test_a_signal_without_a_name_is_an_end_like_others(rig: Rig) -> None:
    """The exit code tells it, as a shell does."""
    ready = await rig.open()
    assert (await rig.run(ready, "kill -40 $$")).exit_code == 128 + 40
    assert (await rig.run(ready, "kill -RTMIN $$", "c-2")).exit_code == 128 + 34


async def test_a_record_that_cannot_be_read_makes_a_lost_command(rig: Rig) -> None:
    """Whoever asks is told so, also when there is nobody to ask."""
    ready = await rig.open()
    first, second = rig.command(ready, "echo x", "c-1"), rig.command(ready, "echo x", "c-2")
    for command in (first, second):
        await rig.sandboxes.run_command(command)
        record = rig.settings.sandboxes_path / f"boxes/s-1/state/commands/{command.command_id}"
        (record / "exit.json").write_text("{")
    assert (await rig.sandboxes.run_command(first)).outcome is CommandOutcome.LOST
    await rig.kill(ready)
    lost = await rig.sandboxes.run_command(second)
    assert (lost.outcome, lost.excerpt) == (CommandOutcome.LOST, "x\n")


async def test_names_that_are_no_text_are_shown(rig: Rig) -> None:
    """In a way that bash takes back."""
    ready = await rig.open()
    await rig.run(ready, r"mkdir -p d/$'\xff'; touch d/$'caf\xe9.txt'")
    shown = await rig.use(ready, "e-1", ToolName.VIEW, path="d")
    assert (shown.ok, shown.excerpt) == (True, "\\xff/\ncaf\\xe9.txt")


async def test_the_setup_runs_once_for_equal_lock_files(rig: Rig) -> None:
    """A second session copies the environment; where paths differ, every session sets up."""
    first = await rig.open("s-1")
    second = await rig.open("s-2")
    made = [(await rig.run(ready, "cat build/made")).excerpt for ready in (first, second)]
    if first.provider == "bubblewrap":
        assert (first.setup, second.setup) == ("run", "cached")
        assert made[0] == made[1]
    else:
        assert (first.setup, second.setup) == ("run", "run")


async def test_a_failing_setup_says_what_failed(rig: Rig) -> None:
    """The error names the command and ends with its output; nothing stays behind."""
    (rig.source / ".overnight.toml").write_text('[environment]\nsetup = ["echo why; exit 7"]\n')
    git(rig.source, "commit", "--quiet", "-am", "break")
    with pytest.raises(ApplicationError) as failed:
        await rig.open()
    assert failed.value.type == Failure.SETUP_FAILED
    assert "'echo why; exit 7'" in failed.value.message
    assert "why" in failed.value.message.rsplit(":", 1)[1]


async def test_a_given_up_opening_leaves_nothing(rig: Rig) -> None:
    """Also when it was given up in the middle of the set-up."""
    (rig.source / ".overnight.toml").write_text('[environment]\nsetup = ["sleep 1000"]\n')
    git(rig.source, "commit", "--quiet", "-am", "slow")
    opening = asyncio.get_running_loop().create_task(rig.open())
    boxes = rig.settings.sandboxes_path / "boxes"
    while not list(boxes.glob("*/state/commands/setup-0")):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert list(boxes.iterdir()) == []


async def test_work_is_restored_into_another_sandbox(rig: Rig) -> None:
    """A checkpoint brings changed, new and removed files back as uncommitted work."""
    ready = await rig.open("s-1")
    await rig.run(ready, "echo two > a.txt; mkdir d; echo new > d/n; git rm -q --cached .gitignore")
    await rig.run(ready, "rm .gitignore; git -c user.name=x -c user.email=x commit -qam wip", "c-2")
    work = await rig.export(ready)
    other = await rig.open("s-2", restore=work)
    seen = await rig.run(other, "cat a.txt d/n; git status --short; test ! -e .gitignore")
    assert seen.exit_code == 0
    assert seen.excerpt.startswith("two\nnew\n D .gitignore\n M a.txt\n")
    assert (await rig.export(other)).tree == work.tree


async def test_the_model_sees_the_output_and_the_ending(rig: Rig) -> None:
    """The tool message answers the call that asked."""
    ready = await rig.open()
    source = await keep_arguments(
        rig.store, b'{"command":"echo out; echo err >&2; exit 2","timeout_seconds":60}'
    )
    call = ToolCall(id="call-9", name=ToolName.BASH, summary="echo", source=source)
    request = rig.command(ready, "").model_copy(update={"shell": None, "call": call})
    result = await rig.sandboxes.run_command(request)
    assert result.message is not None
    message = await Transcripts(rig.store).get(result.message)
    assert isinstance(message, ToolMessage)
    assert message.call_id == "call-9"
    assert sorted(message.text.splitlines()[:2]) == ["err", "out"]
    assert message.text.endswith("\n[exit code 2]")


async def test_the_model_finds_what_its_excerpt_leaves_out(rig: Rig) -> None:
    """A cut names the file with all of it, which views show and proposals leave out."""
    ready = await rig.open()
    message = await _said_to_the_model(rig, ready, "seq 1 20000", "s3-0")
    said = re.search(r"elided; the whole output \(20,000 lines\) is in (\S.*) …\n", message)
    assert said is not None
    viewed = await rig.use(ready, "e-1", ToolName.VIEW, path=said[1], start=9_999, end=9_999)
    assert viewed.excerpt == "  9999\t9999\n(lines 9999 to 9999 of 20000)"
    assert "elided" not in await _said_to_the_model(rig, ready, "seq 1 200", "s4-0")
    home = rig.settings.sandboxes_path / "boxes" / "s-1" / "home"
    assert [path.name for path in (home / ".overnight/output").iterdir()] == ["s3-0.txt"]
    assert (await rig.export(ready)).store_key is None


async def test_an_output_that_cannot_be_kept_is_cut_as_before(rig: Rig) -> None:
    """A command that puts something in the way only keeps the model from reading all of it."""
    ready = await rig.open()
    message = await _said_to_the_model(rig, ready, "touch ~/.overnight; seq 1 20000", "s3-0")
    assert re.search(r"\n… [0-9,]+ characters elided …\n", message)
    assert message.endswith("\n[exit code 0]")


async def _said_to_the_model(rig: Rig, ready: SandboxReady, shell: str, id: str) -> str:
    arguments = json.dumps({"command": shell, "timeout_seconds": 60}).encode()
    source = await keep_arguments(rig.store, arguments)
    call = ToolCall(id="call", name=ToolName.BASH, summary="", source=source)
    request = rig.command(ready, "", id).model_copy(update={"shell": None, "call": call})
    result = await rig.sandboxes.run_command(request)
    assert result.message is not None
    message = await Transcripts(rig.store).get(result.message)
    assert isinstance(message, ToolMessage)
    return message.text


async def test_output_is_kept_and_that_of_our_own_commands_is_not(rig: Rig) -> None:
    """The result tells where the stream of a command ends; a bundle of work is no output."""
    ready = await rig.open()
    result = await rig.run(ready, "echo out")
    await rig.run(ready, "echo more > a.txt", "c-2")
    await rig.export(ready)
    key = stream_key(ready.session, CommandId("c-1"))
    assert rig.store.list(f"streams/{ready.session}") == [key]
    (frame,) = FrameDecoder().feed(rig.store.read_stream(key, 0, 99))
    assert (frame.channel, frame.data) == (Channel.STDOUT, b"out\n")
    assert result.output_end == rig.store.stream_end(key) == FRAME_HEADER.size + 4


async def test_a_store_that_fails_is_temporary(rig: Rig) -> None:
    """The error keeps its type through the heartbeats, so that Temporal tries again."""
    ready = await rig.open()
    in_the_way = rig.settings.store_path / "streams"
    in_the_way.parent.mkdir(exist_ok=True)
    in_the_way.touch()
    command = rig.command(ready, "echo out; exit 3")
    with pytest.raises(ApplicationError, match="it runs on") as failed:
        await ActivityEnvironment().run(rig.sandboxes.run_command, command)
    assert (failed.value.type, failed.value.non_retryable) == (Failure.TEMPORARY, False)
    in_the_way.unlink()
    result = await ActivityEnvironment().run(rig.sandboxes.run_command, command)
    assert (result.exit_code, result.excerpt) == (3, "out\n")
    assert result.output_end == FRAME_HEADER.size + 4
