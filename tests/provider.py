"""Which kind of sandbox this machine lets the tests use."""

from functools import cache

from activities.sandbox import canary

LEFT_OUT = "tests of isolation (those that take `walled`, and every case named `bubblewrap`)"


@cache
def refusal() -> str | None:
    """Return why no bubblewrap box can be made here, with the cure; none when one can."""
    try:
        return canary.canary(canary.find_bwrap())
    except canary.BubblewrapMissing as missing:
        return str(missing)


def sandbox_provider() -> str:
    """Return the provider for the stacks of tests; nothing but the tests ever chooses so."""
    return "bubblewrap" if refusal() is None else "host"
