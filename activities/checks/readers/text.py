"""Reads plain output, line by line: problem matchers, tracebacks, hooks of pre-commit."""

import re
from collections.abc import Callable, Iterator, Mapping

from activities.checks.findings.inert import decoded, inert, one_line
from activities.checks.readers.gathering import Gathering, Hit
from activities.checks.readers.json_shapes import severity
from activities.checks.readers.matchers import Matcher, match, rule_at_end
from activities.checks.readers.node_ids import bounded
from workflows.contract.findings import FindingKind

LINE_CHARACTERS = 2_000
HOOK_LINES = 40
HOOK_DOTS = 3
READ_CHARACTERS = 4 * 1024 * 1024
"""Of the beginning and of the end of the output; what stands between is not read."""

LINES = re.compile(r"[^\r\n]{6,}")

_HOOK_STATES = ("Passed", "Failed", "Skipped")
_HOOK_ID = re.compile(r"- hook id: (?P<id>.+)")
_ARROW = re.compile(r"\s*--> (?P<path>[^\s:][^:]*):(?P<line>\d+):(?P<column>\d+)")
_TITLE = re.compile(
    r"(?:(?P<severity>error|warning)(?:\[(?P<code>\w+)\])?: |(?P<rule>[\w-]+):? (?P<fix>\[\*\] )?)"
    r"(?P<message>.+)"
)
_FRAME = re.compile(r'\s*File "(?P<path>[^"]+)", line (?P<line>\d+)(?:, in .*)?')
_EXCEPTION = re.compile(r"(?P<rule>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?")
_SUMMARIES = ("FAILED ", "ERROR ", "SUBFAILED")
_STYLISH_FILE = re.compile(r"(?P<path>/\S.*|[\w./@-]+\.\w+)")
_STYLISH = re.compile(
    r"\s+(?P<line>\d+):(?P<column>\d+)\s+(?P<severity>error|warning)\s+(?P<message>\S.*)"
)


def read(output: bytes, into: Gathering) -> None:
    """Gather all problems that lines name; there may be none."""
    reader = _Reader(into)
    for line in _lines(decoded(output)):
        reader.take(line)
    reader.end()


def _lines(text: str) -> Iterator[str]:
    if len(text) > 2 * READ_CHARACTERS:
        text = f"{text[:READ_CHARACTERS]}\n{text[-READ_CHARACTERS:]}"
    for found in LINES.finditer(text):
        yield inert(found[0][:LINE_CHARACTERS])


