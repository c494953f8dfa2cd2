"""The whole price of sending a parcel."""

from dataclasses import dataclass

from parcels.rates import rate_cents
from parcels.weight import Parcel, billable_weight_g
from parcels.zones import zone_of

LARGE_GIRTH_CM = 300
LARGE_CENTS = 2_500
INSURED_FOR_FREE_CENTS = 50_000
INSURANCE_STEP_CENTS = 10_000
INSURANCE_PER_STEP_CENTS = 150


@dataclass(frozen=True)
class Quote:
    """A price and what it is made of, in cents."""

    billable_weight_g: int
    rate_cents: int
    large_cents: int = 0
    insurance_cents: int = 0

    @property
    def total_cents(self) -> int:
        return self.rate_cents + self.large_cents + self.insurance_cents


def quote(parcel: Parcel, country: str, *, insured_cents: int = 0) -> Quote:
    """Return what it costs to send a parcel to a country."""
    weight = billable_weight_g(parcel)
    return Quote(
        billable_weight_g=weight,
        rate_cents=rate_cents(weight, zone_of(country)),
        large_cents=LARGE_CENTS if parcel.girth_cm > LARGE_GIRTH_CM else 0,
        insurance_cents=_insurance_cents(insured_cents),
    )


def _insurance_cents(insured_cents: int) -> int:
    over = max(0, insured_cents - INSURED_FOR_FREE_CENTS)
    started_steps = -(-over // INSURANCE_STEP_CENTS)
    return started_steps * INSURANCE_PER_STEP_CENTS
