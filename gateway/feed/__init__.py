"""A session's events and output for whoever watches: from Temporal's history, heartbeats, store.

It keeps no truth of its own, only bounded caches; whatever it forgets is read again.
"""
