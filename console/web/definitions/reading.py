"""Definitions to be read: which there are, where their cases stand, what their rules ask, who published them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from console.drawing import Way
from console.impact import open_in
from console.road_drawing import Manner
from console.web.cases.looking import inks
from console.web.cases.way import picture
from console.web.faults import NotFound
from console.web.visit import Visit
from console.wiring import origin_of
from engine.checking.names import machine_rules
from engine.checking.subjects import conditions
from engine.definition import NEW, Bilingual, Definition, MoveKind, Reason
from engine.library import content_hash
from engine.loading.origins import FOLDERS
from engine.store import proposals, published
from engine.store.proposals import Line, Stage, is_batch, is_procedure
from engine.store.published import Publication
from exchange.diagrams import diagram_of

ADDRESS = "/admin/definitions"
_SHORT = 12
"""So many digits of a hash tell two of them apart on a page."""


class Procedure(NamedTuple):
    """A procedure in the list: its file's name, title and id, versions by profile, and how many cases are open."""

    name: str
    title: Bilingual
    procedure: str
    versions: tuple[int, ...]
    profiles: int
    open: int


class Overview(NamedTuple):
    """The list of definitions: procedures, files of rules, what waits for approval, and one's own drafts."""

    procedures: tuple[Procedure, ...]
    rules: tuple[str, ...]
    waiting: tuple[Line, ...]
    drafts: tuple[Line, ...]
    decided: tuple[Line, ...]


class Place(NamedTuple):
    """A state in the list beside the picture: its title, how many cases stand there, whether it is final."""

    title: Bilingual
    many: int
    is_final: bool


class RuleLine(NamedTuple):
    """A rule a procedure asks: its name, id, title, condition and clauses."""

    name: str
    id: str
    title: Bilingual | None
    holds: str
    source: tuple[str, ...]


class Usual(NamedTuple):
    """The usual reasons of a kind of step, or a step's own, under its words; `of` is its list, if it is of one."""

    of: Bilingual | None
    words: str
    reasons: tuple[Reason, ...]


class VersionLine(NamedTuple):
    """A version as it was published: the persons, the day from which, how many cases are open under it."""

    profile: str
    version: int
    hash: str
    publication: Publication | None
    open: int
    is_in_force: bool


class Tab(NamedTuple):
    """A way to the same as another profile has it: address, words, no count, whether it is the one shown."""

    address: str
    words: str
    many: None
    is_here: bool


class Read(NamedTuple):
    """One file to be read. `definition` None: a file of rules."""

    name: str
    file: str
    title: Bilingual
    definition: Definition | None
    profiles: tuple[Tab, ...]
    wide: str
    tall: str
    places: tuple[Place, ...]
    rules: tuple[RuleLine, ...]
    versions: tuple[VersionLine, ...]
    lines: tuple[str, ...]
    proposals: tuple[Line, ...]
    is_overtaken: bool
    reasons: tuple[Usual, ...] = ()


def overview(visit: Visit) -> Overview:
    """Which definitions there are, in the order of their ids."""
    connection = visit.desk.connection
    many = open_cases(visit, published.standing(connection))
    by_name: dict[str, list[Definition]] = {}
    for one in visit.desk.library.definitions.values():
        by_name.setdefault(one.workflow, []).append(one)
    found = [_procedure(name, ones, many) for name, ones in by_name.items()]
    every = proposals.lines(connection)
    folder = visit.house.settings.definitions / "rules"
    return Overview(
        procedures=tuple(sorted(found, key=lambda one: one.procedure)),
        rules=tuple(sorted(path.stem for path in folder.glob("*.yaml"))),
        waiting=tuple(one for one in every if one.stage is Stage.PROPOSED),
        drafts=tuple(proposals.drafts_of(connection, visit.login)),
        decided=tuple(one for one in every if one.stage is not Stage.PROPOSED),
    )


def _procedure(name: str, ones: list[Definition], many: Mapping[str, int]) -> Procedure:
    versions = tuple(sorted({one.version for one in ones}))
    here = sum(number for workflow, number in many.items() if workflow.partition(".")[0] == name)
    return Procedure(name, ones[0].title, ones[0].procedure, versions, len(ones), here)


