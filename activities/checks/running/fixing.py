"""Lets the checks' own fixers mend files, and finds out which they changed."""

from activities.checks.running import scripts
from activities.checks.running.boxes import Boxes, part_of
from activities.checks.running.fitting import endings
from workflows.contract.checks import FilesFixed, FixFiles
from workflows.contract.sandbox import CommandOutcome

FIX_SECONDS = 300.0
ONE_FIXER_SECONDS = 120
OUTPUT_BYTES = 1024 * 1024

# The digests before and after are the only output; whatever a fixer prints goes nowhere.
_DIGESTS = f'{{ {scripts.SYSTEM_PATH} sha256sum --zero -- "$@"; printf "\\0"; }}'


class Fixers:
    """Runs fixers in a box, once per command id: the digests they left are its output."""

    def __init__(self, boxes: Boxes) -> None:
        self._boxes = boxes

    async def fix(self, request: FixFiles) -> FilesFixed:
        """Run every fixer over the files that are there; whatever they changed is told.

        Raises:
            ApplicationError: `temporary`, when a retry may find the box again.
        """
        changed: tuple[str, ...] = ()
        if any(check.fix for check in request.plan.checks) and request.files:
            ended = await self._boxes.run_in_box(
                request.binding,
                request.command_id,
                script(request),
                seconds=FIX_SECONDS,
                keep_bytes=OUTPUT_BYTES,
            )
            output = ended.stdout
            if ended.outcome not in (CommandOutcome.EXITED, CommandOutcome.LOST):
                # It was stopped before it could say what it had changed until then.
                output += await self._digests(request)
            changed = _changed(output, request.files)
        return FilesFixed(session=request.session, turn=request.turn, changed=changed)

    async def _digests(self, request: FixFiles) -> bytes:
        lines = [*_files(request), _DIGESTS]
        name = part_of(request.command_id, "after")
        ended = await self._boxes.run_in_box(
            request.binding, name, "\n".join(lines), keep_bytes=OUTPUT_BYTES
        )
        return ended.stdout


def script(request: FixFiles) -> str:
    """Return the script that prints digests of the files, runs the fixers, and prints them anew."""
    lines = [*_files(request), _DIGESTS]
    lines += [
        f"{scripts.over_files(check.fix, endings(check.fix), ONE_FIXER_SECONDS)} >&2"
        for check in request.plan.checks
        if check.fix
    ]
    return "\n".join([*lines, _DIGESTS])


def _files(request: FixFiles) -> list[str]:
    named = scripts.positional(scripts.plain(request.files))
    return [named, scripts.keep_files(), "[ $# -gt 0 ] || exit 0"]


def _changed(output: bytes, files: tuple[str, ...]) -> tuple[str, ...]:
    before, _, after = output.partition(b"\0\0")
    digests = set(before.split(b"\0"))
    found = [line for line in after.split(b"\0") if line and line not in digests]
    names = {line[66:].decode("utf-8", "replace").removeprefix("./") for line in found}
    return tuple(path for path in files if path in names)
