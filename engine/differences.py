"""The difference between two versions of a definition, in sentences a registrar can read. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel

from engine.definition import Definition, MachineFile


class Difference(NamedTuple):
    """One thing that is not as it was."""

    zh: str
    en: str


_PARTS = (
    ("fields", "字段", "field"),
    ("states", "状态", "state"),
    ("transitions", "步骤", "step"),
    ("deadlines", "期限", "deadline"),
    ("invariants", "不变式", "invariant"),
)
_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("名称", "title"),
    "type": ("类型", "type"),
    "origins": ("起始状态", "from"),
    "targets": ("到达状态", "to"),
    "kind": ("种类", "kind"),
    "by": ("办理人", "who takes it"),
    "sign": ("签字", "signatures"),
    "asks": ("必填项", "what it asks for"),
    "accepts": ("可填项", "what it accepts"),
    "needs": ("所需材料", "documents needed"),
    "reviews": ("审阅材料", "documents reviewed"),
    "issues": ("生成表格", "forms made"),
    "guards": ("条件", "guards"),
    "unless": ("除外条件", "unless"),
    "warns": ("提醒", "warnings"),
    "assigns": ("写入", "what it sets"),
    "then": ("联动", "effects"),
    "tell": ("抄送", "who is told"),
    "due": ("到期", "due"),
    "final": ("终结", "final"),
    "frozen": ("固定名单", "frozen"),
    "distinct": ("不同人员", "different persons"),
    "rounds": ("退回次数上限", "cap on returns"),
    "version": ("版本", "version"),
    "effective_from": ("生效日期", "effective from"),
    "status": ("状态", "status"),
    "members": ("成员", "members"),
    "about": ("对象", "what a case is about"),
    "unique": ("唯一性", "uniqueness"),
    "source": ("依据", "source"),
    "privacy": ("保密程度", "privacy"),
    "starts": ("初值", "what it starts with"),
    "bulk": ("批量办理", "in bulk"),
    "retractable": ("可撤回", "retractable"),
    "remind": ("提醒", "reminders"),
    "applies": ("适用", "when it applies"),
}


def differences(old: Definition, new: Definition) -> tuple[Difference, ...]:
    """Everything in which a definition is not as it was, from the head of the file to its lists."""
    return tuple(_of_machine(old, new, "", ""))


def _of_machine(old: MachineFile, new: MachineFile, zh: str, en: str) -> Iterator[Difference]:
    parts = {name for name, _, _ in _PARTS} | {"lists", "upgrades"}
    for key in type(new).model_fields:
        if key not in parts:
            yield from _of_value(key, getattr(old, key, None), getattr(new, key, None), (zh, en))
    for name, zh_part, en_part in _PARTS:
        yield from _of_map(getattr(old, name), getattr(new, name), f"{zh}{zh_part}", f"{en}{en_part} ")
    if isinstance(old, Definition) and isinstance(new, Definition):
        yield from _of_lists(old, new)


def _of_lists(old: Definition, new: Definition) -> Iterator[Difference]:
    for name in _names(old.lists, new.lists):
        was, now = old.lists.get(name), new.lists.get(name)
        if was is None or now is None:
            yield _come_or_gone(name, was, now, "名单", "list ")
        else:
            yield from _of_machine(was, now, f"名单“{now.title.zh}”的", f"list '{now.title.en}': ")


def _of_map(old: Mapping[str, BaseModel], new: Mapping[str, BaseModel], zh: str, en: str) -> Iterator[Difference]:
    for name in _names(old, new):
        was, now = old.get(name), new.get(name)
        if was is None or now is None:
            yield _come_or_gone(name, was, now, zh, en)
            continue
        where = (f"{zh}“{_title(now, name)[0]}”的", f"{en}'{_title(now, name)[1]}': ")
        for key in type(now).model_fields:
            yield from _of_value(key, getattr(was, key), getattr(now, key), where)


def _come_or_gone(name: str, was: BaseModel | None, now: BaseModel | None, zh: str, en: str) -> Difference:
    there = now if now is not None else was
    titled = _title(there, name)
    if now is None:
        return Difference(f"取消{zh}“{titled[0]}”（{name}）。", f"{en}'{titled[1]}' ({name}) is gone.")
    return Difference(f"新增{zh}“{titled[0]}”（{name}）。", f"{en}'{titled[1]}' ({name}) is new.")


def _title(part: BaseModel | None, name: str) -> tuple[str, str]:
    title = getattr(part, "title", None)
    return (name, name) if title is None else (title.zh, title.en)


def _of_value(key: str, was: object, now: object, where: tuple[str, str]) -> Iterator[Difference]:
    if was == now:
        return
    zh, en = _WORDS.get(key, (key, key))
    if _is_list(was) and _is_list(now):
        gone = [one for one in _shown(was) if one not in _shown(now)]
        come = [one for one in _shown(now) if one not in _shown(was)]
        if gone or come:
            yield Difference(
                f"{where[0]}{zh}：{'；'.join(_changes(come, gone, '新增 ', '去掉 '))}。",
                f"{where[1]}{en}: {'; '.join(_changes(come, gone, 'added ', 'removed '))}.",
            )
            return
    yield Difference(
        f"{where[0]}{zh}由“{_text(was)}”改为“{_text(now)}”。", f"{where[1]}{en} was '{_text(was)}', is '{_text(now)}'."
    )


def _changes(come: Sequence[str], gone: Sequence[str], added: str, removed: str) -> list[str]:
    return [*([added + "、".join(come)] if come else []), *([removed + "、".join(gone)] if gone else [])]


def _is_list(value: object) -> bool:
    return isinstance(value, tuple | Mapping)


def _shown(value: object) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{name}: {_text(one)}" for name, one in value.items()]
    return [_text(one) for one in value] if isinstance(value, tuple) else []


def _text(value: object) -> str:
    """A value as short as the file would write it."""
    if value is None:
        return "—"
    if isinstance(value, BaseModel):
        role = getattr(value, "role", None)
        if role is not None and value.model_fields_set == {"role"}:
            return str(role)
        return value.model_dump_json(by_alias=True, exclude_defaults=True)
    return "、".join(_shown(value)) if _is_list(value) else str(value)


def _names(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """Names of both, in the order of the new one, what is gone last."""
    return [*new, *(name for name in old if name not in new)]
