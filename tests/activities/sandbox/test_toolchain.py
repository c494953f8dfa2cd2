"""What of the host is shown in boxes, and how its change is noticed."""

import os
from pathlib import Path

import pytest

from activities.sandbox.toolchain import bin_folders, identity, toolchain


def test_a_toolchain_is_the_folder_above_bin(tmp_path: Path) -> None:
    """Links are followed to the installation, scripts are asked, homes are refused."""
    _program(tmp_path / "node-22/bin/node", b"\x7fELF")
    _program(tmp_path / "rust/bin/real", b"\x7fELF")
    _program(tmp_path / "rustc", f"#!/bin/sh\necho {tmp_path}/rust\n".encode())
    _program(tmp_path / "u/.local/bin/java", b"\x7fELF")
    targets = {"node": "node-22/bin/node", "rustc": "rustc", "java": "u/.local/bin/java"}
    found = toolchain(str(_linked(tmp_path, targets)))
    assert found == [tmp_path / "node-22", tmp_path / "rust"]
    assert bin_folders(found).startswith(f"{tmp_path}/node-22/bin:{tmp_path}/rust/bin:/usr/local")


@pytest.mark.parametrize("way", ["link", "hard link", "copy"])
def test_rustup_is_never_shown(tmp_path: Path, way: str) -> None:
    """Its launchers stand beside the credentials of a registry, whatever kind of file they are."""
    rustup = tmp_path / "rust/bin/rustup"
    _program(rustup, b"\x7fELF")
    for name in ("cargo", "rustc"):
        launcher = rustup.with_name(name)
        if way == "link":
            launcher.symlink_to("rustup")
        elif way == "hard link":
            launcher.hardlink_to(rustup)
        else:
            _program(launcher, rustup.read_bytes())
    assert toolchain(str(rustup.parent)) == []


def test_a_launcher_of_another_name_is_not_shown(tmp_path: Path) -> None:
    """Those of volta and mise are links to themselves."""
    _program(tmp_path / "volta/bin/volta-shim", b"\x7fELF")
    assert toolchain(str(_linked(tmp_path, {"node": "volta/bin/volta-shim"}))) == []


@pytest.mark.parametrize(
    ("name", "beside"), [(".cargo", "config"), ("own", "credentials.toml"), ("own", "credentials")]
)
def test_credentials_are_never_shown(tmp_path: Path, name: str, beside: str) -> None:
    """A folder that may hold them is refused, even if it is where a program lives."""
    program = tmp_path / name / "bin/cargo"
    _program(program, b"\x7fELF")
    (tmp_path / name / beside).touch()
    assert toolchain(str(program.parent)) == []


@pytest.mark.parametrize(
    "change",
    ["bin/ruff", "lib/python3.11/site-packages/ruff-2.dist-info", "lib/node_modules/eslint"],
)
def test_what_is_installed_changes_the_identity(tmp_path: Path, change: str) -> None:
    """So does an upgrade, which puts new files in the place of old ones; nothing else does."""
    for folder in ("bin", "lib/python3.11/site-packages", "lib/node_modules"):
        (tmp_path / folder).mkdir(parents=True)
    before = identity([tmp_path])
    (tmp_path / "cache").touch()
    assert identity([tmp_path]) == before != identity([])
    new = tmp_path / change
    new.touch()
    os.utime(new.parent, ns=(1, new.parent.stat().st_mtime_ns + 1))
    assert identity([tmp_path]) != before


def _linked(folder: Path, targets: dict[str, str]) -> Path:
    (folder / "bin").mkdir()
    for name, target in targets.items():
        (folder / "bin" / name).symlink_to(folder / target)
    return folder / "bin"


def _program(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
