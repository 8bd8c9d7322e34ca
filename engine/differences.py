"""The difference between two versions of a definition, in sentences a registrar can read. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel

from engine.definition import Bilingual, Definition, MachineFile, Reasons
from engine.vocabulary import CalendarText, CalendarYear, LocalCalendar, RulebookText, Stretch, Vocabulary


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
    "reasons": ("常用理由", "usual reasons"),
    "return_": ("退回的常用理由", "usual reasons of a return"),
    "reject": ("不予通过的常用理由", "usual reasons of a refusal"),
    "withdraw": ("撤回申请的常用理由", "usual reasons of a withdrawal"),
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
    "holds": ("条件", "condition"),
    "otherwise": ("不符合时的说明", "what is said when it fails"),
    "remedy": ("补救", "remedy"),
    "all_of": ("所含规则", "rules in it"),
    "let": ("中间值", "values on the way"),
    "holidays": ("放假", "holidays"),
    "working_days": ("调休上班", "make-up working days"),
    "closures": ("停办日", "closures"),
    "first": ("第一天", "first day"),
    "last": ("最后一天", "last day"),
    "vacation_to": ("假期至", "vacation until"),
    "columns": ("列", "columns"),
    "written_by": ("由谁填写", "who writes it"),
    "group": ("事实组", "group"),
    "check": ("日期先后", "order of dates"),
    "held_at": ("任职单位", "held at"),
    "excludes": ("不得兼任", "excludes"),
}


def differences(old: Definition, new: Definition) -> tuple[Difference, ...]:
    """Everything in which a definition is not as it was, from the head of the file to its lists."""
    return tuple(_of_machine(old, new, "", ""))


def rulebook_differences(old: RulebookText, new: RulebookText) -> tuple[Difference, ...]:
    """Everything in which the files under `rules/` are not as they were: rules, facts, documents, calendars, roles."""
    return tuple(_of_rulebook(old, new))


_RULES = (
    ("rules", "规则", "rule"),
    ("engine", "引擎规则", "rule of the engine"),
    ("documents", "材料", "document"),
)
_WORDS_OF_TRADE = (
    ("groups", "事实组", "group of facts"),
    ("student", "学生事实", "fact about students"),
    ("unit", "单位事实", "fact about units"),
    ("batch", "批次种类", "kind of batch"),
    ("tables", "数据表", "table"),
)
_ORGANISATION = (
    ("units", "单位类别", "kind of unit"),
    ("roles", "角色", "role"),
    ("profiles", "办学类型", "profile"),
)


def _of_rulebook(old: RulebookText, new: RulebookText) -> Iterator[Difference]:
    yield from _of_value("effective_from", old.effective_from, new.effective_from, ("规则集", "rulebook: "))
    for name, zh, en in _RULES:
        yield from _of_map(getattr(old, name), getattr(new, name), zh, f"{en} ")
    yield from _of_vocabulary(old.vocabulary, new.vocabulary)
    for name, zh, en in _ORGANISATION:
        yield from _of_map(getattr(old.organisation, name), getattr(new.organisation, name), zh, f"{en} ")
    yield from _of_calendar(old, new)
    for profile in _names(old.variants, new.variants):
        was, now = old.for_profile(profile), new.for_profile(profile)
        where = (f"办学类型“{profile}”的", f"profile '{profile}': ")
        if (was.rules, was.documents, was.vocabulary) == (old.rules, old.documents, old.vocabulary):
            was = old
        for name, zh, en in (_RULES[0], _RULES[2]):
            told = set(_of_map(getattr(old, name), getattr(new, name), f"{where[0]}{zh}", f"{where[1]}{en} "))
            found = _of_map(getattr(was, name), getattr(now, name), f"{where[0]}{zh}", f"{where[1]}{en} ")
            yield from (one for one in found if one not in told)


def _of_vocabulary(old: Vocabulary, new: Vocabulary) -> Iterator[Difference]:
    for name, zh, en in _WORDS_OF_TRADE:
        yield from _of_map(getattr(old, name), getattr(new, name), zh, f"{en} ")
    yield from _of_map(_codes(old), _codes(new), "代码", "code ")


def _codes(vocabulary: Vocabulary) -> Mapping[str, BaseModel]:
    return {f"{name}.{code}": title for name, codes in vocabulary.choices.items() for code, title in codes.items()}


def _of_calendar(old: RulebookText, new: RulebookText) -> Iterator[Difference]:
    was, now = old.calendar, new.calendar
    yield from _of_map(_years(was), _years(now), "年历", "calendar ")
    before, after = _locals(was), _locals(now)
    for name in _names(before, after):
        old_one, new_one = before.get(name, LocalCalendar()), after.get(name, LocalCalendar())
        of = (f"“{name}”的", f"'{name}': ") if name else ("", "")
        yield from _of_map(old_one.terms, new_one.terms, f"{of[0]}学期", f"{of[1]}term ")
        yield from _of_value("closures", old_one.closures, new_one.closures, of)


def _years(text: CalendarText) -> Mapping[str, CalendarYear]:
    return {str(one.year): one for one in text.years}


def _locals(text: CalendarText) -> Mapping[str, LocalCalendar]:
    """Everybody's terms and closures under no name, then those of profiles and units."""
    return {"": text, **text.profiles, **text.units}


def _of_machine(old: MachineFile, new: MachineFile, zh: str, en: str) -> Iterator[Difference]:
    parts = {name for name, _, _ in _PARTS} | {"reasons", "lists", "upgrades"}
    for key in type(new).model_fields:
        if key not in parts:
            yield from _of_value(key, getattr(old, key, None), getattr(new, key, None), (zh, en))
    for name, zh_part, en_part in _PARTS:
        yield from _of_map(getattr(old, name), getattr(new, name), f"{zh}{zh_part}", f"{en}{en_part} ")
    for kind in Reasons.model_fields:
        yield from _of_value(kind, getattr(old.reasons, kind), getattr(new.reasons, kind), (zh, en))
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
    if isinstance(value, Bilingual):
        return f"{value.zh} / {value.en}"
    if isinstance(value, Stretch):
        days = f"{value.first}" if value.first == value.last else f"{value.first}—{value.last}"
        return f"{value.title.zh} {days}"
    if isinstance(value, BaseModel):
        role = getattr(value, "role", None)
        if role is not None and value.model_fields_set == {"role"}:
            return str(role)
        return value.model_dump_json(by_alias=True, exclude_defaults=True)
    return ("、".join(_shown(value)) or "[]") if _is_list(value) else str(value)


def _names(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """Names of both, in the order of the new one, what is gone last."""
    return [*new, *(name for name in old if name not in new)]
