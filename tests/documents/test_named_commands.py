"""What the documents say can be typed is understood by `overnight` and by make."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))

_QUOTED = re.compile(r"`((?:\.venv/bin/)?overnight [^`\n]+)`")
_TYPED = re.compile(
    r"^(?:\$ )?(?:\w+=\$\()?((?:\.venv/bin/)?overnight [^#\n]*?)\)?(?: +#.*| *\|.*)?$"
)
_MAKE = re.compile(r"(?:`|^(?:\$ )?)make ([a-z]+)", re.MULTILINE)


def typed_in(page: Path) -> list[str]:
    """Return the commands of a page: those of its blocks and those within its sentences."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [
        *(found[1] for line in lines if (found := _TYPED.match(line))),
        *_QUOTED.findall(prose),
    ]


def not_understood(command: str) -> str:
    """Return what of a command there is not; nothing when all is understood."""
    words = shlex.split(command.replace("…", "TEXT"), comments=True)[1:]
    here = typer.main.get_command(app)
    options = {option for parameter in here.params for option in parameter.opts}
    for word in words:
        if word.startswith("-"):
            if word.split("=")[0] not in options | {"--help", "-h"}:
                return f"{word} of {here.name}"
        elif isinstance(here, TyperGroup) and word in here.commands:
            here = here.commands[word]
            options = {option for parameter in here.params for option in parameter.opts}
        elif here.name in (None, "", "overnight", "main") and re.fullmatch(r"[a-z-]+", word):
            return word
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_named_command_is_one(page: Path) -> None:
    """Each command that a page names has that name and these options."""
    wrong = {command: what for command in typed_in(page) if (what := not_understood(command))}
    assert wrong == {}


def test_commands_are_found_in_the_documents() -> None:
    """The rule above looks at something: the tutorial alone types more than ten."""
    assert len(typed_in(ROOT / "docs/tutorial.md")) > 10
    assert not_understood("overnight dance")
    assert not_understood("overnight ps --loud")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_named_target_of_make_is_one(page: Path) -> None:
    """`make demo` and the like are in the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(_MAKE.findall(page.read_text())) <= targets
