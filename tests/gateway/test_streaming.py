"""Output over HTTP."""

from pathlib import Path

import pytest

from runtime.store.folder import FolderStore
from tests.gateway.conftest import Gateway
from tests.gateway.streaming import frame
from workflows.contract.base import CommandId, SessionId
from workflows.contract.output import Channel, stream_key


@pytest.fixture
async def output(gateway: Gateway, tmp_path: Path) -> str:
    """Where the output of a session's command is found."""
    path = await gateway.create()
    session = SessionId(path.rpartition("/")[2])
    log = frame(b"one\n") + frame(b"\xff\x00", Channel.STDERR) + frame(b"two\n")
    FolderStore(tmp_path / "store").append(stream_key(session, CommandId("s1-0")), 0, log)
    return f"{path}/commands/s1-0/output"


async def test_each_channel_is_read_exactly(gateway: Gateway, output: str) -> None:
    """Stdout when nothing is said, stderr, or the log of both."""
    assert (await gateway.http.get(output)).content == b"one\ntwo\n"
    answer = await gateway.http.get(output, params={"stream": "stderr"})
    assert answer.content == b"\xff\x00"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["accept-ranges"] == "bytes"
    log = await gateway.http.get(output, params={"stream": "log"})
    assert len(log.content) == 3 * 13 + 10


async def test_a_range_is_partial(gateway: Gateway, output: str) -> None:
    """With its place and the present size."""
    answer = await gateway.http.get(output, headers={"range": "bytes=2-4"})
    assert answer.status_code == 206
    assert answer.content == b"e\nt"
    assert answer.headers["content-range"] == "bytes 2-4/8"


async def test_a_range_behind_the_end_is_refused(gateway: Gateway, output: str) -> None:
    """With 416 and the size."""
    answer = await gateway.http.get(output, headers={"range": "bytes=8-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */8"
    assert answer.json()["code"] == "range_not_satisfiable"


@pytest.mark.parametrize(
    ("command", "status"), [("s9-9", 404), ("%2e%2e", 422), ("..%2f..%2ftoken", 404), ("a%00", 422)]
)
async def test_no_other_file_is_read(
    gateway: Gateway, output: str, command: str, status: int
) -> None:
    """Whatever stands in the place of the command."""
    answer = await gateway.http.get(output.replace("s1-0", command))
    assert answer.status_code == status
