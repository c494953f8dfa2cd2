"""Looks at files just edited, in milliseconds: linters over these files, and whether they compile.

One command runs everything side by side and prints the sources, and what it all left, as archives.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from activities.checks.findings.reports import is_unrunnable, read_report
from activities.checks.readers.reading import ToolRun, read
from activities.checks.running import scripts, sources
from activities.checks.running.boxes import Boxes
from activities.checks.running.fitting import endings
from activities.checks.running.telling import Told, message, shown
from runtime.store.base import Store
from runtime.transcript import Transcripts
from workflows.contract.base import Sha256
from workflows.contract.checks import CheckSpec, QuickCheck, QuickResult, Reader
from workflows.contract.findings import Finding, FindingKind, FindingReport, Severity
from workflows.contract.sandbox import CommandOutcome
from workflows.contract.transcript import UserMessage

ONE_CHECK_SECONDS = 8
QUICK_SECONDS = 30.0
"""For all, side by side, and for reading what they left: when it is over nothing is known.

Much more than one check has, so that one that hangs does not cost what the others found.
"""

KNOWN_REPORTS = 64

_COMPILE = """
import sys
def say(p, line, column, text):
  global code
  code = 1
  print(f"{p}:{line or 1}:{column or 1}: error: {text}")
code = 0
for p in sys.argv[1:]:
  if not p.endswith(".py"): continue
  try: compile(open(p, "rb").read(), p, "exec", dont_inherit=True)
  except SyntaxError as e: say(p, e.lineno, e.offset, e.msg)
  except Exception as e: say(p, 1, 1, e)
sys.exit(code)
"""

_PYTHON = ".py"

# Nothing is executed and no .pyc is written; what the interpreter warns of is for linters to say.
SYNTAX = CheckSpec(
    name="syntax",
    command="true",
    kind=FindingKind.COMPILE,
    reader=Reader.TEXT,
    quick=f"python3 -I -S -W ignore -c '{_COMPILE}'",
)

_RESULTS = ".overnight-quick"
"""Folder, in the second archive, with what the checks left."""


class QuickChecks:
    """Runs quick checks; remembers the fingerprints of baselines, which never change."""

    def __init__(self, boxes: Boxes, store: Store) -> None:
        self._boxes = boxes
        self._store = store
        self._transcripts = Transcripts(store)
        self._known: OrderedDict[Sha256, frozenset[str]] = OrderedDict()

    async def look(self, request: QuickCheck) -> QuickResult:
        """Say what is wrong with the files that was not at the base, if it was not said before.

        Raises:
            ApplicationError: `temporary`, when a retry may find the box again.
        """
        started = time.monotonic()
        checks = _checks(request)
        reports = await self._run(request, checks) if checks else None
        if reports is None:  # nothing is known, so nothing changes
            return _result(request, started, told=request.told)
        new = await self._new(request, reports)
        told = Told.read(request.told)
        known = request.baseline is not None
        text = message(told, request.files, new, baseline_known=known)
        told = told.after(request.files, new)
        kept = None if text is None else await self._transcripts.put(UserMessage(text=text))
        return _result(request, started, told=told.write()).model_copy(
            update={"findings": len(new), "shown": shown(new), "message": kept}
        )

    async def _run(
        self, request: QuickCheck, checks: list[CheckSpec]
    ) -> list[FindingReport] | None:
        ended = await self._boxes.run_in_box(
            request.binding,
            request.command_id,
            script(request, checks),
            seconds=QUICK_SECONDS,
            keep_bytes=scripts.ARCHIVE_LIMIT_BYTES,
        )
        if ended.outcome is not CommandOutcome.EXITED:
            return None
        workspace = request.binding.workspace
        return await asyncio.to_thread(_reports, checks, ended.stdout, workspace) or None

    async def _new(self, request: QuickCheck, reports: list[FindingReport]) -> list[Finding]:
        known: set[str] = set()
        for result in request.baseline.results if request.baseline else ():
            if result.report is not None and any(result.name == r.check for r in reports):
                known |= await self._fingerprints(result.report)
        found = [
            finding
            for report in reports
            for finding in report.findings
            if finding.severity is not Severity.NOTE
            and finding.fingerprint not in known
            and finding.path in request.files
        ]
        linted = {finding.path for finding in found if finding.check != SYNTAX.name}
        return [f for f in found if f.check != SYNTAX.name or f.path not in linted]

    async def _fingerprints(self, name: Sha256) -> frozenset[str]:
        if name not in self._known:
            report = await read_report(self._store, name)
            self._known[name] = frozenset(finding.fingerprint for finding in report.findings)
            while len(self._known) > KNOWN_REPORTS:
                self._known.popitem(last=False)
        return self._known[name]


def script(request: QuickCheck, checks: Iterable[CheckSpec]) -> str:
    """Return the script that runs the checks side by side and prints what they left."""
    folder = hashlib.sha256(request.command_id.encode()).hexdigest()[:24]
    lines = [
        scripts.positional(scripts.plain(request.files)),
        scripts.keep_files(),
        "[ $# -gt 0 ] || exit 0",
        f'd="$HOME/.overnight/quick-{folder}"',
        f'rm -rf -- "$d"; mkdir -p -- "$d/{_RESULTS}"',
    ]
    for number, check in enumerate(checks):
        one = scripts.over_files(check.quick, endings(check.quick), ONE_CHECK_SECONDS)
        place = f'"$d/{_RESULTS}/{number}'
        lines.append(
            f'{{ export OVERNIGHT_REPORT={place}.report"; {one} >{place}.out" 2>{place}.err"; '
            f'echo $? >{place}.code"; }} &'
        )
    asked = scripts.positional(scripts.plain(sources.wanted(request.files)))
    archives = [
        f"{scripts.SYSTEM_PATH}; {asked}; {scripts.ARCHIVE}",
        f'cd -- "$d" && set -- {_RESULTS} {_RESULTS}/* && {scripts.ARCHIVE}',
    ]
    return "\n".join([*lines, "wait", *archives])


def _checks(request: QuickCheck) -> list[CheckSpec]:
    checks = [check for check in request.plan.checks if check.quick]
    is_linted = any(_PYTHON in endings(check.quick) for check in checks)
    if not is_linted and any(path.endswith(_PYTHON) for path in request.files):
        checks.append(SYNTAX)
    return checks


def _reports(checks: Iterable[CheckSpec], output: bytes, workspace: str) -> list[FindingReport]:
    files = sources.read_archive(output)
    lines = sources.lines_of(
        {path: data for path, data in files.items() if not path.startswith(_RESULTS)}
    )
    reports = [read(check, run, workspace, lines) for check, run in _runs(checks, files)]
    return [report for report in reports if not is_unrunnable(report)]


def _runs(
    checks: Iterable[CheckSpec], files: Mapping[str, bytes]
) -> Iterable[tuple[CheckSpec, ToolRun]]:
    for number, check in enumerate(checks):
        place = f"{_RESULTS}/{number}"
        code = files.get(f"{place}.code", b"").strip()
        if code.isdigit() and code != b"124":  # else it ran out of time
            yield (
                check,
                ToolRun(
                    stdout=files.get(f"{place}.out", b""),
                    stderr=files.get(f"{place}.err", b""),
                    report=files.get(f"{place}.report"),
                    exit_code=int(code[:3]),
                    outcome=CommandOutcome.EXITED,
                ),
            )


def _result(request: QuickCheck, started: float, *, told: str) -> QuickResult:
    return QuickResult(
        session=request.session,
        turn=request.turn,
        step=request.step,
        findings=0,
        told=told,
        seconds=time.monotonic() - started,
    )
