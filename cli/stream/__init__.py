"""Receives a session live: events and output, in order, once, over any number of connections."""
