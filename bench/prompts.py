"""How fast a prompt is accepted, and how soon the model is asked for it."""

import time
from collections.abc import Callable

from bench import scripted
from bench.api import PATIENCE_SECONDS, Api
from bench.stack import Arena
from bench.tables import Table, spread

PROMPTS = 25
POLL_SECONDS = 0.02

NOTES = f"""\
{PROMPTS} new sessions and {PROMPTS} follow-ups to one session, one after the other, from one client
on one kept connection. "Accepted" is until the answer to the POST has arrived: the prompt is then
in the store and in Temporal's database. "Model asked" is until the request arrives at the model,
by its journal; for a new session that includes its sandbox with the repository (mirror warm)."""


def measure(arena: Arena) -> list[Table]:
    """Send prompts of both kinds."""
    api = arena.api()
    _close(api, api.create(arena.repository, scripted.END).id)
    created = [_new(arena, api) for _ in range(PROMPTS)]
    session = api.create(arena.repository, scripted.END).id
    followed = [_follow_up(arena, api, session, turns) for turns in range(1, PROMPTS + 1)]
    rows = [
        ("new session: accepted", *spread([accepted for accepted, _ in created])),
        ("new session: model asked", *spread([asked for _, asked in created])),
        ("follow-up: accepted", *spread([accepted for accepted, _ in followed])),
        ("follow-up: model asked", *spread([asked for _, asked in followed])),
    ]
    return [Table("Prompts", ("what", "p50 ms", "p95 ms"), rows, NOTES)]


def _new(arena: Arena, api: Api) -> tuple[float, float]:
    sessions: list[str] = []
    times = _timed(arena, lambda: sessions.append(api.create(arena.repository, scripted.END).id))
    _close(api, sessions[0])
    return times


def _follow_up(arena: Arena, api: Api, session: str, turns: int) -> tuple[float, float]:
    api.until_waiting(session, turns)
    return _timed(arena, lambda: api.prompt(session, scripted.END))


def _timed(arena: Arena, send: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds until the answer and until the model's request, from before the POST."""
    before = arena.model.count()
    # The journal's clock.
    started = time.time()
    send()
    accepted = time.time() - started
    deadline = started + PATIENCE_SECONDS
    while arena.model.count() == before and time.time() < deadline:
        time.sleep(POLL_SECONDS)
    return accepted, arena.model.since(before)[0].at - started


def _close(api: Api, session: str) -> None:
    api.until_waiting(session, turns=1)
    api.close(session)
