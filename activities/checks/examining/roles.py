"""What a path is for: a test, code. By name alone, as test runners find their files."""

import re
from pathlib import PurePosixPath

PYTHON = frozenset({".py", ".pyi", ".pyw"})
CODE = (
    PYTHON
    | {".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte"}
    | {".go", ".rs", ".java", ".kt", ".kts", ".scala", ".swift", ".cs", ".rb", ".php"}
    | {".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".m", ".sh", ".bash", ".css", ".scss"}
)

# Not `testing` and `spec`: packages that are no tests are called so.
_TEST_FOLDERS = frozenset(
    {"test", "tests", "__tests__", "__snapshots__", "__mocks__", "e2e", "testdata"}
)
_RUNNER = r"(jest|vitest|mocha|[tT]ests?)"
_TEST_NAMES = re.compile(
    r"test_[^/]*\.py|[^/]*_test\.py|tests?\.py|conftest\.py"
    rf"|([^/]*[.\-_](test|spec)|{_RUNNER}[.\-_]?setup|setup[.\-_]?{_RUNNER})\.[cm]?[jt]sx?"
    r"|[^/]*_test\.go|[^/]*_(spec|test|helper)\.rb|[^/]*Tests?\.(java|kt|cs|scala|swift|php)"
)
_SPECIFICATION = re.compile(r"(?:.*/)?spec/.*\.rb")


def is_python(path: str) -> bool:
    """Tell whether the file holds Python."""
    return PurePosixPath(path).suffix in PYTHON


def is_code(path: str) -> bool:
    """Tell whether the file holds a language in which checks can be silenced."""
    return PurePosixPath(path).suffix in CODE


def is_test(path: str) -> bool:
    """Tell whether the file belongs to tests: one of them, what they share, or what they read."""
    *folders, name = path.split("/")
    is_beside = _TEST_FOLDERS.intersection(folder.lower() for folder in folders)
    is_named = _TEST_NAMES.fullmatch(name) or _SPECIFICATION.fullmatch(path)
    return bool(is_beside or is_named)
