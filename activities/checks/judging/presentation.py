"""A judgement in words: the message for the model, and lines for people; pure.

Everything in it may be what somebody hostile wrote, so all text is made inert and is cut.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from activities.checks.findings.fingerprints import normalised
from activities.checks.findings.inert import cut, end, inert, one_line
from activities.checks.judging.comparison import Judged
from activities.checks.judging.trials import function_of
from workflows.contract.findings import (
    Finding,
    FindingCounts,
    FindingKind,
    FindingState,
    TestCounts,
)
from workflows.contract.judging import SHOWN_CHARACTERS, SHOWN_FINDINGS

MESSAGE_CHARACTERS = 6_000
IN_FULL = 5
"""Findings told with their source or traceback; the others get a line each."""

AROUND_LINES = 3
BLOCK_CHARACTERS = 900
REST_CHARACTERS = 60
LINE_CHARACTERS = 160
SOURCE_CHARACTERS = 120
PLACES_SHOWN = 4
NAMES_SHOWN = 5

_STATES = {
    FindingState.NEW: "new",
    FindingState.CHANGED: "changed",
    FindingState.PERSISTING: "still there",
    FindingState.PRE_EXISTING: "failed before, and the task names it",
}
_KIND_ORDER = {kind: place for place, kind in enumerate(FindingKind)}
_STATE_ORDER = {state: place for place, state in enumerate(_STATES)}

_RULER = re.compile(r"^(?:[_=*-] ?){5,}$", re.MULTILINE)

Sources = Mapping[str, Sequence[str]]
"""Lines of files by path, without their ends."""


class Picture(NamedTuple):
    """What a judgement is put into words from."""

    counts: FindingCounts
    tests: TestCounts
    tests_at_base: TestCounts
    blocking: Sequence[Judged]
    """With pre-existing failures that the task names."""

    remaining: Sequence[Finding] = ()
    """Pre-existing findings of checks that fail."""

    flaky: Sequence[Finding] = ()
    remarks: Sequence[Finding] = ()
    """What does not block and a reviewer should know."""

    unrunnable: Sequence[str] = ()


class _Group(NamedTuple):
    """Findings that say the same."""

    members: tuple[Judged, ...]
    files: tuple[str, ...]

    @property
    def first(self) -> Judged:
        """Return the one that stands for all."""
        return self.members[0]


def wanted(picture: Picture) -> tuple[str, ...]:
    """Return the paths whose lines are shown, if somebody has them."""
    groups = _groups(picture.blocking)[:IN_FULL]
    return tuple(dict.fromkeys(g.first.finding.path for g in groups if g.first.finding.path))


def message(picture: Picture, sources: Sources) -> str:
    """Return the message for the model, at most 6,000 characters."""
    head = inert(_headline(picture))
    tail = inert("\n".join(_advice(picture)))
    room = MESSAGE_CHARACTERS - len(head) - len(tail) - len("\n\n\n\n")
    body = "\n\n".join(_body(_groups(picture.blocking), sources, room))
    return "\n\n".join(part for part in (head, body, tail) if part)


def shown(picture: Picture) -> tuple[str, ...]:
    """Return a line for each of the first findings, for people; remarks come last."""
    lines = [f"{_STATES[g.first.state]}: {_line(g)}" for g in _groups(picture.blocking)]
    lines += [f"flaky: {_place(finding)}" for finding in picture.flaky]
    lines += [f"remark: {_place(finding)} {finding.message}" for finding in picture.remarks]
    return tuple(one_line(line, SHOWN_CHARACTERS) for line in lines[:SHOWN_FINDINGS])


def _groups(judged: Iterable[Judged]) -> list[_Group]:
    alike: dict[tuple[str, ...], list[Judged]] = {}
    for each in judged:
        alike.setdefault(_likeness(each), []).append(each)
    groups = [_group(members) for members in alike.values()]
    return sorted(groups, key=_order)


def _likeness(judged: Judged) -> tuple[str, ...]:
    """Return what findings have in common that are told as one."""
    finding, state = judged
    # An assertion says so little that each test has its own cause.
    test = function_of(finding.test_id) if finding.rule == "AssertionError" else ""
    # Every tool says once more what cannot be compiled.
    source = () if finding.kind is FindingKind.COMPILE else (finding.check, finding.rule)
    return (state, finding.kind, test, *source, normalised(finding.message))


def _group(members: Sequence[Judged]) -> _Group:
    ordered = sorted(members, key=lambda each: (each.finding.path, each.finding.line))
    paths = dict.fromkeys(each.finding.path for each in ordered if each.finding.path)
    return _Group(tuple(ordered), tuple(paths))


def _order(group: _Group) -> tuple[int, int, int, str, int]:
    finding, state = group.first
    place = (len(group.files), finding.path, finding.line)
    return (_KIND_ORDER[finding.kind], _STATE_ORDER[state], *place)


def _headline(picture: Picture) -> str:
    counts = picture.counts
    named = (
        (counts.new, "new"),
        (counts.changed, "changed"),
        (counts.persisting, "still failing"),
        (len(picture.blocking) - counts.blocking, "failing before and named by the task"),
        (counts.fixed, "fixed"),
        (counts.flaky, "flaky"),
        (counts.pre_existing, "pre-existing hidden"),
    )
    told = ", ".join(f"{count} {what}" for count, what in named if count > 0)
    return f"Findings: {told or 'none'}. {_tests(picture)}".strip()


def _tests(picture: Picture) -> str:
    now, base = picture.tests, picture.tests_at_base
    if not now.ran and not base.ran:
        return ""
    skipped = f", {now.skipped} skipped" if now.skipped else ""
    text = f"Tests: {now.passed} of {now.ran} passed{skipped}; {base.ran} ran at the base commit."
    if now.ran < base.ran:
        text += " Fewer than there: all of them must run."
    return text


def _body(groups: Sequence[_Group], sources: Sources, room: int) -> Iterator[str]:
    """Return the findings, the first in full, as far as there is room."""
    room -= REST_CHARACTERS
    lines: list[str] = []
    told = 0
    for text, is_full in _texts(groups, sources, room):
        room -= len(text) + len("\n\n")
        if room < 0:
            break
        told += 1
        if is_full:
            yield text
        else:
            lines.append(text)
    left = sum(len(group.members) for group in groups[told:])
    if left:
        lines.append(f"… and {left} more, of these or other kinds.")
    if lines:
        yield "\n".join(lines)


def _texts(groups: Sequence[_Group], sources: Sources, room: int) -> Iterator[tuple[str, bool]]:
    """Return each group's text, and whether it is a whole block."""
    places: set[tuple[str, int]] = set()
    for number, group in enumerate(groups):
        finding = group.first.finding
        place = (finding.path, finding.line)
        if number < IN_FULL and room > BLOCK_CHARACTERS:
            text = inert(_block(group, sources, with_source=place not in places))
            yield text, True
        else:
            text = inert(f"- {_line(group)}")
            yield text, False
        places.add(place)
        room -= len(text) + len("\n\n")


