"""Rows that explain the stable codes, by where a code is met first; no code of ours runs here."""
