"""Every byte, in order, wherever a client reconnects: real processes, real kills."""

import hashlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from cli.transport import waiting_for
from tests import bucket
from tests.chaos.proxy import ChaosProxy
from tests.end_to_end.conftest import CODE, StackFactory
from tests.end_to_end.local_stack import LocalStack, bash, finish, make_repository, until
from tests.end_to_end.onlooker import Onlooker, printer, truth_of
from tests.end_to_end.test_crashes import box_pid
from tests.patience import PATIENCE_SECONDS
from workflows.contract.sandbox import CommandOutcome
from workflows.contract.socket import Subscribe

PRINT = {"print": [bash("python3 print.py"), finish()]}
COMMAND = "s1-0"


@pytest.fixture
def printing(tmp_path: Path) -> Path:
    """A repository whose program prints until it is stopped, some 100 KB a second."""
    return make_repository(tmp_path / "printing", {**CODE, "print.py": printer(100_000)})


def hashes(onlooker: Onlooker) -> list[str]:
    both = (onlooker.stdout(COMMAND), onlooker.stderr(COMMAND))
    return [hashlib.sha256(each).hexdigest() for each in both]


@contextmanager
def asleep(pid: int) -> Iterator[None]:
    """Stop a process while the block runs, as a suspended machine does."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def listening_port(pid: int) -> int:
    connections = psutil.Process(pid).net_connections("tcp4")
    (port,) = {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}
    return int(port)


def stop_printing(stack: LocalStack, session: str, onlooker: Onlooker) -> list[str]:
    """Let the program end and the onlooker have all; returns the hashes of what was printed."""
    (stack.workspace(session) / "stop").touch()
    stack.until_waiting(session)
    truth = truth_of(stack.workspace(session))
    stack.close([session])
    onlooker.wait()
    return truth


def through(proxy: ChaosProxy, stack: LocalStack, session: str) -> Onlooker:
    return Onlooker(stack, session, url=f"http://127.0.0.1:{proxy.port}")


def test_every_byte_arrives_through_six_kills(stack_of: StackFactory, printing: Path) -> None:
    """Host worker, gateway and server die twice each, and the client's connection at random."""
    stack = stack_of(PRINT)
    stack.start()
    session = stack.run(printing, "print").id
    port = int(stack.record().gateway_url.rpartition(":")[2])
    with ChaosProxy(port) as proxy, through(proxy, stack, session) as onlooker:
        proxy.to_client.cut_between = (2_000, 400_000)
        onlooker.until_more()
        for victim in ("host", "gateway", "temporal") * 2:
            stack.kill(victim)
            onlooker.until_more(20_000)
        truth = stop_printing(stack, session, onlooker)
        assert proxy.connections > 3
    assert hashes(onlooker) == truth
    assert onlooker.kinds.count("command.started") == 1
    assert onlooker.finished(COMMAND).exit_code == 0
    with Onlooker(stack, session, wanted=Subscribe(follow=False)) as later:
        later.wait()
    assert later.events == onlooker.events
    assert later.output == onlooker.output


def test_two_attempts_and_a_lost_sandbox_keep_the_prefix(
    stack_of: StackFactory, printing: Path
) -> None:
    """A worker that was only asleep writes beside its successor; then the sandbox dies."""
    stack = stack_of(PRINT)
    stack.start()
    session = stack.run(printing, "print").id
    with Onlooker(stack, session) as onlooker:
        onlooker.until_more()
        second = stack.start_another("host")
        with asleep(stack.record().processes["host"]):
            onlooker.until_more(100_000)
        onlooker.until_more(100_000)
        os.kill(box_pid(stack, session), signal.SIGKILL)
        until(lambda: "command.finished" in onlooker.kinds, "the command is lost")
        second.terminate()
        second.wait(timeout=PATIENCE_SECONDS)
        stack.until_waiting(session)
        stack.close([session])
        onlooker.wait()
    finished = onlooker.finished(COMMAND)
    assert finished.outcome is CommandOutcome.LOST
    assert len(onlooker.stdout(COMMAND)) == finished.stdout_bytes
    assert len(onlooker.stderr(COMMAND)) == finished.stderr_bytes
    assert onlooker.kinds.count("sandbox.opened") == 2
    assert prefix_is_exact(onlooker)


