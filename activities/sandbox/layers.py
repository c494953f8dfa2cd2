"""Environments set up once for equal submodules, lock files and tools, and copied into sessions.

A layer is what the repository's `[environment] setup` left in a fresh checkout and in the home
folder, without the files that git tracks. Setting up is the only time a box has network; it has
no secrets then either.
"""

import asyncio
from pathlib import Path

from temporalio.exceptions import ApplicationError

from activities.failures import permanent, temporary
from activities.git.revisions import SUBMODULE
from activities.mirror import Mirrors
from activities.progress import is_leaving
from activities.sandbox import commands
from activities.sandbox.box import BoxPaths, StartCommand
from activities.sandbox.lifetime import destroy, ensure_running, is_running
from activities.sandbox.locks import exclusive
from activities.sandbox.placing import place_folder
from activities.sandbox.provider import Provider
from activities.sandbox.spawn import run_briefly
from runtime.store.base import sha256
from workflows.contract.base import CommitSha
from workflows.contract.failures import Failure
from workflows.contract.sandbox import CommandOutcome, Repository

SETUP_SECONDS = 3_600.0
OUR_SECONDS = 600.0
COPY_SECONDS = 1_800.0

CHECKOUT = "git reset --hard --quiet"

# What is left then is what the set-up made; tracked files come from each session's own commit.
# A submodule's files (mode 160000) are the set-up's too. Their `.git` leads into the folder that is
# removed, and git refuses to work above one that leads nowhere. In git folders of their own, git
# needs the empty ones.
STRIP = r"""
git ls-files -z --stage | sed -z -n '/^160000 /! s/^[^\t]*\t//p' | xargs -0 -r rm -rf --
rm -rf .git
find . -name .git -type f -exec sh -c \
  'git -C "${1%/*}" rev-parse --git-dir > /dev/null 2>&1 || rm -f -- "$1"' sh {} ';'
find . -mindepth 1 -type d -empty ! -path '*/.git/*' -delete
"""

# Git ignores the paths that come in, each ended by a zero. They are named by patterns of lines,
# where an end of line in a name has no spelling of its own.
IGNORE = r"""sed -z 's/[][*?\\ ]/\\&/g; s/[\n\r]/?/g; s|^|/|' | tr '\0' '\n' >> .git/info/exclude"""

