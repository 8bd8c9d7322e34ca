"""One file a migration: number, then purpose."""
