"""People: pages, REST API, commands; the settings, the wiring, the clock and the scheduler."""
