"""What templates may say: text, numbers and lists only, so that they can be rendered in another process."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, TypedDict
from urllib.parse import quote

from engine.definition import Bilingual
from engine.records import Sentence
from notifications.messages.letters import Delegation, Letter, Message, Notice
from notifications.messages.wording import day_words, days_words, due_words, left_words, local, moment_words, when_words

Urgency = Literal["late", "today", "soon", "news"]

MOST_IN_A_DIGEST = 50
"""More than that nobody reads in a mail; the rest is a number, and a link to the queue."""

GROUPS: Mapping[Urgency, Sentence] = {
    "late": Sentence(zh="逾期", en="Late"),
    "today": Sentence(zh="今天", en="Today"),
    "soon": Sentence(zh="近期", en="Soon"),
    "news": Sentence(zh="通知", en="News"),
}
"""The parts of a digest, the most urgent first."""

_ABOUT_TIME: frozenset[Message] = frozenset(
    {"approaching", "due_today", "overdue", "escalated", "nobody_left", "urged"}
)
_PLACES: Mapping[Message, str] = {"revealed_often": "admin/access", "absence": "me/delegations"}
"""Where a message leads that is about no case and no role."""
_LONG_NUMBER = re.compile(r"\d{9,}[Xx]?")
"""ID numbers, student numbers, telephone numbers; dates and amounts are shorter."""

_PROVISIONAL = Sentence(zh="（暂定）", en=" (provisional)")
_NOTHING = Sentence(zh="", en="")


class Both(TypedDict):
    """One text in both languages."""

    zh: str
    en: str


class DelegationWords(TypedDict):
    """What was passed on or taken back; `giver` is None where a student did, `until` where it is for good.

    Once it is taken back `until` is when, and `since` None. `begins_later`: not at once, but at `since`.
    """

    giver: str | None
    role: Both
    since: Both | None
    until: Both | None
    begins_later: bool


class NoticeWords(TypedDict):
    """One notice, in words.

    Without a case (`case` and `state` None) it is about a role at a unit, `workflow` is that role, and `link` leads
    to the queue; or about a colleague, whom `person` names, and `link` leads to what was looked at; or about the
    reader's own absence, which `person` told, and `away` are its days, None once it is ended, and `was_away`
    what they were, where it is changed or ended. With a case
    `person` is who sends the copy. `matter` is the deadline, else the procedure. `due` is None while the date is open
    or where there is none, and so are `left` and `when`. `when` is short and Chinese, for subject lines. `why` is a
    clause without a full stop.
    """

    message: str
    urgency: str
    case: str | None
    link: str
    matter: Both
    workflow: Both
    state: Both | None
    unit: str
    step: Both | None
    deadline: Both | None
    due: Both | None
    was_due: Both | None
    left: Both | None
    when: str | None
    todo: list[Both]
    why: Both
    reason: str | None
    delegation: DelegationWords | None
    person: str | None
    away: Both | None
    was_away: Both | None


class SaidNotice(NoticeWords):
    """The same, and the sentence of its message."""

    says: Both


class Group(TypedDict):
    """One part of a digest; `count` counts those too that are not shown."""

    urgency: str
    title: Both
    count: int
    notices: list[SaidNotice]


class LetterWords(TypedDict):
    """What every mail has; `queue` is the address of the reader's queue."""

    name: str | None
    day: Both
    queue: str
    is_rehearsal: bool


class DigestWords(LetterWords):
    """Several notices in one mail; `more` counts those that are not shown."""

    groups: list[Group]
    count: int
    more: int
    why: list[Both]


class SingleWords(SaidNotice, LetterWords):
    """One notice in a mail of its own."""


def notice_words(notice: Notice, at: datetime, url: str) -> NoticeWords:
    """A notice in words, as of the moment its letter is written."""
    return {
        "message": notice.message,
        "urgency": urgency_of(notice, at),
        "case": notice.case,
        "link": link_of(notice, url),
        "matter": _both(notice.deadline or notice.workflow),
        "workflow": _both(notice.workflow),
        "state": None if notice.state is None else _both(notice.state),
        "unit": notice.unit,
        "step": None if notice.step is None else _both(notice.step),
        "deadline": None if notice.deadline is None else _both(notice.deadline),
        "due": _due(notice),
        "was_due": None if notice.was_due_at is None else _both(due_words(notice.was_due_at)),
        "left": _left(notice, at),
        "when": _when(notice, at),
        "todo": [_both(step) for step in notice.todo],
        "why": _both(notice.why),
        "reason": None if notice.reason is None else without_long_numbers(notice.reason),
        "delegation": None if notice.delegation is None else _delegation(notice.delegation),
        "person": None if notice.person is None else without_long_numbers(notice.person),
        "away": None if notice.away is None else _both(days_words(*notice.away)),
        "was_away": None if notice.was_away is None else _both(days_words(*notice.was_away)),
    }


