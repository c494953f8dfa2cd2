"""Reads `go test -json` (events of packages and tests) and `go vet -json`."""

import re
from collections.abc import Mapping

from activities.checks.findings.inert import end
from activities.checks.readers.gathering import Gathering, Hit
from activities.checks.readers.node_ids import bounded
from activities.checks.readers.wire import at, items, mapping, text
from workflows.contract.findings import DETAIL_CHARACTERS, FindingKind, TestOutcome

OUTPUT_CHARACTERS = 4_000
OUTPUTS_LIMIT = 50_000

_OUTCOMES = {
    "pass": TestOutcome.PASSED,
    "fail": TestOutcome.FAILED,
    "skip": TestOutcome.SKIPPED,
}
_PLACE = re.compile(r"\s*([^\s:]+\.go):(\d+)(?::(\d+))?: (.*)")
_POSITION = re.compile(r"(.+?):(\d+)(?::(\d+))?")


class GoTests:
    """Follows the events: what a test printed stands in events before the one of its end."""

    def __init__(self, into: Gathering) -> None:
        self._into = into
        self._outputs: dict[str, str] = {}
        self._failed: set[str] = set()

    def take(self, event: Mapping[str, object]) -> None:
        """Read one event."""
        package = text(event.get("Package")) or text(event.get("ImportPath"))
        test_id = bounded("/".join(part for part in (package, text(event.get("Test"))) if part))
        action = text(event.get("Action"))
        if action in ("output", "build-output"):
            self._keep(test_id, text(event.get("Output")))
        elif action == "build-fail" or (action == "fail" and event.get("FailedBuild")):
            self._fail_build(package)
        elif action in _OUTCOMES:
            self._end(test_id, package, _OUTCOMES[action], is_test=bool(event.get("Test")))

    def _keep(self, test_id: str, output: str) -> None:
        if len(self._outputs) < OUTPUTS_LIMIT or test_id in self._outputs:
            kept = self._outputs.get(test_id, "") + output[:OUTPUT_CHARACTERS]
            self._outputs[test_id] = kept[-OUTPUT_CHARACTERS:]

    def _end(self, test_id: str, package: str, outcome: TestOutcome, *, is_test: bool) -> None:
        output = self._outputs.pop(test_id, "")
        if is_test:
            if self._into.tell(test_id, outcome):
                self._failed.add(package)
                self._into.add(self._failure(test_id, output))
        elif outcome is TestOutcome.FAILED and package not in self._failed:
            # A panic, an exit or a timeout outside of any test.
            self._into.add(Hit(f"package {package} failed", rule="package", detail=_tail(output)))

    def _failure(self, test_id: str, output: str) -> Hit:
        places = [found for line in output.splitlines() if (found := _PLACE.match(line))]
        said = places[0] if places else None
        return Hit(
            message=said[4] if said else "test failed",
            path=self._into.paths.inside(said[1]) if said else "",
            line=said[2] if said else 0,
            kind=FindingKind.TEST,
            detail=_tail(output),
            test_id=test_id,
        )

    def _fail_build(self, package: str) -> None:
        if package in self._failed:
            return
        self._failed.add(package)
        output = self._outputs.pop(bounded(package), "")
        places = [found for line in output.splitlines() if (found := _PLACE.match(line))]
        for found in places:
            path = self._into.paths.inside(found[1])
            self._into.add(Hit(found[4], path, found[2], found[3], kind=FindingKind.COMPILE))
        if not places:
            message = f"package {package} does not build"
            self._into.add(Hit(message, kind=FindingKind.COMPILE, detail=_tail(output)))


def is_vet(document: Mapping[str, object]) -> bool:
    """Say whether it is what `go vet -json` says of packages."""
    return bool(document) and all(
        isinstance(analyses, dict)
        and all(
            isinstance(found, list) and all("posn" in mapping(item) for item in found)
            for found in analyses.values()
        )
        for analyses in document.values()
    )


def read_vet(document: Mapping[str, object], into: Gathering) -> None:
    """Gather what the analysers found."""
    for analyses in document.values():
        for analyser, found in mapping(analyses).items():
            for item in into.bounded(items(found)):
                place = _POSITION.fullmatch(text(at(item, "posn"))[:1_000])
                path = into.paths.inside(place[1]) if place else ""
                line, column = (place[2], place[3]) if place else ("", "")
                into.add(Hit(at(item, "message"), path, line, column, rule=analyser))


def _tail(output: str) -> str:
    return end(output, DETAIL_CHARACTERS)
