"""Definitions on screen: read, published by two, with calendars, terms and batches (the specification, 7.11)."""
