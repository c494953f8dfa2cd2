"""The documents name what there is: files, tests, settings and keys."""

import re
from functools import cache
from pathlib import Path

import pytest

from activities import configuration
from runtime.settings import Settings
from workflows.contract.base import Frozen
from workflows.contract.checks import REPORT_VARIABLE

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/architecture.md")
SETTINGS = "docs/settings.md"

COMMAND_LINE = {"OVERNIGHT_URL", "OVERNIGHT_TOKEN"}
"""Read by the command line alone, through its own options."""


@cache
def text_of(page: str) -> str:
    return (ROOT / page).read_text()


def quoted(page: str) -> set[str]:
    """Return what stands between backticks, outside blocks of code."""
    prose = re.sub(r"^```.*?^```", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`([^`\n]+)`", prose))


def variable(field: str) -> str:
    return f"OVERNIGHT_{field.upper()}"


@pytest.mark.parametrize("page", PAGES)
def test_every_named_file_exists(page: str) -> None:
    """A path with a known ending is one of ours; `.overnight.toml` lies in other repositories."""
    paths = {name for name in quoted(page) if re.fullmatch(r"[\w./-]+\.(py|md|toml)", name)}
    assert paths
    missing = {name for name in paths - {configuration.FILE_NAME} if not (ROOT / name).is_file()}
    assert missing == set()


@pytest.mark.parametrize("page", [*PAGES, *sorted((ROOT / "docs/decisions").glob("*.md"))])
def test_every_named_test_exists(page: str | Path) -> None:
    """What is said to hold by a test is held by one."""
    defined = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        defined |= set(re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE))
    named = {name for name in quoted(str(page)) if re.fullmatch(r"test_\w+", name)}
    assert named - defined == set()


def test_every_setting_is_documented_and_no_other() -> None:
    """Each field has a row of its own, and each variable of ours on the page is one."""
    known = {variable(field) for field in Settings.model_fields}
    rows = set(re.findall(r"^\| `(OVERNIGHT_\w+)` \|", text_of(SETTINGS), re.MULTILINE))
    assert rows == known
    mentioned = set(re.findall(r"\bOVERNIGHT_[A-Z_]*[A-Z]\b", text_of(SETTINGS)))
    assert mentioned == known | COMMAND_LINE | {REPORT_VARIABLE}


def test_every_key_of_a_repositorys_file_is_documented() -> None:
    """Each key that the parser takes has a row of its own, and no other has."""
    tables: dict[str, type[Frozen]] = {
        "environment": configuration._Environment,
        "checks": configuration._Check,
        "gate": configuration._Gate,
        "approvals": configuration._Approvals,
    }
    assert set(configuration._File.model_fields) == set(tables)
    keys = {
        f"checks.<name>.{key}" if table == "checks" else f"{table}.{key}"
        for table, model in tables.items()
        for key in model.model_fields
    }
    rows = re.findall(rf"^\| `((?:{'|'.join(tables)})\.[^`]+)` \|", text_of(SETTINGS), re.MULTILINE)
    assert set(rows) == keys


@pytest.mark.parametrize("page", ["README.md", SETTINGS])
def test_every_example_of_a_repositorys_file_is_taken(page: str) -> None:
    """What a page shows can be copied."""
    examples = re.findall(r"^```toml\n(.*?)^```", text_of(page), re.MULTILINE | re.DOTALL)
    assert examples
    for example in examples:
        found = configuration.parse(example.encode())
        assert found.setup
        assert found.checks
