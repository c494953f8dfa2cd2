"""Shows what activities are asked for and what they answer as events. Pure.

Activities are known by the names that `workflows/ports.py` gives them.
"""

import re
from collections.abc import Callable

from workflows.contract import events
from workflows.contract.base import SessionId
from workflows.contract.checks import (
    Baseline,
    CheckFacts,
    CheckPlan,
    CheckResult,
    FilesFixed,
    PrepareBaseline,
    QuickResult,
    RunCheck,
)
from workflows.contract.events import Happened, SeenCall
from workflows.contract.judging import Judgement
from workflows.contract.model import ModelCall, ModelStep, TranscriptCompacted
from workflows.contract.pull_request import PullRequest
from workflows.contract.sandbox import (
    CommandResult,
    FileResult,
    OpenSandbox,
    RunCommand,
    SandboxClosed,
    SandboxReady,
    WorkBundle,
)

MODEL_ACTIVITY = "model.step"

LIVE_ACTIVITIES = frozenset({MODEL_ACTIVITY, "sandbox.run_command", "checks.run"})
"""Their heartbeats carry the text of the reply so far, or output."""


def asked(activity: str, request: bytes) -> list[Happened]:
    """Return what is shown when an activity is scheduled with this JSON argument.

    Raises:
        ValidationError: the argument is not the one that this code knows.
    """
    show = _ASKED.get(activity, _nothing)
    shown = show(request)
    return [] if shown is None else [shown]


def answered(activity: str, result: bytes) -> list[Happened]:
    """Return what is shown when an activity completed with this JSON result.

    Raises:
        ValidationError: the result is not the one that this code knows.
    """
    show = _ANSWERED.get(activity, _nothing)
    shown = show(result)
    return [] if shown is None else [shown]


def _outcome(check: CheckFacts) -> str:
    if not check.runnable:
        return f"{check.name} could not be run"
    return f"{check.name} {'passed' if check.passed else 'failed'}"


def _nothing(_data: bytes) -> None:
    """Show nothing of what only concerns the machinery."""


def _is_own(session: SessionId, sandbox_id: str) -> bool:
    # The baseline and the gate have sandboxes of their own, with longer names.
    return re.fullmatch(r"-r\d+", sandbox_id.removeprefix(session)) is not None


def _step_asked(data: bytes) -> Happened:
    call = ModelCall.model_validate_json(data)
    return events.StepAsked(turn=call.turn, step=call.step, model=call.model)


def _step_taken(data: bytes) -> Happened:
    step = ModelStep.model_validate_json(data)
    return events.StepTaken(
        turn=step.turn,
        step=step.step,
        text=step.text,
        calls=tuple(SeenCall(name=call.name, summary=call.summary) for call in step.calls),
        refused=step.refused,
        usage=step.usage,
        seconds=step.seconds,
    )


def _command_started(data: bytes) -> Happened:
    command = RunCommand.model_validate_json(data)
    shell = command.call.summary if command.call is not None else command.shell or ""
    return events.CommandStarted(
        turn=command.turn, step=command.step, command_id=command.command_id, shell=shell[:2_000]
    )


def _command_finished(data: bytes) -> Happened:
    result = CommandResult.model_validate_json(data)
    return events.CommandFinished(
        turn=result.turn,
        step=result.step,
        command_id=result.command_id,
        outcome=result.outcome,
        exit_code=result.exit_code,
        seconds=result.seconds,
        stdout_bytes=result.stdout_bytes,
        stderr_bytes=result.stderr_bytes,
        output_end=result.output_end,
    )


def _file_used(data: bytes) -> Happened:
    result = FileResult.model_validate_json(data)
    return events.FileUsed(
        turn=result.turn,
        step=result.step,
        effect_id=result.effect_id,
        ok=result.ok,
        excerpt=result.excerpt,
    )


def _sandbox_opening(data: bytes) -> Happened | None:
    request = OpenSandbox.model_validate_json(data)
    if not _is_own(request.session, request.sandbox_id):
        return None
    return events.SandboxOpening(generation=request.generation)


