"""Prompts and interrupts over connections that come and go."""

import pytest

from cli.problems import CliProblem
from cli.stream.items import Item, PutOff
from tests.cli.happenings import hello
from tests.cli.scripted_socket import Peer
from tests.cli.stream.following import LATER, PROMPT, REFUSAL, following
from workflows.contract.api import Decision, Problem
from workflows.contract.base import PromptId
from workflows.contract.socket import (
    Ack,
    Decide,
    Hello,
    Interrupt,
    Nack,
    SendPrompt,
)


def test_a_prompt_survives_the_connection_and_keeps_its_id():
    """It is sent until it is answered, also when it was typed with no gateway there."""
    arrived: list[str] = []

    def swallow(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        message = peer.receive()
        assert isinstance(message, SendPrompt)
        arrived.append(message.prompt.id)
        peer.cut()

    def take(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        message = peer.receive()
        assert isinstance(message, SendPrompt)
        arrived.append(message.prompt.id)
        peer.send(Ack(id=message.id))
        peer.cut()

    def rest(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello())
        peer.close(1000)

    with following(swallow, take, rest) as session:
        session.prompt(PROMPT)
        items = list(session.items())
    assert arrived == [PROMPT.id, PROMPT.id]
    assert [type(item) for item in items] == [Ack, Hello]
    assert session.unanswered() == []


def test_an_answer_survives_the_connection():
    """It fits one question only, so that it may be sent again until it is taken."""
    decision = Decision(question="0" * 16, approved=True, text="8080")
    arrived: list[str] = []

    def swallow(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        message = peer.receive()
        assert isinstance(message, Decide)
        arrived.append(message.id)
        peer.cut()

    def take(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        for answer in (LATER, None):
            message = peer.receive()
            assert isinstance(message, Decide)
            assert message.decision == decision
            arrived.append(message.id)
            peer.send(Nack(id=message.id, problem=answer) if answer else Ack(id=message.id))
        peer.close(1000)

    with following(swallow, take) as session:
        session.decide(decision)
        items = list(session.items())
    assert [type(item) for item in items] == [PutOff, Ack]
    assert len(set(arrived)) == 1
    assert session.unanswered() == []


def test_a_prompt_is_sent_through_a_connection_that_is_there():
    """A prompt that comes while items are received goes out at once; a refusal is shown."""

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.send(hello())
        message = peer.receive()
        assert isinstance(message, SendPrompt)
        peer.send(Nack(id=message.id, problem=REFUSAL))
        peer.close(1000)

    with following(converse) as session:
        items: list[Item] = []
        for item in session.items():
            items.append(item)
            if isinstance(item, Hello):
                session.prompt(PROMPT)
    assert items[1] == Nack(id=PROMPT.id, problem=REFUSAL)
    assert session.unanswered() == []


def heard(peer: Peer, *answers: Problem | None) -> list[SendPrompt]:
    """Receive as many prompts as there are answers; return them."""
    prompts: list[SendPrompt] = []
    for problem in answers:
        message = peer.receive()
        assert isinstance(message, SendPrompt)
        prompts.append(message)
        peer.send(Nack(id=message.id, problem=problem) if problem else Ack(id=message.id))
    return prompts


@pytest.mark.parametrize("last", [None, REFUSAL])
def test_a_prompt_that_cannot_be_taken_is_sent_again_until_it_is_settled(last: Problem | None):
    """It keeps its id, over any connection; the person is told once that it takes longer."""
    arrived: list[SendPrompt] = []

    def first(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        arrived.extend(heard(peer, LATER, LATER, LATER))
        peer.close(1013)

    def second(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        arrived.extend(heard(peer, LATER, last))
        peer.close(1000)

    with following(first, second) as session:
        session.prompt(PROMPT)
        told, answer = session.items()
    assert told == PutOff(SendPrompt(id=PROMPT.id, prompt=PROMPT), LATER)
    assert answer == (Nack(id=PROMPT.id, problem=last) if last else Ack(id=PROMPT.id))
    assert {prompt.prompt for prompt in arrived} == {PROMPT}
    assert session.unanswered() == []


def test_later_prompts_wait_with_one_that_cannot_be_taken():
    """They arrive in the order in which they were made; an interrupt does not wait."""
    other = PROMPT.model_copy(update={"id": PromptId("11111111-0000-4000-8000-000000000000")})
    arrived: list[SendPrompt] = []

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        heard(peer, LATER)
        interrupt = peer.receive()
        assert isinstance(interrupt, Interrupt)
        peer.send(Ack(id=interrupt.id))
        arrived.extend(heard(peer, None, None))
        peer.close(1000)

    with following(converse) as session:
        session.prompt(PROMPT)
        for item in session.items():
            if isinstance(item, PutOff):
                session.prompt(other)
                session.interrupt("enough")
    assert [prompt.id for prompt in arrived] == [PROMPT.id, other.id]


def test_an_interrupt_that_could_not_be_done_is_not_repeated():
    """Whatever the reason, a person decides anew whether to stop what runs then."""

    def converse(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        message = peer.receive()
        assert isinstance(message, Interrupt)
        peer.send(Nack(id=message.id, problem=LATER))
        peer.close(1000)

    with following(converse) as session:
        session.interrupt("enough")
        (told,) = session.items()
    assert isinstance(told, Nack)
    assert session.unanswered() == []


def test_an_interrupt_in_doubt_is_not_repeated():
    """Sent twice it could stop the next turn; the person is told instead."""

    def lose(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        assert isinstance(peer.receive(), Interrupt)
        peer.cut()

    def rest(peer: Peer) -> None:
        peer.accept()
        peer.subscribed()
        peer.close(1000)

    with following(lose, rest) as session:
        session.interrupt("enough")
        (told,) = session.items()
    assert isinstance(told, Nack)
    assert told.problem.code == "outcome_unknown"
    assert session.unanswered() == []


def test_a_prompt_that_cannot_be_sent_is_refused_before():
    """The gateway would hang up on a longer message, again and again."""
    with following(Peer.cut) as session, pytest.raises(CliProblem) as caught:
        session.prompt(PROMPT.model_copy(update={"text": "\n" * 1_000_000}))
    assert caught.value.code == "prompt_too_large"
