"""What follows from definitions: every way a case can go walked through, and guards read as logic.

Nothing here runs a case. `walking` tries every order of steps, with every rule free to hold or not; `logic` puts the
rules to a solver. What they find is told with the shortest story or the sample student that shows it.
"""
