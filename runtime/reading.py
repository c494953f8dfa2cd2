"""Reads the settings for a process, or says in words what is wrong with the environment."""

import os
from collections.abc import Mapping
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from runtime.settings import Settings

PREFIX = "OVERNIGHT_"

COMMAND_LINE = frozenset({"OVERNIGHT_URL", "OVERNIGHT_TOKEN"})
"""Read by the command line alone, through its own options."""

_WISHES = {
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "float_parsing": "must be a number",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le:g} or less",
    "literal_error": "must be {expected}",
    "too_long": "may name {max_length} at most",
}
"""What is wanted, by pydantic's name for what is wrong."""


class SettingsRefusedError(Exception):
    """The settings cannot be used; the message names each variable, why, and what to do."""


def read_settings() -> Settings:
    """Return the settings that the environment of this process gives.

    Raises:
        SettingsRefusedError: a value does not fit, or a variable that begins with `OVERNIGHT_` is
            none of ours: it would be ignored, though somebody means something by it.
    """
    found = read_values()
    unknown = unknown_names(os.environ)
    if unknown:
        wrong = (f"there is no setting {name}: {cure}" for name, cure in unknown.items())
        raise SettingsRefusedError("; ".join(wrong))
    return found


def read_values() -> Settings:
    """Return the settings without a look at what is none.

    Raises:
        SettingsRefusedError: a value does not fit.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsRefusedError(_wrong(error)) from error


def unknown_names(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that look like settings and are none, each with what to do about it."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | COMMAND_LINE
    given = sorted(name for name in environment if name.upper().startswith(PREFIX))
    return {name: _cure(name, known) for name in given if name.upper() not in known}


def _cure(name: str, known: set[str]) -> str:
    bare = [setting.removeprefix(PREFIX) for setting in known]
    near = get_close_matches(name.upper().removeprefix(PREFIX), bare, n=1)
    return f"did you mean {PREFIX}{near[0]}?" if near else f"unset {name}; docs/settings.md has all"


def _wrong(error: ValidationError) -> str:
    return "; ".join(
        f"{PREFIX}{str(each['loc'][0]).upper()}: {_wish(each)}"
        for each in error.errors(include_input=False)
    )


def _wish(detail: ErrorDetails) -> str:
    """Say what is wanted, in words for who writes variables; pydantic speaks Python."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    return _WISHES[kind].format(**context) if kind in _WISHES else detail["msg"]
