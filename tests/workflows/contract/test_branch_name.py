"""A branch's name is refused exactly when git refuses it."""

import subprocess

import pytest

from workflows.contract.branch_name import check_branch_name

GOOD = (
    "main",
    "feature/x",
    "a-b",
    "ä",
    "v1.0",
    "@home",
    "a@b",
    "x.locks",
    "lock",
    "FETCH_HEAD",
    "@",
)
BAD = (
    "",
    "-f",
    "--upload-pack=x",
    "HEAD",
    "@{-1}",
    "main@{1}",
    "a..b",
    "a/../b",
    "x.lock",
    "x.lock/y",
    ".x",
    "a/.x",
    "/a",
    "a/",
    "a//b",
    "a.",
    "a b",
    "a~1",
    "a^",
    "a:b",
    "a?",
    "a*",
    "a[b",
    "a\\b",
    "a\nb",
    "a\r\nb",
    "a\x7fb",
    "a\tb",
    "main\n",
)


def takes(name: str) -> bool:
    """Ask git itself."""
    command = ["git", "check-ref-format", "--branch", name]
    asked = subprocess.run(command, capture_output=True, check=False, cwd="/")
    return asked.returncode == 0 and asked.stdout.decode().removesuffix("\n") == name


@pytest.mark.parametrize("name", GOOD)
def test_what_git_takes_passes(name: str):
    """Whatever else may look strange in it."""
    assert takes(name)
    check_branch_name(name)


@pytest.mark.parametrize("name", BAD)
def test_what_git_refuses_is_refused_with_its_reason(name: str):
    """The message names the reason and what to give instead, and holds nothing that steers."""
    assert not takes(name)
    with pytest.raises(ValueError, match=r"is refused: .*; name a branch") as refused:
        check_branch_name(name)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_what_cannot_even_be_asked_for_is_refused(name: str):
    """No program takes such an argument."""
    with pytest.raises(ValueError, match="is refused"):
        check_branch_name(name)
