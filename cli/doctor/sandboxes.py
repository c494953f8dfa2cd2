"""Rows about the walls around what a model runs."""

from collections.abc import Iterator
from functools import partial

from cli.doctor.probing import Probe
from cli.stack import trials
from runtime.settings import Settings
from workflows.contract.health import Row

GROUP = "sandbox"

TRIAL_SECONDS = 10.0
"""It starts a Python and a sandbox with another one, which a busy machine takes seconds for."""

UNSAFE = (
    "UNSAFE: OVERNIGHT_SANDBOX=host isolates nothing; the model's commands run as you, see all you "
    "see and reach the network"
)
WALLS = (
    "each has its own users, processes, mounts, IPC, host name and network, which is empty; no "
    "capabilities, no secrets; not limited: memory, processes and disk"
)


def probes(settings: Settings) -> list[Probe]:
    """Return what there is to look at: the trial of a sandbox, and what defends the host."""
    is_host = settings.sandbox == "host"
    return [
        Probe(GROUP, "bubblewrap", partial(_bubblewrap, is_needed=not is_host), TRIAL_SECONDS),
        Probe(GROUP, "defence", partial(_defence, is_host=is_host)),
    ]


def _bubblewrap(*, is_needed: bool) -> Iterator[Row]:
    # The program is given a little less, so that it is this that says what it waited for.
    found = trials.try_sandbox(TRIAL_SECONDS - 0.5)
    if not found.refusal:
        yield Row.ok("bubblewrap", f"made a sandbox: {found.program}")
        return
    finding, _, cure = found.refusal.rpartition("; ")
    cure = cure if finding else "find out what hangs there: bwrap --ro-bind / / true"
    finding = finding or found.refusal
    if is_needed:
        yield Row.fail("bubblewrap", finding, cure)
    else:
        yield Row.warn("bubblewrap", f"{finding} (not used: OVERNIGHT_SANDBOX=host)", cure)


def _defence(*, is_host: bool) -> Iterator[Row]:
    if is_host:
        yield Row.warn("defence", UNSAFE, "unset OVERNIGHT_SANDBOX, but on a disposable machine")
    else:
        yield Row.ok("defence", WALLS)
