"""A student's own pages: where I am, what I must do, until when; nothing else before that."""
