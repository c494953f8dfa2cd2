"""A stack that is started in the background and does not become ready, or is not waited for."""

import os
import shutil
import signal
import socket
from pathlib import Path

import pytest

from cli.problems import CliProblem
from cli.stack import folder, up
from runtime.settings import Settings
from tests.cli.running import clean_environment, overnight, started_overnight, wait_until
from tests.patience import PATIENCE_SECONDS


def test_what_an_earlier_start_said_is_not_told_again(home: Path):
    """The log goes on over all starts; told is what this one wrote."""
    (home / "logs" / "up.log").write_text("an earlier start went wrong\n")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        environment = clean_environment(home, OVERNIGHT_GATEWAY_PORT=port)
        done = overnight("up", "-d", environment=environment)
    assert done.returncode == 1
    assert "port_taken" in done.stderr
    assert "earlier start" not in done.stderr


def test_where_the_start_of_another_is_told_is_named(home: Path):
    """Who only waited for it has no log of his own."""
    with pytest.raises(CliProblem) as caught:
        up.wait_until_ready(Settings(home=home))
    assert str(home / "logs" / "up.log") in caught.value.detail


def test_ctrl_c_while_the_stack_starts_says_that_it_goes_on(home: Path):
    """And how it is stopped."""
    with folder.owned(home):
        shutil.rmtree(home / "logs")
        running = started_overnight("up", "-d", environment=clean_environment(home))
        wait_until((home / "logs").exists)
        os.kill(running.pid, signal.SIGINT)
        shown, said = running.communicate(timeout=PATIENCE_SECONDS)
    assert (running.returncode, shown) == (130, "")
    assert "goes on starting; stop it with: overnight down" in said
    assert "Traceback" not in said
