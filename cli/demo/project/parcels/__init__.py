"""Shipping quotes for parcels."""
