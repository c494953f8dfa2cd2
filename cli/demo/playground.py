"""The folder the demo plays in: a fresh git repository, and a data folder while it runs."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from cli.problems import CliProblem
from cli.stack import folder
from cli.stack.environment import person_environment
from cli.terminal import inert
from workflows.contract.problems import Code

PROJECT = Path(__file__).with_name("project")
BASE = "main"
GIT_SECONDS = 30.0

_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
_LEFTOVERS = shutil.ignore_patterns("__pycache__", ".pytest_cache")


class Playground(NamedTuple):
    """Two folders in one; only the repository is left when the demo succeeded."""

    root: Path

    @property
    def repository(self) -> Path:
        """The demo project under git."""
        return self.root / "parcels"

    @property
    def home(self) -> Path:
        """The data folder of the demo's own stack."""
        return self.root / "overnight-home"

    def require_free(self) -> None:
        """Make sure that nothing but an ended demo is in the folder.

        Raises:
            CliProblem: a demo runs in it, or somebody keeps other things there.
        """
        foreign = {path.name for path in self.root.glob("*")} - {"parcels", "overnight-home"}
        if foreign or (self.root.exists() and not self.root.is_dir()):
            raise CliProblem(
                Code.DEMO_FOLDER,
                f"{str(self.root)!r} is not the demo's: it holds {', '.join(sorted(foreign)[:3])}",
            )
        running = folder.owner(self.home)
        if running is not None:
            raise CliProblem(
                Code.STACK_RUNNING,
                f"a demo already runs in {str(self.root)!r} (its stack is process {running})",
                "wait for it, or name another folder: make demo ARGS='--folder /tmp/demo'",
            )

    def make(self) -> None:
        """Start over with the defective project as the one commit of a repository."""
        _remove(self.repository)
        shutil.copytree(PROJECT, self.repository, ignore=_LEFTOVERS)
        git = self.git
        git("init", "--quiet", "--template=", f"--initial-branch={BASE}")
        # Its own, so that the person may commit here without having told git a name.
        git("config", "user.name", "Overnight demo")
        git("config", "user.email", "demo@localhost")
        git("config", "commit.gpgsign", "false")
        git("add", "--all")
        git("commit", "--quiet", "--no-verify", "--message", "Quote parcels")

    def remove_home(self) -> None:
        """Remove the data folder with the logs; what is gone already is fine."""
        _remove(self.home)

    def diff(self, branch: str) -> str:
        """Return what the branch changes as git prints it, coloured and otherwise harmless."""
        text = self.git("diff", "--no-ext-diff", "--color=always", f"{BASE}...{branch}")
        # A model wrote the lines; of what drives terminals only git's colours may pass.
        return "".join(
            part if _COLOUR.fullmatch(part) else inert(part) for part in _COLOUR.split(text)
        )

    def branches(self) -> list[str]:
        """Return the names of the repository's branches."""
        return self.git("branch", "--format=%(refname:short)").split()

    def git(self, *arguments: str) -> str:
        """Run git in the repository; nothing in the caller's environment points it elsewhere.

        Raises:
            CliProblem: git is missing, or refuses.
        """
        environment = {
            name: value
            for name, value in person_environment().items()
            if not name.startswith("GIT_")
        }
        try:
            done = subprocess.run(
                ("git", "-C", str(self.repository), *arguments),
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=GIT_SECONDS,
                check=False,
            )
        except FileNotFoundError as error:
            raise CliProblem(Code.GIT_MISSING, "git is not installed") from error
        if done.returncode:
            detail = f"git {arguments[0]} failed: {done.stderr.strip()}"
            raise CliProblem(Code.GIT_FAILED, detail)
        return done.stdout


def _remove(path: Path) -> None:
    try:
        if path.exists():
            shutil.rmtree(path)
    except OSError as error:
        raise CliProblem(
            Code.DATA_FOLDER,
            f"{str(path)!r} cannot be removed: {error.strerror}",
            f"remove it by hand: rm -rf {path}",
        ) from error
