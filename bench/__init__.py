"""Measurements of the whole product: `python -m bench` prints them, none of them is a test."""
