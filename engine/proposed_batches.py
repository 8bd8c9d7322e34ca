"""Batches published by two: what is wrong with one beyond its shape, and in what it differs from what it replaces.

A batch that is published keeps the values it was published with, and its dates are set (`engine.publishing`). Its file
may still be changed, or a rulebook could never drop a field that an old batch has; that nothing moves by it is told.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import PurePosixPath

from engine.definition import Bilingual
from engine.desk import Desk
from engine.differences import Difference
from engine.errors import Fault, nearest
from engine.expressions.kinds import SHANGHAI
from engine.loading.folder import placed_at_keys
from engine.store import registry
from engine.store.proposals import is_batch
from engine.vocabulary import BatchFile, Vocabulary

MOST_OF_A_NAME = 40
"""Characters: it stands in addresses and heads of tables."""
STAYS = Difference(
    "批次已发布：改文件不改已发布的日期和范围，那些在“批次管理”里设。",
    "The batch is published: by its file neither its dates nor its scope are changed; they are set among the batches.",
)
_HOUSE_FORM = re.compile(r"[0-9]{4}(-[a-z0-9]+)+")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z")
_EVERYWHERE = ("all",)
_HEAD: Mapping[str, Bilingual] = {
    "kind": Bilingual(zh="种类", en="Kind"),
    "profile": Bilingual(zh="办学类型", en="Profile"),
    "source": Bilingual(zh="依据", en="Source"),
    "units": Bilingual(zh="单位", en="Units"),
}


def batch_name(file: str) -> str:
    """What the batch of a file is called."""
    return PurePosixPath(file).stem


def is_house_name(name: str) -> bool:
    """Whether a batch may be called so: its year first, as in 2025-06 or 2025-1-teaching."""
    return len(name) <= MOST_OF_A_NAME and _HOUSE_FORM.fullmatch(name) is not None


def is_published(desk: Desk, name: str) -> bool:
    """Whether there is a batch of that name that is published, whatever the files say."""
    return registry.batch(desk.connection, name) is not None


def was_published_since(desk: Desk, file: str, told: Collection[Difference]) -> bool:
    """Whether a file is of a batch that is published, and who proposed a text for it (`told`) did not know that."""
    return is_batch(file) and STAYS not in told and is_published(desk, batch_name(file))


def batch_faults(desk: Desk, batch: BatchFile | None, texts: tuple[str, str, str]) -> tuple[Fault, ...]:
    """What is wrong with a batch beyond its shape, where it stands in its text (file, text, text it replaces).

    `batch` None: its shape is not good either, and only its name is looked at.
    """
    file, text, before = texts
    wrong = [] if before else [*_wrong_name(desk, batch_name(file))]
    return placed_at_keys(file, text, [*wrong, *(() if batch is None else _wrong_units(desk, batch))])


def _wrong_name(desk: Desk, name: str) -> Iterator[tuple[str, str]]:
    if not is_house_name(name):
        message = (
            f"批次代码“{name}”应写作年份加小写字母或数字，如 2025-06、2025-1-teaching，最多 {MOST_OF_A_NAME} 字符。"
            f" A batch is called like 2025-06 or 2025-1-teaching, with at most {MOST_OF_A_NAME} characters."
        )
        yield "batch", message
    elif is_published(desk, name):
        yield "batch", f"已有这个代码的批次“{name}”，请换一个。 There is a batch '{name}' already; choose another name."


def _wrong_units(desk: Desk, batch: BatchFile) -> Iterator[tuple[str, str]]:
    if batch.units != _EVERYWHERE:
        for unit in batch.units:
            if unit not in desk.units():
                yield "units", f"没有单位“{unit}”。 No unit '{unit}'.{nearest(unit, desk.units())}"


def batch_differences(vocabulary: Vocabulary, was: BatchFile, now: BatchFile) -> Iterator[Difference]:
    """In what a batch differs from what it replaces, in the words of its kind.

    Args:
        vocabulary: As the batch's profile reads it.
        was: As it is by what was approved last, or as it is installed.
        now: As it is to be.
    """
    if was.title != now.title:
        yield Difference(
            f"名称由“{was.title.zh}”（{was.title.en}）改为“{now.title.zh}”（{now.title.en}）。",
            f"Title was '{was.title.en}' ({was.title.zh}), is '{now.title.en}' ({now.title.zh}).",
        )
    for key, title in _HEAD.items():
        yield from _told(title, getattr(was, key), getattr(now, key))
    fields = vocabulary.batch[now.kind].fields
    for name in dict.fromkeys((*fields, *was.values, *now.values)):
        title = fields[name].title if name in fields else Bilingual(zh=name, en=name)
        yield from _told(title, was.values.get(name), now.values.get(name))


def _told(title: Bilingual, old: object, new: object) -> Iterator[Difference]:
    if old != new:
        yield Difference(
            f"“{title.zh}”由“{said(old) or '待定'}”改为“{said(new) or '待定'}”。",
            f"'{title.en}' was '{said(old) or 'open'}', is '{said(new) or 'open'}'.",
        )


def said(value: object) -> str:
    """A value of a batch as one line, as a person writes it; empty where it is open."""
    if value is None:
        return ""
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return f"{datetime.fromisoformat(value).astimezone(SHANGHAI):%Y-%m-%dT%H:%M}"
    if isinstance(value, list | tuple):
        return "、".join(" ".join(map(str, one)) if isinstance(one, list | tuple) else str(one) for one in value)
    return str(value)