def _sandbox_opened(data: bytes) -> Happened | None:
    ready = SandboxReady.model_validate_json(data)
    if not _is_own(ready.session, ready.binding.sandbox_id):
        return None
    return events.SandboxOpened(
        generation=ready.binding.generation,
        how=ready.how,
        provider=ready.provider,
        base_commit=ready.base_commit,
        setup=ready.setup,
        seconds=ready.seconds,
    )


def _checks_found(data: bytes) -> Happened:
    plan = CheckPlan.model_validate_json(data)
    return events.ChecksFound(checks=plan.checks, source=plan.source)


def _check_started(data: bytes) -> Happened:
    request = RunCheck.model_validate_json(data)
    return events.CheckStarted(
        turn=request.turn,
        name=request.check.name,
        command_id=request.command_id,
        shell=request.check.command,
    )


def _check_finished(data: bytes) -> Happened:
    result = CheckResult.model_validate_json(data)
    return events.CheckFinished(
        turn=result.turn,
        name=result.name,
        command_id=result.command_id,
        passed=result.passed,
        runnable=result.runnable,
        findings=result.findings,
        tests=result.tests,
        outcome=result.outcome,
        exit_code=result.exit_code,
        seconds=result.seconds,
        output_end=result.output_end,
    )


def _work_exported(data: bytes) -> Happened:
    work = WorkBundle.model_validate_json(data)
    return events.WorkExported(tip=work.tip, changed=work.store_key is not None)


def _proposed(data: bytes) -> Happened:
    return events.PullRequestProposed(pull_request=PullRequest.model_validate_json(data))


def _sandbox_closed(data: bytes) -> Happened | None:
    closed = SandboxClosed.model_validate_json(data)
    return events.SandboxClosed() if _is_own(closed.session, closed.sandbox_id) else None


def _baseline_started(data: bytes) -> Happened:
    return events.BaselineStarted(commit=PrepareBaseline.model_validate_json(data).commit)


def _baseline_ready(data: bytes) -> Happened:
    baseline = Baseline.model_validate_json(data)
    return events.BaselineReady(
        commit=baseline.commit,
        checks=tuple(_outcome(result) for result in baseline.results),
        cached=baseline.cached,
        seconds=baseline.seconds,
    )


def _quick_checked(data: bytes) -> Happened:
    result = QuickResult.model_validate_json(data)
    return events.QuickChecked(
        turn=result.turn,
        step=result.step,
        findings=result.findings,
        shown=result.shown,
        seconds=result.seconds,
    )


def _files_mended(data: bytes) -> Happened | None:
    fixed = FilesFixed.model_validate_json(data)
    return events.FilesMended(turn=fixed.turn, files=fixed.changed) if fixed.changed else None


def _work_judged(data: bytes) -> Happened:
    judgement = Judgement.model_validate_json(data)
    return events.WorkJudged(
        turn=judgement.turn,
        round=judgement.round,
        counts=judgement.counts,
        tests=judgement.tests,
        tests_at_base=judgement.tests_at_base,
        unrunnable=judgement.unrunnable,
        shown=judgement.shown,
    )


def _compacted(data: bytes) -> Happened:
    compacted = TranscriptCompacted.model_validate_json(data)
    return events.TranscriptCompacted(
        turn=compacted.turn,
        step=compacted.step,
        messages_before=compacted.messages_before,
        messages=compacted.head.messages,
        usage=compacted.usage,
    )


_Show = Callable[[bytes], Happened | None]

_ASKED: dict[str, _Show] = {
    MODEL_ACTIVITY: _step_asked,
    "sandbox.run_command": _command_started,
    "sandbox.open": _sandbox_opening,
    "checks.run": _check_started,
    "checks.baseline": _baseline_started,
}

_ANSWERED: dict[str, _Show] = {
    MODEL_ACTIVITY: _step_taken,
    "sandbox.run_command": _command_finished,
    "sandbox.stop_command": _command_finished,
    "sandbox.use_file": _file_used,
    "sandbox.open": _sandbox_opened,
    "sandbox.export_work": _work_exported,
    "sandbox.close": _sandbox_closed,
    "checks.detect": _checks_found,
    "checks.run": _check_finished,
    "checks.baseline": _baseline_ready,
    "checks.quick": _quick_checked,
    "checks.fix": _files_mended,
    "checks.judge": _work_judged,
    "model.compact": _compacted,
    "pull_requests.propose": _proposed,
}
