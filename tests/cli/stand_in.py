"""A process of a stack that does nothing but what a test asks of it.

`stand_in.py <name> [grandchild] [fail]`: writes its environment to `<home>/<name>.environment`,
becomes ready, waits for SIGTERM and then adds its name to `<home>/stopped`.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Play the part named on the command line."""
    name, *parts = sys.argv[1:]
    home = Path.cwd()
    if "fail" in parts:
        sys.exit("the stand-in has nothing to stand on")
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    if "grandchild" in parts:
        sandbox = subprocess.Popen(["sleep", "600"], start_new_session=True)
        (home / "grandchild").write_text(str(sandbox.pid))
    (home / f"{name}.environment").write_text(json.dumps(dict(os.environ)))
    Path(os.environ["OVERNIGHT_READY_FILE"]).touch()
    signal.sigwait({signal.SIGTERM})
    with (home / "stopped").open("a") as file:
        file.write(f"{name}\n")


if __name__ == "__main__":
    main()
