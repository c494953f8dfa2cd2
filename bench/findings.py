"""What a model has to read of failing checks: their whole output, or our message."""

import subprocess
import sys
import time
from pathlib import Path

from activities.checks.findings.reports import tests_of
from activities.checks.judging import judgement, presentation
from activities.checks.judging.evidence import Evidence, evidence_of
from activities.checks.judging.judgement import Known
from activities.checks.planning import tools
from activities.checks.readers.reading import ToolRun, gather
from bench import bulk, failing
from bench.failing import Files, State
from bench.stack import Arena
from bench.tables import Table
from workflows.contract.base import CommitSha, PromptId, SessionId, Sha256
from workflows.contract.checks import (
    REPORT_VARIABLE,
    Baseline,
    CheckFacts,
    CheckPlan,
    CheckSpec,
)
from workflows.contract.findings import FindingReport
from workflows.contract.judging import Examination, JudgeWork
from workflows.contract.sandbox import CommandOutcome, WorkBundle

CHECKS = (tools.RUFF, tools.MYPY, tools.PYTEST)
AS_TYPED = ("ruff check --no-cache", "mypy", "python3 -m pytest -q")
"""The same checks as a person or a model runs them."""

CHARACTERS_PER_TOKEN = 4
SECONDS = 120

NOTES = f"""\
A project of {failing.TABLES} modules with {6 * failing.TABLES} tests. Raw is all that
`{"`, `".join(AS_TYPED)}` print;
ours is what the model gets when it calls finish, of at most {presentation.MESSAGE_CHARACTERS:,}
characters. "New" are the findings that block, "before" those of the base commit that are only
counted. A token is taken as {CHARACTERS_PER_TOKEN} characters."""


READINGS = 5
READING_NOTES = f"""\
A report of 20,000 findings in {bulk.FILES} files, from its bytes to findings with snippets and
fingerprints; processor time, best of {READINGS}."""


def measure(arena: Arena) -> list[Table]:
    """Bring the project into each state and run its checks."""
    rows = [_row(arena.base / "failing", state) for state in failing.states()]
    header = ("state", "new", "before", "raw tokens", "ours", "raw ÷ ours")
    return [Table("Tokens of failing checks", header, rows, NOTES), _reading()]


def _reading() -> Table:
    sources = bulk.sources()
    rows = [(each.name, f"{_cpu_seconds(each, sources):.2f}") for each in bulk.bulks()]
    header = ("format", "CPU seconds")
    return Table("20,000 findings: read and fingerprint", header, rows, READING_NOTES)


def _cpu_seconds(each: bulk.Bulk, sources: dict[str, list[str]]) -> float:
    """Return the best of some runs: the rest is what other programs cost."""
    best = float("inf")
    for _ in range(READINGS):
        began = time.process_time()
        gather(each.spec, each.run, bulk.WORKSPACE).report(sources)
        best = min(best, time.process_time() - began)
    return best


def _row(folder: Path, state: State) -> tuple[str, ...]:
    before = {**failing.project(), **state.before}
    _write(folder, before)
    base = tuple(_evidence(folder, check) for check in CHECKS)
    _write(folder, state.changed)
    now = tuple(_evidence(folder, check) for check in CHECKS)
    raw = sum(len(_run(folder, command).stdout) for command in AS_TYPED)
    found = judgement.judge(_request(), _known(now, base))
    wanted = presentation.wanted(found.picture)
    sources = {path: (folder / path).read_text().split("\n") for path in wanted}
    ours = len(presentation.message(found.picture, sources))
    _remove(folder, {**before, **state.changed})
    counts = found.picture.counts
    return (
        state.name,
        str(counts.blocking),
        str(counts.pre_existing),
        str(raw // CHARACTERS_PER_TOKEN),
        str(ours // CHARACTERS_PER_TOKEN),
        f"{raw / ours:.1f}",
    )


def _evidence(folder: Path, check: CheckSpec) -> Evidence:
    report = folder.with_name("report")
    report.unlink(missing_ok=True)
    ended = _run(folder, check.command, report)
    run = ToolRun(
        stdout=ended.stdout,
        report=report.read_bytes() if report.exists() else None,
        exit_code=ended.returncode,
        outcome=CommandOutcome.EXITED,
    )
    gathered = gather(check, run, str(folder))
    lines = {
        path: (folder / path).read_text().split("\n")
        for path in gathered.mentioned()
        if (folder / path).exists()
    }
    found = gathered.report(lines)
    facts = CheckFacts(
        name=check.name,
        passed=ended.returncode == 0,
        runnable=True,
        findings=len(found.findings),
        tests=tests_of(found),
        report=None,
    )
    return evidence_of(facts, CHECKS, found)


def _run(
    folder: Path, command: str, report: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(folder.parent),
        REPORT_VARIABLE: str(report or ""),
    }
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
        check=False,
    )


def _known(now: tuple[Evidence, ...], base: tuple[Evidence, ...]) -> Known:
    return Known(
        now=now,
        base=base,
        original=(),
        alone=(),
        alone_at_base=(),
        examined=FindingReport(check="integrity"),
        previous=(),
        prompt="",
    )


def _request() -> JudgeWork:
    session, commit, none = SessionId("bench"), CommitSha("0" * 40), Sha256("0" * 64)
    return JudgeWork(
        session=session,
        turn=1,
        round=1,
        prompt=PromptId("bench"),
        base=commit,
        work=WorkBundle(base=commit, tip=commit, tree="0" * 40, store_key=None),
        plan=CheckPlan(checks=CHECKS, source="bench"),
        baseline=Baseline(session=session, commit=commit, cached=True, seconds=0.0),
        examination=Examination(session=session, turn=1, report=none),
        results=(),
    )


def _write(folder: Path, files: Files) -> None:
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def _remove(folder: Path, files: Files) -> None:
    for path in files:
        (folder / path).unlink()
