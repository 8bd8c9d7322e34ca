"""Rooms of the auditor: what an event, a case and a whole database must keep, whoever wrote them."""
