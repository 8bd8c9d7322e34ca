"""Running the system: how it stands, what left it, who holds which role (the console's specification, 7.11)."""
