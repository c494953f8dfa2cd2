"""An environment is set up whatever the repository is, and serves only whom it fits."""

import asyncio
import json
import os
import shlex
import signal
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.sandbox.box import BoxPaths
from activities.sandbox.lifetime import is_running
from tests.activities.sandbox.rigging import Rig, git
from tests.patience import PATIENCE_SECONDS
from workflows.contract.base import SessionId
from workflows.contract.failures import Failure
from workflows.contract.sandbox import OpenSandbox

walled = pytest.mark.parametrize("rig", ["bubblewrap"], indirect=True)
"""Where paths differ between sessions, no environment is kept."""

SUBMODULE = "git -c protocol.file.allow=always submodule --quiet update --init"
FETCHED = (
    "git init --quiet sub && cd sub && git fetch --quiet ../lib.bundle main "
    "&& git checkout --quiet FETCH_HEAD"
)
WAITING = "mkdir begun && mkfifo gate && read line < gate && rm gate && echo yes > made"
NAMES = (
    *(b"app/[id]/gen.ts", b"app/[id].ts", b"star*", b"any?", b"back\\slash", b"end\\"),
    *(b'quo"te', b"#number", b"!bang", b" lead", b"trail  ", b"folder? /file"),
    *(b"new\nline", b"end\n", b"carriage\r", b"\xc3\xa9t\xc3\xa9", b"\xe9t\xe9", b"tab\t"),
)


def with_submodule(rig: Rig, text: str, setup: str) -> None:
    """Commit a submodule that holds one file; it is fetched from a bundle beside it."""
    library = rig.source.parent / "library"
    if not library.exists():
        library.mkdir()
        git(library, "init", "--quiet", "-b", "main")
    (library / "told.txt").write_text(text)
    git(library, "add", "-A")
    git(library, "commit", "--quiet", "-m", "told")
    git(library, "bundle", "create", "--quiet", str(rig.source / "lib.bundle"), "main")
    link = f"160000,{git(library, 'rev-parse', 'HEAD')},sub"
    (rig.source / ".gitmodules").write_text(
        '[submodule "sub"]\n\tpath = sub\n\turl = ./lib.bundle\n'
    )
    (rig.source / "sub").mkdir(exist_ok=True)
    git(rig.source, "add", "lib.bundle", ".gitmodules")
    git(rig.source, "update-index", "--add", "--cacheinfo", link)
    rig.configure(setup)


async def waiting(rig: Rig) -> Path:
    """Return the gate that a set-up waits at, as soon as it does."""
    boxes = rig.settings.sandboxes_path / "boxes"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := list(boxes.glob("*/workspace/gate"))):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return found[0]


async def kill_at(gate: Path) -> None:
    """Kill the sandbox whose set-up waits, and wait until nothing of it lives."""
    paths = BoxPaths(gate.parents[1])
    written = (paths.state / "status.json").read_text()
    os.kill(json.JSONDecoder().raw_decode(written)[0]["child-pid"], signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while paths.state.is_dir() and is_running(paths):  # noqa: ASYNC110  # a lock
            await asyncio.sleep(0.01)


async def open_at_once(rig: Rig) -> None:
    """Open with one attempt, whose set-up works only from the beginning."""
    opening = asyncio.get_running_loop().create_task(rig.open())
    passing = asyncio.get_running_loop().create_task(_let_through(rig))
    try:
        ready = await opening
    finally:
        passing.cancel()
    assert (await rig.run(ready, "cat made")).excerpt == "yes\n"


async def _let_through(rig: Rig) -> None:
    gate = await waiting(rig)
    descriptor = os.open(gate, os.O_RDWR | os.O_NONBLOCK)  # a writer alone would wait for a reader
    try:
        os.write(descriptor, b"go\n")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while gate.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("setup", "seen"),
    [("true", ""), (SUBMODULE, "told\n"), (FETCHED, "told\n")],
    ids=["empty", "updated", "fetched"],
)
async def test_a_submodule_is_as_the_setup_left_it(rig: Rig, setup: str, seen: str) -> None:
    """In the session that ran it and in those after; git works there, and nothing is work."""
    with_submodule(rig, "told\n", setup)
    for name in ("s-1", "s-2"):
        ready = await rig.open(name)
        shown = await rig.run(ready, "cat sub/* 2> /dev/null; git status --short")
        assert (shown.excerpt, shown.exit_code) == (seen, 0)
        assert (await rig.export(ready)).store_key is None


