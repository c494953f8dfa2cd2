"""Fills a new box: its environment, the repository at its base, the work of an earlier box."""

import asyncio
from typing import Literal, NamedTuple

from activities import configuration
from activities.configuration import RepositoryConfiguration
from activities.mirror import Mirrors
from activities.sandbox import export, layers
from activities.sandbox.box import BoxPaths
from activities.sandbox.layers import BoxCommands, Layers
from activities.sandbox.lifetime import destroy, ensure_running
from activities.sandbox.placing import place_file
from activities.sandbox.provider import Provider
from runtime.store.base import Store
from workflows.contract.base import CommitSha, Frozen
from workflows.contract.sandbox import BASE_REF, OpenSandbox, Repository

RESTORE = """
git fetch --quiet "$HOME/$BUNDLE" refs/overnight/work
git read-tree --reset -u FETCH_HEAD
{then}
rm -f "$HOME/$BUNDLE" .git/FETCH_HEAD
"""

# As if the work had just been done: HEAD stays at the base, and new files are unknown to git. It
# has to know those that it would ignore, or they were no work any more.
UNCOMMITTED = """
list=$(mktemp)
git reset --quiet
git ls-tree -r -z --name-only FETCH_HEAD | sed -z 's|^|./|' > "$list"
git check-ignore -z --stdin < "$list" > "$list.ignored" || [ $? = 1 ]
export GIT_LITERAL_PATHSPECS=1
[ ! -s "$list.ignored" ] ||
git reset --quiet FETCH_HEAD --pathspec-from-file="$list.ignored" --pathspec-file-nul
rm "$list" "$list.ignored"
"""

# As it would be merged. Checks that want a file as it was find the base by its name.
COMMITTED = f"""
git update-ref {BASE_REF} HEAD
git update-ref HEAD FETCH_HEAD
"""

# Git lists files in the folder of a submodule nowhere, so it is named whole.
EXCLUDE_FILLED = f"""
git ls-files -z --stage | {export.SUBMODULES} | {export.FILLED} | sed -z 's|$|/|' | {layers.IGNORE}
"""

LOCK_FILE_LIMIT_BYTES = 64 * 1024 * 1024


class Prepared(Frozen):
    """A box that stands with everything in it; written beside it when it does."""

    base_commit: CommitSha
    setup: Literal["none", "cached", "run"]
    repository: Repository


class Layer(NamedTuple):
    """The environment a box starts from."""

    key: str
    was_made: bool


class Preparation:
    """Fills boxes of one provider; killed at any instant, it starts over with an empty box."""

    def __init__(
        self, store: Store, mirrors: Mirrors, provider: Provider, environments: Layers
    ) -> None:
        self._store = store
        self._mirrors = mirrors
        self._provider = provider
        self._layers = environments

    async def fill(self, paths: BoxPaths, request: OpenSandbox) -> Prepared:
        """Make the box from nothing; what stood there unfinished is removed first.

        Raises:
            ApplicationError: `repository`, `configuration`, `setup_failed` or
                `sandbox_unavailable`.
        """
        repository = request.repository
        commit = request.base_commit or await self._mirrors.fetch(repository)
        wanted = configuration.parse(
            await self._mirrors.read_file(repository, commit, configuration.FILE_NAME)
        )
        layer = await self._layer(repository, commit, wanted)
        await destroy(paths)
        paths.make()
        if layer is not None:
            await self._layers.copy_into(layer.key, paths)
        await layers.seed(self._mirrors, paths, repository, commit, request.branch)
        await ensure_running(paths, self._provider.launch(paths, network=False))
        box = BoxCommands(paths, self._provider)
        await box.must("open-checkout", layers.CHECKOUT)
        if wanted.setup and layer is None:
            await layers.run_setup(box, wanted.setup)
        if wanted.setup:
            await box.must("open-exclude", f"{layers.EXCLUDE}{EXCLUDE_FILLED}")
        await self._restore(box, request)
        setup = _said(wanted, layer)
        return Prepared(base_commit=commit, setup=setup, repository=repository)

    async def _layer(
        self, repository: Repository, commit: CommitSha, wanted: RepositoryConfiguration
    ) -> Layer | None:
        if not wanted.setup or not self._provider.keeps_paths:
            return None
        contents = {
            name: data
            for name in wanted.lock_files
            if (data := await self._read(repository, commit, name)) is not None
        }
        environment = configuration.environment_key(wanted, contents)
        key = await self._layers.key(repository, commit, environment)
        was_made = await self._layers.ensure(key, repository, commit, wanted.setup)
        return Layer(key, was_made)

    async def _read(self, repository: Repository, commit: CommitSha, name: str) -> bytes | None:
        limit = LOCK_FILE_LIMIT_BYTES
        return await self._mirrors.read_file(repository, commit, name, limit_bytes=limit)

    async def _restore(self, box: BoxCommands, request: OpenSandbox) -> None:
        work = request.restore
        if work is None or work.store_key is None:
            return
        bundle = await self._store.read_async(work.store_key)
        # Its home is perhaps that of the set-up, with anything in it.
        name = await asyncio.to_thread(place_file, box.paths.home, bundle)
        then = COMMITTED if request.committed else UNCOMMITTED
        await box.must("open-restore", f"BUNDLE={name}\n{RESTORE.format(then=then)}")


def _said(wanted: RepositoryConfiguration, layer: Layer | None) -> Literal["none", "cached", "run"]:
    if not wanted.setup:
        return "none"
    return "cached" if layer is not None and not layer.was_made else "run"
