"""What only SQLite knows."""
