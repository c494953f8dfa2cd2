"""A tour without a provider's key: a real stack, a real repository, a scripted model.

The scripted model is also what the end-to-end tests and the bench talk to.
"""
