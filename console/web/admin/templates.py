"""Templates of mails: which there are, what they say, how a mail looks, and whether a changed one could be used.

Nothing is kept here: an institution's templates are files of a folder (`XUEJI_MESSAGES`), read when a process starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from console.message_view import body_of, sample_mail
from console.web.faults import NotFound
from console.web.visit import Visit
from engine.errors import Fault
from notifications.messages.catalogue import DIGEST, shipped, variables
from notifications.messages.overriding import TemplatesRefused, check_overrides

TITLES: Mapping[str, str] = {
    "moved": "办件有进展",
    "returned": "退回修改",
    "refused": "不予通过",
    "registered": "学历已注册",
    "delegated": "委派或转办给您",
    "delegation_ended": "委派已收回",
    "urged": "催办",
    "approaching": "期限将到",
    "due_today": "今天截止",
    "overdue": "已逾期",
    "escalated": "逾期上报",
    "nobody_left": "无人可办",
    "deadline_moved": "期限变动",
    "revealed_often": "显示个人信息过多",
    DIGEST: "每日汇总",
}
"""What each mail is called, by its folder of templates."""
_MOST = 20_000


class Row(NamedTuple):
    """A mail: where its page is, what it is called, and whether the institution has templates of its own for it."""

    address: str
    title: str
    folder: str
    is_own: bool


class Part(NamedTuple):
    """One template of a mail: its name, its text, whether it is the institution's own, and what it may say."""

    name: str
    text: str
    is_own: bool
    words: list[str]


class Mail(NamedTuple):
    """A mail with its templates, as it would look about invented cases; `faults` are placed in the templates."""

    folder: str
    title: str
    parts: list[Part]
    subject: str
    text: str
    faults: list[Fault]
    is_tried: bool


def overview(visit: Visit) -> list[Row]:
    """Every mail there is."""
    own = _own(visit)
    return [
        Row(f"/admin/templates/{name}", visit.say(title), name, any(one.startswith(f"{name}/") for one in own))
        for name, title in TITLES.items()
    ]


def own_faults(visit: Visit) -> list[Fault]:
    """What is wrong with the institution's templates; with a fault no mail leaves (`xueji work` says so and stops)."""
    folder = visit.house.settings.messages
    return [] if folder is None else check_overrides(folder)


def mail(visit: Visit, folder: str) -> Mail:
    """A mail as it is sent now, or, with an institution's templates that have faults, as the house would send it.

    Raises:
        NotFound: If there is no such mail.
    """
    parts = _parts(visit, folder)
    try:
        return _shown(visit, folder, parts, sample_mail(folder, visit.house.settings.messages))
    except TemplatesRefused as problem:
        plain = _shown(visit, folder, parts, sample_mail(folder, None))
        return plain._replace(faults=[*problem.faults])


def page_of(visit: Visit, folder: str) -> str:
    """The mail as a mail program shows it: the HTML with everything in it.

    Raises:
        NotFound: If there is no such mail.
    """
    _parts(visit, folder)
    try:
        made = sample_mail(folder, visit.house.settings.messages)
    except TemplatesRefused:
        made = sample_mail(folder, None)
    return body_of(made, "html")


def tried(visit: Visit, folder: str) -> Mail:
    """The mail with the texts of the form in place of those there are; nothing is kept.

    Raises:
        NotFound: If there is no such mail.
    """
    parts = [one._replace(text=_typed(visit, one)) for one in _parts(visit, folder)]
    with TemporaryDirectory() as place:
        under = Path(place)
        for name, text in {**_own(visit), **{one.name: one.text for one in parts}}.items():
            file = under / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        faults = check_overrides(under)
        made = sample_mail(folder, None if faults else under)
    return _shown(visit, folder, parts, made)._replace(faults=faults, is_tried=True)


def _typed(visit: Visit, part: Part) -> str:
    said = visit.posted.get(part.name)
    return part.text if not isinstance(said, str) else f"{said[:_MOST].replace(chr(13), '').rstrip()}\n"


def _parts(visit: Visit, folder: str) -> list[Part]:
    if folder not in TITLES:
        raise NotFound
    own, house, known = _own(visit), shipped(), variables()
    return [
        Part(name, own.get(name, house.get(name, "")), name in own, sorted(known[name]))
        for name in (f"{folder}/{one}" for one in ("subject.txt", "says.txt", "body.txt", "body.html"))
        if name in own or name in house
    ]


def _shown(visit: Visit, folder: str, parts: list[Part], made: EmailMessage) -> Mail:
    title = visit.say(TITLES[folder])
    return Mail(folder, title, parts, str(made["Subject"]), body_of(made, "plain"), [], is_tried=False)


def _own(visit: Visit) -> Mapping[str, str]:
    """The institution's templates that can be read, by name."""
    folder = visit.house.settings.messages
    if folder is None:
        return {}
    files = {name: folder / name for name in variables() if (folder / name).is_file()}
    return {name: file.read_text("utf-8", errors="replace")[:_MOST] for name, file in files.items()}
