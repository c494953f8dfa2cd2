"""Reads JSON: one document, or one a line, of the tools whose shape is known."""

from collections.abc import Mapping

from activities.checks.readers import go_tests
from activities.checks.readers.gathering import Gathering
from activities.checks.readers.json_documents import documents
from activities.checks.readers.json_shapes import SHAPES
from activities.checks.readers.wire import items, mapping


def read(content: bytes, into: Gathering) -> int:
    """Gather what is recognised and return how many documents there were."""
    reader = _Reader(into)
    count = 0
    for count, document in enumerate(documents(content), start=1):  # noqa: B007
        reader.take(document)
    return count


class _Reader:
    def __init__(self, into: Gathering) -> None:
        self._into = into
        self._go = go_tests.GoTests(into)

    def take(self, document: object) -> None:
        if isinstance(document, dict):
            self._object(document)
        for item in self._into.bounded(items(document)):
            self._object(mapping(item))

    def _object(self, document: Mapping[str, object]) -> None:
        if "Action" in document:
            self._go.take(document)
            return
        for shape in SHAPES:
            if shape.keys <= document.keys():
                shape.read(document, self._into)
                return
        if go_tests.is_vet(document):
            go_tests.read_vet(document, self._into)
