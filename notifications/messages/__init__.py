"""The messages people get: what is said, in both languages, and the mail that says it."""
