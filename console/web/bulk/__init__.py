"""Deciding on many cases at once: chosen, looked at, committed, told."""
