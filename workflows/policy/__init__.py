"""Pure rules that decide something from values alone, such as whether a budget is spent.

Anything that waits, asks or reads the clock belongs in the workflow modules instead.
"""
