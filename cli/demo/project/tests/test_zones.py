import pytest
from parcels.zones import Zone, zone_of


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("DE", Zone.DOMESTIC),
        ("fr", Zone.NEIGHBOURS),
        (" PT ", Zone.EUROPE),
        ("NZ", Zone.WORLD),
    ],
)
def test_a_country_has_one_zone(country, zone):
    assert zone_of(country) is zone


def test_what_is_no_country_code_is_refused():
    with pytest.raises(ValueError, match="Germany"):
        zone_of("Germany")
