"""Bytes that must outlive every process: immutable objects, and streams that only grow.

`base.py` says what a store promises, `folder.py` and `objects.py` keep it, `opening.py` chooses.
"""
