"""Somebody's clicks, counted: what console.md 2 promises as ceilings."""

from pathlib import Path
from re import Pattern
from typing import Literal

from playwright.sync_api import Page

Role = Literal["link", "button", "checkbox"]


class Hand:
    """A mouse; what is typed or chosen costs the click into its field."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0

    def press(self, role: Role, name: str | Pattern[str], *, exact: bool = False) -> None:
        """The first that is called so."""
        self.clicks += 1
        self.page.get_by_role(role, name=name, exact=exact).first.click()

    def write(self, label: str, text: str) -> None:
        self.clicks += 1
        self.page.get_by_label(label, exact=True).first.fill(text)

    def choose(self, label: str, file: Path) -> None:
        self.clicks += 1
        self.page.get_by_label(label, exact=True).first.set_input_files(file)
