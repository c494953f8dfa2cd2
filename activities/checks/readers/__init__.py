"""Report readers: what checks wrote, as findings; pure, and safe whatever the bytes are."""
