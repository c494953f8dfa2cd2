"""A pytest plugin that writes each test's id and whether it passed to the file at $OUTCOMES."""

import json
import os
from pathlib import Path

import pytest


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write a line for what ran, and for what failed before or after it."""
    if report.failed or (report.when == "call" and report.passed):
        with Path(os.environ["OUTCOMES"]).open("a") as file:
            file.write(json.dumps([report.nodeid, report.passed]) + "\n")
