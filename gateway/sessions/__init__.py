"""Sessions in Temporal and in the store: every call into Temporal that the gateway makes."""
