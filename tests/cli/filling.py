"""Runs a stack whose disk becomes full: `python -m tests.cli.filling REPOSITORY`; prints JSON.

It is run where OVERNIGHT_HOME lies on a file system of its own, which ends with it.
"""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import httpx2

from cli.stack import folder
from tests.cli.running import wait_until
from tests.patience import PATIENCE_SECONDS

CHUNK = b"x" * 65_536


def overnight(*arguments: str) -> int:
    """Run a command to its end and return its status; what it says is on stderr."""
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.run(
        command, stdout=sys.stderr, check=False, timeout=PATIENCE_SECONDS
    ).returncode


def asked(repository: str) -> dict[str, object]:
    """Return the request for a session."""
    prompt = {"id": str(uuid.uuid4()), "text": "x"}
    return {"prompt": prompt, "repository": {"url": repository, "base": "main"}}


def fill(path: Path) -> None:
    """Write until there is no room for another byte."""
    for size in (len(CHUNK), 1):
        with path.open("ab", buffering=0) as file:
            try:
                while file.write(CHUNK[:size]):
                    pass
            except OSError:
                continue


def main(repository: str) -> None:
    """Start a stack, fill its disk, free it, and stop the stack."""
    home = Path(os.environ["OVERNIGHT_HOME"])
    stack = subprocess.Popen([sys.executable, "-m", "cli.main", "up"], stdout=sys.stderr)
    wait_until(lambda: stack.poll() is not None or folder.read_record(home) is not None)
    record = folder.read_record(home)
    assert record is not None
    bearer = {"authorization": f"Bearer {(home / 'token').read_text()}"}
    with httpx2.Client(
        base_url=record.gateway_url, headers=bearer, timeout=PATIENCE_SECONDS
    ) as http:

        def post(body: dict[str, object]) -> tuple[int, str]:
            answer = http.post("/api/v1/sessions", json=body)
            return answer.status_code, answer.json().get("code", "")

        found: dict[str, object] = {"before": post(asked(repository))}
        full, late = home.parent / "full", asked(repository)
        fill(full)
        found["list while full"] = overnight("ps")
        found["prompt while full"] = post(late)
        full.unlink()
        found["the same afterwards"] = post(late)
    found["down"] = overnight("down")
    stack.wait(PATIENCE_SECONDS)
    print(json.dumps(found))  # noqa: T201  # its test reads it


if __name__ == "__main__":
    main(sys.argv[1])
