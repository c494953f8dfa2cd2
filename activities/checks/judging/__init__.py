"""What the results of the checks mean, against those of the base commit, and how it is told."""
