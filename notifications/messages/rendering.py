"""Letters as mails: what is to be told put into words, by the templates of the house or of an institution."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from email.message import EmailMessage
from pathlib import Path

from css_inline import CSSInliner

from engine.errors import Fault
from engine.records import Sentence
from notifications.invitations import Entry, calendar_file
from notifications.messages.catalogue import parts, shipped
from notifications.messages.envelopes import Pages, Unmailable, enclose, sender_of
from notifications.messages.laying import laid
from notifications.messages.letters import Letter, Notice
from notifications.messages.overriding import accepted
from notifications.messages.sandbox import environment
from notifications.messages.variables import MOST_IN_A_DIGEST, by_urgency, link_of
from notifications.messages.writing import Writer

REHEARSAL = "【演练】"
"""Put before every subject here, not by templates, so that none can leave it out."""


class Messages:
    """Makes the mails of one database; nothing is kept between letters."""

    def __init__(self, overrides: Path | None, *, url: str, sender: str, log: str, is_rehearsal: bool) -> None:
        """Read the templates, once.

        Args:
            overrides: A folder whose templates replace those of the house; None: there is none.
            url: Where the console is; links begin with it.
            sender: Like 学籍科 <records@school.example>.
            log: The name of the database's log, for calendars.
            is_rehearsal: Say 演练 in every mail.

        Raises:
            TemplatesRefused: If a template of the folder has a fault.
            Unmailable: If the sender is none.
        """
        self._installed: Mapping[str, str] = {} if overrides is None else accepted(overrides)
        self._url = url.rstrip("/")
        self._sender = sender_of(sender)
        self._log = log
        self._is_rehearsal = is_rehearsal
        self._inliner = CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)
        self._use(self._installed)

    def lay(self, approved: Mapping[str, str | None]) -> tuple[Fault, ...]:
        """Lay what two persons approved over the templates that were read, instead of what was laid before.

        Args:
            approved: Texts by name; empty: the one that was read; None: one that cannot be told from a forged one.

        Returns:
            What is wrong with those that cannot be used; mails are made without them.
        """
        own, left_out = laid(self._installed, approved)
        self._use(own)
        return left_out

    def _use(self, own: Mapping[str, str]) -> None:
        self._sources: Mapping[str, str] = {**shipped(), **own}
        self._writer = Writer(environment(self._sources), self._url, is_rehearsal=self._is_rehearsal)

    def mail(self, letter: Letter) -> EmailMessage:
        """The mail of a letter.

        Raises:
            Unmailable: If what it says or whom it is for cannot be written into a mail; the sentence names nobody.
        """
        try:
            return enclose(letter, self._sender, self._pages(letter))
        except UnicodeEncodeError as problem:
            raise Unmailable("含有不是文字的字符。There is something in it that is no character.") from problem

    def _pages(self, letter: Letter) -> Pages:
        folder, words = self._writer.written(letter)
        names = parts(folder, self._sources)
        return Pages(
            subject=(REHEARSAL if self._is_rehearsal else "") + self._writer.page(names.subject, words).strip(),
            text=self._writer.page(names.text, words),
            html=self._inliner.inline(self._writer.page(names.html, words)),
            calendar=self._calendar(letter),
        )

    def _calendar(self, letter: Letter) -> bytes:
        """The deadlines that are shown and still to come; empty if there is none."""
        shown = by_urgency(letter)[:MOST_IN_A_DIGEST]
        entries = {(one.case, one.name): one for one in _entries(shown, letter, self._url)}
        return calendar_file(entries.values(), self._log, letter.at) if entries else b""


def _entries(notices: Iterable[Notice], letter: Letter, url: str) -> Iterator[Entry]:
    for one in notices:
        if one.case is None or one.deadline is None or one.deadline_name is None:
            continue
        if one.due_at is None or one.due_at < letter.at:
            continue
        yield Entry(
            case=one.case,
            name=one.deadline_name,
            title=Sentence(zh=f"{one.deadline.zh}（{one.workflow.zh}）", en=f"{one.deadline.en}, {one.workflow.en}"),
            due_at=one.due_at,
            is_provisional=one.is_provisional,
            sequence=one.sequence,
            link=link_of(one, url),
        )
