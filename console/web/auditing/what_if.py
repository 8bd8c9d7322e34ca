"""What if: the decisions of a batch judged again under other rules. It is worked out in the background and kept.

Nothing is changed by it: what is kept says what would have been, under which hashes, and for want of what not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import orjson

from console.proposed_rules import MOST_BYTES, NoRules, handed_in, rules_in, rules_of
from console.settings import Settings
from console.web.auditing.frame import scope_of
from console.web.auditing.working import Worker, begin
from console.web.fault_pages import in_language
from console.web.faults import FieldFault, FieldFaults
from console.web.visit import Visit
from engine.definition import Definition
from engine.desk import Desk
from engine.expressions.kinds import SHANGHAI
from engine.judging_again import Difference, Judged, Part, Said, Told, judge_part
from engine.library import content_hash
from engine.other_rules import Under
from engine.records import Json
from engine.store.audit_runs import WHAT_IF
from engine.store.proposals import texts_in_force
from engine.store.trail import spans
from engine.vocabulary import RulebookText

_CHAINS_A_PART = 200
"""So many are judged in one go; between two of them the page hears how far it is."""
_HANDED_IN = "file"
_LONGEST_NAME = 80


class Asked(msgspec.Struct, frozen=True):
    """What is judged again under what: a batch as far as the person audits it, texts handed in or a folder."""

    batch: str
    paths: tuple[str, ...]
    texts: dict[str, bytes]
    folder: str = ""

    def under(self, settings: Settings, approved: Mapping[str, str]) -> Under:
        """The other rules, laid over those in force and checked; functions are those installed.

        Raises:
            NoRules: If the folder is gone.
            DefinitionFaults: If they cannot be used.
        """
        if self.texts:
            return rules_of(self.texts, settings.definitions, approved)
        return rules_in((settings.what_if or Path()) / self.folder, settings.definitions, approved)


class Hashes(msgspec.Struct, frozen=True):
    """What is compared: its title in both languages, and the hashes now and under the other rules."""

    zh: str
    en: str
    now: str
    other: str


class Otherwise(msgspec.Struct, frozen=True):
    """Why a decision would have been otherwise: the rules, and what they saw in both languages."""

    rules: tuple[Said, ...]
    zh: str
    en: str


class Came(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes:
        told: Every decision, as it was and as it would be.
        why: Of those that would have been otherwise, by the name of the chain and the event.
        open: What could not be judged: rule, what was not recorded, how often.
        titles: What rules, steps and facts are called, in both languages, by name.
    """

    compared: tuple[Hashes, ...]
    told: tuple[Told, ...]
    why: dict[str, Otherwise]
    open: tuple[tuple[str, str, int], ...]
    titles: dict[str, tuple[str, str]]


def folders(visit: Visit) -> list[tuple[str, str]]:
    """The rules that may be chosen: folders with `workflows/` or `rules/` in the folder the settings name."""
    home = visit.house.settings.what_if
    if home is None or not home.is_dir():
        return []
    found = [one.name for one in home.iterdir() if (one / "workflows").is_dir() or (one / "rules").is_dir()]
    return [(name, name) for name in sorted(found)]


def ask(visit: Visit, number: str = "") -> str:
    """Have the decisions of a batch judged again as the form says; the id of the run (`number`, if that is given).

    Raises:
        FieldFaults: If no batch or no rules are chosen, or what is handed in cannot be rules.
    """
    batch = visit.form.get("batch", "")
    if visit.desk.batch(batch) is None:
        raise FieldFaults([FieldFault("batch", visit.say("批次"), visit.say("请选一个批次"))])
    title, texts = _chosen(visit)
    asked = Asked(batch, scope_of(visit, batch).paths, dict(texts), "" if texts else title)
    return begin(visit, (WHAT_IF, batch, title), msgspec.json.encode(asked).decode(), judge, number)


