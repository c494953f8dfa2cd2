"""Writes every page that is made from the code: `make docs`."""

from tests.documents import PAGES

for made in PAGES:
    made.PAGE.write_text(made.page())
