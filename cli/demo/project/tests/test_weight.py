from parcels.weight import Parcel, billable_weight_g, scale_weight_g, volumetric_weight_g

BOOK = Parcel(weight_g=780, length_cm=25, width_cm=18, height_cm=4)
PILLOW = Parcel(weight_g=900, length_cm=40, width_cm=31, height_cm=13)


def test_the_scales_count_every_started_half_kilogram():
    assert scale_weight_g(BOOK) == 1_000


def test_a_full_half_kilogram_on_the_scales_is_not_rounded():
    assert scale_weight_g(Parcel(1_500, 10, 10, 10)) == 1_500


def test_five_thousand_cubic_centimetres_are_a_kilogram():
    assert volumetric_weight_g(Parcel(100, 50, 20, 5)) == 1_000


def test_the_volume_counts_every_started_half_kilogram():
    assert volumetric_weight_g(PILLOW) == 3_500


def test_a_dense_parcel_counts_by_the_scales():
    assert billable_weight_g(BOOK) == 1_000


def test_the_girth_goes_around_the_shorter_sides():
    assert Parcel(1, 100, 40, 30).girth_cm == 240
