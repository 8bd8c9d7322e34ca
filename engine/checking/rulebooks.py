"""The files under `rules/`: types, groups, roles and units exist, every rule is named somewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from engine.checking.names import documents_named, machine_rules, rules_named
from engine.checking.subjects import Complaint, Step, Subject, reached, subjects
from engine.definition import RESERVED_ROLES, Definition
from engine.errors import nearest
from engine.expressions.kinds import Kind, parse_kind
from engine.library import Library
from engine.loading.positions import Finding
from engine.vocabulary import Fact, Role, RulebookText


def _absent(what: str, name: str, known: Collection[str], tree: str, *path: Step) -> Iterator[Complaint]:
    if name not in known:
        message = f"no {what} '{name}'.{nearest(name, known)}"
        yield Complaint(tree=tree, path=path, finding=Finding(code=f"unknown-{what}", message=message))


def rule_names(library: Library) -> Iterator[Complaint]:
    """`unknown-rule`: in sets, groups and documents."""
    book = library.rulebook
    for name, rule in book.rules.items():
        for index, member in enumerate(rule.all_of):
            yield from _absent("rule", member, book.rules, "rules", name, "all_of", index)
    for name, group in book.vocabulary.groups.items():
        for index, guard in enumerate(group.guards):
            yield from _absent("rule", guard, book.rules, "vocabulary", "groups", name, "guards", index)
    for name, document in book.documents.items():
        for index, one in enumerate(document.rules):
            yield from _absent("rule", one, book.rules, "documents", name, "rules", index)


def circles(library: Library) -> Iterator[Complaint]:
    """`uncapped-loop`: a set of rules that contains itself."""
    rules = library.rulebook.rules
    inside = {name: frozenset(rule.all_of) for name, rule in rules.items()}
    for name, members in inside.items():
        if name in reached(members, inside):
            finding = Finding(code="uncapped-loop", message=f"the set '{name}' contains itself.")
            yield Complaint(tree="rules", path=(name,), finding=finding, at_key=True)


def remedies(library: Library) -> Iterator[Complaint]:
    """`unknown-role`: who can mend what a rule or the engine refuses."""
    book = library.rulebook
    for tree, rules in (("rules", book.rules), ("engine", book.engine)):
        for name, rule in rules.items():
            if rule.remedy is not None:
                known = {*book.organisation.roles, "student"}
                yield from _absent("role", rule.remedy.by, known, tree, name, "remedy", "by")


def facts(library: Library) -> Iterator[Complaint]:
    """`unknown-type`, `unknown-choice`, `unknown-group`, `unknown-role`, `wrong-value`: in the vocabulary."""
    vocabulary = library.rulebook.vocabulary
    shelves: Mapping[tuple[str, ...], Mapping[str, Fact]] = {
        ("student",): vocabulary.student,
        ("unit",): vocabulary.unit,
        **{("batch", kind): one.fields for kind, one in vocabulary.batch.items()},
    }
    for shelf, kept in shelves.items():
        for name, fact in kept.items():
            yield from _fact(library.rulebook, fact, (*shelf, name))
    for name, fact in vocabulary.unit.items():
        for key in sorted(fact.model_fields_set & _OF_STUDENTS):
            finding = Finding(code="wrong-value", message=f"a fact of units has no `{key}`: no case asks about it.")
            yield Complaint(tree="vocabulary", path=("unit", name, key), finding=finding)
    for table, one in vocabulary.tables.items():
        for column, text in one.columns.items():
            yield from _type(library.rulebook, text, ("tables", table, "columns", column))


_OF_STUDENTS = frozenset({"group", "privacy", "unique", "derive"})
"""What facts of students have, and those of units have not."""


def _fact(book: RulebookText, fact: Fact, path: tuple[Step, ...]) -> Iterator[Complaint]:
    yield from _type(book, fact.type, (*path, "type"))
    if fact.group is not None:
        yield from _absent("group", fact.group, book.vocabulary.groups, "vocabulary", *path, "group")
    for index, role in enumerate(fact.written_by):
        known = {*book.organisation.roles, *RESERVED_ROLES}
        yield from _absent("role", role, known, "vocabulary", *path, "written_by", index)


def _type(book: RulebookText, text: str, path: tuple[Step, ...]) -> Iterator[Complaint]:
    try:
        kind = parse_kind(text)
    except ValueError as error:
        finding = Finding(code="unknown-type", message=str(error))
        yield Complaint(tree="vocabulary", path=path, finding=finding)
        return
    for part in (kind, *kind.parts):
        yield from _named_kind(book, part, path)


def _named_kind(book: RulebookText, kind: Kind, path: tuple[Step, ...]) -> Iterator[Complaint]:
    known: Mapping[str, Collection[str]] = {
        "choice": book.vocabulary.choices,
        "unit": book.organisation.units,
        "batch": book.vocabulary.batch,
    }
    if kind.name in known:
        yield from _absent(kind.name, kind.of, known[kind.name], "vocabulary", *path)


def organisation(library: Library) -> Iterator[Complaint]:
    """`unknown-unit`, `unknown-role`, `one-sided`, `name-clash`: where units and roles stand, reserved names."""
    units, roles = library.rulebook.organisation.units, library.rulebook.organisation.roles
    for name, unit in units.items():
        for index, above in enumerate(unit.inside):
            yield from _absent("unit", above, units, "organisation", "units", name, "in", index)
    for name, role in roles.items():
        for index, kind in enumerate(role.held_at):
            yield from _absent("unit", kind, units, "organisation", "roles", name, "held_at", index)
        yield from _excluded(name, roles)
        if name in RESERVED_ROLES:
            finding = Finding(code="name-clash", message=f"'{name}' is reserved: nobody can hold it.")
            yield Complaint(tree="organisation", path=("roles", name), finding=finding, at_key=True)


def _excluded(name: str, roles: Mapping[str, Role]) -> Iterator[Complaint]:
    """Roles that nobody holds together exist, are not the same, and say so of each other."""
    for index, other in enumerate(roles[name].excludes):
        path: tuple[Step, ...] = ("roles", name, "excludes", index)
        yield from _absent("role", other, roles, "organisation", *path)
        if other in roles and (other == name or name not in roles[other].excludes):
            message = f"'{name}' excludes '{other}', but '{other}' does not exclude '{name}'."
            if other == name:
                message = f"'{name}' excludes itself: nobody could hold it."
            yield Complaint(tree="organisation", path=path, finding=Finding(code="one-sided", message=message))


def unused(library: Library) -> Iterator[Complaint]:
    """`rule-unused` (a warning): no workflow, group, document or set in use names the rule."""
    used: set[str] = set()
    for subject in subjects(library):
        inside = {name: frozenset(rule.all_of) for name, rule in subject.library.rulebook.rules.items()}
        used |= reached(frozenset(_named(subject)), inside)
    own = dict.fromkeys(library.rulebook.rules, "")
    others = {name: profile for profile, one in library.rulebook.variants.items() for name in one.rules}
    for name, profile in {**others, **own}.items():
        if name not in used:
            finding = Finding(code="rule-unused", message=f"nothing names '{name}'.", is_warning=True)
            yield Complaint(tree="rules", path=(name,), finding=finding, at_key=True, profile=profile)


def _named(subject: Subject) -> Iterator[str]:
    """The rules that a machine, its documents, and the groups of facts name."""
    book = subject.library.rulebook
    yield from (name for name, _ in rules_named(subject))
    yield from (name for group in book.vocabulary.groups.values() for name in group.guards)
    for name, _ in documents_named(subject):
        if name in book.documents:
            yield from book.documents[name].rules


def rule_in_use(in_use: Iterable[Definition], book: RulebookText) -> Iterator[Complaint]:
    """`rule-in-use`: a rulebook lacks a rule that a definition with open cases names.

    Whoever publishes a rulebook asks this first: a case keeps the shape it was opened with, so its rules must stay
    (language.md, section 12).

    Args:
        in_use: The pinned definitions that have open cases; they may be older than those of the files.
        book: The rulebook that is to be published.
    """
    for definition in in_use:
        known = book.for_profile(definition.profile).rules
        named = {name for one in (definition, *definition.lists.values()) for name, _ in machine_rules(one)}
        for name in sorted(named - known.keys()):
            who = f"open cases of '{definition.workflow}' version {definition.version} ({definition.profile})"
            message = f"{who} ask the rule '{name}'; keep it until they are closed or moved.{nearest(name, known)}"
            finding = Finding(code="rule-in-use", message=message)
            yield Complaint(tree="rulebook", path=("effective_from",), finding=finding)
