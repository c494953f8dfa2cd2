"""Which ports a stack takes, keeps and refuses."""

import errno
import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from cli.problems import CliProblem
from cli.stack import folder
from cli.stack.binding import for_gateway, for_temporal
from cli.stack.metrics import metrics_addresses
from cli.stack.ports import ATTEMPTS, LOWEST_PORT, eligible, require_free, reserved
from runtime.settings import Settings
from tests.cli.running import choose_ports


def test_a_taken_port_of_the_metrics_is_refused_before_anything_starts():
    """It is named with its process and with what to do; a free one is not refused."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(
            CliProblem, match=f"the metrics of models cannot be served at {address}"
        ):
            require_free({"models": address})
    require_free({"models": address})


def test_metrics_that_can_never_be_served_are_a_wrong_setting():
    """An address of another machine, and a port with too few above it."""
    with pytest.raises(CliProblem, match=r"at 192\.0\.2\.1:9464: Cannot assign") as caught:
        require_free({"models": "192.0.2.1:9464"})
    assert caught.value.code == "settings"
    assert "OVERNIGHT_METRICS_ADDRESS" in caught.value.hint
    last = metrics_addresses(Settings(metrics_address="127.0.0.1:65532"))
    assert list(last.values())[-1] == "127.0.0.1:65535"
    with pytest.raises(CliProblem, match="port 65533 and the next three") as caught:
        metrics_addresses(Settings(metrics_address="127.0.0.1:65533"))
    assert caught.value.code == "settings"
    assert "at most 65532" in caught.value.hint


@pytest.mark.parametrize("port", [0, 8080])
@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("192.0.2.1", "Cannot assign requested address"),
        ("no name", "Name or service not known"),
        ("ü..b", "it is no name of a machine"),
    ],
)
def test_a_host_that_is_none_of_this_machine_is_named(home: Path, host: str, port: int, why: str):
    """Nobody has taken its ports: it is the setting that is wrong."""
    with pytest.raises(CliProblem, match=f"cannot listen at {host}.*: {why}") as caught:
        choose_ports(home, host, port)
    assert caught.value.code == "settings"
    assert "OVERNIGHT_GATEWAY_HOST" in caught.value.hint


def test_a_port_that_is_forbidden_is_named():
    """As port 80 is to ordinary users."""
    refused = pytest.raises(CliProblem, match=r"at 127\.0\.0\.1, port 80: Permission denied")
    with refused as caught, for_gateway("127.0.0.1", 80):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    assert caught.value.code == "settings"
    assert "OVERNIGHT_GATEWAY_PORT" in caught.value.hint
    refused = pytest.raises(CliProblem, match=r"of 127\.0\.0\.1 can be used: Too many open files")
    with refused as caught, for_temporal():
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    assert caught.value.code == "port_taken"


@pytest.mark.parametrize("first_ephemeral", [1_024, LOWEST_PORT, LOWEST_PORT + 1, 32_768])
def test_there_are_always_ports_to_choose_from(first_ephemeral: int):
    """Below those of outgoing connections where there are enough."""
    found = eligible(first_ephemeral)
    assert len(found) >= ATTEMPTS
    assert found[0] >= LOWEST_PORT
    assert (found[-1] < first_ephemeral) == (first_ephemeral == 32_768)


def test_ports_stay_unless_they_are_taken(home: Path):
    """The same ports are chosen again; one that another program took is replaced alone."""
    first = choose_ports(home)
    assert choose_ports(home) == first
    with closing(socket.create_server(("127.0.0.1", first.gateway))):
        second = choose_ports(home)
    assert second.gateway != first.gateway
    assert second.temporal == first.temporal


def test_two_stacks_that_start_at_once_have_other_ports(home: Path, tmp_path: Path):
    """Though no server listens yet, and though the second had the gateway's port before."""
    other = tmp_path / "other"
    folder.prepare(other)
    with reserved(home, gateway_host="127.0.0.1", gateway_port=0) as first:
        wanted = choose_ports(other).model_copy(update={"gateway": first.gateway})
        (other / "ports.json").write_text(wanted.model_dump_json())
        second = choose_ports(other)
        assert second == wanted.model_copy(update={"gateway": second.gateway})
        assert second.gateway != first.gateway
        with (
            pytest.raises(CliProblem, match=f"port {first.gateway} of the gateway is taken"),
            reserved(other, gateway_host="127.0.0.1", gateway_port=first.gateway),
        ):
            pass
    (other / "ports.json").write_text(wanted.model_dump_json())
    assert choose_ports(other) == wanted
