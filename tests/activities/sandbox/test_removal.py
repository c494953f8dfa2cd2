"""Whatever hostile programs left in a folder is removed."""

import tracemalloc
from pathlib import Path

from activities.sandbox.removal import remove_tree


def test_removal_is_safe_for_everything_else(tmp_path: Path) -> None:
    """Deep, closed and linked folders go; what links point to stays; a repeat is fine."""
    kept = tmp_path / "kept"
    kept.mkdir()
    tree = tmp_path / "tree"
    (tree / "a/b").mkdir(parents=True)
    (tree / "a/link").symlink_to(kept)
    (tree / "a/b/file").touch()
    (tree / "a/b").chmod(0)
    (tree / "a").chmod(0)
    remove_tree(tree)
    remove_tree(tree)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_removal_holds_no_list_of_what_is_there(tmp_path: Path) -> None:
    """A sandbox may hold more files than the worker has memory for their names."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(20_000):
        (tree / f"{number}-{'x' * 80}").touch()
    tracemalloc.start()
    remove_tree(tree)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not tree.exists()
    assert most < 1_000_000
