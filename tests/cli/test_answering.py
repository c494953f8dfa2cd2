"""A person who answers what a live session asks."""

from typing import Any

from tests.cli.happenings import event, hello, seen
from tests.cli.running import attached, seated, wait_until
from tests.cli.scripted_gateway import Reply, Script, problem
from tests.cli.scripted_socket import Peer
from tests.cli.sessions import SESSION, asking, resource
from tests.cli.terminal import Terminal
from tests.patience import PATIENCE_SECONDS
from workflows.contract.api import Decision
from workflows.contract.session import PromptMode
from workflows.contract.socket import Ack, CaughtUp, Decide, Events, Interrupt, SendPrompt, Trouble


def test_what_is_typed_while_it_asks_is_the_answer(
    script: Script, remote: dict[str, str], terminal: Terminal
):
    """Bound to the question that is shown, in words or as y or n; then lines are prompts again."""
    decided: list[Decision] = []

    def hear(peer: Peer, found: dict[str, Any], told: str, line: str) -> None:
        peer.send(Events(items=(event(len(decided) + 1, seen(found)),)))
        wait_until(lambda: told.encode() in terminal.shown)
        terminal.type(line)
        message = peer.receive()
        assert isinstance(message, Decide)
        decided.append(message.decision)
        peer.send(Ack(id=message.id))

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(**asking()["view"]), CaughtUp())
        hear(peer, asking(), "type the answer", "8080\n")
        hear(peer, asking("command", id="a" * 16), "this command", "n no need\n")
        hear(peer, asking("budget", id="b" * 16), "the budget is", "y\n")
        peer.send(Events(items=(event(4, seen(resource())),)), Trouble(text="it goes on"))
        wait_until(lambda: b"it goes on" in terminal.shown)
        terminal.type("a prompt again\n")
        assert isinstance(peer.receive(), SendPrompt)
        terminal.type("\x04")
        peer.wait_for_end()

    script.live(converse)
    with attached(terminal, remote) as running:
        assert running.wait(PATIENCE_SECONDS) == 0
    assert decided == [
        Decision(question="0123456789abcdef", approved=True, text="8080"),
        Decision(question="a" * 16, approved=False, text="no need"),
        Decision(question="b" * 16, approved=True),
    ]
    assert terminal.shown.count(b"the model asks") == 1


def test_who_stops_a_turn_is_told_what_is_taken_up_then(
    script: Script, remote: dict[str, str], terminal: Terminal
):
    """Prompts that wait are not stopped with it."""

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(queued=2), CaughtUp(), Trouble(text="it works"))
        wait_until(lambda: b"it works" in terminal.shown)
        terminal.type("/stop\n")
        assert isinstance(peer.receive(), Interrupt)
        wait_until(lambda: b"2 prompts wait and are taken up now" in terminal.shown)
        terminal.type("\x04")
        peer.wait_for_end()

    script.live(converse)
    with attached(terminal, remote) as running:
        assert running.wait(PATIENCE_SECONDS) == 0


def test_what_allows_nothing_is_told(script: Script, remote: dict[str, str], terminal: Terminal):
    """A command that is not shown whole, and a line that is neither y nor n."""
    cut = asking("command", subject="x" * 500)["view"]

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(**cut), CaughtUp())
        wait_until(lambda: b"type y, or n" in terminal.shown)
        terminal.type("y\n")
        wait_until(lambda: f"overnight approve {SESSION}".encode() in terminal.shown)
        terminal.type("perhaps\n")
        wait_until(lambda: b"neither y nor n" in terminal.shown)
        terminal.type("\x04")
        peer.wait_for_end()

    script.live(converse)
    with attached(terminal, remote) as running:
        assert running.wait(PATIENCE_SECONDS) == 0


def see(terminal: Terminal, peer: Peer, number: int, found: dict[str, Any]) -> None:
    """Let the session's view change, and wait until that is shown."""
    told = f"change {number}"
    peer.send(Events(items=(event(number, seen(found)),)), Trouble(text=told))
    wait_until(lambda: told.encode() in terminal.shown)


