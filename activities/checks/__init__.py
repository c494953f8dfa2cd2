"""The adapter of the `Checks` port: the repository's own verifications, run in the sandbox."""
