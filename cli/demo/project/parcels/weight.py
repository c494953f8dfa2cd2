"""What a parcel weighs for the price.

A bulky parcel takes room that heavier ones could use, so it counts by its volume: 5,000 cm3 are a
kilogram. Both weights are charged in steps of half a kilogram.
"""

import math
from dataclasses import dataclass

STEP_G = 500
STEP_CM3 = 2_500


@dataclass(frozen=True)
class Parcel:
    """A parcel as it is measured at the counter."""

    weight_g: int
    length_cm: int
    width_cm: int
    height_cm: int

    @property
    def volume_cm3(self) -> int:
        return self.length_cm * self.width_cm * self.height_cm

    @property
    def girth_cm(self) -> int:
        """Longest side plus the way around the other two."""
        short, middle, longest = sorted((self.length_cm, self.width_cm, self.height_cm))
        return longest + 2 * (short + middle)


def scale_weight_g(parcel: Parcel) -> int:
    """Return the weight on the scales; every started step counts."""
    return math.ceil(parcel.weight_g / STEP_G) * STEP_G


def volumetric_weight_g(parcel: Parcel) -> int:
    """Return the weight that the volume stands for; every started step counts."""
    return parcel.volume_cm3 // STEP_CM3 * STEP_G


def billable_weight_g(parcel: Parcel) -> int:
    """Return the larger of the two weights."""
    return max(scale_weight_g(parcel), volumetric_weight_g(parcel))
