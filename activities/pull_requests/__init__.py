"""The adapter of the `PullRequests` port: a pushed branch and a record of it."""
