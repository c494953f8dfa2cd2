"""Which JSON bodies are taken."""

import pytest

from gateway.bodies import check_json
from gateway.problems import ProblemError
from workflows.contract.problems import Code

REFUSED = [
    (b"", Code.MALFORMED_JSON, "empty"),
    (b'{"a": ', Code.MALFORMED_JSON, "character 6"),
    (b'{"a": 1} x', Code.MALFORMED_JSON, "character 9"),
    (b"{'a': 1}", Code.MALFORMED_JSON, "column 2"),
    (b'{"a": NaN}', Code.MALFORMED_JSON, "NaN"),
    (b'{"a": -Infinity}', Code.MALFORMED_JSON, "-Infinity"),
    (b'{"a": 1e999}', Code.MALFORMED_JSON, "1e999"),
    (b'{"a": ' + b"9" * 5_000 + b"}", Code.MALFORMED_JSON, "5000 digits"),
    (b'{"a": -' + b"9" * 20 + b"}", Code.MALFORMED_JSON, "20 digits"),
    (b'{"a": 1, "a": 2}', Code.MALFORMED_JSON, "twice"),
    (b'{"a": "' + b"\n" + b'"}', Code.MALFORMED_JSON, "control character"),
    (b"[" * 33 + b"]" * 33, Code.MALFORMED_JSON, "32 levels"),
    (b"[" * 100_000, Code.MALFORMED_JSON, "32 levels"),
    (b"\xef\xbb\xbf{}", Code.MALFORMED_JSON, "byte order mark"),
    ("{}".encode("utf-16"), Code.MALFORMED_JSON, "byte 0"),
    ("{}".encode("utf-16-le"), Code.MALFORMED_JSON, "NUL"),
    ("{}".encode("utf-32-be"), Code.MALFORMED_JSON, "NUL"),
    (b'{"a": "\xff"}', Code.MALFORMED_JSON, "byte 7"),
    (b'{"a": "\xed\xa0\x80"}', Code.MALFORMED_JSON, "byte 7"),
    (b'{"a": {"b": ["\\ud800"]}}', Code.MALFORMED_TEXT, "a.b[0]"),
    (b'{"a": "x\\udfffy"}', Code.MALFORMED_TEXT, "character 1"),
    (b'{"a": "x\\u0000"}', Code.MALFORMED_TEXT, "NUL at character 1"),
    (b'{"\\ud800": 1}', Code.MALFORMED_TEXT, "a name"),
]


@pytest.mark.parametrize(("body", "code", "part"), REFUSED)
def test_a_bad_body_is_refused_with_its_place(body: bytes, code: Code, part: str):
    """Whatever is not strict JSON, or cannot be stored, is named together with where it stands."""
    with pytest.raises(ProblemError) as refused:
        check_json(body)
    assert (refused.value.code, part in refused.value.detail) == (code, True), refused.value.detail


@pytest.mark.parametrize(
    "body",
    [b"{}", b' {"a": [1, -2.5e3, null, true]} ', '{"a": "é 🐫"}'.encode(), b'"\\ud83d\\udc2b"'],
)
def test_strict_json_passes(body: bytes):
    """Any JSON text of sane size passes, escaped pairs of surrogates among it."""
    check_json(body)
