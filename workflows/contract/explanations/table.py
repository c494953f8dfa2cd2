"""The one table of all codes: used by the gateway, the command line and `docs/errors.md`."""

from collections.abc import Mapping
from types import MappingProxyType

from workflows.contract.explanations import command_line, gateway, sessions
from workflows.contract.problems import Code, Explanation

TABLE: Mapping[Code, Explanation] = MappingProxyType(
    gateway.ROWS | command_line.ROWS | sessions.ROWS
)

_NAMES = {code.value: code for code in Code}


def explain(code: Code) -> Explanation:
    """Return the row of a code."""
    return TABLE[code]


def known(text: str) -> Code | None:
    """Return the code of this name; none when another version made it up, or nobody."""
    return _NAMES.get(text)
