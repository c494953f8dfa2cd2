"""Files that the work hides from checks, and honest changes that look alike."""

import pytest

from activities.checks.examining.hidden import Text, ignored, standing_in

TRACKED = ("shapes/areas.py", "shapes/__init__.py", "tests/test_areas.py", "README.md")


@pytest.mark.parametrize(
    ("path", "line", "found"),
    [
        (".gitignore", "shapes/areas.py", True),
        (".gitignore", "/shapes/", True),
        (".gitignore", "areas.py", True),
        (".gitignore", "*.py", True),
        (".gitignore", "**/areas.py", True),
        ("shapes/.gitignore", "areas.py", True),
        ("tests/.gitignore", "areas.py", False),
        (".gitignore", "build/", False),
        (".gitignore", "*.pyc", False),
        (".gitignore", "# shapes/areas.py", False),
        (".gitignore", "!areas.py", False),
        (".gitignore", "", False),
    ],
)
def test_a_tracked_file_may_not_be_ignored(path: str, line: str, *, found: bool) -> None:
    """Checks that find their files themselves would leave it out."""
    findings = list(ignored([Text(path, "dist/\n", f"dist/\n{line}\n")], TRACKED))
    assert bool(findings) is found


def test_what_was_ignored_before_is_no_change() -> None:
    """Only lines that the work adds count."""
    assert list(ignored([Text(".gitignore", "*.py\n", "*.py\nbuild/\n")], TRACKED)) == []


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("shapes/areas.pyi", True),
        ("shapes/areas/__init__.py", True),
        ("shapes/areas.cpython-311-x86_64-linux-gnu.so", True),
        ("shapes/volumes.pyi", False),
        ("shapes/volumes/__init__.py", False),
        ("shapes/volumes.py", False),
    ],
)
def test_nothing_may_stand_in_for_a_module(path: str, *, found: bool) -> None:
    """A stub, a package or a built module is read or imported instead of the source."""
    assert bool(list(standing_in([path], TRACKED))) is found
