"""The page about deploying names what the compose file has."""

import re

import pytest

from tests.deploy.composed import FILE, ROOT, compose, services

PAGE = (ROOT / "docs/deploy.md").read_text()
SERVICES = services()
CALLS = re.findall(r"^docker compose -f docker-compose\.temporal\.yml (.+)", PAGE, re.MULTILINE)


def test_the_table_of_services_is_the_files_own() -> None:
    """Each service has a row, with its image and its version."""
    rows = dict(re.findall(r"^\| `([a-z]+)` \| `?([^`|]+?)`? \|", PAGE, re.MULTILINE))
    images = {name: service["image"] for name, service in SERVICES.items()}
    assert rows == {
        name: "ours" if image.startswith("overnight:") else image for name, image in images.items()
    }


def test_every_variable_of_the_file_is_explained() -> None:
    """What `.env` may hold is on the page: the file's own variables, and the settings passed on."""
    asked = set(re.findall(r"\$\{(\w+)", FILE.read_text()))
    for name in asked:
        assert f"`{name}`" in PAGE
    passed = {
        name
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if value is None
    }
    for name in passed | {"OVERNIGHT_ALLOWED_HOSTS"}:
        assert f"`{name}`" in PAGE


def test_every_secret_is_made_in_the_ten_lines() -> None:
    """Whoever copies them has all the files that the services want."""
    lines = PAGE.partition("## In ten lines")[2].partition("```\n\n")[0]
    made = set(re.findall(r"> (deploy/secrets/\w+)", lines))
    assert made == {
        declared["file"].removeprefix("./") for declared in compose()["secrets"].values()
    }
    assert len(lines.partition("```\n")[2].splitlines()) == 10


@pytest.mark.parametrize("call", CALLS)
def test_every_call_of_compose_names_services_that_exist(call: str) -> None:
    """A command on the page can be copied."""
    words = call.partition("#")[0].split()
    assert words[0] in {"build", "up", "run", "exec", "create"}
    if words[0] in {"run", "exec", "create"}:
        name = next(word for word in words[1:] if not word.startswith("-"))
        assert name in SERVICES
