"""Which names a branch can have, by git's own rules; parsing only, no IO.

The rules are those of git-check-ref-format(1) for a branch: they are checked before a session
starts, so that a name that git would refuse, or take for an option, is not found out minutes later.
"""

import re
from typing import NoReturn

_CURE = "name a branch of the repository, such as main"
_RULES = (
    (r"", "it is empty"),
    (r"-.*", "it begins with a dash"),
    (r"HEAD", "git means something else by it"),
    (r".*[\x00-\x1f\x7f].*", "it contains control characters"),
    (r".*[ ~^:?*\[\\].*", "it contains a space or one of ~ ^ : ? * [ \\"),
    (r".*(\.\.|@\{|//).*", "it contains .. or @{ or //"),
    (r"/.*|.*[/.]", "it begins or ends with a slash, or ends with a dot"),
    (r"(.*/)?\..*|.*\.lock(/.*)?", "a part of it begins with a dot or ends with .lock"),
    (r".*[\ud800-\udfff].*", "it is no Unicode text"),
)


def check_branch_name(name: str) -> None:
    """Do nothing if a branch can have this name.

    Raises:
        ValueError: git would refuse it; the message says what, why and what to do.
    """
    for pattern, why in _RULES:
        if re.fullmatch(pattern, name, re.DOTALL):
            _refuse(name, why)


def _refuse(name: str, why: str) -> NoReturn:
    message = f"the branch {name[:100]!a} is refused: {why}; {_CURE}"
    raise ValueError(message)
