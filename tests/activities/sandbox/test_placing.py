"""What hostile programs left in a folder is not followed when something is put there."""

from pathlib import Path

import pytest

from activities.sandbox.placing import place_file, place_folder


def test_a_file_gets_a_name_of_its_own(tmp_path: Path) -> None:
    """Nothing that stands in the folder can be in its way."""
    names = {place_file(tmp_path, b"content") for _ in range(2)}
    assert len(names) == 2
    assert {(tmp_path / name).read_bytes() for name in names} == {b"content"}


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """What it points to stays as it is."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "home").symlink_to("outside")
    with pytest.raises(NotADirectoryError):
        place_file(tmp_path / "home", b"content")
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("left", ["nothing", "a file", "a folder", "a link", "a link to nowhere"])
def test_a_folder_takes_the_place_of_what_was_there(tmp_path: Path, left: str) -> None:
    """Whatever it is; what a link points to stays."""
    kept, target, source = tmp_path / "kept", tmp_path / "target", tmp_path / "source"
    for folder in (kept, source):
        folder.mkdir()
        (folder / "in").write_text(folder.name)
    if left == "a file":
        target.write_text("left")
    elif left == "a folder":
        (target / "a/b").mkdir(parents=True)
        (target / "a").chmod(0)
    elif left != "nothing":
        target.symlink_to("kept" if left == "a link" else "nowhere")
    place_folder(source, target)
    assert (target / "in").read_text() == "source"
    assert not target.is_symlink()
    assert (kept / "in").read_text() == "kept"
