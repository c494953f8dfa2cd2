"""What a client has, what it refuses, and what it asks for again."""

import pytest

from cli.problems import CliProblem
from cli.stream.items import Item, Output, Reconnected
from cli.stream.place import ASKED_LOGS, ENDED_LOGS, Place, following_offset
from tests.cli.happenings import event, finished, frame, hello, out, started
from workflows.contract import events
from workflows.contract.base import CommandId
from workflows.contract.output import Channel
from workflows.contract.socket import (
    CLIENT_MESSAGE,
    CaughtUp,
    Events,
    OutputChoice,
    OutputEnded,
    OutputMessage,
    OutputSkipped,
    ServerMessage,
    Subscribe,
)

C1 = CommandId("c1")
LOG = frame(b"one") + frame(b"two", Channel.STDERR) + frame(b"three")


def taken(place: Place, *messages: ServerMessage | OutputMessage) -> list[Item]:
    return [item for message in messages for item in place.take(message)]


def running(**choice: object) -> Place:
    """Return the place of a client that saw a command start."""
    place = Place(Subscribe(output=OutputChoice.model_validate(choice)))
    taken(place, Events(items=(event(1, started("c1")),)))
    return place


def test_an_event_counts_once():
    """An event that was there already is not new, whatever is sent around it."""
    first, second = event(1, started("c1")), event(2, started("c2"))
    place = Place(Subscribe())
    assert taken(place, Events(items=(first,))) == [first]
    assert taken(place, Events(items=(first, second)), Events(items=(second,))) == [second]


def test_what_was_received_is_not_asked_for_again():
    """A later connection begins behind the last event and behind the last byte of each command."""
    place = Place(Subscribe(recent=50))
    assert place.subscription() == Subscribe(recent=50)
    last = event(1, started("c1"))
    taken(place, Events(items=(last,)), out("c1", 0, LOG[:20]))
    again = place.subscription()
    assert (again.after, again.recent, again.output.at) == (last.cursor, None, {"c1": 20})


def test_a_client_that_began_without_past_goes_on_from_there():
    """What happened before the first event is not missed when the connection is lost before it."""
    place = Place(Subscribe(recent=0))
    taken(place, hello(7))
    assert place.subscription().after == "0000.00000007.00"


def test_an_ended_command_is_remembered_until_its_end_was_seen():
    """Before that event nothing is asked for twice; behind it, nothing is kept."""
    place = running()
    ended = OutputEnded(command_id=C1, end=len(LOG))
    items = taken(place, out("c1", 0, LOG), ended, ended)
    assert items[1:] == [ended]
    assert place.subscription().output.at == {"c1": len(LOG)}
    taken(place, Events(items=(event(2, finished("c1", LOG)),)))
    assert place.subscription().output.at == {}


@pytest.mark.parametrize("kind", ["session.closed", "session.broken"])
def test_a_command_that_a_session_left_behind_is_not_asked_for(kind: str):
    """Its end never comes; should its output be sent again, only what is new is taken."""
    place = running()
    taken(place, out("c1", 0, LOG[:20]))
    end = events.SessionEnded.model_validate({"kind": kind, "reason": ""})
    taken(place, Events(items=(event(2, end),)))
    assert place.subscription().output.at == {}
    items = taken(place, out("c1", 0, LOG))
    assert [frame.data for item in items if isinstance(item, Output) for frame in item.frames] == [
        b"two",
        b"three",
    ]
    assert place.subscription().output.at == {}


def test_no_more_commands_are_named_than_the_gateway_takes():
    """Of very many that have not ended, the newest are named; the others come whole, and once."""
    place = Place(Subscribe())
    count = ASKED_LOGS + 5
    for number in range(count):
        taken(place, Events(items=(event(number, started(f"c{number}")),)))
        taken(place, out(f"c{number}", 0, LOG))
    asked = place.subscription()
    assert CLIENT_MESSAGE.validate_json(asked.model_dump_json()) == asked
    assert set(asked.output.at) == {f"c{number}" for number in range(5, count)}
    assert taken(place, out("c0", 0, LOG)) == []


def test_a_command_ends_once():
    """A stop that raced with the end neither repeats the output nor the end."""
    place = running()
    ended = OutputEnded(command_id=C1, end=len(LOG))
    first, second = event(2, finished("c1", LOG)), event(3, finished("c1", LOG))
    taken(place, out("c1", 0, LOG), ended)
    assert taken(place, Events(items=(first,))) == [first]
    assert taken(place, out("c1", 0, LOG), ended, Events(items=(second,))) == []
    assert place.subscription().after == second.cursor
    assert place.subscription().output.at == {}


