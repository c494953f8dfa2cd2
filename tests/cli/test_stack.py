"""The supervisor with real processes: the real Temporal server and stand-ins for the rest."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from cli.stack import folder
from cli.stack.environment import Role
from cli.stack.folder import StackRecord
from cli.stack.ports import Ports
from cli.stack.processes import ROTATE_BYTES, Program, ReadyFile, last_lines, open_log
from cli.stack.programs import stack_of
from cli.stack.restarts import EARLY_DEATHS
from runtime.settings import Settings
from tests.cli.running import ROOT, choose_ports, clean_environment, is_alive, wait_until
from tests.cli.supervised import TABLE
from tests.patience import PATIENCE_SECONDS

STAND_IN = Path(__file__).with_name("stand_in.py")
CANARY = "canary-of-the-provider-key"
GIT_CANARY = "canary-of-the-git-token"

Running = subprocess.Popen[bytes]


def choose_ports_of(home: Path) -> Ports:
    return Ports.model_validate_json((home / "ports.json").read_bytes())


def table(home: Path, *, parts: dict[str, list[str]] | None = None) -> tuple[Program, ...]:
    """Return the real table with everything but the Temporal server replaced by stand-ins."""
    person = clean_environment(home, ANTHROPIC_API_KEY=CANARY, OVERNIGHT_GIT_TOKEN=GIT_CANARY)
    stack = stack_of(Settings(home=home), choose_ports(home), person)
    return tuple(
        program
        if program.name == Role.TEMPORAL
        else program.model_copy(
            update={
                "argv": (
                    sys.executable,
                    str(STAND_IN),
                    program.name,
                    *(parts or {}).get(program.name, []),
                ),
                "ready": ReadyFile(path=home / "run" / f"{program.name}.ready"),
            }
        )
        for program in stack.programs
    )


@contextmanager
def supervised(
    home: Path, programs: tuple[Program, ...], *, ignored: signal.Signals | None = None
) -> Iterator[Running]:
    """Start a supervisor of these programs, with a signal ignored; kill it in the end."""

    def take_signals() -> None:
        # As they were given to the tests, they may have been ignored.
        for each in (signal.SIGHUP, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN if each == ignored else signal.SIG_DFL)

    (home / "table.json").write_bytes(TABLE.dump_json(programs))
    with (home / "out").open("wb") as out:
        running = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.supervised", str(home)],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=take_signals,  # noqa: PLW1509
        )
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def ready_record(home: Path) -> StackRecord:
    wait_until(lambda: folder.read_record(home))
    record = folder.read_record(home)
    assert record is not None
    return record


def test_a_stack_starts_whole_and_stops_whole(home: Path):
    """All processes run before the record appears; after SIGTERM neither they nor it are left."""
    with supervised(home, table(home)) as running:
        record = ready_record(home)
        assert set(record.processes) == {role.value for role in Role}
        assert all(is_alive(pid) for pid in record.processes.values())
        assert record.pid == running.pid
        assert (home / "stack.json").stat().st_mode & 0o777 == 0o600
        assert home.stat().st_mode & 0o777 == 0o700
        running.terminate()
        assert running.wait(PATIENCE_SECONDS) == 0
        assert not any(is_alive(pid) for pid in record.processes.values())
        assert not (home / "stack.json").exists()
        assert (home / "stopped").read_text().split()[0] == "gateway"


def is_another(home: Path, name: str, pid: int) -> bool:
    return ready_record(home).processes.get(name, pid) != pid


def test_every_killed_process_comes_back(home: Path):
    """A process killed by SIGKILL runs again under a new number, which the record tells."""
    with supervised(home, table(home)):
        before = ready_record(home).processes
        for name, pid in before.items():
            os.kill(pid, signal.SIGKILL)
            wait_until(partial(is_another, home, name, pid))
        assert all(is_alive(pid) for pid in ready_record(home).processes.values())


def test_a_killed_supervisor_takes_its_children_along_but_not_the_sandboxes(home: Path):
    """No child outlives the supervisor, a grandchild's session does; the next start works."""
    programs = table(home, parts={"host": ["grandchild"]})
    with supervised(home, programs) as running:
        record = ready_record(home)
        ports = choose_ports_of(home)
        running.kill()
        wait_until(lambda: not any(is_alive(pid) for pid in record.processes.values()))
    sandbox = int((home / "grandchild").read_text())
    try:
        assert is_alive(sandbox)
        assert folder.read_record(home) is None
        assert choose_ports(home) == ports
        with supervised(home, programs):
            assert set(ready_record(home).processes) == set(record.processes)
    finally:
        os.kill(sandbox, signal.SIGKILL)
        os.kill(int((home / "grandchild").read_text()), signal.SIGKILL)


