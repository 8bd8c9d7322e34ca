"""Alembic migrations; they run on both databases, programmatically (`engine.store.schema`)."""
