"""A graduation batch of invented students, from the notice to the registered diploma, in a rehearsal database."""