def test_a_folder_has_one_stack(home: Path):
    """A second supervisor is refused with the first one's pid, the way to stop it, and status 6."""
    with supervised(home, table(home)) as running:
        ready_record(home)
        second = subprocess.run(
            [sys.executable, "-m", "tests.cli.supervised", str(home)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 6
        assert f"pid {running.pid}" in second.stderr
        assert "overnight down" in second.stderr
        assert running.poll() is None


def test_a_process_that_cannot_start_ends_the_stack(home: Path):
    """After five deaths the stack stops with status 1, the log's end and the log's place."""
    programs = table(home, parts={"models": ["fail"]})
    with supervised(home, programs) as running:
        assert running.wait(PATIENCE_SECONDS) == 1
    said = (home / "out").read_text()
    assert "the models process ended 5 times" in said
    assert "the stand-in has nothing to stand on" in said
    assert str(home / "logs" / "models.log") in said
    assert not (home / "stack.json").exists()


def test_a_program_that_does_not_exist_is_named(home: Path):
    """A table with a missing program is an error that names the process."""
    programs = table(home)
    broken = programs[1].model_copy(update={"argv": ("/nonexistent/program",)})
    with supervised(home, (programs[0], broken)) as running:
        assert running.wait(PATIENCE_SECONDS) == 1
    assert "the sessions process cannot be started" in (home / "out").read_text()


def said_in(home: Path, text: str) -> bool:
    return text in (home / "out").read_text()


def test_a_restart_that_is_refused_is_tried_again(home: Path):
    """What the system refuses for a while, such as the folder of the logs, ends no stack."""
    with supervised(home, table(home)):
        before = ready_record(home).processes
        (home / "logs").rename(home / "aside")
        os.kill(before["models"], signal.SIGKILL)
        wait_until(lambda: said_in(home, "process.not_started"))
        (home / "aside").rename(home / "logs")
        wait_until(lambda: is_another(home, "models", before["models"]))
        after = ready_record(home).processes
        assert all(is_alive(pid) for pid in after.values())
        assert {name for name in before if before[name] != after[name]} == {"models"}


def test_a_restart_that_stays_refused_ends_the_stack(home: Path):
    """After as many attempts as a process has that dies early, with the system's words."""
    with supervised(home, table(home)) as running:
        record = ready_record(home)
        (home / "logs").rename(home / "aside")
        os.kill(record.processes["models"], signal.SIGKILL)
        assert running.wait(PATIENCE_SECONDS) == 1
    assert not any(is_alive(pid) for pid in record.processes.values())
    said = (home / "out").read_text()
    assert "the models process cannot be started: " in said
    assert said.count("process.not_started") == EARLY_DEATHS
    assert "Traceback" not in said


@pytest.mark.parametrize("ignored", [signal.SIGHUP, signal.SIGINT])
def test_an_ignored_signal_does_not_stop_the_stack(home: Path, ignored: signal.Signals):
    """Under nohup the end of the terminal is survived, in the background of a script its Ctrl-C."""
    with supervised(home, table(home), ignored=ignored) as running:
        pid = ready_record(home).processes["models"]
        running.send_signal(ignored)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: is_another(home, "models", pid))
        running.terminate()
        assert running.wait(PATIENCE_SECONDS) == 0


def test_the_end_of_the_terminal_stops_the_stack(home: Path):
    """Unless it was asked to ignore that, cleanly."""
    with supervised(home, table(home)) as running:
        ready_record(home)
        running.send_signal(signal.SIGHUP)
        assert running.wait(PATIENCE_SECONDS) == 0
    assert not (home / "stack.json").exists()


def test_secrets_reach_only_the_process_that_needs_them(home: Path):
    """The provider key is in the model worker alone, the git token in the host worker alone."""
    with supervised(home, table(home)):
        record = ready_record(home)
        seen = {
            name: Path(f"/proc/{pid}/environ").read_text() for name, pid in record.processes.items()
        }
    assert [name for name, text in seen.items() if CANARY in text] == ["models"]
    assert [name for name, text in seen.items() if GIT_CANARY in text] == ["host"]


def test_processes_know_the_embedded_server_and_their_ready_file(home: Path):
    """Each of our processes is told the server's address, the data folder and where to report."""
    with supervised(home, table(home)):
        ready_record(home)
        told = json.loads((home / "sessions.environment").read_text())
    assert told["OVERNIGHT_TEMPORAL_ADDRESS"] == f"127.0.0.1:{choose_ports_of(home).temporal}"
    assert told["OVERNIGHT_HOME"] == str(home)
    assert told["OVERNIGHT_READY_FILE"] == str(home / "run" / "sessions.ready")


def test_a_cluster_replaces_the_embedded_server(home: Path):
    """With TEMPORAL_ADDRESS there is no server in the table, and its variables are passed on."""
    person = clean_environment(home, TEMPORAL_ADDRESS="cluster:7233", TEMPORAL_API_KEY="key")
    stack = stack_of(Settings(home=home), choose_ports(home), person)
    assert stack.temporal_address == "cluster:7233"
    assert Role.TEMPORAL not in {program.name for program in stack.programs}
    for program in stack.programs:
        assert program.environment["TEMPORAL_API_KEY"] == "key"
        assert "OVERNIGHT_TEMPORAL_ADDRESS" not in program.environment


def test_each_process_serves_its_metrics_on_a_port_of_its_own(home: Path):
    """The gateway takes the port that was asked for, workers the next ones, Temporal none."""
    settings = Settings(home=home, metrics_address="127.0.0.1:9464")
    stack = stack_of(settings, choose_ports(home), clean_environment(home))
    told = {
        program.name: program.environment.get("OVERNIGHT_METRICS_ADDRESS")
        for program in stack.programs
    }
    assert told == {
        "temporal": None,
        "gateway": "127.0.0.1:9464",
        "sessions": "127.0.0.1:9465",
        "models": "127.0.0.1:9466",
        "host": "127.0.0.1:9467",
    }
    assert stack.metrics == {name: address for name, address in told.items() if address}


def test_a_large_log_is_set_aside(tmp_path: Path):
    """A log above the limit becomes `.1` when it is opened, a smaller one is continued."""
    path = tmp_path / "x.log"
    with path.open("wb") as file:
        file.truncate(ROTATE_BYTES + 1)
    for _ in range(2):
        with open_log(path) as file:
            file.write(b"line\n")
    assert path.read_bytes() == b"line\nline\n"
    assert path.with_name("x.log.1").stat().st_size == ROTATE_BYTES + 1
    assert last_lines(path, 1) == ("line",)
    assert last_lines(tmp_path) == last_lines(tmp_path / "gone") == ()
