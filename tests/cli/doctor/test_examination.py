"""What `overnight doctor` finds, under the conditions it is there for."""

import json
import os
import socket
import sys
from pathlib import Path

import psutil
import pytest

from tests.cli.doctor.examined import examined, status_of
from tests.cli.running import clean_environment, overnight, wait_until
from tests.provider import refusal

NO_STACK = ["gateway", "temporal", "workers", "store"]


def programs(folder: Path, **scripts: str) -> str:
    """Write shell scripts; return a PATH on which they come first."""
    folder.mkdir(exist_ok=True)
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return f"{folder}:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"


def test_without_a_stack_the_machine_is_looked_at(alone: dict[str, str]):
    """Every row that needs no stack is there; what could not be seen is named, with the way to."""
    status, rows, found = examined(alone)
    assert status == 0
    assert [group["name"] for group in found["groups"]] == [
        "machine",
        "sandbox",
        "data folder",
        "settings",
        "stack",
    ]
    # Not every file system counts inodes.
    assert set(rows) | {"inodes"} == {
        *("python", "git", "git identity", "clock", "user", "open files", "docker"),
        *("bubblewrap", "defence"),
        *("folder", "disk", "inodes", "file system", "token"),
        *("names", "model", "provider key", "port"),
    }
    assert found["unseen"] == NO_STACK
    assert found["unseen_why"] == "no stack runs: start one with `overnight up`"
    assert (rows["model"]["status"], rows["model"]["finding"]) == (
        "warn",
        "none is named for sessions that name none",
    )


def test_a_person_gets_one_line_for_each_row(alone: dict[str, str]):
    """Status, name, finding and cure stand on one line; the counts come last."""
    done = overnight("doctor", environment={**alone, "OVERNIGHT_MODLE": "x"})
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert "settings" in lines
    assert (
        "  fail  names         there is no setting OVERNIGHT_MODLE  → did you mean OVERNIGHT_MODEL?"
    ) in lines
    assert lines[-2] == (
        "not looked at: gateway, temporal, workers, store "
        "(no stack runs: start one with `overnight up`)"
    )
    assert lines[-1].endswith(" 1 fail")
    assert (
        overnight("doctor", "-o", "id", environment={**alone, "OVERNIGHT_MODLE": "x"}).stdout
        == "names\n"
    )


def test_a_wrong_value_is_a_row(alone: dict[str, str]):
    """Settings that cannot be read hide the rest, which is said; the machine is still seen."""
    status, rows, found = examined({**alone, "OVERNIGHT_GATEWAY_PORT": "x"})
    assert status == 1
    assert "OVERNIGHT_GATEWAY_PORT" in rows["values"]["finding"]
    assert rows["python"]["status"] == "ok"
    assert {"data folder", "sandbox", *NO_STACK} <= set(found["unseen"])


@pytest.mark.parametrize(
    ("folders", "why"),
    [
        ("/nope", "'/nope' is no folder that can be read; install it or leave it out"),
        ("tools", "'tools' must be an absolute path, such as /opt/node"),
    ],
)
def test_a_toolchain_that_no_sandbox_could_show_is_a_row(
    alone: dict[str, str], folders: str, why: str
):
    """It is refused here and by `up`, since every session would fail."""
    status, rows, _ = examined({**alone, "OVERNIGHT_TOOLCHAIN": folders})
    assert status == 1
    assert rows["values"]["finding"] == f"a setting is wrong: OVERNIGHT_TOOLCHAIN: {why}"


def test_a_data_folder_that_cannot_be_made_fails(alone: dict[str, str], tmp_path: Path):
    """A file in the way is no folder, and nothing is created while looking."""
    (tmp_path / "file").write_text("in the way")
    status, rows, _ = examined({**alone, "OVERNIGHT_HOME": str(tmp_path / "file" / "home")})
    assert status == 1
    assert rows["folder"]["finding"] == f"{tmp_path}/file/home cannot be made in {tmp_path}/file"
    assert rows["folder"]["cure"] == "set OVERNIGHT_HOME to a folder you may write to"
    assert "token" not in rows


