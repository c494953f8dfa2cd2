import pytest
from parcels.rates import MAX_WEIGHT_G, TooHeavy, rate_cents
from parcels.zones import Zone


def test_the_limit_of_a_band_belongs_to_it():
    assert rate_cents(2_000, Zone.DOMESTIC) == 549
    assert rate_cents(2_001, Zone.DOMESTIC) == 699


def test_a_farther_zone_is_dearer():
    prices = [rate_cents(5_000, zone) for zone in Zone]
    assert prices == sorted(set(prices))


def test_too_heavy_a_parcel_is_refused():
    with pytest.raises(TooHeavy):
        rate_cents(MAX_WEIGHT_G + 1, Zone.WORLD)