class _Reader:
    def __init__(self, into: Gathering) -> None:
        self._into = into
        self._forms: tuple[Callable[[str], bool], ...] = (
            self._traceback,
            self._hook,
            self._summary,
            self._arrow,
            self._matched,
            self._stylish,
        )
        self._before = ""
        self._file = ""
        self._frame: tuple[str, str] | None = None
        self._raised: set[int] = set()
        self._named: set[str] = set()
        self._hook_failed = ""
        self._hook_began = 0
        self._hook_said: list[str] = []

    def take(self, line: str) -> None:
        """Read one line."""
        if self._hook_failed:
            self._hook_said.append(line) if len(self._hook_said) < HOOK_LINES else None
        for form in self._forms:
            if form(line):
                break
        self._before = line

    def end(self) -> None:
        """Settle what only the end of the output tells."""
        self._end_hook()
        if self._named:
            # pytest tells every failure twice: as a traceback, and by name at the end.
            self._into.findings[:] = [
                finding
                for index, finding in enumerate(self._into.findings)
                if index not in self._raised
            ]

    def _traceback(self, line: str) -> bool:
        if found := _FRAME.fullmatch(line):
            path = self._into.paths.inside(found["path"])
            if path or self._frame is None:
                self._frame = (path, found["line"])
            return True
        if self._frame is None:
            return False
        if line[:1].isspace():
            return True
        path, line_number = self._frame
        self._frame = None
        found = _EXCEPTION.fullmatch(line)
        if found is None:
            return False
        rule = found["rule"].rsplit(".", 1)[-1]
        self._raised.add(len(self._into.findings))
        self._into.add(Hit(found["message"] or rule, path, line_number if path else 0, rule=rule))
        return True

    def _summary(self, line: str) -> bool:
        if not line.startswith(_SUMMARIES) or ".py" not in line:
            return False
        test, message = _named(line)
        if not test or test in self._named:
            return bool(test)
        self._named.add(test)
        file, _, function = test.partition("::")
        rule = message.partition(":")[0]
        self._into.add(
            Hit(
                message=message or "failed",
                path=self._into.paths.inside(file),
                rule=rule if rule.isidentifier() else "",
                kind=FindingKind.TEST if function else None,
                test_id=bounded(test) if function else "",
            )
        )
        return True

    def _arrow(self, line: str) -> bool:
        found = _ARROW.fullmatch(line)
        title = _TITLE.fullmatch(self._before) if found else None
        if not found or not title:
            return bool(found)
        rule = title["rule"] or title["code"] or ""
        is_format = rule == "unformatted"
        self._into.add(
            Hit(
                message=title["message"],
                path=self._into.paths.inside(found["path"]),
                line=found["line"],
                column=found["column"],
                rule=rule,
                severity=severity(title["severity"] or "error"),
                kind=FindingKind.FORMAT if is_format else None,
                fixable=is_format or bool(title["fix"]),
            )
        )
        return True

    def _matched(self, line: str) -> bool:
        matched = match(line)
        if matched is None:
            return False
        matcher, groups = matched
        is_remark = groups.get("severity") == "note" and not rule_at_end(groups["message"])[1]
        if not (is_remark and self._into.findings):
            self._into.add(self._hit(matcher, groups))
        return True

    def _hit(self, matcher: Matcher, groups: Mapping[str, str]) -> Hit:
        message, rule = rule_at_end(groups.get("message", ""))
        if groups.get("rule"):
            # pylint names a rule twice, and the readable name is the one it is switched off by.
            is_pylint = rule and rule.islower() and "-" in rule
            message, rule = (message, rule) if is_pylint else (groups["message"], groups["rule"])
        return Hit(
            message=message or matcher.message,
            path=self._into.paths.inside(groups["path"].strip()),
            line=groups.get("line", ""),
            column=groups.get("column", ""),
            rule=rule or matcher.rule,
            severity=severity(groups.get("severity") or "error"),
            kind=matcher.kind,
            fixable=matcher.fixable or bool(groups.get("fix")),
        )

    def _stylish(self, line: str) -> bool:
        if found := _STYLISH.fullmatch(line):
            message, _, rule = found["message"].rpartition("  ")
            self._into.add(
                Hit(
                    message=message.strip() or rule,
                    path=self._into.paths.inside(self._file),
                    line=found["line"],
                    column=found["column"],
                    rule=rule if message else "",
                    severity=severity(found["severity"]),
                    kind=FindingKind.COMPILE if rule.startswith("Parsing error") else None,
                )
            )
            return True
        if _STYLISH_FILE.fullmatch(line):
            self._file = line
        return False

    def _hook(self, line: str) -> bool:
        name, state = _hook_state(line)
        if name:
            self._end_hook()
            self._hook_failed = name if state == "Failed" else ""
            self._hook_began = len(self._into.findings)
            return True
        if self._hook_failed and (found := _HOOK_ID.fullmatch(line)):
            self._hook_failed = found["id"]
            return True
        return False

    def _end_hook(self) -> None:
        if self._hook_failed and len(self._into.findings) == self._hook_began:
            is_modified = "- files were modified by this hook" in self._hook_said
            message = "changed files" if is_modified else "failed"
            self._into.add(
                Hit(
                    message=f"hook {one_line(self._hook_failed, 200)} {message}",
                    rule=self._hook_failed,
                    kind=FindingKind.FORMAT if is_modified else None,
                    detail="\n".join(self._hook_said),
                    fixable=is_modified,
                )
            )
        self._hook_failed, self._hook_said = "", []


def _named(line: str) -> tuple[str, str]:
    """Split a line of pytest's summary into test and message; parameters may hold anything."""
    # The values of a subtest stand before the test's name.
    is_subtest = line.startswith("SUBFAILED")
    begin = line.rfind(" ", 0, line.index(".py")) if is_subtest else line.index(" ")
    rest = line[begin + 1 :]
    if ".py" not in rest.partition(" ")[0]:
        return "", ""
    before, separator, message = rest.partition(" - ")
    if "[" not in before:
        return before.strip(), message
    before, separator, message = rest.partition("] - ")
    return before.strip() + separator[:1], message


def _hook_state(line: str) -> tuple[str, str]:
    """Return name and state of a hook of pre-commit, which are apart by dots."""
    state = next((state for state in _HOOK_STATES if line.endswith(state)), "")
    head = line.removesuffix(state) if state else ""
    if head.endswith(")"):
        head = head.rpartition("(")[0]
    name = head.rstrip(".")
    return (name.strip(), state) if len(head) - len(name) >= HOOK_DOTS else ("", "")
