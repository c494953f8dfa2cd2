"""What `overnight doctor` finds of a gateway that somebody else runs."""

import json
import socket
from datetime import UTC, datetime, timedelta
from importlib import metadata

import pytest

from tests.cli.doctor.examined import examined, status_of
from tests.cli.running import overnight
from tests.cli.scripted_gateway import Reply, Script, problem

MACHINE = ("python", "git", "git identity", "clock")
CLOCK = ("its clock",)


def gateway_health(**changes: object) -> dict[str, object]:
    """Return what a gateway tells when all is well."""
    return {
        "object": "health",
        "version": metadata.version("overnight"),
        "time": datetime.now(UTC).isoformat(),
        "sandbox": "bubblewrap",
        "model": None,
        "fallbacks": [],
        "temporal": {
            "version": "1.30.0",
            "namespace": "default",
            "retention_days": 30.0,
            "is_prepared": True,
            "queues": [{"queue": "sessions", "workers": 2, "asked_seconds_ago": 3.2}],
        },
        "store": {"place": "bucket", "trouble": "", "seconds": 0.02},
        **changes,
    }


@pytest.fixture
def remote(alone: dict[str, str], script: Script) -> dict[str, str]:
    """Return an environment that names a scripted gateway, which is alive and ready."""
    for path in ("/healthz", "/readyz"):
        script._replies[f"GET {path}"] = [Reply(200, {})]
    script._replies["GET /version"] = [Reply(200, {"version": metadata.version("overnight")})]
    return {**alone, "OVERNIGHT_URL": script.url, "OVERNIGHT_TOKEN": "canary-of-the-token"}


def test_a_remote_gateway_is_asked(remote: dict[str, str], script: Script):
    """Its rows are shown in the place of this machine's; the token goes there and is not shown."""
    script.on("GET /health", Reply(200, gateway_health()))
    status, rows, found = examined(remote)
    assert status == 0
    assert {name: row["finding"] for name, row in rows.items() if name not in MACHINE + CLOCK} == {
        "/healthz": f"{script.url} answers",
        "/readyz": f"{script.url} answers",
        "version": f"{metadata.version('overnight')}, as this command's",
        "temporal": "server 1.30.0 answers",
        "namespace": "default is prepared; closed sessions stay listed for 30 days",
        "queue sessions": "2 workers, the last asked for work 3 s ago",
        "store": "the bucket took and gave a byte, in 20 ms",
    }
    assert found["unseen"] == ["sandbox", "data folder", "settings", "model", "stack"]
    assert "canary" not in json.dumps(found)
    assert {asked.authorization for asked in script.asked} == {"Bearer canary-of-the-token"}


def test_what_a_gateway_finds_wrong_is_told(remote: dict[str, str], script: Script):
    """Workers that are gone, a store that fails, a clock that is off, another version."""
    queues = [
        {"queue": "sessions", "workers": 0, "asked_seconds_ago": 120.0},
        {"queue": "models", "workers": 0},
    ]
    temporal = {"version": "1", "namespace": "n", "retention_days": 1.0, "is_prepared": False}
    body = gateway_health(
        time=(datetime.now(UTC) - timedelta(minutes=5)).isoformat(),
        temporal={**temporal, "queues": queues},
        store={"place": "folder", "trouble": "No space left on device", "seconds": 0.1},
    )
    script.on("GET /health", Reply(200, body))
    script._replies["GET /version"] = [Reply(200, {"version": "0.0.1"})]
    script._replies["GET /readyz"] = [problem(503, "temporal_unavailable", "it is down")]
    status, rows, _ = examined(remote)
    assert status == 1
    assert rows["queue sessions"]["finding"] == (
        "no worker takes from it, the last asked for work 120 s ago"
    )
    assert rows["queue models"]["finding"] == "no worker takes from it"
    assert rows["store"]["finding"] == "the folder does not work: No space left on device"
    assert rows["namespace"]["finding"] == "n lacks the search attribute OvernightPhase"
    assert rows["its clock"]["finding"].startswith("-30")
    assert rows["/readyz"]["finding"] == f"{script.url} answers 503: it is down"
    assert status_of(rows, "version", "its clock", "namespace") == ["warn", "fail", "fail"]


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        (problem(401, "unauthenticated", "no"), "the gateway does not take this token"),
        (problem(421, "host_not_allowed", "no x"), "the gateway answers 421: no x"),
        (problem(503, "temporal_unavailable", "gone"), "the gateway answers 503: gone"),
        (Reply(502, b"<html>"), "the gateway answers 502: no reason given"),
        (problem(404, "not_found", "no"), "the gateway answers 404 with something else"),
        (Reply(200, b"<html>"), "the gateway answers 200 with something else"),
        (Reply(200, gateway_health(more=1)), "the gateway answers 200 with something else"),
    ],
)
def test_a_gateway_that_is_not_understood_is_told(
    remote: dict[str, str], script: Script, answer: Reply, finding: str
):
    """A wrong token, a refusal, an older gateway and what is none each have a cure of their own."""
    script.on("GET /health", answer)
    status, rows, _ = examined(remote)
    assert status == 1
    assert rows["health"]["finding"] == finding
    cures = {401: "OVERNIGHT_TOKEN", 404: "version", 200: "version"}
    assert cures.get(answer.status, "tell its owner") in rows["health"]["cure"]


@pytest.mark.parametrize("body", [b"<html>", ["1"], {"version": 1}, {}])
def test_what_tells_no_version_is_told(remote: dict[str, str], script: Script, body: object):
    """Something else that answers there is no reason to fail, and none to call it another one."""
    script._replies["GET /version"] = [Reply(200, body)]
    _, rows, _ = examined(remote)
    assert rows["version"]["status"] == "warn"
    assert rows["version"]["finding"].endswith("answers 200 with something else")


def test_a_gateway_that_hangs_is_given_up(alone: dict[str, str]):
    """A socket that takes connections and never answers costs its rows alone."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        there = {**alone, "OVERNIGHT_URL": url, "OVERNIGHT_TOKEN": "x"}
        status, rows, _ = examined(there, hangs=True)
    assert status == 1
    for name in ("/healthz", "/readyz", "version", "health"):
        assert rows[name]["finding"] in (
            f"{url} does not answer: within 2.5 s",
            "looking at it took longer than 3 s and was given up",  # on a busy machine
        )
    assert rows["python"]["status"] == "ok"


def test_what_cannot_be_a_gateway_is_refused(alone: dict[str, str]):
    """An address that is no URL is a mistake of usage, as everywhere."""
    done = overnight("doctor", environment={**alone, "OVERNIGHT_URL": "nonsense"})
    assert done.returncode == 2
    assert "OVERNIGHT_URL" in done.stderr
