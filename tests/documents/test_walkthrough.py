"""What the documents tell a reader to type is typed, in their order."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from activities.sandbox.box import BoxPaths
from activities.sandbox.lifetime import destroy
from cli.demo import scenario
from cli.demo.script import Json
from tests.end_to_end.local_stack import ROOT, bash, edit, finish
from tests.provider import sandbox_provider

SECONDS = 1_200

PAGES = ("docs/tutorial.md", "docs/howto-model.md", "docs/howto-sandbox.md")
"""Their blocks of `sh` are run; other blocks name what is not here: keys, other machines."""

TRIAL: dict[str, list[Json]] = {
    "cat trial.txt": [bash("cat trial.txt"), finish("lantern-4917")],
}
SCRIPTS: dict[str, list[Json]] = {
    **scenario.script(),
    **TRIAL,
    "how a quote is made": [
        bash("echo '# Parcels' > README.md"),
        finish("Say how a quote is made"),
    ],
    "file of the rates": [bash("echo 'Rates: parcels/rates.py' >> README.md"), finish("Name it")],
    "add an example": [edit("README.md", "# Parcels", "# Parcels\n\nLike so."), finish("Add it")],
    "Fix the failing test": [bash("sleep 600")],
}


class Reader(NamedTuple):
    """Somebody with a clone, a model and a home of their own."""

    home: Path
    environment: dict[str, str]

    def type(self, text: str) -> str:
        """Return what is printed; fails when a command does, or when they do not end."""
        screen = self.home / "screen.txt"
        with screen.open("w") as file:
            typed = subprocess.run(
                ["timeout", str(SECONDS), "bash", "-euxo", "pipefail", "-c", text],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                check=False,
            )
        printed = screen.read_text()
        assert typed.returncode == 0, printed[-6000:]
        return printed


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    script, journal = tmp_path / "script.json", tmp_path / "journal.jsonl"
    script.write_text(json.dumps(SCRIPTS))
    command = [sys.executable, "-m", "cli.demo.scripted_model", "--script", str(script)]
    with subprocess.Popen(
        [*command, "--journal", str(journal)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as model:
        assert model.stdout is not None
        port = model.stdout.readline().split()[-1]
        home = tmp_path / "home"
        home.mkdir()
        environment = {
            "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
            "HOME": str(home),
            "OVERNIGHT_MODEL": "openai/scripted",
            "OVERNIGHT_MODEL_BASE_URL": f"http://127.0.0.1:{port}/v1",
            "OPENAI_API_KEY": "none-is-needed",
            "OVERNIGHT_SANDBOX": sandbox_provider(),
        }
        found = Reader(home, environment)
        try:
            yield found
        finally:
            found.type("overnight down")
            model.terminate()
            # They outlive the stack, on purpose.
            boxes = (home / ".local/share/overnight/sandboxes/boxes").glob("*")
            asyncio.run(_remove(list(boxes)))


async def _remove(boxes: list[Path]) -> None:
    for box in boxes:
        await destroy(BoxPaths(box))


def blocks(page: str, language: str = "sh") -> list[str]:
    text = (ROOT / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(1_500)
def test_every_step_of_the_tutorial_works(reader: Reader) -> None:
    """Its commands, typed one after the other, bring what it says they bring."""
    printed = reader.type("".join(blocks("docs/tutorial.md")))
    parcels = reader.home / "parcels"
    assert "math.ceil(parcel.volume_cm3" in (parcels / "parcels/weight.py").read_text()
    branch = subprocess.run(
        ["git", "branch", "--list", "--format=%(refname:short)", "overnight/*"],
        cwd=parcels,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.split()
    assert len(branch) == 2, printed[-6000:]


@pytest.mark.timeout(1_500)
@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/tutorial.md"])
def test_every_command_of_a_guide_works(page: str, reader: Reader) -> None:
    """They are typed in a repository, as their reader would."""
    printed = reader.type(
        "cp -r cli/demo/project ~/parcels && cd ~/parcels && git init -q -b main && git add -A\n"
        "git -c user.name=Me -c user.email=me@localhost commit -q -m 'A parcel service'\n"
        + "".join(blocks(page)).replace("export OVERNIGHT_MODEL=", "export SHOWN=")
    )
    assert "error: " not in printed