def test_a_data_folder_that_takes_nothing_fails(alone: dict[str, str]):
    """A folder of the kernel's is there and cannot be written to, even by root."""
    status, rows, _ = examined({**alone, "OVERNIGHT_HOME": "/proc/self/task"})
    assert status == 1
    assert rows["folder"]["finding"].startswith("/proc/self/task cannot be written to: ")


def test_a_folder_and_a_token_that_others_can_read_are_told(alone: dict[str, str], tmp_path: Path):
    """The mode is named, with the command that mends it; what is in the token is not."""
    home = tmp_path / "home"
    home.chmod(0o755)
    (home / "token").write_text("canary-of-the-token")
    (home / "token").chmod(0o644)
    status, rows, found = examined(alone)
    assert status == 1
    assert rows["folder"]["finding"] == f"{home} is open to other users (mode 0755)"
    assert rows["folder"]["cure"] == f"chmod 700 {home}"
    assert rows["token"]["status"] == "fail"
    assert rows["token"]["finding"] == f"{home}/token is open to other users (mode 0644)"
    assert "canary" not in json.dumps(found)


def test_looking_leaves_nothing_behind(tmp_path: Path):
    """A data folder that is not there is not made; it is said when it will be."""
    status, rows, _ = examined(clean_environment(tmp_path / "home"))
    assert status == 0
    assert rows["folder"]["finding"] == f"{tmp_path}/home is made by the first `overnight up`"
    assert not (tmp_path / "home").exists()


def test_a_taken_port_fails_and_a_free_one_does_not(alone: dict[str, str]):
    """The port that is asked for is tried."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        taken, rows, _ = examined({**alone, "OVERNIGHT_GATEWAY_PORT": port})
        assert rows["port"]["finding"] == f"{port} is taken by another program"
    free, rows, _ = examined({**alone, "OVERNIGHT_GATEWAY_PORT": port})
    assert (taken, free) == (1, 0)
    assert rows["port"]["finding"] == f"{port} is free"


@pytest.mark.parametrize("port", ["0", "8080"])
def test_an_address_that_is_none_of_this_machine_fails(alone: dict[str, str], port: str):
    """Whether a port is asked for or not, the setting that is wrong is named."""
    wrong = {
        "OVERNIGHT_GATEWAY_HOST": "192.0.2.1",
        "OVERNIGHT_GATEWAY_PORT": port,
        "OVERNIGHT_METRICS_ADDRESS": "192.0.2.1:9464",
    }
    status, rows, _ = examined({**alone, **wrong})
    assert status == 1
    for what, setting in (("port", "GATEWAY_HOST"), ("metrics ports", "METRICS_ADDRESS")):
        assert rows[what]["status"] == "fail"
        assert rows[what]["finding"].endswith(": Cannot assign requested address")
        assert f"OVERNIGHT_{setting}" in rows[what]["cure"]


def test_a_port_of_metrics_with_too_few_above_it_fails(alone: dict[str, str]):
    """The stack would not start with it."""
    _, rows, _ = examined({**alone, "OVERNIGHT_METRICS_ADDRESS": "127.0.0.1:65534"})
    assert rows["metrics ports"]["status"] == "fail"
    assert "port 65534 and the next three" in rows["metrics ports"]["finding"]
    assert "at most 65532" in rows["metrics ports"]["cure"]


def test_ports_of_metrics_are_tried(alone: dict[str, str]):
    """Each process of a stack takes one of four in a row; a taken one is named."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        address = f"127.0.0.1:{port - 1}"
        status, rows, _ = examined({**alone, "OVERNIGHT_METRICS_ADDRESS": address})
    assert status == 1
    assert rows["metrics ports"]["finding"].startswith("taken by other programs: ")
    assert f"127.0.0.1:{port}" in rows["metrics ports"]["finding"]


REFUSALS = {
    "setting up uid map: Permission denied": "apparmor-profiles",
    "No permissions to create a new namespace": "--security-opt seccomp=unconfined",
    "Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded": (
        "sudo sysctl -w user.max_user_namespaces=15000"
    ),
}


