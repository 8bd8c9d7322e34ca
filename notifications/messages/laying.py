"""Templates that two persons approved, laid over those that are installed; what cannot be used any more is left out.

What was approved was checked. A release may take a word away that a template says, though, and a row of the database
may be altered: such a template is left out and named, and mails go on with the installed one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from engine.errors import Fault
from notifications.messages.catalogue import parts, shipped, variables
from notifications.messages.overriding import TemplatesRefused, accepted, faults_of, texts_in

_MOST_REMEMBERED = 16


class Laid(NamedTuple):
    """The templates that take the place of the house's, by name, and what is wrong with those that were left out."""

    own: Mapping[str, str]
    left_out: tuple[Fault, ...]


def laid(installed: Mapping[str, str], approved: Mapping[str, str | None]) -> Laid:
    """Lay approved templates over an institution's own.

    Args:
        installed: Those of its folder, which can be used.
        approved: Texts by name; empty: the one installed is back; None: it is not the text that was approved.
    """
    left_out = [_altered(name) for name, text in approved.items() if text is None]
    over = {name: text for name, text in approved.items() if text}
    while over and (faults := _faults_of({**installed, **over})):
        blamed = {one.file for one in faults} & over.keys() or over.keys()
        left_out += [one for one in faults if one.file in blamed] or faults
        over = {name: text for name, text in over.items() if name not in blamed}
    return Laid({**installed, **over}, tuple(sorted(left_out)))


_sound: dict[tuple[tuple[str, str], ...], None] = {}
"""What was found to be without faults lately: to try templates takes a process, and a second."""


def _faults_of(own: Mapping[str, str]) -> list[Fault]:
    key = tuple(sorted(own.items()))
    if key in _sound:
        return []
    faults = faults_of(own)
    if not faults:
        while len(_sound) >= _MOST_REMEMBERED:
            _sound.pop(next(iter(_sound)), None)
        _sound[key] = None
    return faults


def _altered(name: str) -> Fault:
    return Fault(
        file=name, line=1, column=1, code="template",
        message="与批准时的内容不符，不使用 it is not the text that was approved, and is not used",
    )  # fmt: skip


class Installed:
    """The templates of the house with an institution's own in their place, for who publishes others over them.

    Args:
        folder: Of the institution's own, read once; None: there is none.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @property
    def names(self) -> Collection[str]:
        """Which there may be."""
        return variables().keys()

    def said(self, name: str, approved: Mapping[str, str]) -> str:
        """What mails are made with there; a message without a body of its own is said by that of all of them."""
        sources = {**shipped(), **self._texts, **{one: text for one, text in approved.items() if text}}
        used = parts(name.partition("/")[0], sources)
        bodies = {"body.txt": used.text, "body.html": used.html}
        return sources.get(bodies.get(name.partition("/")[2], name), "")

    def faults(self, name: str, text: str, approved: Mapping[str, str]) -> Collection[Fault]:
        """Every fault of a text, tried together with all others; what cannot be used of those is not counted."""
        try:
            installed = self._sound
        except TemplatesRefused as problem:
            return problem.faults
        others = {one: said for one, said in laid(installed, approved).own.items() if one != name}
        given = text or installed.get(name)
        return _faults_of({**others, name: given} if given else others)

    @cached_property
    def _texts(self) -> Mapping[str, str]:
        return {} if self._folder is None else texts_in(self._folder)

    @cached_property
    def _sound(self) -> Mapping[str, str]:
        return {} if self._folder is None else accepted(self._folder)
