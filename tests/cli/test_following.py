"""What following a turn does when the session asks a person."""

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
