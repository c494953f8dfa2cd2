"""The compose file as the tests read it: interpolated, service by service."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.temporal.yml"

OURS = ("gateway", "sessions", "models", "host")
"""The services that run our image and stay."""

ONE_SHOTS = ("schema", "namespace")

_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\})")

Service = dict[str, Any]


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """Replace `${NAME:-default}`, `${NAME}` and `$$` as compose does."""

    def value(match: re.Match[str]) -> str:
        if match["name"] is None:
            return "$"
        return variables.get(match["name"]) or match["default"] or ""

    return _VARIABLE.sub(value, text)


def compose(variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the whole file, with what `.env` would hold."""
    found = yaml.safe_load(interpolated(FILE.read_text(), variables or {}))
    assert isinstance(found, dict)
    return found


def services(variables: Mapping[str, str] | None = None) -> dict[str, Service]:
    """Return its services by name."""
    found = compose(variables)["services"]
    assert isinstance(found, dict)
    return found


def environment(service: Service, variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a container: what has no value comes from `.env`, or not at all."""
    given = variables or {}
    return {
        name: given.get(name, "") if value is None else str(value)
        for name, value in service.get("environment", {}).items()
        if value is not None or name in given
    }


def secrets(service: Service) -> list[tuple[str, str]]:
    """Return the secrets that a service gets, and the names they have below `/run/secrets`."""
    return [
        (each["source"], each["target"]) if isinstance(each, dict) else (each, each)
        for each in service.get("secrets", ())
    ]
