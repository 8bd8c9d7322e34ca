"""Definition files in: strict YAML to frozen values, every fault of every file placed."""
