"""Runs the doctor in this process and takes its answer apart."""

import json
import os
from typing import Any

from typer.testing import CliRunner

from cli.main import app

Rows = dict[str, dict[str, str]]


def examined(environment: dict[str, str]) -> tuple[int, Rows, dict[str, Any]]:
    """Run the doctor; return its exit status, its rows by name, and all it said."""
    nothing_else: dict[str, str | None] = dict.fromkeys(os.environ)
    done = CliRunner().invoke(app, ["doctor", "-o", "json"], env={**nothing_else, **environment})
    assert isinstance(done.exception, SystemExit | None), done.exception
    found = json.loads(done.stdout)
    rows = {row["what"]: row for group in found["groups"] for row in group["rows"]}
    return done.exit_code, rows, found


def status_of(rows: Rows, *names: str) -> list[str]:
    return [rows[name]["status"] for name in names]
