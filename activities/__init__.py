"""Does: sandboxes, models, checks and pull requests, each an adapter of a port of `workflows`.

Every activity may run twice, so every effect here has a key and is looked up before it is done.
"""
