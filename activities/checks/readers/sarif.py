"""Reads SARIF 2.1.0, the OASIS format of static analysis results."""

from collections.abc import Iterator, Mapping

from activities.checks.readers.gathering import Gathering, Hit, UnreadableError
from activities.checks.readers.wire import Paths, at, first, items, mapping, text, whole
from workflows.contract.findings import FindingKind, Severity

_SEVERITIES = {
    "error": Severity.ERROR,
    "warning": Severity.WARNING,
    "note": Severity.NOTE,
    "none": Severity.NOTE,
}
_UNPARSED = ("parse error", "parsing error", "syntax error", "cannot parse", "failed to parse")


def read(document: object, into: Gathering) -> None:
    """Gather the results of all runs; raises UnreadableError when it is no SARIF."""
    runs = at(document, "runs")
    if not isinstance(runs, list):
        reason = "the report is no SARIF: it holds no runs"
        raise UnreadableError(reason)
    for run in into.bounded(runs):
        _Run(mapping(run), into).read()


class _Run:
    def __init__(self, run: Mapping[str, object], into: Gathering) -> None:
        self._run = run
        self._into = into
        self._paths = into.paths
        self._bases = run.get("originalUriBaseIds")
        self._rules = [mapping(rule) for rule in items(at(run, "tool", "driver", "rules"))]
        self._by_id = {text(rule.get("id")): rule for rule in self._rules}

    def read(self) -> None:
        for result in self._into.bounded(items(self._run.get("results"))):
            self._result(mapping(result))
        for invocation in items(self._run.get("invocations")):
            self._invocation(mapping(invocation))

    def _result(self, result: Mapping[str, object]) -> None:
        if not _counts(result):
            return
        rule = self._rule(result)
        level = result.get("level") or at(rule, "defaultConfiguration", "level")
        rule_id = result.get("ruleId") or at(result, "rule", "id") or rule.get("id")
        path, line, column = self._place(result)
        self._into.add(
            Hit(
                message=_message(mapping(result.get("message")), rule),
                path=path,
                line=line,
                column=column,
                rule=rule_id,
                severity=_severity(level),
                fixable=bool(items(result.get("fixes"))),
            )
        )

    def _invocation(self, invocation: Mapping[str, object]) -> None:
        for said in _notifications(invocation):
            message = _message(mapping(said.get("message")), {})
            rule = at(said, "descriptor", "id") or "notification"
            hit = Hit(message, *self._place(said), rule=rule)
            self._into.add(hit._replace(kind=_kind(hit, invocation)))

    def _rule(self, result: Mapping[str, object]) -> Mapping[str, object]:
        index = result.get("ruleIndex", at(result, "rule", "index"))
        if isinstance(index, int) and 0 <= index < len(self._rules):
            return self._rules[index]
        return self._by_id.get(text(result.get("ruleId")), {})

    def _place(self, of: Mapping[str, object]) -> tuple[str, object, object]:
        """Return path, line and column of the first location."""
        place = mapping(at(first(of.get("locations")), "physicalLocation"))
        region = mapping(place.get("region"))
        path = self._path(mapping(place.get("artifactLocation")))
        return path, region.get("startLine"), region.get("startColumn")

    def _path(self, location: Mapping[str, object]) -> str:
        index = location.get("index")
        if not location.get("uri") and isinstance(index, int):
            artifacts = items(self._run.get("artifacts"))
            if 0 <= index < len(artifacts):
                location = mapping(at(artifacts[index], "location"))
        uri, base_id = text(location.get("uri")), text(location.get("uriBaseId"))
        base = text(at(self._bases, base_id, "uri")) if base_id else ""
        return _based(uri, base, self._paths)


def _based(uri: str, base: str, paths: Paths) -> str:
    if base.startswith("file:") and not uri.startswith(("/", "file:")):
        return paths.of_uri(f"{base.rstrip('/')}/{uri}")
    return paths.of_uri(uri)


def _counts(result: Mapping[str, object]) -> bool:
    is_suppressed = any(
        at(suppression, "status") in (None, "accepted")
        for suppression in items(result.get("suppressions"))
    )
    is_failure = result.get("kind", "fail") in ("fail", "open", "review")
    return is_failure and not is_suppressed and result.get("baselineState") != "absent"


def _severity(level: object) -> Severity:
    return _SEVERITIES.get(text(level), Severity.WARNING)


def _message(message: Mapping[str, object], rule: Mapping[str, object]) -> str:
    found = text(message.get("text")) or text(message.get("markdown"))
    if not found:
        key = text(message.get("id"))
        found = text(at(rule, "messageStrings", key, "text"))
    found = found[:5_000]
    for number, argument in enumerate(items(message.get("arguments"))[:20]):
        found = found.replace(f"{{{number}}}", text(argument)[:500])[:5_000]
    return found or text(at(rule, "shortDescription", "text"))


def _notifications(invocation: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    for key in ("toolConfigurationNotifications", "toolExecutionNotifications"):
        for said in items(invocation.get(key)):
            if at(said, "level") == "error":
                yield mapping(said)


def _kind(hit: Hit, invocation: Mapping[str, object]) -> FindingKind | None:
    """A tool that gave up altogether found nothing out; one file that it cannot parse is broken."""
    is_unparsed = any(word in text(hit.message).lower() for word in _UNPARSED)
    if hit.path and is_unparsed:
        return FindingKind.COMPILE
    gave_up = invocation.get("executionSuccessful") is False and not whole(hit.line)
    return FindingKind.ENVIRONMENT if gave_up else None
