from parcels.quote import quote
from parcels.weight import Parcel

BOOK = Parcel(weight_g=780, length_cm=25, width_cm=18, height_cm=4)
LAMP = Parcel(weight_g=2_200, length_cm=48, width_cm=35, height_cm=15)


def test_a_small_parcel_costs_the_rate_alone():
    assert quote(BOOK, "DE").total_cents == 429


def test_a_bulky_parcel_costs_what_its_volume_stands_for():
    found = quote(LAMP, "FR")
    assert (found.billable_weight_g, found.total_cents) == (5_500, 1_699)


def test_a_large_girth_costs_a_surcharge():
    assert quote(Parcel(4_000, 180, 50, 12), "DE").large_cents == 2_500


def test_insurance_is_free_up_to_five_hundred():
    assert quote(BOOK, "DE", insured_cents=50_000).insurance_cents == 0


def test_insurance_counts_every_started_hundred():
    assert quote(BOOK, "DE", insured_cents=60_001).insurance_cents == 300