def open_cases(visit: Visit, standing: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """How many cases are open, by workflow; those of lists stand under `WORKFLOW.LIST`."""
    found: dict[str, int] = {}
    for shape, states in standing.items():
        one = visit.desk.definition(shape)
        found[one.workflow] = found.get(one.workflow, 0) + open_in(one, states)
    return found


def file_of(visit: Visit, name: str) -> tuple[str, str]:
    """The file of that name, and what it says by what is in force today.

    Raises:
        NotFound: If there is none.
    """
    over = proposals.texts_in_force(visit.desk.connection, visit.today)
    for folder in FOLDERS:
        file = f"{folder}/{name}.yaml"
        text = over.get(file) or origin_of(visit.house.settings).on_disk(file)
        if text and name.replace("-", "").isalnum():
            return file, text
    raise NotFound


def read(visit: Visit, name: str, profile: str) -> Read:
    """One file, as a profile has it.

    Raises:
        NotFound: If there is no such file, or no such profile in it.
    """
    file, text = file_of(visit, name)
    connection = visit.desk.connection
    own = proposals.lines(connection, file)
    profiles = {of: one for (workflow, of), one in visit.desk.library.definitions.items() if workflow == name}
    if not is_procedure(file):
        title = Bilingual(zh=file, en=file)
        books = () if is_batch(file) else _rulebooks(visit)
        return Read(
            name, file, title, None, (), "", "", (), (), books, tuple(text.splitlines()), tuple(own),
            is_overtaken(visit, file, own),
        )  # fmt: skip
    if not profiles or (profile and profile not in profiles):
        raise NotFound
    standing = published.standing(connection)
    one = profiles[profile] if profile else max(profiles.values(), key=lambda one: _busy(visit, one, standing))
    counts = _counts(visit, one, standing)
    return Read(
        name=name,
        file=file,
        title=one.title,
        definition=one,
        profiles=tuple(_ways(visit, name, profiles, one)),
        wide=_drawn(visit, one, counts, is_tall=False),
        tall=_drawn(visit, one, counts, is_tall=True),
        places=tuple(Place(state.title, counts.get(at, 0), state.final) for at, state in one.states.items()),
        rules=tuple(_rules(visit, one)),
        versions=tuple(_versions(visit, one, standing)),
        lines=tuple(text.splitlines()),
        proposals=tuple(own),
        is_overtaken=is_overtaken(visit, file, own),
        reasons=tuple(_usual(visit, one)),
    )


def _usual(visit: Visit, one: Definition) -> Iterator[Usual]:
    kinds = {
        MoveKind.RETURN: visit.say("退回修改"),
        MoveKind.REJECT: visit.say("不予通过"),
        MoveKind.WITHDRAW: visit.say("撤回申请"),
    }
    for part in (one, *one.lists.values()):
        for kind, words in kinds.items():
            if found := part.reasons.of(kind):
                yield Usual(None if part is one else part.title, words, found)
        for step in part.transitions.values():
            if step.reasons:
                yield Usual(None if part is one else part.title, visit.title(step.title), step.reasons)


def _busy(visit: Visit, one: Definition, standing: Mapping[str, Mapping[str, int]]) -> int:
    """How many cases a definition has: the profile that is shown first is the one people work by."""
    return sum(_counts(visit, one, standing).values())


def _ways(visit: Visit, name: str, profiles: Mapping[str, Definition], here: Definition) -> Iterator[Tab]:
    titles = visit.desk.library.rulebook.organisation.profiles
    for profile in profiles:
        words = visit.title(titles[profile].title)
        yield Tab(f"{ADDRESS}/{name}?profile={profile}", words, None, profile == here.profile)


def is_overtaken(visit: Visit, file: str, own: list[Line]) -> bool:
    """Whether the folder says something else than what was replaced, or than what replaced it: a new installation."""
    approved = [one for one in own if one.stage is Stage.APPROVED]
    if not approved:
        return False
    first = proposals.proposal(visit.desk.connection, approved[-1].number)
    on_disk = proposals.digest_of(origin_of(visit.house.settings).on_disk(file))
    known = {one.sha256 for one in approved} | {proposals.digest_of("" if first is None else first.before)}
    return on_disk not in known


def _counts(visit: Visit, one: Definition, standing: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """How many cases stand in each state, by whatever version, as this profile runs it."""
    found: dict[str, int] = {}
    for shape, states in standing.items():
        other = visit.desk.definition(shape)
        if (other.workflow, other.profile) == (one.workflow, one.profile):
            for state, many in states.items():
                found[state] = found.get(state, 0) + many
    return found


def _drawn(visit: Visit, one: Definition, counts: Mapping[str, int], *, is_tall: bool) -> str:
    lang: Literal["zh", "en"] = "en" if visit.lang == "en" else "zh"
    diagram = diagram_of(one)
    shown = {state: many for state, many in counts.items() if state in diagram.states and not one.is_final(state)}
    return picture(diagram, Way(steps=(), state=NEW), Manner(inks=inks(), lang=lang, is_tall=is_tall, standing=shown))


def _rules(visit: Visit, one: Definition) -> Iterator[RuleLine]:
    book = visit.desk.library.rulebook_for(one.profile)
    named = dict.fromkeys(name for machine in one.machines() for name, _ in machine_rules(machine))
    for name, rule in conditions(named, book.rules).items():
        yield RuleLine(name, rule.id or "", rule.title, rule.holds or "", rule.source)


def _versions(visit: Visit, one: Definition, standing: Mapping[str, Mapping[str, int]]) -> Iterator[VersionLine]:
    told = published.publications(visit.desk.connection)
    in_force = visit.desk.hash_of(one)
    kept = [each for each in published.versions(visit.desk.connection, one.workflow) if each.profile == one.profile]
    when = {each.hash: told[each.hash].at if each.hash in told else "" for each in kept}
    for each in sorted(kept, key=lambda each: (each.version, when[each.hash]), reverse=True):
        many = open_in(visit.desk.definition(each.hash), standing.get(each.hash, {}))
        yield VersionLine(
            each.profile, each.version, each.hash[:_SHORT], told.get(each.hash), many, each.hash == in_force
        )


def _rulebooks(visit: Visit) -> tuple[VersionLine, ...]:
    """Every rulebook that was published, the newest first."""
    told = published.publications(visit.desk.connection)
    books = [(digest, one) for digest, one in told.items() if "rulebook" in one.data]
    return tuple(
        VersionLine("", 0, digest[:_SHORT], one, 0, digest == content_hash(visit.desk.library.rulebook))
        for digest, one in sorted(books, key=lambda pair: pair[1].at, reverse=True)
    )


def name_of(file: str) -> str:
    """How a file is called in an address."""
    return Path(file).stem
