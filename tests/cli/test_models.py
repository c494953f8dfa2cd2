"""`overnight models`: what is configured, and what comes of a trial."""

import json
from pathlib import Path

import pytest

from tests.activities.model.raw_server import (
    HANG,
    OPENAI,
    WIRES,
    Wire,
    base_url,
    serving,
    streamed,
    whole,
)
from tests.cli.running import clean_environment, overnight


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, str]:
    """Return an environment with an empty data folder and nothing configured."""
    return clean_environment(tmp_path / "home")


def test_the_configured_models_are_listed(alone: dict[str, str]):
    """The default comes first, then the fallbacks; a key that is missing is named."""
    environment = {
        **alone,
        "OVERNIGHT_MODEL": "anthropic/claude-sonnet-4-5",
        "OVERNIGHT_MODEL_FALLBACKS": "groq/fast",
        "GROQ_API_KEY": "canary-of-the-key",
        "OVERNIGHT_MODEL_BASE_URL": "http://me:canary-of-the-password@localhost:8000/v1",
    }
    done = overnight("models", environment=environment)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "MODEL                        ROLE        KEY",
        "anthropic/claude-sonnet-4-5  default     ANTHROPIC_API_KEY is not set",
        "groq/fast                    fallback 1",
        "all of them at http://[hidden]@localhost:8000/v1 (OVERNIGHT_MODEL_BASE_URL)",
    ]
    listed = json.loads(overnight("models", "-o", "json", environment=environment).stdout)
    assert [(each["model"], each["missing_key"]) for each in listed["data"]] == [
        ("anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
        ("groq/fast", None),
    ]
    assert "canary" not in done.stdout + done.stderr + json.dumps(listed)


def test_nothing_configured_is_said(alone: dict[str, str]):
    """An empty list says how to fill it; there is nothing to try."""
    done = overnight("models", environment=alone)
    assert (done.returncode, done.stdout) == (
        0,
        "no model is configured: set OVERNIGHT_MODEL, or give each session its --model\n",
    )
    done = overnight("models", "test", environment=alone)
    assert done.returncode == 2
    assert "no model is named" in done.stderr


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_a_model_that_can_be_used_exits_with_0(alone: dict[str, str], wire: Wire):
    """Each row stands on its line, and the verdict comes last; the key goes to the provider."""
    call = wire.answer(*wire.call(['{"command": "cat trial.txt"}']), finish="tool_calls")
    word = wire.answer(wire.text("lantern-4917"))
    key = "OPENAI_API_KEY" if wire is OPENAI else "ANTHROPIC_API_KEY"
    with serving(streamed(call), streamed(word)) as server:
        url = base_url(wire, server)
        environment = {**alone, "OVERNIGHT_MODEL_BASE_URL": url, key: "canary-of-the-key"}
        done = overnight("models", "test", wire.model, environment=environment)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"  ok    reached      {server.host}"
    assert "  ok    tool call    bash: cat trial.txt" in lines
    assert "  ok    tool result  the model read what the tool printed" in lines
    assert lines[-1] == f"{wire.model} can be used"
    assert "canary-of-the-key" in json.dumps(server.requests[0].headers)
    assert "canary" not in done.stdout + done.stderr


def test_a_key_that_a_provider_repeats_is_not_shown(alone: dict[str, str]):
    """A provider that quotes the key it refuses does not make us print it, whatever it looks like.

    The model then cannot be used, which the exit status says.
    """
    body = json.dumps(OPENAI.error("invalid_api_key", "no such key: canary-of-the-key")).encode()
    with serving(whole(401, body)) as server:
        environment = {
            **alone,
            "OVERNIGHT_MODEL": OPENAI.model,
            "OVERNIGHT_MODEL_BASE_URL": base_url(OPENAI, server),
            "OPENAI_API_KEY": "canary-of-the-key",
        }
        done = overnight("models", "test", "-o", "json", environment=environment)
    assert done.returncode == 1
    rows = {row["what"]: row for row in json.loads(done.stdout)["rows"]}
    assert rows["answer"]["status"] == "fail"
    assert rows["answer"]["finding"].startswith("auth (status 401)")
    assert "no such key: [hidden]" in rows["answer"]["finding"]
    assert "canary" not in done.stdout + done.stderr


def test_a_provider_that_hangs_is_given_up(alone: dict[str, str]):
    """The setting for a silent stream bounds the trial."""
    with serving([HANG]) as server:
        environment = {
            **alone,
            "OVERNIGHT_MODEL_BASE_URL": base_url(OPENAI, server),
            "OVERNIGHT_MODEL_STALL_SECONDS": "0.5",
        }
        done = overnight("models", "test", OPENAI.model, "-o", "id", environment=environment)
    assert (done.returncode, done.stdout) == (1, "reached\n")


def test_an_impossible_name_is_an_answer(alone: dict[str, str]):
    """A name that no provider has is told as such, without a traceback."""
    done = overnight("models", "test", "no-such-model", environment=alone)
    assert done.returncode == 1
    assert "unknown model" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
