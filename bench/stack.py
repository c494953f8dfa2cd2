"""A local stack as `overnight up` starts it, in a folder of its own, with the scripted model."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from activities.sandbox.box import BoxPaths
from activities.sandbox.lifetime import destroy
from activities.sandbox.provider import boxes_folder
from bench.api import Api
from bench.scripted import ScriptedModel, scripted_model
from cli.stack import folder
from cli.stack.folder import StackRecord
from cli.stack.up import stop_stack
from runtime.settings import Settings, gateway_token

PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.005


class Arena:
    """Everything that a measurement uses: a repository, a model and, once started, a stack."""

    def __init__(self, base: Path, model: ScriptedModel) -> None:
        self.base = base
        self.model = model
        self.settings = Settings(home=base / "home")
        self.repository = _make_repository(base / "repository")
        self.up: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the stack; returns at once."""
        with (self.base / "up.log").open("ab") as log:
            self.up = subprocess.Popen(
                [sys.executable, "-P", "-m", "cli.main", "up"],
                env=self.environment(),
                cwd=self.base,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def until_ready(self) -> StackRecord:
        """Return the stack's record once it is ready."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            record = folder.read_record(self.settings.home)
            if record is not None:
                return record
            if self.up is None or self.up.poll() is not None:
                break
            time.sleep(POLL_SECONDS)
        message = f"the stack is not ready: {(self.base / 'up.log').read_text()[-2_000:]}"
        raise RuntimeError(message)

    def stop(self) -> None:
        """Stop the stack, if it runs."""
        if self.up is not None:
            stop_stack(self.settings)
            self.up.wait(timeout=60)
            self.up = None

    def record(self) -> StackRecord:
        """Return the running stack's record, starting it when none runs."""
        if self.up is None:
            self.start()
        return self.until_ready()

    def api(self) -> Api:
        """Connect to the gateway."""
        return Api(self.record().gateway_url, gateway_token(self.settings))

    def temporal(self) -> Settings:
        """Return settings that reach the stack's Temporal server."""
        return self.settings.model_copy(update={"temporal_address": self.record().temporal_address})

    def environment(self) -> dict[str, str]:
        """Return what a person would have set."""
        return {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.base),
            "OVERNIGHT_HOME": str(self.settings.home),
            "OVERNIGHT_MODEL": "openai/scripted",
            "OVERNIGHT_MODEL_BASE_URL": self.model.url,
            "OPENAI_API_KEY": "none",
            "OVERNIGHT_SANDBOX": os.environ.get("OVERNIGHT_SANDBOX", "bubblewrap"),
        }


@contextmanager
def arena() -> Iterator[Arena]:
    """Make the folder, the repository and the model; stop and remove everything in the end."""
    with (
        tempfile.TemporaryDirectory(prefix="overnight-bench-", ignore_cleanup_errors=True) as name,
        scripted_model(Path(name)) as model,
    ):
        made = Arena(Path(name), model)
        try:
            yield made
        finally:
            made.stop()
            asyncio.run(_remove_sandboxes(made.settings))


async def _remove_sandboxes(settings: Settings) -> None:
    # They outlive the stack, on purpose.
    folder = boxes_folder(settings)
    for box in list(folder.iterdir()) if folder.is_dir() else []:
        await destroy(BoxPaths(box))


def _make_repository(path: Path) -> Path:
    path.mkdir()
    (path / "README.md").write_text("# A small project\n")
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
    for words in (
        ("init", "--quiet", "-b", "main"),
        ("add", "--all"),
        (*identity, "-c", "commit.gpgsign=false", "commit", "--quiet", "-m", "first"),
    ):
        subprocess.run(["git", *words], cwd=path, check=True)
    return path
