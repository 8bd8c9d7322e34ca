"""A page as two visitors may compare it: without what differs in every page."""

import re
from html.parser import HTMLParser

import httpx

_TOKEN = re.compile(r"[0-9a-f]{8}(?:\.[0-9a-f]{32,64}){2,4}")


def told(answer: httpx.Response, *typed: str) -> str:
    """The text of a page without the tokens of its forms, and without what the visitor typed into a field."""
    text = _TOKEN.sub("", answer.text)
    for one in typed:
        text = text.replace(f'value="{one}"', 'value=""')
    return text


class _Form(HTMLParser):
    """What the browser would send with the form of an address, as the page was left."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self._action = action
        self._is_inside, self._area, self._choice = False, "", ""
        self.found: list[tuple[str, str]] = []
        self.is_there = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        name = told.get("name") or ""
        if tag == "form":
            self._is_inside = told.get("action") == self._action
            self.is_there |= self._is_inside
        elif self._is_inside and tag == "input" and name:
            if told.get("type") not in ("radio", "checkbox") or "checked" in told:
                self.found.append((name, told.get("value") or ""))
        elif self._is_inside and tag == "textarea":
            self._area = name
            self.found.append((name, ""))
        elif self._is_inside and tag == "select":
            self._choice = name
        elif tag == "option" and self._choice and ("selected" in told or self._choice not in dict(self.found)):
            self.found = [*((one, text) for one, text in self.found if one != self._choice)]
            self.found.append((self._choice, told.get("value") or ""))

    def handle_data(self, data: str) -> None:
        if self._area:
            self.found[-1] = (self._area, self.found[-1][1] + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._choice = ""


def filled(html: str, action: str) -> dict[str, str]:
    """What a form of a page holds as it stands there, ready to be sent: nothing is chosen that is not chosen there."""
    form = _Form(action)
    form.feed(html)
    assert form.is_there, f"no form for {action}"
    return dict(form.found)