def write(terminal: Terminal, keys: str, shown: str) -> None:
    """Type, and wait until that has shown once more."""
    count = terminal.shown.count(shown.encode())
    terminal.type(keys)
    wait_until(lambda: terminal.shown.count(shown.encode()) > count)


def test_a_line_is_for_the_question_its_typing_began_beneath(
    script: Script, remote: dict[str, str], terminal: Terminal
):
    """When that changed or was answered meanwhile, nothing is sent."""

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(**asking(id="a" * 16)["view"]), CaughtUp())
        wait_until(lambda: b"type the answer" in terminal.shown)
        write(terminal, "y", "> y")
        see(terminal, peer, 1, asking("budget", id="b" * 16))
        write(terminal, "\n", "the session asks something else now")
        write(terminal, "y", "> y")
        see(terminal, peer, 2, resource())
        write(terminal, "\n", "the session asks nothing now")
        terminal.type("\x04")
        peer.wait_for_end()

    script.live(converse)
    with attached(terminal, remote) as running:
        assert running.wait(PATIENCE_SECONDS) == 0


def test_a_prompt_that_was_begun_before_the_session_asked_stays_one(
    script: Script, remote: dict[str, str], terminal: Terminal
):
    """That is told; who has erased all begins anew, and answers."""

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(), CaughtUp())
        write(terminal, "look", "> look")
        see(terminal, peer, 1, asking(id="a" * 16))
        write(terminal, " again\n", "sent as a prompt")
        sent = peer.receive()
        assert isinstance(sent, SendPrompt)
        assert sent.prompt.text == "look again"
        terminal.type("8\x15" + "9\n")
        decided = peer.receive()
        assert isinstance(decided, Decide)
        assert decided.decision == Decision(question="a" * 16, approved=True, text="9")
        terminal.type("\x04")
        peer.wait_for_end()

    script.live(converse)
    with attached(terminal, remote) as running:
        assert running.wait(PATIENCE_SECONDS) == 0


def test_where_nobody_knows_what_a_line_was_begun_beneath_it_answers_nothing(
    script: Script, remote: dict[str, str], terminal: Terminal
):
    """With JSON the way to answer is named instead; a steering prompt is sent."""

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(**asking("budget")["view"]), CaughtUp())
        wait_until(lambda: b"caught_up" in terminal.shown)
        terminal.type("y\n")
        wait_until(lambda: f"overnight approve {SESSION}".encode() in terminal.shown)
        terminal.type("/steer left\n")
        sent = peer.receive()
        assert isinstance(sent, SendPrompt)
        assert sent.prompt.mode is PromptMode.STEER
        terminal.type("\x04")
        peer.wait_for_end()

    script.live(converse)
    with seated(terminal, "attach", "s-01", "-o", "json", environment=remote) as running:
        assert running.wait(PATIENCE_SECONDS) == 0
    assert b"nothing was sent" in terminal.shown


def test_the_files_in_question_are_shown_when_asked_for(
    script: Script, remote: dict[str, str], terminal: Terminal
):
    """`/diff` shows them above what is typed; without any, that is told."""
    view = asking("verdict", subject=f"tree {'d' * 40}")["view"]
    script.on(f"GET /sessions/{SESSION}", Reply(200, {**resource(), "view": view}))
    place = f"GET /sessions/{SESSION}/question/diff"
    diff = b"diff --git a/x.py b/x.py\n@@ -0,0 +1 @@\n+new\n"
    script.on(place, Reply(200, diff), problem(404, "no_diff", "none was kept"))

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello(**view), CaughtUp())
        wait_until(lambda: b"/diff shows the files" in terminal.shown)
        terminal.type("/diff\n")
        wait_until(lambda: b"1 file changed, +1 -0" in terminal.shown)
        terminal.type("/diff\n")
        wait_until(lambda: b"none was kept" in terminal.shown)
        terminal.type("\x04")
        peer.wait_for_end()

    script.live(converse)
    with attached(terminal, remote) as running:
        assert running.wait(PATIENCE_SECONDS) == 0
