"""The outbox: what has left, what has not, and the mails of which only a person can say whether they arrived."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from console.web import lettering
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.visit import Visit
from engine.store import administration, mails
from engine.store.administration import SentMail
from engine.store.mails import Noted
from engine.store.people import PERSON, Contact, reached

PAGE = 50
TABS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "unknown": ("不明", ("unknown",)),
    "returned": ("退回", ("failed",)),
    "failed": ("失败", ("failed",)),
    "waiting": ("待发", ("waiting", "claimed", "handing_over")),
    "accepted": ("已送达", ("accepted",)),
    "dropped": ("不再发送", ("dropped",)),
}
"""What the tabs are called, and the states each shows; what a person has to look into stands first.

What has failed came back where the mail system refuses the address: it is of no use to send that again before the
address is corrected, and once it is, the mail stands among the others that have failed.
"""
_BY_ADDRESS: Mapping[str, bool] = {"returned": True, "failed": False}
VERDICTS: Mapping[str, str] = {"received": "accepted", "resend": "waiting"}
"""What a person may say of a mail that is a question, and the state it has then."""
_ADDRESS = re.compile(r"[^\s<>@:,;（(]+@[^\s<>@,;）)]+")
_LONGEST_REASON = 200


class Line(NamedTuple):
    """A mail as shown: to whom, with the address masked, and what was said of it; `is_open`: somebody is to decide."""

    number: int
    to: str
    address: str
    slot: str
    attempts: int
    changed_at: datetime
    answer: str
    is_open: bool


class Outbox(NamedTuple):
    """One tab of the outbox; `following` is the address of the next page, empty on the last."""

    state: str
    tabs: list[tuple[str, str, str, bool]]
    lines: list[Line]
    following: str


def outbox(visit: Visit, state: str, before: int | None, most: int = PAGE) -> Outbox:
    """One page of the mails in a state, the newest first, so many at most.

    Raises:
        NotFound: If there is no such state.
    """
    if state not in TABS:
        raise NotFound
    connection = visit.desk.connection
    counted, returned = mails.counts(connection), administration.refused_mails(connection)
    numbers = {name: sum(counted.get(one, 0) for one in states) for name, (_, states) in TABS.items()}
    numbers |= {"returned": returned, "failed": numbers["failed"] - returned}
    is_refused = _BY_ADDRESS.get(state)
    found = administration.mails(connection, TABS[state][1], before, most + 1, is_refused=is_refused)
    shown = found[:most]
    contacts = reached(connection, [one.recipient for one in shown])
    return Outbox(
        state=state,
        tabs=[(f"/admin/outbox?state={name}", visit.say(text), lettering.number(numbers[name]), name == state)
              for name, (text, _) in TABS.items()],
        lines=[_line(visit, one, contacts.get(one.recipient), is_returned=bool(is_refused)) for one in shown],
        following=_address(state, shown[-1].number) if len(found) > most else "",
    )  # fmt: skip


def _address(state: str, before: int) -> str:
    return f"/admin/outbox?{urlencode({'state': state, 'before': before})}"


def _line(visit: Visit, one: SentMail, contact: Contact | None, *, is_returned: bool) -> Line:
    """Students are not named: who looks after the system knows of no student (tests/web/matrix.yaml, policy 3)."""
    is_staff = one.recipient.startswith(PERSON) and (contact is None or contact.student is None)
    name = (contact and contact.name) or one.recipient.removeprefix(PERSON)
    return Line(
        number=one.number,
        to=name if is_staff else visit.say("学生"),
        address=visit.say("没有地址") if contact is None or not contact.email else lettering.masked_mail(contact.email),
        slot=one.slot,
        attempts=one.attempts,
        changed_at=one.changed_at,
        answer=masked(one.answer or ""),
        is_open=one.state in mails.OPEN_QUESTIONS and not is_returned,
    )


def masked(answer: str) -> str:
    """What a mail system answered, with the addresses in it masked."""
    return _ADDRESS.sub(lambda found: lettering.masked_mail(found[0]), answer)


def settle(visit: Visit, number: int, verdict: str) -> bool:
    """Keep what a person says of a mail that is a question, with who said so; False when it is none any more.

    Raises:
        NotFound: If there is no such mail, or nothing like that is to be said of one.
        FieldFaults: If it is not said how the person knows.
    """
    row = mails.mail(visit.desk.connection, number)
    if row is None or verdict not in VERDICTS:
        raise NotFound
    reason = visit.form.get("reason", "").strip()[:_LONGEST_REASON]
    if not reason:
        raise FieldFaults([FieldFault("reason", visit.say("依据"), visit.say("请写明怎么知道的"))])
    not_before = visit.at if verdict == "resend" else row.not_before
    noted = Noted(VERDICTS[verdict], f"{visit.login}：{reason}", not_before)
    with visit.desk.connection.writing():
        return mails.settle(visit.desk.connection, row, noted, visit.at)
