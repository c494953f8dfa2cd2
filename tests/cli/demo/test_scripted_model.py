import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from cli.demo.script import Json, Place, Script
from cli.demo.scripted_model import ScriptedModel

SCRIPT: dict[str, list[Json]] = {
    "alpha": [{"text": "first", "calls": [{"name": "bash", "arguments": {"command": "ls"}}]}],
    "alphabet": [{"text": "letters"}, {"text": "more letters"}],
    "beta": [{"text": "second"}],
}

CALLED = {"role": "assistant", "content": None}


def user(text: object) -> Json:
    return {"role": "user", "content": text}


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([user("do alpha")], Place("alpha", 0)),
        ([user("do alphabet")], Place("alphabet", 0)),
        ([user("beta, then alpha")], Place("alpha", 0)),
        ([user("alpha"), CALLED, user("beta")], Place("beta", 0)),
        ([user("beta"), CALLED, user("nothing"), CALLED], Place("beta", 2)),
        (
            [user([{"type": "text", "text": "al"}, {"type": "text", "text": "beta"}])],
            Place("beta", 0),
        ),
        ([{"role": "system", "content": "alpha"}, user("gamma")], None),
    ],
)
def test_the_last_marker_and_the_replies_since_decide(messages: list[Json], expected: Place | None):
    """A conversation's place in the script follows from its messages alone."""
    assert Script(SCRIPT, Path("unused")).find(messages) == expected


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with ScriptedModel(0, Script(SCRIPT, tmp_path / "journal")) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/chat/completions"
        server.shutdown()
        thread.join()


Post = Callable[..., httpx2.Response]


@pytest.fixture
def post(url: str) -> Iterator[Post]:
    with httpx2.Client() as client:
        yield lambda **body: client.post(url, json=body)


def test_equal_requests_get_equal_answers(post: Post, tmp_path: Path):
    """A repeat is answered byte for byte the same, and the journal shows both."""
    first, second = (post(messages=[user("alpha")]) for _ in range(2))
    assert first.content == second.content
    lines = [json.loads(line) for line in (tmp_path / "journal").read_text().splitlines()]
    assert [(line["marker"], line["index"]) for line in lines] == [("alpha", 0)] * 2
    assert len({line["sha256"] for line in lines}) == 1


def test_a_stream_says_the_same_as_a_whole_answer(post: Post):
    """Text and arguments come in pieces that add up, then the usage, then the end."""
    whole = post(messages=[user("alpha")]).json()["choices"][0]
    response = post(messages=[user("alpha")], stream=True)
    events = response.text.strip().split("\n\n")
    assert events[-1] == "data: [DONE]"
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-1]]
    assert chunks[-1]["usage"]["completion_tokens"] > 0
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks[:-1]]
    text = "".join(delta.get("content") or "" for delta in deltas)
    calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
    arguments = "".join(call["function"]["arguments"] for call in calls)
    assert text == whole["message"]["content"]
    assert arguments == whole["message"]["tool_calls"][0]["function"]["arguments"]
    assert chunks[-2]["choices"][0]["finish_reason"] == whole["finish_reason"] == "tool_calls"


def test_a_script_ends_with_finish(post: Post):
    """Whoever asks on after the last reply is told that it is done."""
    answer = post(messages=[user("beta"), CALLED]).json()
    assert answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "finish"


def test_a_request_without_marker_is_refused(post: Post):
    """A typing error in a script is found at once, with the markers that there are."""
    response = post(messages=[user("gamma")])
    assert response.status_code == 400
    assert "'alpha', 'alphabet', 'beta'" in response.json()["error"]["message"]


def test_it_runs_as_a_program(tmp_path: Path):
    """It says its port when it is ready, and answers there."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps(SCRIPT))
    arguments = ["--script", str(script), "--journal", str(tmp_path / "journal")]
    command = [sys.executable, "-m", "cli.demo.scripted_model", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            port = int(program.stdout.readline().removeprefix("listening on "))
            body = {"messages": [user("beta")]}
            address = f"http://127.0.0.1:{port}/v1/chat/completions"
            answer = httpx2.post(address, json=body).json()
        finally:
            program.kill()
    assert answer["choices"][0]["message"]["content"] == "second"
