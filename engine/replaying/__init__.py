"""Rooms of replay: what is kept beside the row of a case, and what the registry's chain adds up to."""