def _block(group: _Group, sources: Sources, *, with_source: bool) -> str:
    finding, state = group.first
    parts = [f"[{_STATES[state]}] {cut(_line(group), 4 * LINE_CHARACTERS)}"]
    room = BLOCK_CHARACTERS - len(parts[0])
    if finding.detail:  # with lines of its own
        parts.append(end(_indented(_RULER.sub("--", finding.detail)), room))
    elif with_source:
        parts.append(_excerpt(finding, sources))
    return cut("\n".join(part for part in parts if part), BLOCK_CHARACTERS)


def _line(group: _Group) -> str:
    finding = group.first.finding
    rule = f" [{finding.rule}]" if finding.rule else ""
    text = f"{finding.kind} {_place(finding)}{rule}: {one_line(finding.message, LINE_CHARACTERS)}"
    return text + _others(group)


def _others(group: _Group) -> str:
    """Say how many say the same, and where: by test, by line of one file, or by file."""
    findings = [each.finding for each in group.members]
    if len(findings) == 1:
        return ""
    if findings[0].test_id:
        names = [finding.test_id for finding in findings[1:]]
    elif len(group.files) == 1:
        lines = dict.fromkeys(finding.line for finding in findings[1:])
        names = [f"line {line}" for line in lines if line != findings[0].line]
    else:
        names = list(group.files[1:])
    more = ", …" if len(names) > PLACES_SHOWN else ""
    places = f": also {', '.join(names[:PLACES_SHOWN])}{more}" if names else ""
    files = f" in {len(group.files)} files" if len(group.files) > 1 else ""
    return f" (x{len(findings)}{files}{places})"


