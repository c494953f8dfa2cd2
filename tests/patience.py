"""How long a test waits for what must happen before it calls it stuck."""

PATIENCE_SECONDS = 200.0
"""Long, since a machine may be slow: it is waited out only where something is broken."""
