"""Rows about a gateway, and about what only that can see: Temporal, the workers, the store."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import metadata

import httpx2
from pydantic import ValidationError

from cli.doctor.probing import PROBE_SECONDS, Probe
from workflows.contract.health import (
    GatewayHealth,
    QueueHealth,
    Row,
    StoreHealth,
    TemporalHealth,
)

GROUP = "gateway"

ANSWER_SECONDS = PROBE_SECONDS - 0.5
OPEN_PATHS = ("/healthz", "/readyz")

MUCH_SKEW = timedelta(seconds=2)
TOO_MUCH_SKEW = timedelta(seconds=60)
FEW_DAYS = 7.0

HERE = "see the logs in the data folder's logs/, then: overnight down, overnight up"
THERE = "tell its owner, who finds more in its log"


class Target:
    """A gateway to look at."""

    def __init__(self, url: str, token: str, *, local: bool) -> None:
        self.url = url.rstrip("/")
        self.is_local = local
        self._token = token

    def get(self, path: str) -> httpx2.Response:
        """Ask once, with the token; redirects are not followed.

        Raises:
            httpx2.HTTPError: there is no answer within `ANSWER_SECONDS`.
        """
        headers = {"authorization": f"Bearer {self._token}"}
        is_secure = self.url.startswith("https:")
        # A person's proxy does not lead to the loopback interface. Certificates that nobody will
        # look at take tenths of a second to be read.
        with httpx2.Client(
            timeout=ANSWER_SECONDS, trust_env=not self.is_local, verify=is_secure
        ) as http:
            return http.get(self.url + path, headers=headers)

    @property
    def cure(self) -> str:
        """What to do when it does not work."""
        return HERE if self.is_local else THERE


def probes(target: Target) -> list[Probe]:
    """Return what there is to ask a gateway."""
    return [
        *(Probe(GROUP, path, partial(_path, target, path)) for path in OPEN_PATHS),
        Probe(GROUP, "version", partial(_version, target)),
        Probe(GROUP, "health", partial(_health, target)),
    ]


def _path(target: Target, path: str) -> Iterator[Row]:
    try:
        answer = target.get(path)
    except httpx2.HTTPError as error:
        yield _silent(target, path, error)
        return
    if answer.is_success:
        yield Row.ok(path, f"{target.url} answers")
    else:
        detail = _detail(answer)
        yield Row.fail(path, f"{target.url} answers {answer.status_code}: {detail}", target.cure)


def _version(target: Target) -> Iterator[Row]:
    mine = metadata.version("overnight")
    try:
        answer = target.get("/version")
    except httpx2.HTTPError as error:
        yield _silent(target, "version", error)
        return
    theirs = _told_version(answer)
    if theirs == mine:
        yield Row.ok("version", f"{mine}, as this command's")
        return
    if theirs is None:
        finding = f"{target.url} answers {answer.status_code} with something else"
        yield Row.warn("version", finding, "see whether a gateway of Overnight listens there")
        return
    cure = "use the `overnight` of the gateway's version; a local stack: overnight down, up"
    yield Row.warn("version", f"the gateway's is {theirs}, this command's {mine}", cure)


def _told_version(answer: httpx2.Response) -> str | None:
    try:
        fields = answer.json()
    except ValueError:
        return None
    told = fields.get("version") if answer.is_success and isinstance(fields, dict) else None
    return told if isinstance(told, str) else None


def _health(target: Target) -> Iterator[Row]:
    asked = datetime.now(UTC)
    began = time.monotonic()
    try:
        answer = target.get("/api/v1/health")
    except httpx2.HTTPError as error:
        yield _silent(target, "health", error)
        return
    took = timedelta(seconds=time.monotonic() - began)
    if answer.status_code == httpx2.codes.UNAUTHORIZED:
        cure = "set OVERNIGHT_TOKEN as the gateway's owner gave it"
        yield Row.fail("health", "the gateway does not take this token", cure)
        return
    # An older gateway has no such path: its answer is not one about its health.
    if not (answer.is_success or answer.status_code == httpx2.codes.NOT_FOUND):
        finding = f"the gateway answers {answer.status_code}: {_detail(answer)}"
        yield Row.fail("health", finding, target.cure)
        return
    try:
        found = GatewayHealth.model_validate_json(answer.content)
    except ValidationError:
        finding = f"the gateway answers {answer.status_code} with something else"
        yield Row.fail("health", finding, "use the `overnight` of the gateway's version")
        return
    # Taken at its end, after all it had to wait for.
    yield _skew(found.time - asked, took)
    yield from _temporal(found.temporal, target.cure)
    for queue in found.temporal.queues:
        yield _queue(queue, target)
    yield _store(found.store, target.cure)


def _skew(ahead: timedelta, took: timedelta) -> Row:
    """Compare clocks; how long the answer took is not counted as a difference."""
    least = max(ahead - took, timedelta()) if ahead > timedelta() else ahead
    shown = f"{least.total_seconds():+.1f} s from this machine's"
    cure = "set both clocks and keep them right: sudo timedatectl set-ntp true"
    if abs(least) > TOO_MUCH_SKEW:
        return Row.fail("its clock", shown, cure)
    if abs(least) > MUCH_SKEW:
        return Row.warn("its clock", shown, cure)
    return Row.ok("its clock", "as this machine's")


def _temporal(found: TemporalHealth, cure: str) -> Iterator[Row]:
    if found.trouble:
        yield Row.fail("temporal", found.trouble, cure)
        return
    yield Row.ok("temporal", f"server {found.version} answers")
    yield _namespace(found)


def _namespace(found: TemporalHealth) -> Row:
    name = found.namespace
    days = found.retention_days or 0.0
    kept = f"closed sessions stay listed for {days:g} days"
    if found.is_prepared is None:
        cure = "its operator must have added the keyword search attribute OvernightPhase"
        return Row.warn("namespace", f"{name}: its search attributes may not be seen", cure)
    if not found.is_prepared:
        add = "temporal operator search-attribute create --name OvernightPhase --type Keyword"
        return Row.fail("namespace", f"{name} lacks the search attribute OvernightPhase", add)
    if days < FEW_DAYS:
        cure = f"temporal operator namespace update -n {name} --retention 30d"
        return Row.warn("namespace", f"{name}: {kept}", cure)
    return Row.ok("namespace", f"{name} is prepared; {kept}")


def _queue(found: QueueHealth, target: Target) -> Row:
    what = f"queue {found.queue}"
    ago = found.asked_seconds_ago
    when = "" if ago is None else f", the last asked for work {ago:.0f} s ago"
    if not found.workers:
        return Row.fail(what, f"no worker takes from it{when}", target.cure)
    workers = "1 worker" if found.workers == 1 else f"{found.workers} workers"
    return Row.ok(what, f"{workers}{when}")


def _store(found: StoreHealth, cure: str) -> Row:
    if found.trouble:
        return Row.fail("store", f"the {found.place} does not work: {found.trouble}", cure)
    milliseconds = found.seconds * 1000
    return Row.ok("store", f"the {found.place} took and gave a byte, in {milliseconds:.0f} ms")


def _silent(target: Target, what: str, error: httpx2.HTTPError) -> Row:
    if isinstance(error, httpx2.TimeoutException):
        why = f"within {ANSWER_SECONDS:g} s"
    else:
        why = str(error) or type(error).__name__
    cure = target.cure if target.is_local else "check OVERNIGHT_URL and the network"
    return Row.fail(what, f"{target.url} does not answer: {why}", cure)


def _detail(answer: httpx2.Response) -> str:
    try:
        fields = answer.json()
    except ValueError:
        return "no reason given"
    return str(fields.get("detail", "no reason given")) if isinstance(fields, dict) else ""
