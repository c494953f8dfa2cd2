"""Says in a person's words what does not fit the gateway's interface."""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_OPTIONS = {
    "model": "--model",
    "fallbacks": "--fallback",
    "steps": "--steps",
    "minutes": "--minutes",
    "tokens": "--tokens",
    "cost_usd": "--cost",
    "commands": "--approve-command",
    "url": "--repo",
    "base": "--base",
}
"""What a person types for a field; the rest are named as the interface does."""

_SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "greater_than": lambda limit: f"must be more than {limit['gt']:,.15g}",
    "greater_than_equal": lambda limit: f"must be at least {limit['ge']:,.15g}",
    "less_than_equal": lambda limit: f"must be at most {limit['le']:,.15g}",
    "finite_number": lambda _: "must be a number that ends",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda limit: f"must have at most {limit['max_length']:,.15g} characters",
    "too_long": lambda limit: f"may be given {limit['max_length']:,.15g} times at most",
    "string_pattern_mismatch": lambda _: "must be one word of visible ASCII characters",
    "string_unicode": lambda _: "must be UTF-8",
}


def wrong(error: ValidationError) -> str:
    """Return each value that does not fit, by the option it was typed with, and why."""
    return "; ".join(_wrong(each) for each in error.errors())


def _wrong(each: ErrorDetails) -> str:
    named = [str(part) for part in each["loc"] if isinstance(part, str)]
    field = named[-1] if named else "it"
    sentence = _SENTENCES.get(each["type"])
    why = sentence(each.get("ctx", {})) if sentence else f"does not fit ({each['msg']})"
    return f"{_OPTIONS.get(field, field)} {why}"
