import json
import random

import pytest

from activities.model import compaction, wire
from activities.model.tools import Json
from workflows.contract.transcript import (
    AssistantMessage,
    Message,
    RequestedCall,
    ToolMessage,
    UserMessage,
)

ROOMY = 1_000_000


def prompt(text: str) -> UserMessage:
    return UserMessage(text=text, from_person=True)


def exchange(number: int, result: str = "done", argument: str = "ls") -> list[Message]:
    call = RequestedCall(id=f"c{number}", name="bash", arguments=json.dumps({"command": argument}))
    said = AssistantMessage(text=f"step {number}", calls=(call,))
    return [said, ToolMessage(call_id=call.id, text=result)]


def exchanges(numbers: range, result: str = "done") -> list[Message]:
    return [message for number in numbers for message in exchange(number, result)]


def sent(history: list[Message], characters: int = ROOMY) -> list[Json]:
    asked = compaction.request("openai/x", "system", history, characters)
    return list(asked.messages)


def text_of(messages: list[Json]) -> str:
    return json.dumps(messages)


def test_what_is_left_is_prompts_summary_and_the_newest():
    """People's words stay literally, in order; then our summary, then the last ten messages."""
    history = [
        prompt("mend the parser"),
        *exchanges(range(20)),
        UserMessage(text="[findings]"),
        prompt("and hurry"),
        *exchanges(range(20, 26)),
    ]
    left = compaction.rest(history, "All is well.", ROOMY)
    assert left[:2] == [prompt("mend the parser"), prompt("and hurry")]
    assert left[2] == UserMessage(text=compaction.SUMMARY.format("All is well."))
    assert left[3:] == history[-10:]


def test_a_prompt_among_the_newest_stays_in_its_place():
    """It is not told twice."""
    history = [prompt("go"), *exchanges(range(9)), prompt("and hurry"), *exchanges(range(9, 11))]
    left = compaction.rest(history, "x", ROOMY)
    assert left.count(prompt("and hurry")) == 1
    assert left[2:] == history[-9:]


def test_a_call_whose_answer_is_still_to_come_is_kept():
    """The transcript that is summed up ends with the reply whose calls are being carried out."""
    reply = exchange(99)[0]
    history = [prompt("go"), *exchanges(range(30)), reply]
    assert compaction.rest(history, "x", ROOMY)[-1] == reply
    assert "step 99" not in text_of(sent(history))
    assert "step 29" in text_of(sent(history))


def test_many_calls_of_one_reply_stay_together():
    """The last exchange is kept even if it alone is longer than ten messages."""
    calls = tuple(RequestedCall(id=f"n{n}", name="bash", arguments="{}") for n in range(16))
    last: list[Message] = [
        AssistantMessage(text="all", calls=calls),
        *(ToolMessage(call_id=call.id, text="x") for call in calls),
    ]
    left = compaction.rest([prompt("go"), *exchanges(range(9)), *last], "x", ROOMY)
    assert left[2:] == last


def test_long_prompts_are_shortened_and_very_many_left_out():
    """The first and the newest of them stay; how much is missing is stated."""
    history = [prompt(f"{n} " + "x" * 9_000) for n in range(30)] + exchanges(range(9))
    left = compaction.rest(history, "x", ROOMY)
    said = [item.text for item in left if isinstance(item, UserMessage) and item.from_person]
    assert said[0].startswith("0 x")
    assert said[-1].startswith("29 x")
    assert all(len(text) < 4_100 for text in said)
    assert "characters elided" in said[0]
    assert left[1] == UserMessage(text=compaction.PROMPTS_DROPPED.format(30 - len(said)))


def test_the_newest_results_are_shortened_for_a_small_model():
    """What is kept has its share of what the model reads, and never more."""
    history = [prompt("go"), *exchanges(range(9)), *exchange(10, "y" * 100_000)]
    left = compaction.rest(history, "x" * 90_000, 24_000)
    assert sum(len(item.text) for item in left) < 24_000
    assert left[-2:-1] == exchange(10)[:1]
    assert isinstance(left[-1], ToolMessage)
    assert "characters elided" in left[-1].text


def test_old_results_and_long_arguments_are_not_sent():
    """The newest results are, because the latest findings are among them."""
    history = [
        prompt("go"),
        *exchange(0, "r" * 5_000, "w" * 5_000),
        *exchanges(range(1, 9), "n" * 300),
    ]
    messages = sent(history)
    text = text_of(messages)
    assert "5,000 characters of output left out" in text
    assert "w" * 501 not in text
    assert "characters elided" in text
    assert text.count("n" * 300) == 5
    assert messages[-1] == {"role": "user", "content": compaction.INSTRUCTION}


def test_the_oldest_exchanges_are_dropped_when_it_is_still_too_long():
    """They are counted, their calls go with their answers, and people's words stay."""
    history = [
        prompt("go"),
        *exchanges(range(200)),
        prompt("and hurry"),
        *exchanges(range(200, 220)),
    ]
    messages = sent(history, 8_000)
    text = text_of(messages)
    assert len(text) < 12_000
    assert "step 0" not in text
    assert "step 219" in text
    assert '"go"' in text
    assert "and hurry" in text
    assert "earlier messages are left out here" in text
    assert wire.UNANSWERED not in text


def test_people_may_say_more_than_fits():
    """Then their words are sent all the same: the provider decides whether that is too long."""
    text = text_of(sent([prompt("p" * 9_000), *exchanges(range(9))], 4_000))
    assert "p" * 9_000 in text


def test_very_long_transcripts_take_no_time():
    """Each message is looked at a few times, however many there are."""
    history = [prompt("go"), *exchanges(range(10_000))]
    messages = sent(history, 100_000)
    assert len(text_of(messages)) < 130_000
    assert "step 9999" in text_of(messages)
    prompts = [prompt("p" * 100) for _ in range(10_000)]
    left = compaction.rest([*prompts, *exchange(0)], "x", ROOMY)
    assert left[1] == UserMessage(text=compaction.PROMPTS_DROPPED.format(10_000 - len(left) + 4))


@pytest.mark.parametrize("seed", range(40))
def test_any_transcript_stays_sound(seed: int):
    """However long and battered: bounded, paired, nothing of people lost, again and again."""
    chance = random.Random(seed)
    history: list[Message] = [prompt("first")]
    for number in range(chance.randrange(60)):
        made = exchange(
            number, "r" * chance.choice([3, 300, 30_000]), "a" * chance.choice([2, 9_000])
        )
        history += made[: chance.choice([1, 2, 2, 2])]
        if chance.random() < 0.1:
            history.append(prompt(f"prompt {number}"))
        if chance.random() < 0.1:
            history.append(UserMessage(text="[note]"))
    people = [item for item in history if isinstance(item, UserMessage) and item.from_person]
    for characters in (20_000, ROOMY):
        assert len(text_of(sent(history, characters))) < characters + 20_000
        left = compaction.rest(history, "s" * 50_000, characters)
        again = compaction.rest(left, "t" * 50_000, characters)
        for kept in (left, again):
            assert [item for item in kept if item in people] == people
            assert sum(len(item.model_dump_json()) for item in kept) < characters
            first = next((n for n, i in enumerate(kept) if not isinstance(i, UserMessage)), 0)
            assert not isinstance(kept[first], ToolMessage)
