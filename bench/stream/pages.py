"""How long a page of events takes in a session with a very long history."""

import asyncio
import random
import time

from temporalio.api.history.v1 import History

from bench import scripted
from bench.api import Api
from bench.stack import Arena
from bench.stream.meters import Meter
from bench.tables import Table, median, ms
from runtime import temporal
from runtime.store.opening import open_store
from workflows.contract.base import SessionId
from workflows.contract.events import Cursor
from workflows.contract.session import SessionInput

HISTORY_EVENTS = 50_000
SESSION = SessionId("s-" + "0" * 20)
LIMIT = 100
PAGES = 40
SEED = 7

NOTES = f"""\
The history of a session of {scripted.STEPS} steps, once per run, as the archived runs of a session
that only the store knows: {HISTORY_EVENTS} events of Temporal's. Pages of {LIMIT} events from one
client on one kept connection; the first one by a gateway that knew nothing of the session, the
{PAGES} older ones from places at random, one after the other. Memory is the peak of the gateway's
resident set over what it was."""


async def measure(arena: Arena) -> Table:
    """Make the session, then read pages of it."""
    history = await _real_history(arena)
    runs = await asyncio.to_thread(_keep_copies, arena, history)
    meter = Meter(arena.record().processes, ("gateway",))
    rows = await asyncio.to_thread(_read, arena.api(), runs, len(history.events))
    notes = f"{NOTES} It grew by {meter.growth('gateway')} MiB."
    return Table("Pages of a long session", ("what", "ms"), rows, notes)


async def _real_history(arena: Arena) -> History:
    api = arena.api()
    session = api.create(arena.repository, scripted.LONG).id
    await asyncio.to_thread(api.until_waiting, session, turns=1)
    api.close(session)
    await asyncio.to_thread(api.until_closed, session)
    client = await temporal.connect(arena.temporal())
    found = await client.get_workflow_handle(session).fetch_history()
    return History(events=found.events)


def _keep_copies(arena: Arena, history: History) -> int:
    """Keep the history once per run, as the session's worker does; return how many runs."""
    store, events = open_store(arena.settings), len(history.events)
    start = history.events[0].workflow_execution_started_event_attributes.input.payloads[0]
    first = SessionInput.model_validate_json(start.data)
    store.create(f"sessions/{SESSION}", first.options.model_dump_json().encode())
    runs = HISTORY_EVENTS // events + 1
    for run in range(runs):
        start.data = first.model_copy(update={"run_index": run}).model_dump_json().encode()
        store.create(f"histories/{SESSION}/{run:06}-{events:06}", history.SerializeToString())
    return runs


def _read(api: Api, runs: int, events: int) -> list[tuple[str, str]]:
    dice = random.Random(SEED)  # noqa: S311  # repeatable, and no secret
    newest, again = _seconds(api, None), _seconds(api, None)
    places = [(dice.randrange(runs), dice.randint(1, events)) for _ in range(PAGES)]
    older = [_seconds(api, _cursor(*place)) for place in places]
    return [
        ("newest page, for the first time", ms(newest)),
        ("newest page, again", ms(again)),
        ("older page, p50", ms(median(older))),
        ("older page, slowest", ms(max(older))),
    ]


def _cursor(run: int, event: int) -> Cursor:
    return Cursor(f"{run:06}.{event:08}.0")


def _seconds(api: Api, before: Cursor | None) -> float:
    started = time.perf_counter()
    page = api.events(SESSION, LIMIT, before)
    taken = time.perf_counter() - started
    if before is None and len(page.data) != LIMIT:
        message = f"the newest page has {len(page.data)} events"
        raise RuntimeError(message)
    return taken
