"""The REST interface: what programs see and do for people, under the same rights."""