def _place(finding: Finding) -> str:
    if finding.test_id:
        return finding.test_id
    if not finding.path:
        return finding.check
    return f"{finding.path}:{finding.line}" if finding.line else finding.path


def _excerpt(finding: Finding, sources: Sources) -> str:
    lines = sources.get(finding.path, ())
    if not 0 < finding.line <= len(lines):
        return f"    > {finding.snippet}" if finding.snippet else ""
    first = max(1, finding.line - AROUND_LINES)
    return "\n".join(
        f"  {'>' if number == finding.line else ' '} {number} | {cut(text, SOURCE_CHARACTERS)}"
        for number, text in enumerate(lines[first - 1 : finding.line + AROUND_LINES], first)
    )


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))


def _advice(picture: Picture) -> Iterator[str]:
    kinds = {each.finding.kind for each in picture.blocking}
    if FindingKind.INTEGRITY in kinds:
        yield "What judges the work must stay as it is: undo those changes and mend the code."
    if picture.blocking:
        yield "Repair these and call finish again."
    elif picture.remaining:
        yield _of_remaining(picture.remaining)
    if picture.unrunnable:
        names = ", ".join(picture.unrunnable)
        yield f"Could not be run, so that nothing is known of them: {names}."
    if picture.flaky:
        names = _names(picture.flaky)
        yield f"Fail now and then at the base commit too, and are not yours to mend: {names}."
    if picture.remarks:
        count = len(picture.remarks)
        yield f"Told to the reviewer: {f'{count} remarks' if count > 1 else '1 remark'}."
    yield from _ending(picture)


def _ending(picture: Picture) -> Iterator[str]:
    ran, before = picture.tests.ran, picture.tests_at_base.ran
    if picture.blocking:
        return
    if ran < before:
        yield _of_lost(ran, before)
    elif not picture.remaining and not picture.unrunnable:
        yield "Nothing is left to repair."


def _of_lost(ran: int, before: int) -> str:
    if before == 1:
        return "The one test of the base commit did not run: bring it back."
    return f"Only {ran} of the {before} tests of the base commit ran: bring the others back."


def _of_remaining(remaining: Sequence[Finding]) -> str:
    tests = [finding for finding in remaining if finding.test_id]
    found = tests or remaining
    what = "test" if tests else "finding"
    count = f"{len(found)} {what}s" if len(found) > 1 else f"1 {what}"
    verb = "failed before your work and still does" if tests else "was there before and still is"
    if len(found) > 1:
        verb = (
            "failed before your work and still do" if tests else "were there before and still are"
        )
    return (
        f"{count} {verb}: {_names(found)}. Repair them if the task is about them; "
        "else call finish again and say so."
    )


def _names(findings: Sequence[Finding]) -> str:
    names = [cut(_place(finding), LINE_CHARACTERS) for finding in findings[:NAMES_SHOWN]]
    more = f" and {len(findings) - NAMES_SHOWN} more" if len(findings) > NAMES_SHOWN else ""
    return ", ".join(names) + more
