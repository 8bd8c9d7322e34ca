"""Briefs: a letter as a channel gets it, the subject and a link and nothing else.

What goes through a channel passes companies that have no business with a student's record. So the subject is always
the house's, which names nobody and gives no reason, whatever templates an institution has for its mails.
"""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from notifications.messages.catalogue import parts, shipped
from notifications.messages.envelopes import check_line, sender_of
from notifications.messages.letters import Letter
from notifications.messages.rendering import REHEARSAL
from notifications.messages.sandbox import environment
from notifications.messages.variables import letter_words, link_of
from notifications.messages.writing import Writer


class Briefs:
    """Makes the briefs of one database.

    Args:
        url: Where the console is; links begin with it.
        sender: Like 学籍科 <records@school.example>.
        is_rehearsal: Say 演练 in every subject.
    """

    def __init__(self, url: str, sender: str, *, is_rehearsal: bool) -> None:
        self._url = url.rstrip("/")
        self._writer = Writer(environment(shipped()), self._url, is_rehearsal=is_rehearsal)
        self._sender = sender_of(sender)
        self._is_rehearsal = is_rehearsal

    def mail(self, letter: Letter) -> EmailMessage:
        """The brief of a letter, in the shape of a mail: a subject, and a link as its text.

        Raises:
            Unmailable: If the subject cannot be written.
        """
        folder, words = self._writer.written(letter)
        subject = self._writer.page(parts(folder, shipped()).subject, words).strip()
        check_line("主题 subject", subject)
        brief = EmailMessage(policy=SMTP)
        brief["From"] = self._sender
        brief["To"] = Address(addr_spec=letter.to)
        brief["Subject"] = (REHEARSAL if self._is_rehearsal else "") + subject
        brief["Message-ID"] = letter.message_id
        brief.set_content(self._link(letter))
        return brief

    def _link(self, letter: Letter) -> str:
        """To the case if there is one, else to all there is to do."""
        if len(letter.notices) == 1:
            return link_of(letter.notices[0], self._url)
        return letter_words(letter, self._url, is_rehearsal=self._is_rehearsal)["queue"]
