"""Runs a command while the disk of its box is full: `python -m tests.activities.sandbox.filling`.

It is run with the current folder on a file system of its own, which ends with it; prints JSON.
"""

import asyncio
import json
import os
from pathlib import Path

from activities.sandbox import namespaces
from activities.sandbox.box import BoxPaths
from activities.sandbox.lifetime import destroy, ensure_running
from tests.activities.sandbox.conftest import Box, launch_for
from tests.cli.filling import fill

SCRIPT = "echo before; read line < gate; echo after; exit 3"


async def run(folder: Path) -> dict[str, object]:
    """Let a command end while there is no room, and then make room."""
    paths = BoxPaths(folder / "box")
    paths.make()
    namespaces.write_etc(paths)
    box = Box("host", paths, launch_for("host", paths))
    await ensure_running(paths, box.launch)
    try:
        os.mkfifo(paths.workspace / "gate")
        name = await box.start(box.command(SCRIPT))
        await box.said(name, b"before")
        fill(folder / "full")
        (paths.workspace / "gate").write_text("open\n")
        while_full = await box.client.wait(name, 2**60, 2.0)
        (folder / "full").unlink()
        end = await box.ended(name)
        return {
            "while full": while_full is not None and while_full.exit is not None,
            "outcome": end.outcome,
            "code": end.code,
            "output": box.output(name).decode(),
        }
    finally:
        await destroy(paths)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(Path.cwd()))))  # noqa: T201  # its test reads it