# A set-up's untracked results are part of the place, not of the work.
EXCLUDE = f"""
git ls-files -z --others --exclude-standard --directory | {IGNORE}
"""

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""Git knows this tree in every repository."""


class Layers:
    """The cached environments of one host, in `<sandboxes>/layers/<key>/{workspace,home}`."""

    def __init__(self, folder: Path, boxes: Path, mirrors: Mirrors, provider: Provider) -> None:
        self._folder = folder
        self._boxes = boxes
        self._mirrors = mirrors
        self._provider = provider

    async def key(self, repository: Repository, commit: CommitSha, environment: str) -> str:
        """Name a layer by what is in it: its environment, submodules and this host's tools.

        What a set-up makes leads to the tools of its host, and is dead when they are others.
        """
        submodules = await self._submodules(repository, commit)
        tools = await asyncio.to_thread(self._provider.identity)
        url = self._mirrors.check_url(repository.url)
        return sha256("\n".join([url, tools, environment, *submodules]).encode())[:32]

    async def _submodules(self, repository: Repository, commit: CommitSha) -> list[str]:
        # All files are listed for it, so only where a set-up can find out where to get them.
        if await self._mirrors.read_file(repository, commit, ".gitmodules") is None:
            return []
        tree = await self._mirrors.differences(repository, commit, CommitSha(EMPTY_TREE))
        return [f"{each.path}\0{each.old}" for each in tree if each.old_mode == SUBMODULE]

    async def ensure(
        self, key: str, repository: Repository, commit: CommitSha, setup: tuple[str, ...]
    ) -> bool:
        """Have the layer; returns whether it had to be made.

        One activity makes it while others wait. The commands of a set-up whose worker was killed
        run on, and the next attempt attaches to them.

        Raises:
            ApplicationError: `setup_failed`, with the end of the failing command's output;
                `temporary` when the box died: the next attempt starts over.
        """
        async with exclusive(self._folder / f"{key}.lock"):
            if (self._folder / key).is_dir():
                return False
            paths = BoxPaths(self._boxes / f"setup-{key}")
            try:
                await self._make(paths, repository, commit, setup)
            except (ApplicationError, asyncio.CancelledError):
                # What failed or was given up may pass another time, and is then run again.
                if not is_leaving():
                    await destroy(paths)
                raise
            await self._keep(paths, key)
            return True

    async def copy_into(self, key: str, paths: BoxPaths) -> None:
        """Copy a layer into the empty folders of a box."""
        layer = BoxPaths(self._folder / key)
        for source, target in ((layer.workspace, paths.workspace), (layer.home, paths.home)):
            argv = ["cp", "--archive", "--reflink=auto", f"{source}/.", str(target)]
            done = await asyncio.to_thread(run_briefly, argv, COPY_SECONDS)
            if done.code != 0:
                message = f"cannot copy the cached environment: {done.stderr[-500:]}"
                raise permanent(Failure.SANDBOX_UNAVAILABLE, message)

    async def _make(
        self, paths: BoxPaths, repository: Repository, commit: CommitSha, setup: tuple[str, ...]
    ) -> None:
        # What ended with its host may have lost files that its commands had written.
        if not (paths.workspace / ".git").is_dir() or not is_running(paths):
            await destroy(paths)
            paths.make()
            await seed(self._mirrors, paths, repository, commit, "overnight/setup")
        await ensure_running(paths, self._provider.launch(paths, network=True))
        box = BoxCommands(paths, self._provider)
        await box.must("checkout", CHECKOUT)
        await run_setup(box, setup)
        await box.must("strip", STRIP)

    async def _keep(self, paths: BoxPaths, key: str) -> None:
        kept = BoxPaths(self._folder / f"{key}.pending")
        await destroy(kept)
        kept.root.mkdir(parents=True)
        # Every command took its processes along when it ended, so nothing writes here any more.
        paths.workspace.rename(kept.workspace)
        paths.home.rename(kept.home)
        kept.root.rename(self._folder / key)
        await destroy(paths)


class BoxCommands:
    """What is run in a box while it is filled."""

    def __init__(self, paths: BoxPaths, provider: Provider) -> None:
        self.paths = paths
        self._provider = provider

    async def set_up(self, name: str, shell: str) -> commands.Ended:
        """Run a command of the repository's under its name, once in the life of the box."""
        return await self._run(name, shell, self._provider.environment(self.paths), SETUP_SECONDS)

    async def must(self, name: str, shell: str) -> bytes:
        """Run a command of ours, once in the life of the box, and return its standard output.

        Raises:
            ApplicationError: `sandbox_unavailable`, with what it said; `temporary` when the box
                died.
        """
        environment = self._provider.own_environment(self.paths)
        ended = await self._run(name, f"set -e\n{shell}", environment, OUR_SECONDS)
        if ended.outcome is not CommandOutcome.EXITED or ended.code != 0:
            message = (
                f"{name} in the sandbox failed ({ended.outcome}): {ended.summary.text()[-800:]}"
            )
            raise permanent(Failure.SANDBOX_UNAVAILABLE, message)
        return await asyncio.to_thread(commands.stdout_of, self.paths, name)

    async def _run(
        self, name: str, shell: str, environment: dict[str, str], seconds: float
    ) -> commands.Ended:
        ended = await commands.run(
            self.paths,
            StartCommand(
                id=name,
                shell=shell,
                env=environment,
                timeout_s=seconds,
                output_limit=commands.OUTPUT_LIMIT_BYTES,
            ),
        )
        if ended.outcome is CommandOutcome.LOST:
            said = ended.summary.text()[-800:]
            message = f"the sandbox ended under {name!r} while it was filled: {said}"
            raise temporary(message)
        return ended


async def run_setup(box: BoxCommands, setup: tuple[str, ...]) -> None:
    """Run the repository's set-up commands in order.

    Raises:
        ApplicationError: `setup_failed`, not retryable; `temporary` when the box died.
    """
    for index, command in enumerate(setup):
        ended = await box.set_up(f"setup-{index}", command)
        if ended.outcome is not CommandOutcome.EXITED or ended.code != 0:
            said = ended.summary.text()[-1_200:]
            message = (
                f"the set-up command {command[:200]!r} failed ({ended.outcome}, exit code "
                f"{ended.code}); mend [environment] setup in .overnight.toml: {said}"
            )
            raise permanent(Failure.SETUP_FAILED, message)


async def seed(
    mirrors: Mirrors, paths: BoxPaths, repository: Repository, commit: CommitSha, branch: str
) -> None:
    """Put a fresh git folder into a workspace that has none; nothing is checked out yet.

    It is made outside and moved in whole, so that git never runs where a sandbox can write.
    """
    outside = paths.root / "git"
    await mirrors.seed(repository, commit, branch, outside)
    # The workspace is perhaps that of the set-up, which may have left something of that name.
    await asyncio.to_thread(place_folder, outside, paths.workspace / ".git")
