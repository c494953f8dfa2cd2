"""What a log line says of an exception, written by a process of its own."""

import json
import subprocess
import sys

import pytest

from tests.patience import PATIENCE_SECONDS

PROGRAM = """
import logging
import structlog
from temporalio.exceptions import ApplicationError
from runtime import logs

def parse_answer():
    raise KeyError("canary of a provider")

def answer():
    try:
        parse_answer()
    except KeyError as error:
        raise ApplicationError("canary of a prompt", type="model_retry") from error

logs.configure("test")
try:
    answer()
except ApplicationError:
    structlog.get_logger().warning("ours", exc_info=True)
    logging.getLogger("temporalio.activity").warning("theirs", exc_info=True)
try:
    open("/dev/null/canary")
except OSError as error:
    structlog.get_logger().error("system", exc_info=error)
"""


@pytest.fixture(scope="module")
def lines() -> dict[str, str]:
    """Run the program; return each line's exception by its event."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    read = [json.loads(line) for line in done.stderr.splitlines()]
    return {line["event"]: line["exception"] for line in read}


@pytest.mark.parametrize("event", ["ours", "theirs"])
def test_an_exception_is_logged_by_code_class_and_place(lines: dict[str, str], event: str):
    """Of each in the chain, so that a defect is found."""
    told = [line.strip() for line in lines[event].splitlines()]
    assert told[0] == "temporalio.exceptions.ApplicationError: model_retry"
    assert "builtins.KeyError" in told
    assert [line.rpartition(" in ")[2] for line in told if " in " in line] == [
        *("<module>", "answer"),
        *("answer", "parse_answer"),
    ]


@pytest.mark.parametrize("event", ["ours", "theirs", "system"])
def test_the_text_of_an_exception_is_not_logged(lines: dict[str, str], event: str):
    """It may quote a prompt, a provider or a command."""
    assert "canary" not in lines[event]


def test_what_the_system_says_is_logged(lines: dict[str, str]):
    """Its words are known beforehand."""
    assert lines["system"].startswith("builtins.NotADirectoryError: Not a directory")
