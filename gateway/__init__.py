"""The REST interface: takes prompts for good before it answers, and shows sessions.

It decides nothing about a session and keeps nothing in memory that must survive it.
"""
