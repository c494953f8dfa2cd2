"""How long a sandbox takes to open and a command to run, by the activities of real sessions."""

import asyncio

from bench import history, scripted
from bench.history import Activity
from bench.stack import Arena
from bench.tables import Table, spread
from runtime import temporal
from workflows.contract.sandbox import CommandResult, SandboxReady

SESSIONS = 20

NOTES = f"""\
{SESSIONS} sessions one after the other, each with a new sandbox of a small local repository whose
mirror stands, and one `true` in it. "Activity" is from its start at the worker to its recorded
end, so it includes the report to Temporal; the other rows are what the sandbox itself measured: the
sandbox with the repository checked out, and the command from its start to its end."""


def measure(arena: Arena) -> list[Table]:
    """Open, use and close sandboxes."""
    return asyncio.run(_measure(arena))


async def _measure(arena: Arena) -> list[Table]:
    client = await temporal.connect(arena.temporal())
    api = arena.api()
    activities: list[Activity] = []
    for number in range(SESSIONS + 1):
        session = api.create(arena.repository, scripted.SHORT).id
        api.until_waiting(session, turns=1)
        found = (await history.read(client, session)).activities
        # The first one makes the mirror.
        activities += found if number else []
        api.close(session)
    opened = [each for each in activities if each.name == "sandbox.open"]
    ran = [each for each in activities if each.name == "sandbox.run_command"]
    ready = [SandboxReady.model_validate_json(each.result).seconds for each in opened]
    commands = [CommandResult.model_validate_json(each.result).seconds for each in ran]
    rows = [
        ("open: sandbox ready", *spread(ready)),
        ("open: activity", *spread([each.closed - each.started for each in opened])),
        ("command: `true` itself", *spread(commands)),
        ("command: activity", *spread([each.closed - each.started for each in ran])),
    ]
    return [Table("Sandboxes", ("what", "p50 ms", "p95 ms"), rows, NOTES)]
