"""A whole local stack of real processes, with a scripted model, for a test to use and to break."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from cli.client import Gateway
from cli.stack import folder
from cli.stack.folder import StackRecord
from cli.stack.up import stop_stack
from cli.transport import Transport
from runtime.settings import Settings, gateway_token
from runtime.store.folder import FolderStore
from runtime.transcript import Transcripts
from tests.patience import PATIENCE_SECONDS
from tests.provider import sandbox_provider
from workflows.contract.api import CreateSession, Decision, PromptBody, SessionResource
from workflows.contract.asking import Asked
from workflows.contract.base import PromptId
from workflows.contract.pull_request import PullRequest
from workflows.contract.sandbox import Repository
from workflows.contract.session import Approvals, Budget, Phase, PromptMode
from workflows.contract.transcript import Message, TranscriptHead

ROOT = Path(__file__).parents[2]

Reply = dict[str, Any]


def until(holds: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Return once a condition holds; fail, saying what was waited for, when it does not.

    Looks ever less often: to ask for a session costs the stack some 15 ms of a processor.
    """
    deadline = time.monotonic() + seconds
    pause = 0.02
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain: {what}"
        time.sleep(pause)  # the condition is what is waited for
        pause = min(pause * 1.2, 0.3)


def bash(command: str, **more: object) -> Reply:
    return {"calls": [{"name": "bash", "arguments": {"command": command}}], **more}


def edit(path: str, old: str, new: str, **more: object) -> Reply:
    arguments = {"path": path, "old_str": old, "new_str": new}
    return {"calls": [{"name": "edit", "arguments": arguments}], **more}


def finish(summary: str = "done", **more: object) -> Reply:
    return {"calls": [{"name": "finish", "arguments": {"summary": summary}}], **more}


def git(repository: Path, *arguments: str) -> str:
    """Run git in a test's own repository."""
    identity = ("-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", "-C", str(repository), *identity, *arguments],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def make_repository(path: Path, files: dict[str, str]) -> Path:
    """Make a git repository with one commit on `main`."""
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "-b", "main")
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "-m", "first")
    return path


