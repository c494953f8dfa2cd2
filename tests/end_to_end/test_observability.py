"""One prompt can be followed through logs, traces and metrics of real processes."""

import contextlib
import json
import re
import socket
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.activities.model.raw_server import serving, whole
from tests.end_to_end.collector import Taken, collecting, hanging
from tests.end_to_end.conftest import CODE, StackFactory
from tests.end_to_end.local_stack import (
    LocalStack,
    Reply,
    bash,
    edit,
    finish,
    make_repository,
    until,
)
from tests.patience import PATIENCE_SECONDS
from workflows.contract import metrics
from workflows.contract.failures import Failure
from workflows.contract.session import StopReason, TurnEnd

PROCESSES = ("gateway", "sessions", "models", "host")
SECRET_TEXT = "never to be logged: marzipan"
WORK: list[Reply] = [
    edit("calc.py", "a - b", "a + b"),
    bash("echo marzipan", usage={"prompt_tokens": 10, "completion_tokens": 5}),
    finish("Add in add"),
]


@dataclass
class Observed:
    """What one session left to look at, after its end."""

    prompt: str
    session: str
    lines: dict[str, list[dict[str, str]]]
    """Log lines by process."""

    logs: str
    spans: list[Taken]
    numbers: dict[str, str]
    """What each process served of metrics."""

    def of_prompt(self, process: str) -> list[dict[str, str]]:
        return [line for line in self.lines[process] if line.get("prompt") == self.prompt]

    def trace(self) -> list[Taken]:
        (root,) = (span for span in self.spans if span.name == "POST /api/v1/sessions")
        return [span for span in self.spans if span.trace == root.trace]


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    base = tmp_path_factory.mktemp("observed")
    repository = make_repository(base / "repository", CODE)
    stack = LocalStack(base, {"work": WORK})
    port = four_ports()
    with collecting() as collector:
        stack.variables = {
            "OVERNIGHT_METRICS_ADDRESS": f"127.0.0.1:{port}",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        }
        stack.start()
        session = stack.run(repository, "work", SECRET_TEXT).id
        stack.until_waiting(session)
        assert stack.pull_requests(session)
        stack.close([session])
        numbers = {name: scrape(port + more) for more, name in enumerate(PROCESSES)}
        (first,) = (stack.settings.store_path / "prompts" / session).iterdir()
        stack.stop()
        files = {name: stack.settings.home / "logs" / f"{name}.log" for name in PROCESSES}
        yield Observed(
            prompt=first.name,
            session=session,
            lines={name: read_lines(path) for name, path in files.items()},
            logs="".join(path.read_text() for path in files.values()),
            spans=collector.spans,
            numbers=numbers,
        )
    stack.end()


def four_ports() -> int:
    """Return a port that is free like the three behind it."""
    for port in range(19_464, 19_864, 4):
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for more in range(4):
                held.enter_context(socket.create_server(("127.0.0.1", port + more)))
            return port
    message = "no four ports are free"
    raise AssertionError(message)


def scrape(port: int) -> str:
    with urllib.request.urlopen(
        f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_SECONDS
    ) as answer:
        return str(answer.read().decode())


def read_lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]


def value(text: str, name: str, **labels: str) -> float:
    """Return the sum of a metric over all series with these labels."""
    found = re.findall(rf"^{name}(\{{.*\}})? (\S+)$", text, re.MULTILINE)
    wanted = [f'{label}="{given}"' for label, given in labels.items()]
    return sum(float(number) for names, number in found if all(one in names for one in wanted))


@pytest.mark.parametrize("process", PROCESSES)
def test_every_process_logs_the_prompt_it_works_for(observed: Observed, process: str) -> None:
    """The prompt's id and its session are in lines of each process that it went through."""
    lines = observed.of_prompt(process)
    assert lines
    assert {line["session"] for line in lines} == {observed.session}
    assert {line["trace_id"] for line in lines} == {observed.trace()[0].trace}


def test_the_prompts_lines_lead_from_the_request_to_the_pull_request(observed: Observed) -> None:
    """Grepping for the id shows the request, the turn, model, command, checks and the push."""
    assert {"prompt.accepted", "request.served"} <= events(observed, "gateway")
    assert {"turn.working", "turn.ended"} <= events(observed, "sessions")
    assert "model.answered" in events(observed, "models")
    assert {"sandbox.opened", "command.ended", "work.proposed"} <= events(observed, "host")
    done = {line.get("activity") for line in observed.of_prompt("host")}
    assert {"sandbox.export_work", "checks.run", "pull_requests.propose"} <= done


def events(observed: Observed, process: str) -> set[str]:
    return {line["event"] for line in observed.of_prompt(process)}


def test_logs_and_spans_hold_no_text_of_prompts_models_or_commands(observed: Observed) -> None:
    """What a person or a model wrote stays out of both."""
    assert "marzipan" not in observed.logs
    assert "marzipan" not in str(observed.spans)


def test_one_trace_leads_from_the_request_to_the_pull_request(observed: Observed) -> None:
    """All spans of a prompt are one tree, whose root is the HTTP request."""
    trace = observed.trace()
    assert {span.service for span in trace} == {f"overnight-{name}" for name in PROCESSES}
    ids = {span.id for span in trace}
    assert [span.name for span in trace if span.parent not in ids] == ["POST /api/v1/sessions"]
    assert {
        "session.start",
        "session.took prompt",
        "model.step",
        "chat openai/scripted",
        "sandbox.run_command",
        "checks.run",
        "pull_requests.propose",
    } <= {span.name for span in trace}
    assert {span.attributes["overnight.prompt"] for span in trace} == {observed.prompt}


