"""What the work changes of that which judges it, seen in its files alone.

Nothing of it is run: the files are read in the bare mirror, from both sides of the change.
"""
