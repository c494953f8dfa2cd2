"""Settings are refused by whatever process reads them, in words that name the variable."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.reading import SettingsRefusedError, read_settings, read_values, unknown_names
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
SECRET = "do-not-show-this"  # a test's own


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("OVERNIGHT_MODLE", "OVERNIGHT_MODEL"),
        ("OVERNIGHT_GIT_HOST", "OVERNIGHT_GIT_HOSTS"),
        ("overnight_gateway_prot", "OVERNIGHT_GATEWAY_PORT"),
    ],
)
def test_a_misspelt_name_finds_the_setting_that_was_meant(name: str, near: str) -> None:
    """Whatever its case, since a setting is read in any."""
    assert unknown_names({name: "x"}) == {name: f"did you mean {near}?"}


def test_a_name_like_no_setting_is_to_be_unset() -> None:
    """There is nothing to suggest, so the page is named that lists all."""
    (cure,) = unknown_names({"OVERNIGHT_QQQQ_ZZZZ_XXXX": "x"}).values()
    assert cure.startswith("unset OVERNIGHT_QQQQ_ZZZZ_XXXX;")


@pytest.mark.parametrize("name", ["OVERNIGHT_MODEL", "overnight_model", "OVERNIGHT_URL", "HOME"])
def test_a_setting_and_what_is_not_ours_is_left_alone(name: str) -> None:
    """Also what only the command line reads, which a shell exports for all."""
    assert unknown_names({name: "x"}) == {}


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("GATEWAY_PORT", "eighty", "must be a whole number"),
        ("GATEWAY_PORT", "65536", "must be 65535 or less"),
        ("GATEWAY_PORT", "-1", "must be 0 or more"),
        ("GATEWAY_PORT", "9" * 5_000, "is too large a number"),
        ("SOCKETS_LIMIT", "1.5", "must be a whole number"),
        ("SANDBOX", "none", "must be 'bubblewrap' or 'host'"),
        ("MODEL", "gpt 5", "'gpt 5' is no model's name, such as"),
        ("MODEL_FALLBACKS", "a,b,c,d,e,f", "may name 5 at most"),
        ("MODEL_STALL_SECONDS", "-1", "must be more than 0"),
        ("MODEL_CAP_SECONDS", "soon", "must be a number"),
        ("MODEL_CAP_SECONDS", "1e9", "must be 1140 or less"),
        ("MODEL_BASE_URL", "localhost", "must be an http or https URL"),
        ("STORE", "ftp://somewhere", "must be s3://bucket"),
        ("STORE", "s3:/x", "must be s3://bucket"),
        ("GIT_TOKEN", "", "is empty; put the token into it, or unset it"),
        ("GIT_TOKEN", " ", "is empty"),
        ("HOME", "~nobody-of-this-name/data", "begins with '~' and no home folder is known"),
        ("TOOLCHAIN", "/nope", "'/nope' is no folder that can be read; install it or leave it out"),
        ("TOOLCHAIN", "/usr:tools", "'tools' must be an absolute path"),
        ("TOOLCHAIN", "/etc/passwd", "'/etc/passwd' is no folder"),
        ("TOOLCHAIN", "/etc/passwd/x", "'/etc/passwd/x' is no folder"),
        ("TOOLCHAIN", "/" + "x" * 5_000, "is no folder"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, why: str
) -> None:
    """In words for people, and what to write; an empty secret is a mistake, and no secret."""
    monkeypatch.setenv(f"OVERNIGHT_{name}", value)
    with pytest.raises(SettingsRefusedError) as refused:
        read_values()
    assert str(refused.value).startswith(f"OVERNIGHT_{name}: ")
    assert why in str(refused.value)
    assert not re.search("value error|input|tuple|parse", str(refused.value), re.IGNORECASE)


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"OVERNIGHT_HOME": "/data"}, "/data"),
        ({"OVERNIGHT_HOME": "~/data"}, "/person/data"),
        ({"OVERNIGHT_HOME": "data"}, f"{Path.cwd()}/data"),
        ({"OVERNIGHT_HOME": ""}, "/person/.local/share/overnight"),
        ({"OVERNIGHT_HOME": "", "XDG_DATA_HOME": "/xdg"}, "/xdg/overnight"),
        ({"XDG_DATA_HOME": "relative"}, "/person/.local/share/overnight"),
        ({}, "/person/.local/share/overnight"),
    ],
)
def test_the_data_folder_is_never_wherever_a_process_stands(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], place: str
) -> None:
    """Unless a person names it so; an empty name is none."""
    monkeypatch.delenv("OVERNIGHT_HOME", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    for name, value in {"HOME": "/person", **variables}.items():
        monkeypatch.setenv(name, value)
    assert read_values().home == Path(place)


def test_an_empty_model_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """So `OVERNIGHT_MODEL= make demo` is a demo without one."""
    monkeypatch.setenv("OVERNIGHT_MODEL", "")
    assert read_values().model is None


def test_a_refusal_shows_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log holds it, and a secret may stand in the wrong variable."""
    monkeypatch.setenv("OVERNIGHT_GATEWAY_PORT", SECRET)
    with pytest.raises(SettingsRefusedError) as refused:
        read_settings()
    assert SECRET not in str(refused.value)


def test_all_that_is_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One look is enough to mend it."""
    monkeypatch.setenv("OVERNIGHT_SANDBOX", "none")
    monkeypatch.setenv("OVERNIGHT_GATEWAY_PORT", "x")
    with pytest.raises(SettingsRefusedError, match=r"OVERNIGHT_SANDBOX: .*OVERNIGHT_GATEWAY_PORT"):
        read_settings()


@pytest.mark.parametrize(
    "process",
    [
        ["gateway"],
        ["activities.worker", "sessions"],
        ["activities.worker", "models"],
        ["activities.worker", "host"],
    ],
    ids=" ".join,
)
def test_each_process_refuses_in_one_line(tmp_path: Path, process: list[str]) -> None:
    """It ends with 1 before it serves anybody, and says which variable is meant; no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", *process],
        env=os.environ
        | {"OVERNIGHT_HOME": str(tmp_path), "OVERNIGHT_MODLE": SECRET, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "settings.refused" in line
    assert "there is no setting OVERNIGHT_MODLE: did you mean OVERNIGHT_MODEL?" in line
    assert SECRET not in line
