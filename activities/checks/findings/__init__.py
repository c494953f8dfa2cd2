"""What all rooms know of findings: harmless text, fingerprints, reports in the store."""
