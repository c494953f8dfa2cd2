"""The JSON of each tool, recognised by its shape: a row of `SHAPES` for each."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from activities.checks.readers import sarif
from activities.checks.readers.gathering import Gathering, Hit
from activities.checks.readers.wire import at, first, items, mapping, text, whole
from workflows.contract.findings import FindingKind, Severity

Document = Mapping[str, object]

_SEVERITIES = {
    "warning": Severity.WARNING,
    "convention": Severity.WARNING,
    "refactor": Severity.WARNING,
    "medium": Severity.WARNING,
    "note": Severity.NOTE,
    "info": Severity.NOTE,
    "information": Severity.NOTE,
    "style": Severity.NOTE,
    "low": Severity.NOTE,
    "help": Severity.NOTE,
}


def severity(word: object) -> Severity:
    """Return what a tool's word for it means; an error when the word is unknown."""
    return _SEVERITIES.get(text(word).lower(), Severity.ERROR)


class Shape(NamedTuple):
    """How the documents of one tool look."""

    keys: frozenset[str]
    """All of these stand in it."""

    read: Callable[[Document, Gathering], None]


def _mypy(item: Document, into: Gathering) -> None:
    hint = text(item.get("hint"))
    into.add(
        Hit(
            message=item.get("message"),
            path=into.paths.inside(text(item.get("file"))),
            line=item.get("line"),
            # mypy counts columns from 0 here, and -1 is none.
            column=whole(item.get("column")) + 1 if whole(item.get("line")) else 0,
            rule=item.get("code"),
            severity=severity(item.get("severity")),
            detail=hint,
        )
    )


def _pyright(item: Document, into: Gathering) -> None:
    for diagnostic in into.bounded(items(item.get("generalDiagnostics"))):
        start = at(diagnostic, "range", "start")
        is_placed = isinstance(at(start, "line"), int)
        first, _, more = text(at(diagnostic, "message")).partition("\n")
        rule = at(diagnostic, "rule")
        into.add(
            Hit(
                message=first,
                path=into.paths.inside(text(at(diagnostic, "file") or at(diagnostic, "uri"))),
                line=whole(at(start, "line")) + 1 if is_placed else 0,
                column=whole(at(start, "character")) + 1 if is_placed else 0,
                rule=rule,
                severity=severity(at(diagnostic, "severity")),
                # Only what does not parse has no rule.
                kind=None if rule else FindingKind.COMPILE,
                detail=more,
            )
        )


def _ruff(item: Document, into: Gathering) -> None:
    into.add(
        Hit(
            message=item.get("message"),
            path=into.paths.inside(text(item.get("filename"))),
            line=at(item, "location", "row"),
            column=at(item, "location", "column"),
            rule=item.get("code") or "invalid-syntax",
            severity=severity(item.get("severity")),
            fixable=at(item, "fix", "applicability") == "safe",
        )
    )


def _eslint(item: Document, into: Gathering) -> None:
    path = into.paths.inside(text(item.get("filePath")))
    for message in into.bounded(items(item.get("messages"))):
        is_fatal = at(message, "fatal") is True
        into.add(
            Hit(
                message=at(message, "message"),
                path=path,
                line=at(message, "line"),
                column=at(message, "column"),
                rule=at(message, "ruleId"),
                severity=Severity.WARNING if at(message, "severity") == 1 else Severity.ERROR,
                kind=FindingKind.COMPILE if is_fatal else None,
                fixable=bool(mapping(at(message, "fix"))),
            )
        )


def _pylint(item: Document, into: Gathering) -> None:
    into.add(
        Hit(
            message=item.get("message"),
            path=into.paths.inside(text(item.get("path"))),
            line=item.get("line"),
            column=whole(item.get("column")) + 1,
            rule=item.get("symbol"),
            severity=severity(item.get("type")),
        )
    )


def _pylint2(item: Document, into: Gathering) -> None:
    for message in into.bounded(items(item.get("messages"))):
        _pylint(mapping(message), into)


def _shellcheck(item: Document, into: Gathering) -> None:
    into.add(
        Hit(
            message=item.get("message"),
            path=into.paths.inside(text(item.get("file"))),
            line=item.get("line"),
            column=item.get("column"),
            rule=f"SC{text(item.get('code'))}",
            severity=severity(item.get("level")),
            fixable=bool(mapping(item.get("fix"))),
        )
    )


def _bandit(item: Document, into: Gathering) -> None:
    for result in into.bounded(items(item.get("results"))):
        into.add(
            Hit(
                message=at(result, "issue_text"),
                path=into.paths.inside(text(at(result, "filename"))),
                line=at(result, "line_number"),
                column=whole(at(result, "col_offset")) + 1,
                rule=at(result, "test_id"),
                severity=severity(at(result, "issue_severity")),
                kind=FindingKind.SECURITY,
            )
        )
    for error in into.bounded(items(item.get("errors"))):
        path = into.paths.inside(text(at(error, "filename")))
        into.add(Hit(at(error, "reason"), path, kind=FindingKind.COMPILE))


def _gcc(item: Document, into: Gathering) -> None:
    place = at(first(item.get("locations")), "caret")
    into.add(
        Hit(
            message=item.get("message"),
            path=into.paths.inside(text(at(place, "file"))),
            line=at(place, "line"),
            column=at(place, "column"),
            rule=item.get("option"),
            severity=severity(item.get("kind")),
        )
    )


def _cargo(item: Document, into: Gathering) -> None:
    message = mapping(item.get("message"))
    level = text(message.get("level"))
    spans = items(message.get("spans"))
    # Without a span it is a sum at the end, but for the linker's errors.
    if item.get("reason") != "compiler-message" or (not spans and level != "error"):
        return
    span = next((span for span in spans if at(span, "is_primary") is True), None)
    code = text(at(message, "code", "code"))
    is_lint = code.startswith("clippy::") or not level.startswith("error")
    if not spans and text(message.get("message")).startswith("aborting due to"):
        return
    into.add(
        Hit(
            message=message.get("message"),
            path=into.paths.inside(text(at(span, "file_name"))),
            line=at(span, "line_start"),
            column=at(span, "column_start"),
            rule=code,
            severity=severity(level),
            kind=FindingKind.LINT if is_lint else FindingKind.COMPILE,
            detail=text(message.get("rendered")),
        )
    )


def _sarif(item: Document, into: Gathering) -> None:
    sarif.read(item, into)


SHAPES = (
    Shape(frozenset({"reason", "package_id", "message"}), _cargo),
    Shape(frozenset({"generalDiagnostics"}), _pyright),
    Shape(frozenset({"runs", "version"}), _sarif),
    Shape(frozenset({"filePath", "messages"}), _eslint),
    Shape(frozenset({"filename", "location", "message"}), _ruff),
    Shape(frozenset({"path", "symbol", "message"}), _pylint),
    Shape(frozenset({"messages", "statistics"}), _pylint2),
    Shape(frozenset({"file", "level", "code", "message"}), _shellcheck),
    Shape(frozenset({"file", "severity", "message"}), _mypy),
    Shape(frozenset({"results", "errors", "metrics"}), _bandit),
    Shape(frozenset({"locations", "kind", "message"}), _gcc),
)