def _chosen(visit: Visit) -> tuple[str, Mapping[str, bytes]]:
    """The rules chosen: what a file handed in is called, with its texts; else a folder."""
    file = next(iter(visit.files(_HANDED_IN)), None)
    if file is None:
        folder = visit.form.get("folder", "")
        if folder not in dict(folders(visit)):
            why = visit.say("请选一份规则，或上传一份")
            raise FieldFaults([FieldFault(_HANDED_IN, visit.say("规则"), why)])
        return folder, {}
    name = Path(file.filename or "").name[:_LONGEST_NAME]
    with file.file as opened:
        body = opened.read(MOST_BYTES + 1)
    try:
        return name, handed_in(name, body, visit.house.settings.definitions)
    except NoRules as problem:
        why = in_language(str(problem), visit.lang)
        raise FieldFaults([FieldFault(_HANDED_IN, visit.say("或上传规则"), why)]) from problem


def judge(worker: Worker) -> str:
    """Judge the decisions again, range after range; what a thread of its own does."""
    asked = msgspec.json.decode(worker.asked(), type=Asked)
    with worker.house.desks.borrowed() as office:
        url, today = office.url, worker.house.now().astimezone(SHANGHAI).date()
        approved = texts_in_force(office.desk.connection, today)
        chains = sum(last - first + 1 for first, last in spans(office.desk.connection, 1))
        work = spans(office.desk.connection, max(1, chains // _CHAINS_A_PART))
    other, done = asked.under(worker.house.settings, approved), Judged()
    for number, span in enumerate(work):
        worker.tell(number, len(work))
        done += judge_part(Part(url, span, other, asked.batch, asked.paths, tells=True))
    with worker.house.desks.borrowed() as office:
        return msgspec.json.encode(_came(office.desk, asked.batch, other, done)).decode()


def _came(desk: Desk, batch: str, other: Under, judged: Judged) -> Came:
    definitions = [Definition.model_validate_json(text) for text in other.definitions]
    book = None if other.rulebook is None else RulebookText.model_validate_json(other.rulebook)
    titles = dict(_titles(desk, definitions, book or desk.library.rulebook))
    row = desk.batch(batch)
    now = desk.rulebook if row is None else row.rulebook
    books = () if book is None else (Hashes("规则", "Rules", now, content_hash(book)),)
    return Came(
        compared=(*books, *_compared(desk, definitions)),
        told=judged.told,
        why={f"{one.chain}#{one.seq}": _otherwise(one, titles) for one in judged.differences},
        open=tuple((rule, key, count) for (rule, key), count in sorted(judged.open.items())),
        titles=titles,
    )


def _compared(desk: Desk, definitions: list[Definition]) -> Iterator[Hashes]:
    """Each procedure that is another, with its hashes now and then."""
    known = {(one.workflow, one.profile): desk.hash_of(one) for one in desk.library.machines()}
    for one in definitions:
        kept, other = known.get((one.workflow, one.profile), ""), content_hash(one)
        if kept != other:
            yield Hashes(f"{one.title.zh} {one.profile}", f"{one.title.en} {one.profile}", kept, other)


def _titles(desk: Desk, definitions: list[Definition], book: RulebookText) -> Iterator[tuple[str, tuple[str, str]]]:
    """What everything is called, the other rules' words last: they say what is meant there."""
    for one in (*desk.library.machines(), *definitions):
        for trigger, step in one.transitions.items():
            yield f"{one.workflow}.{trigger}", (step.title.zh, step.title.en)
    for name, fact in book.vocabulary.student.items():
        yield name, (fact.title.zh, fact.title.en)
    for rules in (desk.library.rulebook.rules, book.rules):
        for name, rule in rules.items():
            if rule.title is not None:
                yield name, (rule.title.zh, rule.title.en)


def _otherwise(one: Difference, titles: Mapping[str, tuple[str, str]]) -> Otherwise:
    said = [(titles.get(key, (key, key)), _plain(value)) for key, value in one.values.items()]
    hidden = [titles.get(key, (key, key)) for key in one.personal]
    zh = [f"{title[0]} {value}" for title, value in said] + [f"{title[0]}（个人信息，不显示）" for title in hidden]
    en = [f"{title[1]} {value}" for title, value in said] + [f"{title[1]} (personal, not shown)" for title in hidden]
    return Otherwise(one.rules, "，".join(zh), ", ".join(en))


def _plain(value: Json) -> str:
    """A value as people read it; none is a dash."""
    if value is None:
        return "—"
    return value if isinstance(value, str) else orjson.dumps(value).decode()
