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
_TEST_FOLDERS = frozenset({"test", "tests", "__tests__", "__snapshots__", "e2e", "testdata"})
_TEST_NAMES = re.compile(
    r"test_[^/]*\.py|[^/]*_test\.py|tests?\.py|conftest\.py"
    r"|[^/]*[.\-_](test|spec)\.[cm]?[jt]sx?|[^/]*_test\.go|[^/]*_(spec|test|helper)\.rb"
    r"|[^/]*Tests?\.(java|kt|cs|scala|swift|php)"
)


def is_python(path: str) -> bool:
    """Tell whether the file holds Python."""
    return PurePosixPath(path).suffix in PYTHON


def is_code(path: str) -> bool:
    """Tell whether the file holds a language in which checks can be silenced."""
    return PurePosixPath(path).suffix in CODE


def is_test(path: str) -> bool:
    """Tell whether the file belongs to tests: one of them, what they share, or what they read."""
    *folders, name = path.split("/")
    return bool(_TEST_FOLDERS.intersection(folders) or _TEST_NAMES.fullmatch(name))
