"""What a provider repeats of a request is taken out of its words; its own words stay."""

import json
from string import ascii_letters

import httpx
import pytest

from activities.model.hiding import Sent

TEXT = "Mend the\nquote «März» for Imogen Fairweather"
KEY = "canary-of-the-key"


@pytest.fixture
def sent() -> Sent:
    made = Sent(({"role": "user", "content": [{"type": "text", "text": TEXT}]},))
    made.note_keys(
        httpx.URL("http://localhost/v1?key=canary-in-the-address"),
        {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    return made


@pytest.mark.parametrize(
    "quoted", [TEXT, json.dumps(TEXT)[1:-1], json.dumps(TEXT, ensure_ascii=False)[1:-1]]
)
def test_a_message_is_hidden_plain_and_as_json(sent: Sent, quoted: str):
    """In whichever form a provider repeats it."""
    assert sent.hide(f"I cannot do [{quoted}] today") == "I cannot do [[hidden]] today"


def test_a_piece_of_a_message_is_hidden(sent: Sent):
    """A quotation need not be whole."""
    assert sent.hide("near: for Imogen Fairwea...") == "near: [hidden]..."


@pytest.mark.parametrize("start", range(len(ascii_letters) - 16))
def test_a_piece_is_hidden_wherever_it_begins(start: int):
    """Sixteen characters are a quotation, and fifteen are none."""
    sent = Sent(({"role": "user", "content": ascii_letters},))
    piece = ascii_letters[start : start + 16]
    assert sent.hide(f"<{piece}>") == "<[hidden]>"
    assert sent.hide(f"<{piece[1:]}>") == f"<{piece[1:]}>"


@pytest.mark.parametrize("key", [KEY, KEY[:12], "canary-in-the-address"])
def test_keys_in_headers_and_addresses_are_hidden(sent: Sent, key: str):
    """Whatever they look like."""
    assert sent.hide(f"the key '{key}' is unknown") == "the key '[hidden]' is unknown"


def test_a_providers_own_words_stay(sent: Sent):
    """Also those that a request happens to hold by itself."""
    words = "Mend the request: Content-Type must be application/json"
    assert sent.hide(words) == words
