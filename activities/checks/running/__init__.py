"""Checks, quick checks and fixers as commands of boxes, and what they leave there."""
