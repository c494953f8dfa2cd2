"""Git sees a clean environment: no secret of the worker, no configuration of a person."""

from pathlib import Path

import pytest
from git import Repo
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError

from activities.git.errors import printable, remote_error
from activities.mirror import Mirrors
from runtime.settings import Settings
from tests.activities.repositories import named
from workflows.contract.failures import Failure
from workflows.contract.repository_url import RepositoryUrl
from workflows.contract.sandbox import Repository

SECRETS = {
    "OVERNIGHT_GIT_TOKEN": "sekret",
    "ANTHROPIC_API_KEY": "sekret",
    "SSH_AUTH_SOCK": "/agent/sekret",
    "https_proxy": "http://sekret.invalid",
    "GIT_TRACE": "/sekret",
    "GIT_CONFIG_PARAMETERS": "'alias.sekret=!sekret'",
    "ODD\nNAME": "sekret",
}


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file where a program named git, first on the PATH, writes what it was started with."""
    found = tmp_path / "recorded"
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/git"
    program.write_text(f'#!/bin/sh\n{{ printf "%s\\n" "argument $@"; env; }} >> {found}\nexit 1\n')
    program.chmod(0o755)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    return found


def read_lines(file: Path) -> list[str]:
    return file.read_text().splitlines()


async def test_only_what_git_needs_reaches_it(settings: Settings, origin: Repo, recorded: Path):
    """Not one variable of the worker but the PATH comes through; programs are started cleanly."""
    with pytest.raises(ApplicationError):
        await Mirrors(settings).fetch(named(origin))
    seen = "\n".join(read_lines(recorded))
    assert "sekret" not in seen
    assert "HOME=/nonexistent\n" in seen
    assert "GIT_CONFIG_GLOBAL=/dev/null\n" in seen
    assert "GIT_ALLOW_PROTOCOL=file\n" in seen


@pytest.mark.parametrize(
    ("url", "name"),
    [("https://github.com/a/b", "https_proxy"), ("git@github.com:a/b", "SSH_AUTH_SOCK")],
)
async def test_a_remote_gets_only_what_its_protocol_needs(
    settings: Settings, recorded: Path, url: str, name: str
):
    """The ssh agent goes to ssh, the proxy to https, and neither to the other."""
    with pytest.raises(ApplicationError):
        await Mirrors(settings).fetch(Repository(url=url, base="main"))
    with_secret = [line for line in read_lines(recorded) if "sekret" in line]
    assert with_secret == [f"{name}={SECRETS[name]}"]


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://github.com/a/b", True),
        ("https://gitlab.com/a/b", False),
        ("git@github.com:a/b", False),
    ],
)
async def test_the_token_goes_to_its_host_and_never_through_an_argument(
    settings: Settings, recorded: Path, url: str, *, sent: bool
):
    """It is a header of https requests to the host alone, and in no file."""
    mirrors = Mirrors(settings.model_copy(update={"git_token": SecretStr("t0ken")}))
    with pytest.raises(ApplicationError):
        await mirrors.fetch(Repository(url=url, base="main"))
    lines = read_lines(recorded)
    header = "Authorization: Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4="
    assert any(line.endswith(header) for line in lines) is sent
    assert any(line.endswith("=http.https://github.com/.extraHeader") for line in lines) is sent
    assert not any("eC1hY2Nlc3M" in line for line in lines if line.startswith("argument"))
    kept = [path for path in settings.mirrors_path.rglob("*") if path.is_file()]
    assert not any(b"eC1hY2Nlc3M" in path.read_bytes() for path in kept)


async def test_the_hook_of_a_local_remote_sees_no_secret(
    mirrors: Mirrors, origin: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A person's own hooks run when their repository is pushed to, in the clean environment."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    hook = Path(origin.git_dir) / "hooks/post-receive"
    hook.write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\n")
    hook.chmod(0o755)
    commit = await mirrors.fetch(named(origin))
    await mirrors.push(named(origin), "overnight/s1", commit, None)
    seen = (tmp_path / "seen").read_text()
    assert "HOME=/nonexistent\n" in seen
    assert "sekret" not in seen


@pytest.mark.parametrize(
    ("said", "meaning", "kind"),
    [
        ("fatal: could not read Username for 'https://x': terminal", "denied", Failure.REPOSITORY),
        ("fatal: Authentication failed for 'https://x/'", "denied", Failure.REPOSITORY),
        ("git@x: Permission denied (publickey).", "denied", Failure.REPOSITORY),
        ("fatal: The requested URL returned error: 403", "denied", Failure.REPOSITORY),
        ("fatal: repository 'https://x/' not found", "no such repository", Failure.REPOSITORY),
        ("ERROR: Repository not found.", "no such repository", Failure.REPOSITORY),
        ("fatal: The requested URL returned error: 301", "redirect", Failure.REPOSITORY),
        ("Host key verification failed.", "known_hosts", Failure.REPOSITORY),
        ("fatal: detected dubious ownership in repository", "another user", Failure.REPOSITORY),
        ("fatal: the remote end hung up unexpectedly", "cannot be reached", Failure.TEMPORARY),
        ("ssh: Could not resolve hostname x", "cannot be reached", Failure.TEMPORARY),
        ("fatal: The requested URL returned error: 502", "cannot be reached", Failure.TEMPORARY),
        ("fatal: write error: No space left on device", "free space", Failure.TEMPORARY),
        ("error: file write error: Disk quota exceeded", "free space", Failure.TEMPORARY),
    ],
)
def test_failures_are_told_apart(said: str, meaning: str, kind: Failure):
    """A person learns whether to mend access, the name or nothing."""
    error = remote_error(RepositoryUrl(kind="https", canonical="https://x", host="x"), said)
    assert meaning in str(error)
    assert error.type == kind
    assert error.non_retryable is (kind is Failure.REPOSITORY)


def test_words_of_a_remote_are_cut_to_one_printable_line():
    """Escape sequences, controls and lengths are taken away."""
    assert printable("a\x1b[2J\x07\r\nb\u202e") == "a b"
    assert len(printable("x" * 10_000)) == 500
