"""What is followed to its end, and what following does when the session asks a person."""

import json

import pytest

from tests.cli.happenings import event, gateway, hello, seen
from tests.cli.running import overnight, seated, wait_until
from tests.cli.scripted_gateway import Reply, Script
from tests.cli.scripted_socket import Peer
from tests.cli.sessions import SESSION, asking, ended, pull_request, resource
from tests.cli.terminal import sitting
from tests.patience import PATIENCE_SECONDS
from workflows.contract.socket import CaughtUp, Events

RUN = ("run", "Fix it", "--repo", "https://github.com/a/b", "--base", "main")


@pytest.mark.parametrize("form", ["table", "json"])
def test_without_a_terminal_a_question_ends_the_run(
    script: Script, remote: dict[str, str], form: str
):
    """With 14, and the question with the command that answers it; the session goes on waiting."""
    script.on("POST /sessions", Reply(202, resource()))
    script.on(f"GET /sessions/{SESSION}", Reply(200, asking()))
    script.live(gateway([seen(resource()), seen(asking())], then=Peer.wait_for_end))
    done = overnight(*RUN, "-o", form, environment=remote)
    assert done.returncode == 14, done.stderr
    assert "the model asks" in done.stderr
    assert f'overnight answer {SESSION} "…"' in done.stderr
    assert "\x1b" not in done.stderr
    if form == "json":
        assert json.loads(done.stdout)["session"]["view"]["asked"]["kind"] == "question"


def test_a_question_that_was_answered_meanwhile_ends_nothing(
    script: Script, remote: dict[str, str]
):
    """What is told of it is past by then."""
    script.on("POST /sessions", Reply(202, resource()))
    script.on(f"GET /sessions/{SESSION}", Reply(200, resource()))
    script.live(gateway([seen(asking()), seen(ended("failed", proposed=False))]))
    assert overnight(*RUN, environment=remote).returncode == 10


@pytest.mark.parametrize(("arguments", "status"), [((), 0), (("--no-wait",), 14)])
def test_in_a_terminal_a_question_is_waited_for(
    script: Script, remote: dict[str, str], arguments: tuple[str, ...], status: int
):
    """Unless the person does not want to."""
    script.on("GET /sessions", Reply(200, {"data": [resource()], "has_more": False}))
    script.on(f"GET /sessions/{SESSION}", Reply(200, asking()))
    script.on(f"GET /sessions/{SESSION}/pull-request", Reply(200, pull_request()))

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(1, **asking()["view"]), CaughtUp())
        wait_until(lambda: b"overnight answer" in terminal.shown)
        peer.send(Events(items=(event(2, seen(ended("finished"))),)))
        peer.wait_for_end()

    script.live(converse)
    watch = ("watch", "s-01", *arguments)
    with sitting() as terminal, seated(terminal, *watch, environment=remote) as run:
        assert run.wait(PATIENCE_SECONDS) == status
    assert terminal.shown.count(b"the model asks") == 1


def test_a_followed_prompt_waits_for_its_own_turn(script: Script, remote: dict[str, str]):
    """`prompt --follow` does not take the end of an earlier turn for its own."""
    later = ended("finished")
    later["view"]["last"]["turn"] = 2
    script.on("GET /sessions", Reply(200, {"data": [resource()], "has_more": False}))
    script.on(f"GET /sessions/{SESSION}", Reply(200, ended("failed")))
    accepted = {"id": "x", "session": SESSION, "repeated": False}
    script.on(f"POST /sessions/{SESSION}/prompts", Reply(202, accepted))
    script.on(f"GET /sessions/{SESSION}/pull-request", Reply(200, pull_request()))

    def converse(peer: Peer) -> None:
        peer.accept()
        assert peer.subscribed().recent == 0
        peer.send(hello(1, **ended("failed")["view"]), CaughtUp())
        peer.send(Events(items=(event(2, seen(ended("failed"))), event(3, seen(later)))))
        peer.wait_for_end()

    script.live(converse)
    assert overnight("prompt", "s-01", "More", "--follow", environment=remote).returncode == 0


@pytest.mark.parametrize("command", [("run", "Fix it"), ("watch",), ("prompt", "More")])
def test_what_is_queued_behind_a_turn_is_not_followed(
    script: Script, remote: dict[str, str], command: tuple[str, ...]
):
    """The exit status is that of the turn that is followed, whoever queued more meanwhile."""
    name, *text = command
    script.on("POST /sessions", Reply(202, resource()))
    accepted = {"id": "x", "session": SESSION, "repeated": False}
    script.on(f"POST /sessions/{SESSION}/prompts", Reply(202, accepted))
    before = resource(turn=0 if name == "prompt" else 1)
    after = ended("failed", proposed=False)
    after["view"] |= {"phase": "working", "turn": 2, "queued": 1}
    script.on(f"GET /sessions/{SESSION}", Reply(200, before), Reply(200, after))
    script.live(gateway([seen(resource()), seen(after)], then=Peer.wait_for_end))
    arguments = {"run": RUN, "watch": ("watch", "s-01")}
    typed = arguments.get(name, ("prompt", "s-01", *text, "--follow"))
    done = overnight(*typed, environment=remote)
    assert done.returncode == 10, done.stderr


def test_a_turn_that_ends_while_the_watch_begins_is_not_missed(
    script: Script, remote: dict[str, str]
):
    """The view at the greeting may be old: what happened up to there is looked at once more."""
    script.on("GET /sessions", Reply(200, {"data": [resource()], "has_more": False}))
    script.on(f"GET /sessions/{SESSION}", Reply(200, ended("failed", proposed=False)))
    script.live(gateway([seen(ended("failed"))], then=Peer.wait_for_end))
    assert overnight("watch", "s-01", environment=remote).returncode == 10


def test_a_limit_on_money_without_a_price_is_told(script: Script, remote: dict[str, str]):
    """At the end of what was followed, when it is set, and in `show`."""
    usage = {"requests": 3, "input_tokens": 17_000, "output_tokens": 487}
    budget = {"budget": {"cost_usd": 0.01}}
    unpriced = {**resource(usage=usage), **budget}
    end = ended("failed", proposed=False)
    end["view"]["usage"] = usage
    script.on("POST /sessions", Reply(202, unpriced))
    script.on(f"GET /sessions/{SESSION}", Reply(200, unpriced))
    script.on(f"PATCH /sessions/{SESSION}", Reply(202, unpriced))
    script.live(gateway([seen(end)]))
    told = "price unknown: $0.01 is not enforced"
    assert f"warning: {told}" in overnight(*RUN, "--cost", "0.01", environment=remote).stderr
    configured = overnight("configure", "s-01", "--cost", "0.01", environment=remote)
    assert f"warning: {told}" in configured.stderr
    other = ("configure", "s-01", "--cost", "0.01", "--model", "openai/y")
    assert "warning" not in overnight(*other, environment=remote).stderr
    assert f"17,487 tokens, {told}" in overnight("show", "s-01", environment=remote).stdout
