"""How pytest is asked for a report, whether it was found or named by a person."""

import re
import shlex
from typing import NamedTuple

from workflows.contract.checks import REPORT_VARIABLE

# xunit1 has file and line of each test. The cache lies outside of the workspace: what pytest
# remembers of earlier runs (`--lf`) must not be something that the work can bring along.
REPORTING = (
    f'-o cache_dir="${REPORT_VARIABLE}.cache" '
    f'-o junit_family=xunit1 --junit-xml="${REPORT_VARIABLE}"'
)

_PROGRAM = re.compile(
    r"((uv|poetry|pdm|hatch|pipenv) run )?"
    r"([\w./~-]*/|\$HOME/[\w./-]*)?"
    r"(python(3(\.\d+)?)? -m pytest|py\.?test)(?= |$)"
)
_NOT_PLAIN = re.compile(r"[|&;<>()$`\\\n\r#{}*?!\x00]|\[")
"""What lets a shell do more, or other, than start one program with the words that are there."""


class Reporting(NamedTuple):
    """A pytest command that leaves a report, and the one that does so for some tests."""

    command: str
    rerun: str
    """Empty when the command names what to run, so that named tests would only be added."""


def reporting(command: str) -> Reporting | None:
    """Have a plain pytest command leave a report; None for any other, which is left alone."""
    program = _PROGRAM.match(command)
    if program is None or _NOT_PLAIN.search(command, program.end()):
        return None
    try:
        words = shlex.split(command[program.end() :])
    except ValueError:
        return None
    if "--" in words:
        return None
    asked = f"{command.rstrip()} {REPORTING}"
    only_options = all(word.startswith("-") for word in words)
    return Reporting(asked, f"{asked} --" if only_options else "")
