"""The page of a case: where it stands, what blocks it, who mends it, what happened; and what can be done from there."""
