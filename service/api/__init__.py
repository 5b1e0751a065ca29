"""Which routes are there? A module for each kind of thing asked for."""
