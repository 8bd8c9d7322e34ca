"""A new batch (届/批次) by a form: after the pattern of an earlier one, or empty; handed in as the text of its file.

Nothing is kept before everything in it can be read and its dates are in order. What is handed in is a draft like any
other: it is submitted, another person approves it, and the records section publishes the batch (S000-0.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple, cast

from console.web import forms, lettering
from console.web.audiences import Audience
from console.web.definitions import publishing
from console.web.definitions.batch_patterns import (
    EVERYWHERE,
    carried,
    fields_of,
    joined,
    moved,
    pattern,
    readable,
    years_on,
)
from console.web.definitions.batches import Line, in_words, lines
from console.web.fault_pages import in_language
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.visit import Visit
from console.wiring import origin_of
from engine import proposing
from engine.definition import Bilingual
from engine.errors import Fault
from engine.expressions.kinds import SHANGHAI, Kind, Titles, encode, parse_input, parse_kind
from engine.loading.batch_texts import BatchHead, batch_text
from engine.proposed_batches import MOST_OF_A_NAME, is_house_name, is_published, said
from engine.publishing import broken_orders
from engine.records import Json
from engine.scopes import choice_titles
from engine.store import proposals
from engine.store.proposals import BATCHES, Proposal, Stage, is_batch
from engine.vocabulary import BatchFile, Fact

VALUE = "value-"
"""Before the name of a value that is a field of the form."""
_GIVEN = ("name", "profile", "title_zh", "title_en", "units", "source")
_SEVERAL = re.compile(r"[\s,，、;；]+")
_KEY = re.compile(r"([a-z_]+):")
_WRITE: Mapping[str, str] = {
    "date": "请写日期，如 2024-06-01",
    "moment": "请写日期和时间，如 2024-06-30T17:00",
    "number": "请写整数",
    "term": "写作 2024-1（上学期）或 2024-2",
    "yes_no": "请写是或否",
    "set": "一行一组，如 2022 本科",
}
"""How a value is written, by its kind and by a name for `say`."""


class Cell(NamedTuple):
    """A value of the form: its kind, what it was last time in words, what it is to be as typed, what is wrong."""

    field: str
    title: str
    kind: str
    before: str
    value: str
    hint: str
    fault: str


class Made(NamedTuple):
    """What a form is made from; empty where it is not.

    After which earlier batch; the numbers of the own draft, and of the proposal that is made anew, that it says; the
    unpublished batch that is to be otherwise.
    """

    like: str = ""
    draft: str = ""
    again: str = ""
    change: str = ""


class Form(NamedTuple):
    """The form as shown; `given` are the fields beside the values.

    `beside` is what the values stand beside, in words, empty where that is nothing.
    """

    kind: str
    made: Made
    beside: str
    given: Mapping[str, str]
    cells: tuple[Cell, ...]
    orders: tuple[str, ...]
    profiles: tuple[tuple[str, str], ...]
    years: int


class Choosing(NamedTuple):
    """What a new batch may begin with: an earlier batch, or a kind and a profile (value and words)."""

    lines: tuple[Line, ...]
    kinds: tuple[tuple[str, str], ...]
    profiles: tuple[tuple[str, str], ...]


def coming(visit: Visit) -> list[proposals.Line]:
    """Batches that wait for another person, or were approved for a day to come; for who brings batches in."""
    if not Audience.SYSTEM_ADMIN.admits(visit.actor):
        return []
    today = visit.today.isoformat()
    return [
        one
        for one in proposals.lines(visit.desk.connection)
        if is_batch(one.file)
        and (one.stage is Stage.PROPOSED or (one.stage is Stage.APPROVED and (one.effective_on or "") > today))
    ]


def choosing(visit: Visit) -> Choosing:
    """What there is to begin with."""
    kinds = visit.desk.library.rulebook.vocabulary.batch
    shown = sorted(lines(visit), key=lambda one: one.name, reverse=True)
    return Choosing(tuple(shown), tuple((name, _kind(visit, name)) for name in kinds), _profiles(visit))


def _kind(visit: Visit, name: str) -> str:
    """A kind by its name and its first fields: it has no title of its own."""
    fields = [visit.title(one.title) for one in visit.desk.library.rulebook.vocabulary.batch[name].fields.values()]
    return visit.say("{kind}（{fields}等 {n} 项）", kind=name, fields="、".join(fields[:2]), n=len(fields))


def _profiles(visit: Visit) -> tuple[tuple[str, str], ...]:
    profiles = visit.desk.library.rulebook.organisation.profiles
    return tuple((name, visit.title(one.title)) for name, one in profiles.items())


def form_like(visit: Visit, name: str) -> Form:
    """A form after the pattern of a batch, its years moved on to the next one, or to this year if that is later.

    Raises:
        NotFound: If there is no such batch.
    """
    last, years = pattern(visit, name), years_on(visit, name)
    given = {
        "name": moved(name, years),
        "title_zh": moved(last.title.zh, years),
        "title_en": moved(last.title.en, years),
        "profile": last.profile,
        "units": joined(last.units),
        "source": "",
    }
    fields = fields_of(visit, last.profile, last.kind)
    values = {one: carried(parse_kind(fact.type), last.values.get(one), years) for one, fact in fields.items()}
    return _form(visit, last.kind, given, values, Made(like=name))


def empty_form(visit: Visit, kind: str, profile: str) -> Form:
    """A form of a kind with nothing in it.

    Raises:
        NotFound: If the profile has no such kind of batch.
    """
    fields = fields_of(visit, profile, kind)
    given = {"name": f"{visit.today.year}-", "profile": profile}
    return _form(visit, kind, given, dict.fromkeys(fields, ""), Made())


def form_of_draft(visit: Visit, number: int) -> Form:
    """A form with what the visitor's own draft says.

    Raises:
        NotFound: If it is none of a new batch that can be read.
    """
    one = publishing.seen(visit, number)
    read = readable(visit, one.line.file, one.body)
    if one.line.stage is not Stage.DRAFT or read is None or is_published(visit.desk, read.batch):
        raise NotFound
    change = read.batch if newest_of(visit, read.batch) is not None else ""
    return form_of_text(visit, read, Made(draft=str(number), change=change))


def form_of_text(visit: Visit, read: BatchFile, made: Made) -> Form:
    """A form with what the text of a batch says."""
    given = {
        "name": read.batch, "title_zh": read.title.zh, "title_en": read.title.en, "profile": read.profile,
        "units": joined(read.units), "source": "、".join(read.source),
    }  # fmt: skip
    fields, written = fields_of(visit, read.profile, read.kind), cast("Mapping[str, Json]", read.values)
    values = {name: carried(parse_kind(fact.type), written.get(name), 0) for name, fact in fields.items()}
    return _form(visit, read.kind, given, values, made)


def newest_of(visit: Visit, name: str) -> BatchFile | None:
    """What an unpublished batch is to be, by the newest that was approved or installed.

    None where there is no such batch, it is published, or its text cannot be read.
    """
    file = f"{BATCHES}{name}.yaml"
    is_open = is_house_name(name) and not is_published(visit.desk, name)
    text = proposing.newest_text(visit.desk.connection, origin_of(visit.house.settings), file) if is_open else ""
    return readable(visit, file, text) if text else None


def form_as_sent(visit: Visit, problem: FieldFaults) -> Form:
    """The form as it was sent, with what is wrong beside each field.

    Raises:
        NotFound: If it is of no kind of batch.
    """
    sent, kind = visit.form, visit.form.get("kind", "")
    profile = _profile(visit, sent.get("profile", ""), kind)
    values = {name: sent.get(VALUE + name, "") for name in fields_of(visit, profile, kind)}
    faults: dict[str, str] = {}
    for one in problem.faults:
        faults[one.field] = "；".join(filter(None, (faults.get(one.field), one.reason)))
    form = _form(visit, kind, sent, values, Made(*(sent.get(name, "") for name in Made._fields)))
    return form._replace(cells=tuple(one._replace(fault=faults.get(one.field, "")) for one in form.cells))


def _form(visit: Visit, kind: str, given: Mapping[str, str], values: Mapping[str, str], made: Made) -> Form:
    profile = _profile(visit, given.get("profile", ""), kind)
    fields = fields_of(visit, profile, kind)
    beside, before = _beside(visit, made)
    checks = visit.desk.library.rulebook_for(profile).vocabulary.batch[kind].check
    return Form(
        kind=kind,
        made=made,
        beside=beside,
        given={name: given.get(name, "") for name in _GIVEN},
        cells=tuple(
            _cell(visit, VALUE + name, fact, (before.get(name), values.get(name, ""))) for name, fact in fields.items()
        ),
        orders=tuple(in_words(visit, text, fields) for text in checks),
        profiles=_profiles(visit),
        years=years_on(visit, made.like) if made.like else 0,
    )  # fmt: skip


def _beside(visit: Visit, made: Made) -> tuple[str, Mapping[str, Json]]:
    """What the values of a form stand beside, and those values: as proposed before, as it is, or of last time."""
    former = _former(visit, made.again)
    if former is not None:
        return visit.say("上次报的"), _values(readable(visit, former.line.file, former.body))
    if made.change:
        return visit.say("现在的"), _values(newest_of(visit, made.change))
    return (visit.say("上次"), pattern(visit, made.like).values) if made.like else ("", {})


def _former(visit: Visit, again: str) -> Proposal | None:
    """The proposal that is made anew; None where there is none: what was typed is not lost by that."""
    number = forms.number(again)
    with suppress(NotFound):
        return None if number is None else publishing.seen(visit, number)
    return None


def _values(read: BatchFile | None) -> Mapping[str, Json]:
    return {} if read is None else cast("Mapping[str, Json]", read.values)


def _cell(visit: Visit, field: str, fact: Fact, values: tuple[Json, str]) -> Cell:
    """A value that was and is to be as typed."""
    kind = parse_kind(fact.type)
    hint = visit.say(_WRITE["set"]) if kind.name == "set" else visit.say(_WRITE["term"]) if kind.name == "term" else ""
    return Cell(field, visit.title(fact.title), kind.name, _shown(visit, kind, values[0]), values[1], hint, "")


def _shown(visit: Visit, kind: Kind, value: Json) -> str:
    """A value as one reads it; empty where it is open."""
    if value is not None and kind.name == "date":
        return lettering.long_day(str(value), visit.lang)
    if value is not None and kind.name == "moment":
        return lettering.long_moment(str(value), visit.lang)
    return said(value)


def _profile(visit: Visit, profile: str, kind: str) -> str:
    """The profile of a form, or the first that has the kind where it names none that does."""
    every = (profile, *visit.desk.library.rulebook.organisation.profiles)
    found = [one for one in every if _has(visit, one, kind)]
    if not found:
        raise NotFound
    return found[0]


def _has(visit: Visit, profile: str, kind: str) -> bool:
    library = visit.desk.library
    return profile in library.rulebook.organisation.profiles and kind in library.rulebook_for(profile).vocabulary.batch


def hand_in(visit: Visit) -> int:
    """Keep what the form says as a draft, in place of the draft it was made from; its number.

    Raises:
        FieldFaults: Everything that is wrong, each at its field.
        NotFound: If it is of no kind of batch.
    """
    sent, kind = visit.form, visit.form.get("kind", "")
    if not any(_has(visit, one, kind) for one, _ in _profiles(visit)):
        raise FieldFaults([FieldFault("kind", visit.say("种类"), visit.say("请选一种"))])
    faults = list(_wrong_in_head(visit, kind))
    profile = _profile(visit, sent.get("profile", ""), kind)
    written, known = dict[str, Json](), dict[str, Json]()
    for name, fact in fields_of(visit, profile, kind).items():
        try:
            written[name], known[name] = _taken(visit, parse_kind(fact.type), sent.get(VALUE + name, ""))
        except ValueError:
            faults.append(FieldFault(VALUE + name, visit.title(fact.title), _how(visit, parse_kind(fact.type))))
    faults += _out_of_order(visit, profile, kind, known)
    if faults:
        raise FieldFaults(faults)
    title = Bilingual(zh=sent["title_zh"], en=sent["title_en"])
    head = BatchHead(sent["name"], kind, profile, title, _split(sent.get("source", "")), _units(sent))
    return _kept(visit, f"{sent['name']}.yaml", batch_text(head, written))


def _wrong_in_head(visit: Visit, kind: str) -> Iterator[FieldFault]:
    sent = visit.form
    if reason := _wrong_name(visit, sent.get("name", ""), sent.get("change", "")):
        yield FieldFault("name", visit.say("批次代码"), reason)
    for field, words in (("title_zh", visit.say("中文名称")), ("title_en", visit.say("英文名称"))):
        if not sent.get(field, ""):
            yield FieldFault(field, words, visit.say("两种语言的名称都要写"))
    if not _has(visit, sent.get("profile", ""), kind):
        yield FieldFault("profile", visit.say("办学类型"), visit.say("请选一种"))
    unknown = [one for one in _units(sent) if one not in visit.desk.units()] if _units(sent) != EVERYWHERE else []
    if unknown:
        reason = visit.say("没有单位 {codes}；请写单位代码", codes="、".join(unknown))
        yield FieldFault("units", visit.say("单位"), reason)


def _wrong_name(visit: Visit, name: str, change: str) -> str:
    """Why a batch cannot be called so; one that is changed keeps its name. Empty where it can."""
    if not is_house_name(name):
        return visit.say(
            "写作年份、连字符和小写字母或数字，如 2025-06、2025-1-teaching，最多 {most} 字符", most=MOST_OF_A_NAME
        )
    if change and (name != change or newest_of(visit, name) is None):
        return visit.say("只能改未发布的批次 {name}，代码不能换", name=change)
    if not change and (name in visit.desk.library.batches or is_published(visit.desk, name) or _comes(visit, name)):
        return visit.say("已有这个代码的批次，请换一个")
    others = [
        one
        for one in proposals.lines(visit.desk.connection, f"{BATCHES}{name}.yaml")
        if one.stage is Stage.PROPOSED and one.made_by != visit.login  # one's own is replaced by what is submitted
    ]
    return visit.say("第 {n} 号发布已提出同一代码的批次，正等另一人批准", n=others[0].number) if others else ""


def _comes(visit: Visit, name: str) -> bool:
    """Whether a batch of that name was approved for a day to come."""
    file = f"{BATCHES}{name}.yaml"
    return bool(proposing.newest_text(visit.desk.connection, origin_of(visit.house.settings), file))


def _split(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in re.split("[、\n]", text) if one.strip())


def _units(sent: Mapping[str, str]) -> tuple[str, ...]:
    """The units of a form; none are all."""
    return tuple(dict.fromkeys(one for one in _SEVERAL.split(sent.get("units", "")) if one)) or EVERYWHERE


def _taken(visit: Visit, kind: Kind, text: str) -> tuple[Json, Json]:
    """A value as it is written in the file, and as JSON of its kind; None where it is left open.

    Raises:
        ValueError: If it cannot be read.
    """
    if not text:
        return None, None
    titles = choice_titles(visit.desk.library.rulebook.vocabulary)
    if kind.name == "set":
        rows = [_row(kind, line, titles) for line in text.splitlines() if line.strip()]
        return list(rows), list(rows)
    value = parse_input(kind, text, titles)
    known = encode(kind, value)
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M"), known
    return known, known


def _row(kind: Kind, line: str, titles: Titles) -> Json:
    words = [one for one in _SEVERAL.split(line.strip()) if one]
    parts = [encode(part, parse_input(part, word, titles)) for part, word in zip(kind.parts, words, strict=True)]
    return list(parts)


def _how(visit: Visit, kind: Kind) -> str:
    """How a value is written."""
    if kind.name in _WRITE:
        return visit.say(_WRITE[kind.name])
    if kind.name == "choice":
        titles = choice_titles(visit.desk.library.rulebook.vocabulary)
        return visit.say("应为其中之一：{choices}", choices="、".join(titles.get(kind.of, {})))
    return visit.say("无法识别")


def _out_of_order(visit: Visit, profile: str, kind: str, known: Mapping[str, Json]) -> Iterator[FieldFault]:
    """What stands on the wrong side of another, told at the first that its order names."""
    fields = fields_of(visit, profile, kind)
    for one in broken_orders(visit.desk, profile, kind, known):
        reason = visit.say("日期先后应为 {order}", order=in_words(visit, one.text, fields))
        yield FieldFault(VALUE + one.fields[0], visit.title(fields[one.fields[0]].title), reason)


def _kept(visit: Visit, name: str, text: str) -> int:
    """Keep a text as a draft; what is found in it beyond what the form has looked for is told at its fields too."""
    request = visit.asks("definition_publish")
    read = proposing.read_given(visit.desk, origin_of(visit.house.settings), (name, text.encode()), request)
    if read.findings.faults:
        raise FieldFaults([_placed(visit, read.file, text, one) for one in read.findings.faults])
    number = proposing.keep_draft(visit.desk, read, request)
    old = forms.number(visit.form.get("draft", ""))
    drafts = proposals.drafts_of(visit.desk.connection, visit.login) if old is not None else ()
    if old is not None and any(one.number == old and is_batch(one.file) for one in drafts):
        proposing.withdraw(visit.desk, old, request)
    return number


def _placed(visit: Visit, file: str, text: str, fault: Fault) -> FieldFault:
    """A fault of the text at the field that its line comes from."""
    key = next((found[1] for line in reversed(text.splitlines()[: fault.line]) if (found := _KEY.match(line))), "")
    words = in_language(fault.message, visit.lang)
    if fault.file != file:
        return FieldFault("name", visit.say("检查"), f"{fault.file}:{fault.line} {words}")
    head = {"batch": "name", "title": "title_zh", "source": "source", "units": "units", "profile": "profile"}
    return FieldFault(head.get(key, VALUE + key), key, words)
