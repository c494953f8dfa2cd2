"""Runs the doctor in this process and takes its answer apart."""

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from typer.testing import CliRunner

from cli.main import app

Rows = dict[str, dict[str, str]]


GIVEN_UP = re.compile(r"took longer than|(did not end|does not answer:|did not answer|byte) within")
"""What the doctor says of something that hangs, and on a busy machine of anything."""


def examined(
    environment: Mapping[str, str], *, hangs: bool = False
) -> tuple[int, Rows, dict[str, Any]]:
    """Run the doctor; return its exit status, its rows by name, and all it said.

    Again when the machine was too busy for it, unless something is meant to hang.
    """
    nothing_else: dict[str, str | None] = dict.fromkeys(os.environ)
    while True:
        done = CliRunner().invoke(
            app, ["doctor", "-o", "json"], env={**nothing_else, **environment}
        )
        assert isinstance(done.exception, SystemExit | None), done.exception
        found = json.loads(done.stdout)
        rows = rows_in(found)
        if hangs or not is_given_up(rows):
            return done.exit_code, rows, found


def rows_in(found: dict[str, Any]) -> Rows:
    """Return the rows of an answer by name."""
    return {row["what"]: row for group in found["groups"] for row in group["rows"]}


def is_given_up(rows: Rows) -> bool:
    """Whether something took too long to be looked at."""
    return any(GIVEN_UP.search(row["finding"]) for row in rows.values())


def status_of(rows: Rows, *names: str) -> list[str]:
    return [rows[name]["status"] for name in names]