@walled
async def test_what_was_fetched_into_a_submodule_is_a_repository(rig: Rig) -> None:
    """Its git folder is its own, with folders that are empty and that git misses."""
    with_submodule(rig, "told\n", FETCHED)
    ready = await rig.open()
    assert (await rig.run(ready, "git -C sub log --format=%s")).excerpt == "told\n"


@walled
async def test_another_commit_of_a_submodule_is_set_up_anew(rig: Rig) -> None:
    """Its files are part of the environment and come from nowhere else."""
    for name, text in (("s-1", "one\n"), ("s-2", "two\n")):
        with_submodule(rig, text, SUBMODULE)
        ready = await rig.open(name)
        assert (ready.setup, (await rig.run(ready, "cat sub/*")).excerpt) == ("run", text)


@walled
async def test_a_folder_in_the_place_of_a_file_gives_way(rig: Rig) -> None:
    """Each session has the files of its own commit."""
    rig.configure("rm a.txt && mkdir a.txt && touch a.txt/new")
    for name in ("s-1", "s-2"):
        ready = await rig.open(name)
        assert (await rig.run(ready, "cat a.txt; git status --short")).excerpt == "one\n"


async def test_files_of_any_name_belong_to_the_place(rig: Rig) -> None:
    """What the set-up left is no work; what has a name like it is."""
    names = " ".join(shlex.quote(os.fsdecode(name)) for name in NAMES)
    script = f'for n in {names}; do mkdir -p -- "$(dirname -- "$n")"; touch -- "$n"; done\n'
    (rig.source / "names.sh").write_bytes(os.fsencode(script))
    (rig.source / "app").mkdir()
    (rig.source / "app/kept").touch()
    git(rig.source, "add", "-A")
    rig.configure("bash names.sh")
    ready = await rig.open()
    count = "find . -path ./.git -prune -o -type f -printf x | wc -c"
    seen = await rig.run(ready, f"{count}; git status --short")
    assert seen.excerpt == f"{len(NAMES) + 5}\n"
    assert (await rig.export(ready)).store_key is None
    seen = await rig.run(ready, "touch starry anyx app/i.ts; git status --short", "c-2")
    assert seen.excerpt == "?? anyx\n?? app/i.ts\n?? starry\n"


@walled
async def test_an_upgraded_host_sets_up_anew(rig: Rig, tmp_path: Path) -> None:
    """What a set-up made leads to the tools that it found."""
    programs = tmp_path / "tools/bin"
    programs.mkdir(parents=True)
    rig.settings = rig.settings.model_copy(update={"toolchain": (programs.parent,)})
    rig.configure("ls -A " + str(programs) + " > build.log")
    rig.restart()
    found = [await rig.open("s-1"), await rig.open("s-2")]
    (programs / "newer").touch()
    found.append(await rig.open("s-3"))
    assert [ready.setup for ready in found] == ["run", "cached", "run"]
    assert (await rig.run(found[2], "cat build.log")).excerpt == "newer\n"


async def test_a_sandbox_that_dies_under_the_setup_is_made_anew(rig: Rig) -> None:
    """It is no fault of the repository: the next attempt begins with an empty one."""
    rig.configure(WAITING)
    running = asyncio.get_running_loop().create_task(rig.open())
    await kill_at(await waiting(rig))
    with pytest.raises(ApplicationError) as failed:
        await running
    assert (failed.value.type, failed.value.non_retryable) == (Failure.TEMPORARY, False)
    await open_at_once(rig)


async def test_a_sandbox_that_died_while_no_worker_looked_is_made_anew(rig: Rig) -> None:
    """As after a restart of the host: what it has may be half of what its set-up wrote."""
    rig.configure(WAITING)
    environment = ActivityEnvironment()
    request = OpenSandbox(
        session=SessionId("s-1"),
        sandbox_id="s-1",
        repository=rig.repository,
        branch="overnight/s-1",
    )
    opening = environment.run(rig.sandboxes.open, request)
    running = asyncio.get_running_loop().create_task(opening)
    gate = await waiting(rig)
    environment.worker_shutdown()
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await kill_at(gate)
    gate.unlink()
    rig.restart()
    await open_at_once(rig)
