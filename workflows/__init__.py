"""Decides: the session, its turns and its delivery, as deterministic Temporal workflow code.

Effects do not belong here; they are asked for through the ports and done by `activities`.
"""
