"""The trail: what an event is, how events are chained and authenticated. Pure."""
