"""Which countries cost the same."""

from enum import IntEnum


class Zone(IntEnum):
    DOMESTIC = 0
    NEIGHBOURS = 1
    EUROPE = 2
    WORLD = 3


HOME = "DE"
NEIGHBOURS = frozenset({"AT", "BE", "CH", "CZ", "DK", "FR", "LU", "NL", "PL"})
EUROPE = frozenset({"ES", "FI", "GB", "GR", "HU", "IE", "IT", "NO", "PT", "RO", "SE"})


def zone_of(country: str) -> Zone:
    """Return the zone of a country, given by its two letters in either case."""
    code = country.strip().upper()
    if len(code) != 2 or not code.isalpha():
        raise ValueError(f"not a country code: {country!r}")
    if code == HOME:
        return Zone.DOMESTIC
    if code in NEIGHBOURS:
        return Zone.NEIGHBOURS
    return Zone.EUROPE if code in EUROPE else Zone.WORLD