def digest_words(said: Sequence[SaidNotice], common: LetterWords) -> DigestWords:
    """Several notices by urgency.

    Args:
        said: The notices in words, in the order of `by_urgency`.
        common: What every mail has.
    """
    shown = said[:MOST_IN_A_DIGEST]
    return {
        **common,
        "groups": [_group(one, said, shown) for one in GROUPS if any(other["urgency"] == one for other in said)],
        "count": len(said),
        "more": len(said) - len(shown),
        "why": list({one["why"]["zh"]: one["why"] for one in shown}.values()),
    }


def letter_words(letter: Letter, url: str, *, is_rehearsal: bool) -> LetterWords:
    """What every mail has."""
    return {
        "name": letter.name,
        "day": _both(day_words(local(letter.at).date())),
        "queue": _queue(url),
        "is_rehearsal": is_rehearsal,
    }


def link_of(notice: Notice, url: str) -> str:
    """Where a case is dealt with, else all there is to do; nothing in it tells whose case it is."""
    if notice.message in _PLACES:
        return f"{url}/{_PLACES[notice.message]}"
    return _queue(url) if notice.case is None else f"{url}/cases/{quote(notice.case, safe='')}"


def by_urgency(letter: Letter) -> list[Notice]:
    """The notices of a letter: the most urgent first, within that the earliest date; news as it happened."""
    ranks = list(GROUPS)

    def key(notice: Notice) -> tuple[int, datetime]:
        urgency = urgency_of(notice, letter.at)
        return ranks.index(urgency), letter.at if urgency == "news" or notice.due_at is None else notice.due_at

    return sorted(letter.notices, key=key)


def urgency_of(notice: Notice, at: datetime) -> Urgency:
    """How a notice is sorted when it is written: by its date if it is about time, however it was meant when told."""
    if notice.message not in _ABOUT_TIME or notice.due_at is None:
        return "news"
    if notice.due_at < at:
        return "late"
    return "today" if local(notice.due_at).date() == local(at).date() else "soon"


def without_long_numbers(text: str) -> str:
    """A text that people wrote, without the ID, student and telephone numbers in it (design, 1.7)."""
    return _LONG_NUMBER.sub("****", text)


def _queue(url: str) -> str:
    return f"{url}/queue/todo"


def _delegation(one: Delegation) -> DelegationWords:
    return {
        "giver": None if one.giver is None else without_long_numbers(one.giver),
        "role": _both(one.role),
        "since": None if one.since is None else _both(moment_words(one.since)),
        "until": None if one.until is None else _both(moment_words(one.until)),
        "begins_later": one.begins_later,
    }


def _due(notice: Notice) -> Both | None:
    if notice.due_at is None:
        return None
    due = due_words(notice.due_at)
    mark = _PROVISIONAL if notice.is_provisional else _NOTHING
    return {"zh": due.zh + mark.zh, "en": due.en + mark.en}


def _left(notice: Notice, at: datetime) -> Both | None:
    if notice.due_at is None or notice.left is None:
        return None
    return _both(left_words(notice.due_at, at, notice.left))


def _when(notice: Notice, at: datetime) -> str | None:
    if notice.due_at is None or notice.left is None:
        return None
    return when_words(notice.due_at, at, notice.left, is_provisional=notice.is_provisional)


def _group(urgency: Urgency, said: Sequence[SaidNotice], shown: Sequence[SaidNotice]) -> Group:
    return {
        "urgency": urgency,
        "title": _both(GROUPS[urgency]),
        "count": sum(one["urgency"] == urgency for one in said),
        "notices": [one for one in shown if one["urgency"] == urgency],
    }


def _both(words: Bilingual | Sentence) -> Both:
    return {"zh": words.zh, "en": words.en}
