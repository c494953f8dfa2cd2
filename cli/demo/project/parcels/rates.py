"""The price of a weight in a zone, in cents."""

from parcels.zones import Zone

MAX_WEIGHT_G = 30_000

# The last weight of each band, and its price in every zone.
BANDS = (
    (1_000, (429, 799, 999, 1_749)),
    (2_000, (549, 949, 1_299, 2_399)),
    (5_000, (699, 1_249, 1_699, 3_899)),
    (10_000, (999, 1_699, 2_299, 5_999)),
    (MAX_WEIGHT_G, (1_799, 2_999, 4_299, 9_999)),
)


class TooHeavy(ValueError):
    """No band takes this weight."""


def rate_cents(weight_g: int, zone: Zone) -> int:
    """Return the price of the first band that takes the weight; its limit belongs to it."""
    for limit_g, prices in BANDS:
        if weight_g <= limit_g:
            return prices[zone]
    raise TooHeavy(f"{weight_g} g are more than {MAX_WEIGHT_G} g")