class LocalStack:
    """`overnight up` on a folder of its own; every session uses the scripted model."""

    def __init__(self, base: Path, scripts: dict[str, list[Reply]]) -> None:
        self.base = base
        self.settings = Settings(home=base / "home")
        self.variables: dict[str, str] = {}
        """What this stack's person has set besides."""

        self._script = base / "script.json"
        self._script.write_text(json.dumps(scripts))
        self._journal = base / "requests.jsonl"
        self._journal.touch()
        self._model, self._model_port = self._start_model()
        self._up: subprocess.Popen[bytes] | None = None
        self._transport: Transport | None = None
        self.gateway: Gateway

    def start(self) -> None:
        """Start the stack and wait until it is ready."""
        with (self.base / "up.log").open("ab") as log:
            self._up = subprocess.Popen(
                [sys.executable, "-P", "-m", "cli.main", "up"],
                env=self.environment(),
                cwd=self.base,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(lambda: self._record_or_none() is not None, "the stack is ready")
        self.connect(self.record().gateway_url)

    def connect(self, url: str) -> None:
        """Speak to a gateway of this folder."""
        token = gateway_token(self.settings)
        if self._transport is not None:
            self._transport._http.close()
        self._transport = Transport(url, token, local=True, may_return=lambda: True)
        self.gateway = Gateway(self._transport)

    def environment(self) -> dict[str, str]:
        """Return what a person would have set."""
        return {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.base),
            "OVERNIGHT_HOME": str(self.settings.home),
            "OVERNIGHT_MODEL": "openai/scripted",
            "OVERNIGHT_MODEL_BASE_URL": f"http://127.0.0.1:{self._model_port}/v1",
            "OPENAI_API_KEY": "none",
            "OVERNIGHT_TOOLCHAIN": sys.prefix,
            "OVERNIGHT_SANDBOX": sandbox_provider(),
            **self.variables,
        }

    def record(self) -> StackRecord:
        found = self._record_or_none()
        assert found is not None, "no stack runs"
        return found

    def kill(self, name: str) -> None:
        """End one process of the stack as a crash would, and wait until another took its place."""
        pid = self.kill_for_good(name)
        until(lambda: self.record().processes.get(name) not in (None, pid), f"{name} is back")

    def kill_for_good(self, name: str) -> int:
        """End one process of the stack as a crash would; return which it was."""
        pid = self.record().processes[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_everything(self) -> None:
        """End all processes of the stack at once as crashes would; sandboxes live on."""
        record = self.record()
        processes = [psutil.Process(pid) for pid in (record.pid, *record.processes.values())]
        for process in processes:
            process.kill()
        assert self._up is not None
        self._up.wait(timeout=PATIENCE_SECONDS)
        self._up = None
        until(lambda: not any(map(_is_alive, processes)), "everything is dead")

    def start_another(self, name: str) -> "subprocess.Popen[bytes]":
        """Start a second process like one of the stack's, which nobody supervises."""
        model = psutil.Process(self.record().processes[name])
        ready = self.base / f"another-{name}.ready"
        environment = model.environ() | {
            "OVERNIGHT_READY_FILE": str(ready),
            "OVERNIGHT_GATEWAY_PORT": "0",
        }
        with (self.base / f"another-{name}.log").open("ab") as log:
            process = subprocess.Popen(
                model.cmdline(), env=environment, cwd=self.base, stdout=log, stderr=log
            )
        found = psutil.Process(process.pid)
        if name == "gateway":
            until(lambda: found.net_connections("tcp4"), "another gateway listens")
        else:
            until(ready.exists, f"another {name} worker polls")
        return process

    def freeze_supervisor(self) -> None:
        """From now on nothing that dies is started again."""
        os.kill(self.record().pid, signal.SIGSTOP)

    def thaw_supervisor(self) -> None:
        os.kill(self.record().pid, signal.SIGCONT)

    def run(
        self,
        repository: Path,
        marker: str,
        text: str = "",
        steps: int = 100,
        *,
        held: tuple[str, ...] = (),
    ) -> SessionResource:
        """Start a session whose prompt begins with a marker of the script."""
        return self.gateway.create(
            CreateSession(
                prompt=self.prompt(f"{marker}\n{text}"),
                repository=Repository(url=str(repository), base="main"),
                budget=Budget(steps=steps),
                approvals=Approvals(commands=held),
            )
        )

    def prompt(self, text: str, mode: PromptMode = PromptMode.QUEUE) -> PromptBody:
        return PromptBody(id=PromptId(str(uuid.uuid4())), text=text, mode=mode)

    def until_waiting(
        self, session: str, turns: int = 1, seconds: float = PATIENCE_SECONDS
    ) -> SessionResource:
        """Wait until the session has ended so many turns and waits for a prompt."""
        found: list[SessionResource] = []

        def waits() -> bool:
            found[:] = [self.gateway.session(session)]
            view = found[0].view
            ended = view.last.turn if view.last is not None else 0
            return view.phase is Phase.WAITING and ended >= turns

        until(waits, f"session {session} waits after turn {turns}", seconds)
        return found[0]

    def until_sandbox_file(self, session: str, name: str) -> Path:
        """Wait until a command of the session's sandbox has made a file in the workspace."""
        path = self.workspace(session) / name
        until(path.exists, f"the sandbox has {name}")
        return path

    def until_asking(self, session: str) -> Asked:
        """Wait until the session asks a person, and return what."""
        found: list[Asked] = []

        def asks() -> bool:
            asked = self.gateway.session(session).view.asked
            found[:] = [asked] if asked is not None else []
            return bool(found)

        until(asks, f"session {session} asks")
        return found[0]

    def answer(self, session: str, asked: Asked, text: str = "") -> None:
        """Say yes to exactly this question."""
        self.gateway.decide(session, Decision(question=asked.id, approved=True, text=text))

    def workspace(self, session: str, purpose: str = "") -> Path:
        """Return the workspace of the session's sandbox, or of one its checks have."""
        name = f"{session}-r0-{purpose}" if purpose else f"{session}-r0"
        return self._boxes / name / "workspace"

    def sandboxes(self) -> list[str]:
        """Return the names of all sandboxes that there are now."""
        return sorted(box.name for box in self._boxes.iterdir()) if self._boxes.is_dir() else []

    def transcript(self, session: str) -> list[Message]:
        """Return what the model was told and said until its newest reply, oldest first."""
        head = TranscriptHead(manifest=self.gateway.session(session).view.head)
        transcripts = Transcripts(FolderStore(self.settings.store_path))
        # With a factory, it leaves the loop of the other tests alone.
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            return runner.run(transcripts.load(head))

    def pull_requests(self, session: str) -> list[PullRequest]:
        """Return every pull-request record of a session, read from the store itself."""
        records = self.settings.store_path / "pulls" / session
        found = sorted(records.iterdir()) if records.is_dir() else []
        return [PullRequest.model_validate_json(path.read_bytes()) for path in found]

    def requests(self, marker: str | None = None) -> list[dict[str, Any]]:
        """Return the requests the model got, in order."""
        lines = [json.loads(line) for line in self._journal.read_text().splitlines()]
        return [line for line in lines if marker is None or line["marker"] == marker]

    def close(self, sessions: Sequence[str]) -> None:
        """Close sessions and wait until nothing of their sandboxes is left."""
        for session in sessions:
            if not self._is_closed(session):
                self.gateway.close(session, "end of the test")
        until(lambda: all(self._is_closed(session) for session in sessions), "they are closed")
        theirs = tuple(f"{session}-" for session in sessions)
        until(
            lambda: not any(name.startswith(theirs) for name in self.sandboxes()),
            "the sandboxes are gone",
        )

    @property
    def _boxes(self) -> Path:
        return self.settings.sandboxes_path / "boxes"

    def _is_closed(self, session: str) -> bool:
        return self.gateway.session(session).view.phase is Phase.CLOSED

    def stop(self) -> None:
        """Stop the stack, if it runs."""
        if self._up is not None:
            stop_stack(self.settings)
            self._up.wait(timeout=PATIENCE_SECONDS)
            self._up = None

    def end(self) -> None:
        """Stop everything; fail when a process of this folder is left, and end it."""
        self.stop()
        if self._transport is not None:
            self._transport._http.close()
        self._model.terminate()
        self._model.communicate(timeout=PATIENCE_SECONDS)
        try:
            until(lambda: not self.processes(), f"no process is left: {self.processes()}")
        finally:
            # A test that failed before it closed its session must not trouble the next.
            for pid in self.processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def processes(self) -> dict[int, str]:
        """Return what still runs with this folder in its command line or environment, by pid."""
        needle = str(self.base)
        found = {}
        for process in psutil.process_iter():
            try:
                command, environment = process.cmdline(), process.environ()
            except psutil.Error:
                continue
            is_ours = any(needle in word for word in (*command, *environment.values()))
            if is_ours and process.pid not in (os.getpid(), self._model.pid):
                found[process.pid] = " ".join(command)[:200]
        return found

    def _record_or_none(self) -> StackRecord | None:
        if self._up is not None and self._up.poll() is not None:
            log = (self.base / "up.log").read_text()[-3_000:]
            message = f"the stack ended: {log}"
            raise AssertionError(message)
        return folder.read_record(self.settings.home)

    def _start_model(self) -> tuple["subprocess.Popen[str]", int]:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "cli.demo.scripted_model", "--port", "0"),
                *("--script", str(self._script), "--journal", str(self._journal)),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on "), line
        return process, int(line.split()[-1])


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
