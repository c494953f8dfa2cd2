"""The place where a session works: its files, its commands and the walls around them."""
