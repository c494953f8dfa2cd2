"""Metrics and traces cost nothing until they are asked for, and refuse what they cannot do."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from runtime.settings import Settings
from runtime.telemetry import FewNames
from tests.patience import PATIENCE_SECONDS
from workflows.contract import metrics

ROOT = Path(__file__).parents[2]


def run(home: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run Python with an environment of its own to its end."""
    return subprocess.run(
        [sys.executable, "-P", *arguments],
        env={"HOME": str(home), "OVERNIGHT_HOME": str(home), "PYTHONPATH": str(ROOT), **variables},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@pytest.mark.parametrize("program", [("gateway",), ("activities.worker", "sessions")])
def test_a_taken_address_is_refused_at_the_start(tmp_path: Path, program: tuple[str, ...]) -> None:
    """The process ends and names the setting and the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = run(tmp_path, "-m", *program, OVERNIGHT_METRICS_ADDRESS=address)
    assert ended.returncode == 1
    assert "OVERNIGHT_METRICS_ADDRESS" in ended.stderr
    assert address in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "address", ["127.0.0.1:0", "127.0.0.1:65536", "localhost:9464", "9464", ":9464", "127.0.0.1:x"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    """A port that nobody could find, and a name that is no address, are refused with an example."""
    with pytest.raises(ValidationError, match=r"such as 127\.0\.0\.1:9464"):
        Settings(metrics_address=address)


@pytest.mark.parametrize("address", ["127.0.0.1:9464", "[::1]:9464", "0.0.0.0:1"])
def test_an_address_is_taken(address: str) -> None:
    """Addresses of both families are taken."""
    assert Settings(metrics_address=address).metrics_address == address


def test_an_empty_address_is_none() -> None:
    """A variable that is set to nothing switches metrics off."""
    assert Settings(metrics_address="").metrics_address is None


@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:9"])
def test_the_sdk_of_opentelemetry_is_loaded_where_it_is_wanted(
    tmp_path: Path, endpoint: str
) -> None:
    """Without an endpoint no process pays for it."""
    code = (
        "import sys, activities.worker, gateway.__main__; from runtime import tracing;"
        "tracing.configure('gateway'); print('opentelemetry.sdk' in sys.modules)"
    )
    ended = run(tmp_path, "-c", code, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    assert ended.stdout.strip() == str(bool(endpoint)), ended.stderr


def test_a_label_takes_few_values() -> None:
    """Known names stay; whoever comes after too many others is `other`."""
    names = FewNames(limit=2)
    assert [names.label(name) for name in ("a", "b", "c", "a", "d")] == [
        "a",
        "b",
        "other",
        "a",
        "other",
    ]


def test_metrics_are_named_alike() -> None:
    """Each name is of ours and there once; what measures time says so."""
    names = [metric.name for metric in metrics.ALL]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"overnight(_[a-z]+)+", name) for name in names)
    for metric in metrics.ALL:
        assert metric.name.endswith("_seconds") == (metric.unit == "seconds")


def test_every_declared_metric_is_in_the_list() -> None:
    """None is forgotten in `ALL`, from which histograms get their buckets and the page its rows."""
    declared = {value for value in vars(metrics).values() if isinstance(value, metrics.Metric)}
    assert declared == set(metrics.ALL)
