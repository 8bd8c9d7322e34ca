"""The pages of a batch: shall we make it, who lags, what is missing, and one click from each answer to the people."""
