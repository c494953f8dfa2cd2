"""What differs between two commits is told file by file, whatever the files are called."""

from pathlib import Path

from git import Repo

from activities.git.revisions import LINK, Difference
from activities.mirror import Mirrors
from tests.activities.repositories import bundle_work, checkout, commit_files, named
from workflows.contract.base import CommitSha
from workflows.contract.sandbox import Repository

NAMES = ("plain.py", "with space.py", "tab\tand\nbreak.py", "x blob 12", "-dash", "ünicode.py")


async def worked(
    mirrors: Mirrors, origin: Repo, folder: Path, files: dict[str, str]
) -> tuple[Repository, CommitSha, CommitSha]:
    """Take work with these files, `README.md` renamed and a link into the mirror."""
    repository = named(origin)
    base = await mirrors.fetch(repository)
    await mirrors.seed(repository, base, "overnight/s1", folder / "workspace/.git")
    workspace = checkout(folder / "workspace/.git")
    workspace.git.mv("README.md", "moved.md")
    (folder / "workspace/link").symlink_to("/etc/passwd")
    (folder / "workspace/src/app.py").chmod(0o755)
    commit_files(workspace, files)
    bundle, said = bundle_work(workspace, base)
    await mirrors.take(repository, said, bundle)
    return repository, base, said.tip


async def test_every_changed_file_is_told(mirrors: Mirrors, origin: Repo, tmp_path: Path):
    """A renamed file is a removed and an added one; modes count."""
    files = {name: name for name in NAMES}
    repository, base, tip = await worked(mirrors, origin, tmp_path, files)
    found = {each.path: each for each in await mirrors.differences(repository, base, tip)}
    assert set(found) == {*NAMES, "README.md", "moved.md", "link", "src/app.py"}
    assert found["README.md"].is_removed
    assert found["moved.md"].is_added
    assert found["link"].new_mode == LINK
    assert (found["src/app.py"].old, found["src/app.py"].new_mode) == (
        found["src/app.py"].new,
        "100755",
    )
    assert await mirrors.differences(repository, base, base) == []


async def test_blobs_are_read_by_name(mirrors: Mirrors, origin: Repo, tmp_path: Path):
    """A link's is its target; what is none, such as a folder or a commit, is left out."""
    files = {name: f"{name}\n\0 {name}" for name in NAMES}
    repository, base, tip = await worked(mirrors, origin, tmp_path, files)
    changed = await mirrors.differences(repository, base, tip)
    names = [name for each in changed for name in (each.old, each.new)]
    found = await mirrors.read_blobs(repository, base, [*names, base, "0" * 40], total_bytes=10_000)
    contents = {each.path: found.get(each.new) for each in changed}
    assert {name: contents[name] for name in NAMES} == {
        name: text.encode() for name, text in files.items()
    }
    assert contents["link"] == b"/etc/passwd"
    assert contents["README.md"] is None
    assert base not in found


async def test_blobs_are_read_by_commit_and_path(mirrors: Mirrors, origin: Repo, tmp_path: Path):
    """What is absent, or a folder, or has a line break in its name, is left out."""
    repository, base, tip = await worked(mirrors, origin, tmp_path, {"with space.py": "1"})
    paths = ["with space.py", "src/app.py", "src", "gone", "gone blob 12", "a\nb", ""]
    found = await mirrors.read_blobs(
        repository, base, [f"{tip}:{path}" for path in paths], total_bytes=10_000
    )
    assert found == {
        f"{tip}:with space.py": b"1",
        f"{tip}:src/app.py": b"print('hello')\n",
    }


async def test_what_is_too_large_is_left_out(mirrors: Mirrors, origin: Repo, tmp_path: Path):
    """By itself, and beyond the total."""
    files = {"large": "x" * 101, "one": "1" * 60, "two": "2" * 60}
    repository, base, tip = await worked(mirrors, origin, tmp_path, files)
    found = await mirrors.read_blobs(
        repository, base, [f"{tip}:{path}" for path in files], limit_bytes=100, total_bytes=100
    )
    assert found == {f"{tip}:one": b"1" * 60}
    assert await mirrors.read_blobs(repository, base, [], total_bytes=100) == {}


def test_a_difference_knows_its_side():
    """Zeros stand for what is not there."""
    added = Difference("a", "000000", "100644", "0" * 40, "1" * 40)
    assert (added.is_added, added.is_removed) == (True, False)
