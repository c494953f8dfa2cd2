"""What a workflow may ask for: abstract classes whose methods are activities.

Adapters in `activities/` subclass a port and name the same activities again; the worker
refuses to start when the names differ (`activities/worker.py`). Every method may run twice:
each documents what makes the second run harmless.
"""

from abc import ABC, abstractmethod

from temporalio import activity

from workflows.contract.checks import (
    Baseline,
    CheckPlan,
    CheckResult,
    DetectChecks,
    FilesFixed,
    FixFiles,
    PrepareBaseline,
    QuickCheck,
    QuickResult,
    RunCheck,
)
from workflows.contract.judging import Examination, Examine, Judgement, JudgeWork
from workflows.contract.model import (
    CompactTranscript,
    ModelCall,
    ModelStep,
    TranscriptCompacted,
)
from workflows.contract.pull_request import Propose, PullRequest
from workflows.contract.sandbox import (
    CloseSandbox,
    CommandResult,
    ExportWork,
    FileResult,
    OpenSandbox,
    RunCommand,
    SandboxClosed,
    SandboxReady,
    StopCommand,
    UseFile,
    WorkBundle,
)
from workflows.contract.session import ArchiveRun, RunArchived


class Sandbox(ABC):
    """The one mutable thing of a session: a place with its files, where commands run."""

    @activity.defn(name="sandbox.open")
    @abstractmethod
    async def open(self, request: OpenSandbox) -> SandboxReady:
        """Make the sandbox ready; a repeat finds it by id and attaches.

        Raises (as `ApplicationError` types): `repository` when it cannot be fetched,
        `configuration`, `setup_failed`, none retryable, and `sandbox_unavailable`, which may pass.
        """

    @activity.defn(name="sandbox.run_command")
    @abstractmethod
    async def run_command(self, request: RunCommand) -> CommandResult:
        """Start the command once and wait for its end; a repeat attaches to it.

        Heartbeats while it runs. A cancelled activity leaves the command running:
        `stop_command` ends it. A command whose sandbox died is `lost`, never repeated.
        """

    @activity.defn(name="sandbox.stop_command")
    @abstractmethod
    async def stop_command(self, request: StopCommand) -> CommandResult:
        """End the command with everything it started, within 2 s; idempotent.

        A command that has not started yet never will. One that ended is reported as it ended.
        """

    @activity.defn(name="sandbox.use_file")
    @abstractmethod
    async def use_file(self, request: UseFile) -> FileResult:
        """View, edit or write a file of the workspace; a change is applied once per effect id.

        Raises `sandbox_gone` when no sandbox answers, not retryable.
        """

    @activity.defn(name="sandbox.export_work")
    @abstractmethod
    async def export_work(self, request: ExportWork) -> WorkBundle:
        """Bundle the workspace's files inside the sandbox; equal files give an equal tree.

        Raises `git_tampered` when the repository inside cannot be read, or has files that git
        cannot carry and that may not be left out; not retryable.
        """

    @activity.defn(name="sandbox.close")
    @abstractmethod
    async def close(self, request: CloseSandbox) -> SandboxClosed:
        """Remove processes and files; closing what is closed succeeds."""


class Model(ABC):
    """Any language model that calls tools."""

    @activity.defn(name="model.step")
    @abstractmethod
    async def step(self, request: ModelCall) -> ModelStep:
        """Ask for one reply; a repeat returns the journaled answer without a new request.

        Raises `model_wait`, `model_retry` (retryable), `model_compact`, `model_fatal`.
        A cut stream is `model_retry`, never a short answer.
        """

    @activity.defn(name="model.compact")
    @abstractmethod
    async def compact(self, request: CompactTranscript) -> TranscriptCompacted:
        """Sum up a transcript; a repeat returns the journaled summary without a new request.

        Raises what `step` raises; `model_compact` when even this request is too long.
        """


class Checks(ABC):
    """The repository's own compilers, linters and tests."""

    @activity.defn(name="checks.detect")
    @abstractmethod
    async def detect(self, request: DetectChecks) -> CheckPlan:
        """Read the plan from the base commit; raises `configuration` on a broken one."""

    @activity.defn(name="checks.run")
    @abstractmethod
    async def run(self, request: RunCheck) -> CheckResult:
        """Run one check in the sandbox and read its report; a repeat attaches by its command id.

        Heartbeats while it runs. A report that cannot be read, or a check that cannot be run, is a
        finding of kind `environment`, never an error.
        """

    @activity.defn(name="checks.baseline")
    @abstractmethod
    async def baseline(self, request: PrepareBaseline) -> Baseline:
        """Run all checks on the base commit in a sandbox of its own; a repeat attaches or finds it.

        Kept create-only by repository, commit, plan and environment. The sandbox is removed.
        """

    @activity.defn(name="checks.quick")
    @abstractmethod
    async def quick(self, request: QuickCheck) -> QuickResult:
        """Look at edited files; changes nothing, so a repeat only costs its seconds.

        What cannot be run is left out: it is for the gate to tell.
        """

    @activity.defn(name="checks.fix")
    @abstractmethod
    async def fix(self, request: FixFiles) -> FilesFixed:
        """Run the fixers over the files; a repeat attaches to the same command."""

    @activity.defn(name="checks.examine")
    @abstractmethod
    async def examine(self, request: Examine) -> Examination:
        """Read in the bare mirror what the work changes; depends on nothing but the request.

        Raises `git_tampered` when the bundle is not what it says, not retryable.
        """

    @activity.defn(name="checks.judge")
    @abstractmethod
    async def judge(self, request: JudgeWork) -> Judgement:
        """Compare and put into words; depends on nothing but the request and what it names."""


class PullRequests(ABC):
    """The place where work is proposed."""

    @activity.defn(name="pull_requests.propose")
    @abstractmethod
    async def propose(self, request: Propose) -> PullRequest:
        """Push one deterministic commit and record the proposal, each looked up before it is done.

        Raises `branch_moved` when somebody else pushed to the branch and `repository` when the
        remote refuses, `git_tampered` when the bundle is not what it says; none is retryable and
        nothing is overwritten.
        """


class Archive(ABC):
    """Histories of closed runs."""

    @activity.defn(name="archive.run")
    @abstractmethod
    async def run(self, request: ArchiveRun) -> RunArchived:
        """Write a run's history to the store, create-only; a repeat finds it."""


PORTS = (Sandbox, Model, Checks, PullRequests, Archive)
