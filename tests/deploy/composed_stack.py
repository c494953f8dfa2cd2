"""The services of the compose file as plain processes, with the commands and variables it gives.

What a container would add is put in its place: paths of volumes and mounts lie below a folder of
the test, and the one Temporal server of the tests stands for `temporal:7233`.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from cli.stack.ports import mark_any
from runtime.settings import Settings
from tests.deploy.composed import OURS, ROOT, environment, secrets, services
from tests.end_to_end.local_stack import LocalStack, Reply, until
from tests.patience import PATIENCE_SECONDS
from tests.provider import sandbox_provider

SECRETS = {
    "gateway_token": "token-of-this-test-alone",
    "git_token": "no-token-is-used",
    "provider_key": "no-key-is-used",
}
"""What the files of the secrets hold."""

MOUNTS = ("/tmp/ready", "/run/secrets")  # noqa: S108
"""What each container has of its own."""


class ComposedStack(LocalStack):
    """A stack that the compose file describes, and no supervisor runs."""

    def __init__(self, base: Path, scripts: dict[str, list[Reply]], temporal: str) -> None:
        super().__init__(base, scripts)
        self._port, self._reserved = mark_any("127.0.0.1")
        self._places = {
            "/var/lib/overnight": str(base / "home"),
            "/tmp/ready": str(base / "ready"),  # noqa: S108
            "/run/secrets": str(base / "secrets"),
            "/opt/overnight": str(base / "image"),
            "/etc/overnight": str(ROOT / "deploy"),
            "temporal:7233": temporal,
            "gateway:8080": f"127.0.0.1:{self._port}",
            "0.0.0.0": "127.0.0.1",  # noqa: S104
            "8080": str(self._port),
        }
        self._variables = {
            "OVERNIGHT_MODEL": "openai/scripted",
            "OVERNIGHT_MODEL_BASE_URL": f"http://127.0.0.1:{self._model_port}/v1",
            "PROVIDER_KEY": "OPENAI_API_KEY",
        }
        self._services = services(self._variables)
        self._make_folders()
        self.settings = Settings(
            home=base / "home", token_file=base / "secrets/gateway/gateway_token"
        )
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Do what `docker compose up --wait` does, twice what is done at each `up`."""
        for _ in range(2):
            self.run_to_its_end("namespace")
        for name in OURS:
            with (self.base / f"{name}.log").open("ab") as log:
                self._running[name] = subprocess.Popen(
                    self._command(name),
                    env=self._environment(name),
                    cwd=self.base,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
        until(self.is_healthy, "every service is healthy")
        self.connect(f"http://127.0.0.1:{self._port}")

    def is_healthy(self) -> bool:
        """Tell whether all health checks pass; fail when a service has ended."""
        for name, process in self._running.items():
            log = (self.base / f"{name}.log").read_text()[-2_000:]
            assert process.poll() is None, f"{name} ended: {log}"
        return all(self.health(name) == 0 for name in OURS)

    def age_signs(self) -> None:
        """Make it look as if no worker had given a sign of life for long."""
        for ready in (self.base / "ready").iterdir():
            os.utime(ready, (0, 0))

    def health(self, name: str) -> int:
        """Run a service's own health check."""
        kind, *command = self._services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        return self._run(name, command).returncode

    def run_to_its_end(self, name: str) -> None:
        """Run a service that ends, and see that it did its work."""
        done = self._run(name, self._services[name]["command"])
        assert done.returncode == 0, done.stderr

    def command_line(self, *arguments: str) -> str:
        """Run a command of the service `cli`, and return what it printed."""
        done = self._run("cli", [*self._services["cli"]["entrypoint"], *arguments])
        assert done.returncode == 0, done.stderr
        return done.stdout

    def variables_of(self, name: str) -> dict[str, str]:
        """Return the environment with which a service was started."""
        content = Path(f"/proc/{self._running[name].pid}/environ").read_text()
        return dict(each.split("=", 1) for each in content.split("\0") if each)

    def stop(self) -> None:
        """Do what `docker compose stop` does: everything ends by itself in the time it is given."""
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        codes = {
            name: process.wait(timeout=PATIENCE_SECONDS) for name, process in self._running.items()
        }
        self._running = {}
        assert set(codes.values()) <= {0}, codes

    def end(self) -> None:
        """Stop everything and give the gateway's port back."""
        super().end()
        self._reserved.close()

    def _make_folders(self) -> None:
        for name in ("home/store", "ready", "secrets", "image"):
            (self.base / name).mkdir(parents=True, mode=0o700)
        (self.base / "image/start").symlink_to(ROOT / "deploy/start.sh")
        (self.base / "image/venv").symlink_to(sys.prefix)
        for name in (*OURS, "cli"):
            (self.base / "secrets" / name).mkdir()
            for source, target in secrets(self._services[name]):
                file = self.base / "secrets" / name / target
                file.write_text(f"{SECRETS[source]}\n")
                file.chmod(0o600)

    def _run(self, name: str, command: list[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self._placed(word, name) for word in command],
            env=self._environment(name),
            cwd=self.base,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def _command(self, name: str) -> list[str]:
        words = ["/opt/overnight/start", *self._services[name]["command"]]
        return [self._placed(word, name) for word in words]

    def _environment(self, name: str) -> dict[str, str]:
        composed = environment(self._services[name], self._variables)
        placed = {key: self._placed(value, name) for key, value in composed.items()}
        # What the image and the base system have.
        path = f"{sys.prefix}/bin:{os.defpath}" if name == "namespace" else os.defpath
        mine = {"PATH": f"/usr/local/bin:{path}", "HOME": str(self.base)}
        # What a person would add to `.env` or in a file of their own.
        added = {
            "OVERNIGHT_LOCAL_ROOTS": str(self.base.parent),
            "OVERNIGHT_SANDBOX": sandbox_provider(),
        }
        return mine | placed | (added if name in OURS else {})

    def _placed(self, text: str, name: str) -> str:
        def found(match: re.Match[str]) -> str:
            place = self._places[match[0]]
            return f"{place}/{name}" if match[0] in MOUNTS else place

        return re.sub("|".join(map(re.escape, self._places)), found, text)
