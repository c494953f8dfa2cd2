"""Secrets that are given as files."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from runtime import settings as reading
from runtime.secret_files import LIMIT_BYTES, SecretFileError, read_secret, read_variables
from runtime.settings import Settings, gateway_token, model_keys

SECRET = "s3cret-of-this-test-only"


def secret_file(path: Path, content: str | bytes = SECRET, mode: int = 0o600) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_newline_at_the_end_is_no_part_of_it(tmp_path: Path, end: str) -> None:
    """Editors and `echo` end a file with one."""
    assert read_secret(secret_file(tmp_path / "key", SECRET + end)) == SECRET


def test_only_one_newline_is_taken_away(tmp_path: Path) -> None:
    """What is inside stays, such as the lines of a key in JSON."""
    assert read_secret(secret_file(tmp_path / "key", "{\n}\n\n")) == "{\n}\n"


def a_folder(folder: Path) -> Path:
    return folder


def nothing(folder: Path) -> Path:
    return folder / "absent"


def a_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe", 0o600)
    return folder / "pipe"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (nothing, "cannot be read (No such file or directory)"),
        (a_folder, "cannot be read (Is a directory)"),
        (a_pipe, "is no plain file"),
        (lambda folder: secret_file(folder / "key", ""), "is empty"),
        (lambda folder: secret_file(folder / "key", " \n"), "is empty"),
        (lambda folder: secret_file(folder / "key", b"\xff\xfe"), "is no text"),
        (lambda folder: secret_file(folder / "key", f"{SECRET}\0"), "holds a NUL byte"),
        (lambda folder: secret_file(folder / "key", "x" * LIMIT_BYTES + "yz"), "is larger than"),
        (lambda folder: secret_file(folder / "key", mode=0o644), "may be read by every user"),
    ],
)
def test_what_cannot_be_a_secret_is_refused(
    tmp_path: Path, make: Callable[[Path], Path], why: str
) -> None:
    """The refusal names the file and the reason, and holds nothing of the content."""
    path = make(tmp_path)
    with pytest.raises(SecretFileError) as refused:
        read_secret(path)
    assert str(refused.value).startswith(repr(str(path)))
    assert why in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_secret_put_where_a_path_is_due_is_not_repeated() -> None:
    """A person who mistakes the variable finds the secret in no log."""
    with pytest.raises(SecretFileError) as refused:
        read_secret(Path(SECRET))
    assert str(refused.value) == "must be the whole path of a file that holds the secret"


def test_a_file_of_the_largest_size_is_taken(tmp_path: Path) -> None:
    """The limit is the last size that is taken."""
    assert len(read_secret(secret_file(tmp_path / "key", "x" * LIMIT_BYTES))) == LIMIT_BYTES


def test_a_folder_gives_the_variables_its_files_are_named_after(tmp_path: Path) -> None:
    """Each file is one variable; links of Kubernetes, which begin with a dot, are none."""
    secret_file(tmp_path / "ANTHROPIC_API_KEY", "one\n")
    secret_file(tmp_path / "openai_api_base", "two\n")
    (tmp_path / "..data").mkdir()
    assert read_variables(tmp_path) == {"ANTHROPIC_API_KEY": "one", "openai_api_base": "two"}


@pytest.mark.parametrize("name", ["git-token", "OVERNIGHT_MODEL", "1ST_KEY"])
def test_a_name_that_is_no_providers_variable_is_refused(tmp_path: Path, name: str) -> None:
    """A file that lies there by mistake is not set as a variable."""
    secret_file(tmp_path / name)
    with pytest.raises(SecretFileError, match="is not named like a provider's variable"):
        read_variables(tmp_path)


@pytest.mark.parametrize("content", ["two words", "one\n\n", "\u00e9\u00e9"])
def test_a_key_that_no_header_can_carry_is_refused(tmp_path: Path, content: str) -> None:
    """It would fail at the provider, in words that say nothing of the key."""
    secret_file(tmp_path / "OPENAI_API_KEY", content)
    with pytest.raises(SecretFileError, match="holds more than one word of ASCII"):
        read_variables(tmp_path)


@pytest.mark.parametrize("make", [nothing, a_folder])
def test_a_folder_without_secrets_is_refused(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    """Absent or empty, the process would find no key later."""
    with pytest.raises(SecretFileError):
        read_variables(make(tmp_path))


def test_the_git_token_comes_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file named by the variable holds the token."""
    monkeypatch.setenv("OVERNIGHT_GIT_TOKEN_FILE", str(secret_file(tmp_path / "git")))
    token = Settings().git_token
    assert token is not None
    assert token.get_secret_value() == SECRET


def test_the_gateways_token_comes_from_its_file(tmp_path: Path) -> None:
    """With a token given, none is made."""
    given = secret_file(tmp_path / "token", SECRET)
    settings = Settings(home=tmp_path / "home", token_file=given)
    assert gateway_token(settings) == SECRET
    assert settings.token_path == given
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("content", ["short", f"{SECRET} with spaces", f"{SECRET}\n{SECRET}"])
def test_a_gateways_token_that_could_be_guessed_or_sent_wrongly_is_refused(
    tmp_path: Path, content: str
) -> None:
    """It has at least 20 characters, all of which fit into a header."""
    with pytest.raises(ValidationError, match="must hold 20 to 500 printable characters"):
        Settings(token_file=secret_file(tmp_path / "token", content))


def test_a_token_given_twice_is_refused_without_showing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to know which would win, and the report can be shown to anybody."""
    monkeypatch.setenv("OVERNIGHT_GIT_TOKEN", SECRET)
    monkeypatch.setenv("OVERNIGHT_GIT_TOKEN_FILE", str(secret_file(tmp_path / "git", "other")))
    with pytest.raises(ValidationError, match="OVERNIGHT_GIT_TOKEN_FILE; unset one") as refused:
        Settings()
    assert SECRET not in str(refused.value)


def test_a_refused_file_is_reported_for_its_variable(tmp_path: Path) -> None:
    """The place of the mistake is the variable that named the file."""
    with pytest.raises(ValidationError) as refused:
        Settings(git_token_file=tmp_path / "absent")
    assert [each["loc"] for each in refused.value.errors()] == [("git_token_file",)]


def test_model_keys_are_set_where_litellm_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment of the process that adopts them has each from then on."""
    # Set first, so that what is adopted is taken away again.
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    secret_file(tmp_path / "ANTHROPIC_API_KEY")
    settings = Settings(model_keys_dir=tmp_path)
    assert model_keys(settings) == {"ANTHROPIC_API_KEY": SECRET}
    reading.adopt_model_keys(settings)
    assert os.environ["ANTHROPIC_API_KEY"] == SECRET


def test_a_model_key_given_twice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that is set and has a file too is a mistake."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "another")
    secret_file(tmp_path / "ANTHROPIC_API_KEY")
    with pytest.raises(ValidationError, match="holds ANTHROPIC_API_KEY, which is set as well"):
        Settings(model_keys_dir=tmp_path)


def test_without_files_there_are_no_secrets() -> None:
    """By default nothing is read."""
    assert Settings().git_token is None
    assert model_keys(Settings()) == {}
