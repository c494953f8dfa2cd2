"""Shows a session's events and output to a person, so that neither can drive the terminal."""