def prefix_is_exact(onlooker: Onlooker) -> bool:
    """Print again what the program printed, as far as it came."""
    dice = random.Random(1)
    said = [bytearray(), bytearray()]
    got = [onlooker.stdout(COMMAND), onlooker.stderr(COMMAND)]
    while any(len(mine) < len(theirs) for mine, theirs in zip(said, got, strict=True)):
        for channel in (0, 1):
            said[channel] += dice.randbytes(dice.randint(1, 1_000))
    return all(mine.startswith(theirs) for mine, theirs in zip(said, got, strict=True))


def test_another_gateway_goes_on_where_the_first_was_left(
    stack_of: StackFactory, printing: Path
) -> None:
    """Two gateways show the same; a client that changes between them notices nothing."""
    stack = stack_of(PRINT)
    stack.start()
    session = stack.run(printing, "print").id
    other = stack.start_another("gateway")
    ports = [int(stack.record().gateway_url.rpartition(":")[2]), listening_port(other.pid)]
    with ChaosProxy(ports[0]) as proxy, through(proxy, stack, session) as onlooker:
        for port in (*ports, *ports):
            proxy.upstream = port
            proxy.reset()
            onlooker.until_more(20_000)
        truth = stop_printing(stack, session, onlooker)
    assert hashes(onlooker) == truth
    other.terminate()
    other.wait(timeout=PATIENCE_SECONDS)


def test_a_slow_and_broken_network_costs_time_only(stack_of: StackFactory, printing: Path) -> None:
    """Delay, jitter, a slow line, half-closed connections and a silent one."""
    stack = stack_of(PRINT)
    stack.start()
    session = stack.run(printing, "print").id
    port = int(stack.record().gateway_url.rpartition(":")[2])
    with ChaosProxy(port) as proxy, through(proxy, stack, session) as onlooker:
        proxy.to_client.latency_seconds = 0.05
        proxy.to_client.jitter_seconds = 0.05
        onlooker.until_more(10_000)
        proxy.to_client.bytes_per_second = 30_000
        onlooker.until_more(30_000)
        proxy.to_client.bytes_per_second = None
        for harm in (proxy.end_to_client, proxy.end_to_server, proxy.reset, proxy.cut):
            harm()
            onlooker.until_more(10_000)
        proxy.hold()
        proxy.hold(held=False)
        truth = stop_printing(stack, session, onlooker)
    assert hashes(onlooker) == truth


def test_a_bucket_serves_as_the_store(stack_of: StackFactory, printing: Path) -> None:
    """All bytes go through a real S3 server; a killed host worker and gateway lose none."""
    with bucket.serving() as variables:
        stack = stack_of(PRINT)
        stack.variables = {**variables, "OVERNIGHT_STORE": f"{bucket.URL}/some/prefix"}
        stack.start()
        session = stack.run(printing, "print").id
        with Onlooker(stack, session) as onlooker:
            onlooker.until_more()
            for victim in ("host", "gateway"):
                stack.kill(victim)
                onlooker.until_more(20_000)
            truth = stop_printing(stack, session, onlooker)
        assert hashes(onlooker) == truth
        with Onlooker(stack, session, wanted=Subscribe(follow=False)) as later:
            later.wait()
        assert later.output == onlooker.output
        assert not stack.settings.store_path.exists()
        stack.stop()


def test_logs_to_a_file_are_exact_through_kills(stack_of: StackFactory, printing: Path) -> None:
    """`overnight logs --follow` waits out what dies and leaves the very bytes of both channels."""
    stack = stack_of(PRINT)
    stack.start()
    url = stack.record().gateway_url
    session = stack.run(printing, "print").id
    files = [stack.base / "stdout", stack.base / "stderr"]
    with files[0].open("wb") as stdout, files[1].open("wb") as stderr:
        following = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "cli.main",
                "logs",
                "--follow",
                "--command",
                COMMAND,
                session,
            ],
            env=stack.environment(),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
    for victim in ("gateway", "host"):
        size = files[0].stat().st_size
        until(lambda size=size: files[0].stat().st_size > size, "more is written")  # type: ignore[misc]
        stack.kill(victim)
    size = files[0].stat().st_size
    until(lambda: files[0].stat().st_size > size, "more is written")
    (stack.workspace(session) / "stop").touch()
    stack.until_waiting(session)
    truth = truth_of(stack.workspace(session))
    stack.close([session])
    assert following.wait(PATIENCE_SECONDS) == 0
    written = [file.read_bytes() for file in files]
    # What is told of an outage goes to stderr, too, between the bytes that were printed there.
    told = f"{waiting_for(url)}\n".encode()
    written[1] = written[1].replace(told, b"")
    assert [hashlib.sha256(each).hexdigest() for each in written] == truth
