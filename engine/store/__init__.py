"""Keeping: tables, the two databases, and SQL on the hot path."""
