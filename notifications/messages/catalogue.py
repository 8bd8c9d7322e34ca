"""Which templates there are, where each is used, and what each may say."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple, get_args, get_type_hints

from notifications.messages.letters import Message
from notifications.messages.variables import DigestWords, LetterWords, NoticeWords, SingleWords

MESSAGES: tuple[Message, ...] = get_args(Message)
DIGEST = "digest"
_TEMPLATES = Path(__file__).with_name("templates")


class Parts(NamedTuple):
    """The templates that make one mail."""

    subject: str
    text: str
    html: str


def parts(folder: str, sources: Mapping[str, str]) -> Parts:
    """The templates of a mail: those of its folder, and where it has no body of its own, that of all notices."""
    text, html = (own if (own := f"{folder}/body.{kind}") in sources else f"notice.{kind}" for kind in ("txt", "html"))
    return Parts(subject=f"{folder}/subject.txt", text=text, html=html)


def says(message: str) -> str:
    """The template of the sentence of a message: a line in Chinese, a line in English."""
    return f"{message}/says.txt"


@cache
def shipped() -> Mapping[str, str]:
    """The templates of the house, by name."""
    files = [one for one in _TEMPLATES.rglob("*") if one.suffix in {".txt", ".html"}]
    return {one.relative_to(_TEMPLATES).as_posix(): one.read_text("utf-8") for one in files}


@cache
def variables() -> Mapping[str, frozenset[str]]:
    """What each template may say, by the name of the template; there are no others.

    A message may be given a body of its own, although the house gives it none.
    """
    single, digest = frozenset(get_type_hints(SingleWords)), frozenset(get_type_hints(DigestWords))
    named = {name: frozenset(get_type_hints(LetterWords)) for name in ("base.txt", "base.html")}
    named |= dict.fromkeys(("notice.txt", "notice.html"), single)
    for message in MESSAGES:
        named |= {f"{message}/{name}": single for name in ("subject.txt", "body.txt", "body.html")}
        named[says(message)] = frozenset(get_type_hints(NoticeWords))
    return named | {f"{DIGEST}/{name}": digest for name in ("subject.txt", "body.txt", "body.html")}
