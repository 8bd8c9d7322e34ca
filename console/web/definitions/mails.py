"""The mails whose templates can be changed: what each is called, which templates make it, and where its page is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from engine.store.proposals import MESSAGES
from notifications.messages.catalogue import DIGEST

ADDRESS = "/admin/templates"
TITLES: Mapping[str, str] = {
    "moved": "办件有进展",
    "returned": "退回修改",
    "refused": "不予通过",
    "registered": "学历已注册",
    "delegated": "委派或转办给您",
    "delegation_ended": "委派已收回",
    "urged": "催办",
    "copied": "抄送",
    "approaching": "期限将到",
    "due_today": "今天截止",
    "overdue": "已逾期",
    "escalated": "逾期上报",
    "nobody_left": "无人可办",
    "deadline_moved": "期限变动",
    "revealed_often": "显示个人信息过多",
    "absence": "别人登记您不在岗",
    DIGEST: "每日汇总",
    "notice": "单独一封的正文",
    "base": "每封的抬头和结尾",
}
"""What each mail is called, by its folder; then what all that come alone, and all mails, have in common."""
_SHOWN_AS: Mapping[str, str] = {"notice": "returned", "base": DIGEST}
"""What is in common is shown on one of the mails that have it."""


def templates_of(folder: str) -> tuple[str, ...]:
    """The templates of a mail, by name, in the order in which they are read."""
    if folder in _SHOWN_AS:
        return f"{folder}.txt", f"{folder}.html"
    own = ("subject.txt", "body.txt", "body.html") if folder == DIGEST else (
        "subject.txt", "says.txt", "body.txt", "body.html",
    )  # fmt: skip
    return tuple(f"{folder}/{one}" for one in own)


def shown_as(folder: str) -> str:
    """The mail on which templates are looked at."""
    return _SHOWN_AS.get(folder, folder)


def folder_of(file: str) -> str:
    """To which mail the file of a template belongs."""
    name = PurePosixPath(file.removeprefix(MESSAGES))
    return name.parts[0] if len(name.parts) > 1 else name.stem


def title_of(file: str) -> str:
    """What the mail of a template is called, by a name for `say`; its folder where there is no such mail any more."""
    folder = folder_of(file)
    return TITLES.get(folder, folder)


def address_of(file: str, proposal: int | None = None) -> str:
    """The page on which a template is looked at; as a proposal has it."""
    return f"{ADDRESS}/{folder_of(file)}" + ("" if proposal is None else f"?proposal={proposal}")