def test_an_old_end_is_forgotten():
    """A session of any length takes no more memory than a short one."""
    place = Place(Subscribe())
    told = [event(number, finished(f"c{number}", LOG)) for number in range(ENDED_LOGS + 1)]
    taken(place, Events(items=tuple(told)))
    again = [event(1_000 + number, finished(f"c{number}", LOG)) for number in (0, ENDED_LOGS)]
    assert taken(place, Events(items=tuple(again))) == [again[0]]


@pytest.mark.parametrize("cut", range(len(LOG)))
def test_frames_are_whole_wherever_the_log_is_cut(cut: int):
    """Each frame comes once, at its own offset, also when a message begins inside it."""
    place = running()
    items = taken(place, out("c1", 0, LOG[:cut]), out("c1", cut, LOG[cut:]))
    outputs = [item for item in items if isinstance(item, Output)]
    frames = [each for item in outputs for each in item.frames]
    assert [each.data for each in frames] == [b"one", b"two", b"three"]
    assert frames[1].channel is Channel.STDERR
    offset = 0
    for output in outputs:
        assert output.offset == offset
        for each in output.frames:
            offset = following_offset(offset, len(each.data))


def test_what_overlaps_is_trimmed():
    """Bytes that are sent again are not shown again."""
    place = running()
    items = taken(place, out("c1", 0, LOG[:30]), out("c1", 3, LOG[3:40]), out("c1", 0, LOG))
    frames = [each.data for item in items if isinstance(item, Output) for each in item.frames]
    assert frames == [b"one", b"two", b"three"]


@pytest.mark.parametrize(
    "wrong",
    [
        out("c1", 11, LOG[11:]),
        out("unheard-of", 1, LOG[1:]),
        OutputSkipped(command_id=C1, start=11, end=20),
        OutputEnded(command_id=C1, end=11),
        Events(items=(event(2, finished("c1", LOG)),)),
    ],
)
def test_a_gap_is_refused(wrong: ServerMessage | OutputMessage):
    """Output that does not go on where it was is an error, and so is an early end."""
    place = running()
    taken(place, out("c1", 0, LOG[:10]))
    with pytest.raises(CliProblem) as caught:
        taken(place, wrong)
    assert caught.value.code == "output_incomplete"


def test_more_output_than_the_end_tells_of_is_no_gap():
    """A host that was given up may have written on; what it wrote is there."""
    place = running()
    taken(place, out("c1", 0, LOG), Events(items=(event(2, finished("c1", LOG[:10])),)))


def test_what_is_no_log_is_refused():
    """Bytes that make no frame are an error, not garbage."""
    with pytest.raises(CliProblem) as caught:
        taken(running(), out("c1", 0, b"\xff" * 13))
    assert caught.value.code == "answer_not_understood"


def test_skipped_output_is_told_and_gone_on_behind():
    """What was left out on wish is named once; the next frame is whole."""
    place = running(most_behind=10)
    taken(place, out("c1", 0, LOG[:4]))
    skipped = OutputSkipped(command_id=C1, start=4, end=32)
    known = OutputSkipped(command_id=C1, start=0, end=4)
    items = taken(place, skipped, known, out("c1", 32, LOG[32:]))
    assert items[0] == skipped
    assert len(items) == 2
    assert isinstance(items[1], Output)
    assert (items[1].offset, items[1].frames[0].data) == (32, b"three")


def test_live_output_begins_anywhere_and_then_has_no_gap():
    """Who wants only what comes from now takes the first offset as it is, and none after it."""
    place = Place(Subscribe(output=OutputChoice(mode="live")))
    items = taken(place, out("c0", 16, LOG[16:32]), out("c0", 32, LOG[32:]))
    assert [item.offset for item in items if isinstance(item, Output)] == [16, 32]
    taken(place, Events(items=(event(1, started("c1")),)))
    assert place.subscription().output.at == {"c0": len(LOG), "c1": 0}


@pytest.mark.parametrize("choice", [{"mode": "none"}, {"commands": ("c2",)}])
def test_output_that_was_not_wished_for_is_not_missed(choice: dict[str, object]):
    """The end of a command whose output was not wanted is no gap."""
    assert taken(running(**choice), Events(items=(event(2, finished("c1", LOG)),)))


def test_a_return_tells_how_much_happened_meanwhile():
    """The first time is the beginning; after that, the new events are counted."""
    place = Place(Subscribe())
    first, second = event(1, started("c1")), event(2, started("c2"))
    assert taken(place, hello(), Events(items=(first,)), CaughtUp())[-1] == CaughtUp()
    again = taken(place, hello(), Events(items=(first, second)), CaughtUp())
    assert again[-1] == Reconnected(1)
