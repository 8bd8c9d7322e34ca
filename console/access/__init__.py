"""Who may come in: passwords, second factors, sessions, waits after wrong guesses, and the school's own sign-on.

Moments are arguments everywhere here; the pages in `console.web` read the clock.
"""
