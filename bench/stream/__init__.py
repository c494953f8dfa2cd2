"""How fast and how exactly output and events reach those who watch."""