def test_a_model_call_is_traced_by_the_conventions_for_generative_ai(observed: Observed) -> None:
    """Model and usage have the names that every tool for traces knows."""
    calls = [span for span in observed.trace() if span.name == "chat openai/scripted"]
    assert len(calls) == len(WORK)
    for call in calls:
        assert call.attributes["gen_ai.request.model"] == "openai/scripted"
        assert int(call.attributes["gen_ai.usage.input_tokens"]) > 0
        assert int(call.attributes["gen_ai.usage.output_tokens"]) > 0


def test_what_happened_is_counted_where_it_happened(observed: Observed) -> None:
    """Each process serves what it did, and the SDK's own metrics."""
    gateway, sessions, models, host = (observed.numbers[name] for name in PROCESSES)
    assert value(gateway, "overnight_prompts_total", outcome="accepted") == 1
    assert value(gateway, "overnight_requests_total", method="POST", status="2xx") >= 1
    assert value(sessions, "overnight_sessions_started_total") == 1
    assert value(sessions, "overnight_sessions_ended_total", outcome="finished") == 1
    assert value(sessions, "overnight_turns_total", outcome="finished", verdict="green") == 1
    assert value(sessions, "overnight_judgements_total", verdict="green") == 1
    assert value(models, "overnight_steps_total") == len(WORK)
    assert value(models, "overnight_model_requests_total", outcome="ok") == len(WORK)
    assert value(models, "overnight_model_seconds_count") == len(WORK)
    assert value(models, "overnight_input_tokens_total") > 0
    assert value(models, "overnight_output_tokens_total") > 0
    assert value(host, "overnight_commands_total", outcome="exited") >= 1
    assert value(host, "overnight_command_seconds_count") >= 1
    assert value(host, "overnight_output_bytes_total") >= len("marzipan\n")
    assert value(host, "overnight_checks_total", outcome="passed") >= 1
    assert value(host, "overnight_pull_requests_total", kind="ready") == 1
    for text in observed.numbers.values():
        assert "\ntemporal_request_total" in text


def test_only_declared_metrics_and_labels_are_served(observed: Observed) -> None:
    """Neither a session, a repository nor a prompt is in any label."""
    known = {metric.exported for metric in metrics.ALL}
    served = "".join(observed.numbers.values())
    names = set(re.findall(r"^# TYPE (overnight_\w+)", served, re.MULTILINE))
    assert names
    assert names <= known
    assert observed.session not in served
    assert observed.prompt not in served


def test_a_provider_that_repeats_key_and_prompt_tells_them_nobody(stack_of: StackFactory) -> None:
    """Neither gets into a log, a span or Temporal's database; the session still says why."""
    stack = stack_of({"work": WORK})
    key, text = f"canary-{uuid.uuid4().hex}", f"canary-{uuid.uuid4().hex}"
    words = f"the key {key} is refused (canary of a reason); you asked: {text}"
    body = json.dumps({"error": {"message": words, "type": "invalid_request_error"}}).encode()
    with collecting() as collector, serving(whole(401, body)) as provider:
        stack.variables = {
            "OPENAI_API_KEY": key,
            "OVERNIGHT_MODEL_BASE_URL": f"http://{provider.host}/v1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        }
        # How a prompt begins is shown in lists of sessions, so Temporal knows it.
        end = end_of_session(stack, f"{'a beginning ' * 50}{text}")
        (asked,) = provider.requests
    assert key in asked.headers["authorization"]
    assert text.encode() in asked.body
    assert (end.reason, end.failure) == (StopReason.FAILED, Failure.MODEL_FATAL)
    assert "status 401" in end.summary
    assert "the key [hidden] is refused (canary of a reason); you asked" in end.summary
    (chat,) = (span for span in collector.spans if span.name == "chat openai/scripted")
    assert (chat.status, chat.attributes["error.type"]) == ("STATUS_CODE_ERROR", "model_fatal")
    logs, database = (
        b"".join(path.read_bytes() for path in stack.settings.home.glob(names))
        for names in ("logs/*", "temporal.db*")
    )
    assert b"Completing activity as failed" in logs
    assert b"canary of a reason" in database
    told = end.summary.encode() + str(collector.spans).encode() + logs
    for canary in (key.encode(), text.encode()):
        assert canary not in told + database
    assert b"canary of a reason" not in str(collector.spans).encode() + logs


def end_of_session(stack: LocalStack, text: str) -> TurnEnd:
    """Run a stack for one session of one turn, and return how that ended."""
    repository = make_repository(stack.base / "repository", CODE)
    stack.start()
    session = stack.run(repository, "work", text).id
    last = stack.until_waiting(session).view.last
    stack.close([session])
    stack.stop()
    assert last is not None
    return last


def test_a_collector_that_hangs_holds_nothing_up(stack_of: StackFactory, repository: Path) -> None:
    """A session is worked on as ever, and the stack stops as ever."""
    stack = stack_of({"work": WORK})
    with hanging() as url:
        stack.variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": url}
        stack.start()
        session = stack.run(repository, "work").id
        stack.until_waiting(session)
        assert stack.pull_requests(session)
        stack.close([session])
        stack.stop()
    until(lambda: not stack.processes(), "every process has ended")