@pytest.mark.parametrize("said", REFUSALS)
def test_a_kernel_that_refuses_sandboxes_is_told_with_its_cure(
    alone: dict[str, str], tmp_path: Path, said: str
):
    """Bubblewrap's own words and what to type stand in the row; `host` only takes the blame off."""
    version = '[ "$1" = --version ] && { echo bubblewrap 0.11.0; exit; }'
    path = programs(tmp_path / "bin", bwrap=f'{version}\necho "bwrap: {said}" >&2\nexit 1')
    status, rows, _ = examined({**alone, "PATH": path, "OVERNIGHT_SANDBOX": "bubblewrap"})
    assert status == 1
    assert said in rows["bubblewrap"]["finding"]
    assert REFUSALS[said] in rows["bubblewrap"]["cure"]
    status, rows, _ = examined({**alone, "PATH": path, "OVERNIGHT_SANDBOX": "host"})
    assert status == 0
    assert rows["bubblewrap"]["status"] == "warn"
    assert rows["defence"]["status"] == "warn"
    assert rows["defence"]["finding"].startswith("UNSAFE: OVERNIGHT_SANDBOX=host isolates nothing")


@pytest.mark.skipif(refusal() is not None, reason="this machine makes no sandbox")
def test_a_sandbox_is_really_made(alone: dict[str, str]):
    """The program that made it is named with its version."""
    _, rows, _ = examined({**alone, "OVERNIGHT_SANDBOX": "bubblewrap"})
    assert rows["bubblewrap"]["status"] == "ok"
    assert rows["bubblewrap"]["finding"].startswith("made a sandbox: bubblewrap ")
    assert "network, which is empty" in rows["defence"]["finding"]


def test_git_that_is_missing_old_or_broken_is_told(alone: dict[str, str], tmp_path: Path):
    """Each has its own row and cure."""
    old = programs(tmp_path / "old", git="echo git version 2.30.2")
    broken = programs(tmp_path / "broken", git="echo no such library >&2; exit 127")
    found = {
        name: examined({**alone, "PATH": path})[1]["git"]
        for name, path in {"none": str(tmp_path), "old": old, "broken": broken}.items()
    }
    assert (found["none"]["status"], found["none"]["finding"]) == (
        "fail",
        "there is no git on PATH",
    )
    assert (found["old"]["status"], found["old"]["finding"]) == (
        "warn",
        f"2.30.2 at {tmp_path}/old/git",
    )
    assert found["broken"]["finding"] == f"{tmp_path}/broken/git does not work: no such library"


def test_a_program_that_hangs_is_killed(alone: dict[str, str], tmp_path: Path):
    """A git that never ends costs its row, not the others, and is not left running."""
    hangs = f"sleep 600.{os.getpid()}"
    path = programs(tmp_path / "bin", git=hangs, docker=hangs)
    status, rows, _ = examined({**alone, "PATH": path}, hangs=True)
    assert status == 1
    assert status_of(rows, "git", "python", "docker") == ["fail", "ok", "ok"]
    assert rows["git"]["finding"] in (
        f"{tmp_path}/bin/git did not end within 2.5 s and was killed",
        "looking at it took longer than 3 s and was given up",  # on a busy machine
    )
    wait_until(lambda: not [each for each in psutil.process_iter() if _runs(each, hangs)])


def _runs(process: psutil.Process, command: str) -> bool:
    try:
        return " ".join(process.cmdline()) == command
    except psutil.Error:
        return False


def test_the_key_of_the_model_is_looked_for_by_name(alone: dict[str, str]):
    """A missing key is named with the model that needs it; one that is there is never shown."""
    named = {**alone, "OVERNIGHT_MODEL": "anthropic/claude-sonnet-4-5"}
    status, rows, _ = examined(named)
    assert status == 1
    assert rows["provider key"]["finding"] == (
        "ANTHROPIC_API_KEY, which anthropic/claude-sonnet-4-5 needs, is not set in this environment"
    )
    status, rows, found = examined({**named, "ANTHROPIC_API_KEY": "canary-of-the-key"})
    assert status == 0
    assert rows["provider key"]["finding"] == "none is missing in this environment"
    assert rows["model"]["finding"].startswith("anthropic/claude-sonnet-4-5; try it")
    assert "canary" not in json.dumps(found)
