"""Every expression is compiled where it will be asked: the same scope, the same expected kind.

Source: the definition language, section 10.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from engine.checking.links import effects_of
from engine.checking.names import documents_named, rules_named, slots_of
from engine.checking.subjects import Complaint, Step, Subject, conditions
from engine.errors import nearest
from engine.expressions.compiling import Expression, compile_expression
from engine.expressions.faults import ExpressionFaults
from engine.expressions.kinds import DATE, MOMENT, YES_NO, Kind
from engine.expressions.scope import Scope
from engine.guards import placeholders
from engine.library import Library
from engine.loading.positions import LABELS, Finding
from engine.scopes import batch_scope, case_columns, file_scope, kind_or_unknown
from engine.vocabulary import Rule

_CLOCK = frozenset({"today", "now", "this_term"})
_BRACES = re.compile(r"[{}]")
_PLACEHOLDER = re.compile(r"\{[a-z_][a-z_0-9]*(?:\.[a-z_][a-z_0-9]*)?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One expression: where it stands, what its names mean, what it must give.

    `skip` characters at its beginning are not in the file.
    """

    tree: str
    path: tuple[Step, ...]
    text: str
    scope: Scope
    lets: Mapping[str, str]
    expects: Kind | None = None
    asked_by: str = ""
    skip: int = 0


def compiled(text: Text, found: list[Complaint]) -> Expression | None:
    """The expression, or nothing; its faults are added to `found`."""
    try:
        return compile_expression(text.text, text.scope, text.lets, text.expects)
    except ExpressionFaults as faults:
        for one in faults.faults:
            code = one.code if one.code in LABELS else "expression"
            offset = one.offset if one.let else max(0, one.offset - text.skip)
            finding = Finding(code=code, message=one.message, offset=offset, asked_by=text.asked_by)
            found.append(_at_let(text, one.let, finding))
        return None


def _at_let(text: Text, let: str, finding: Finding) -> Complaint:
    """A `let` stands in its rule; any other name that has a text is a derived fact."""
    if not let:
        return Complaint(tree=text.tree, path=text.path, finding=finding)
    if text.tree == "rules" and let in text.lets and text.path:
        return Complaint(tree="rules", path=(text.path[0], "let", let), finding=finding)
    return Complaint(tree="vocabulary", path=("student", let, "derive"), finding=finding)


def derived(library: Library) -> Mapping[str, str]:
    """The facts that follow from others, as `let` texts."""
    student = library.rulebook.vocabulary.student
    return {name: fact.derive for name, fact in student.items() if fact.derive is not None}


def expressions(subject: Subject) -> Iterator[Complaint]:
    """`expression` and its kin: everything a workflow says in expressions."""
    found: list[Complaint] = []
    for text in _texts(subject):
        compiled(text, found)
    _deadlines(subject, found)
    _rules(subject, [name for name, _ in rules_named(subject)], found)
    yield from dict.fromkeys(found)


def _text(subject: Subject, text: str, expects: Kind | None, *path: Step) -> Text:
    return Text(
        tree=subject.tree,
        path=(*subject.prefix, *path),
        text=text,
        scope=subject.scope,
        lets=derived(subject.library),
        expects=expects,
    )


def _texts(subject: Subject) -> Iterator[Text]:
    machine = subject.machine
    columns = case_columns(subject.library.rulebook.vocabulary, machine)
    for name, field in machine.fields.items():
        if field.starts is not None:
            yield _text(subject, field.starts, columns[name], "fields", name, "starts")
    for name, invariant in machine.invariants.items():
        if invariant.holds is not None:
            yield _text(subject, invariant.holds, YES_NO, "invariants", name, "holds")
    yield from _step_texts(subject)
    yield from _linked_texts(subject)


def _step_texts(subject: Subject) -> Iterator[Text]:
    for trigger, one in subject.machine.transitions.items():
        here = ("transitions", trigger)
        if one.applies is not None:
            yield _text(subject, one.applies, YES_NO, *here, "applies")
        for slot_name, slot in slots_of(one):
            if slot.applies is not None:
                yield _text(subject, slot.applies, YES_NO, *here, "sign", "slots", slot_name, "applies")
        for target, value in one.assigns.items():
            if value is not None:
                yield _text(subject, value, _kind_of(subject, target), *here, "set", target)


def _linked_texts(subject: Subject) -> Iterator[Text]:
    gathered = subject.machine.members
    if gathered is not None and gathered.where is not None and subject.called("members"):
        yield _row_text(subject, "members", gathered.where, "members", "where")
    for effect, site in effects_of(subject):
        target = (effect.fire or effect.open or "").rpartition(".")[0]
        if effect.applies is not None:
            yield _text(subject, effect.applies, YES_NO, *site, "applies")
        if effect.where is not None and subject.called(target):
            yield _row_text(subject, target, effect.where, *site, "where")
        vocabulary = subject.library.rulebook.vocabulary
        columns = [case_columns(vocabulary, one) for one in subject.called(target)]
        for field, value in effect.values.items():
            expects = columns[0].get(field) if columns else None
            yield _text(subject, value, expects, *site, "with", field)


def _row_text(subject: Subject, target: str, text: str, *path: Step) -> Text:
    """A condition on `it` is compiled within an `any` over the rows it will be asked of."""
    source = "members" if target == "members" else f"cases('{_workflow(subject, target)}')"
    before = f"any({source}, "
    return replace(_text(subject, f"{before}{text})", YES_NO, *path), skip=len(before))


def _workflow(subject: Subject, target: str) -> str:
    """What rules call the target of an effect."""
    records = [name for name, one in subject.neighbours.items() if one.record]
    return records[0] if target == "record" and records else target


def _kind_of(subject: Subject, target: str) -> Kind | None:
    """The kind of what `set` writes; None where only the running case knows the fact."""
    group, _, name = target.partition(".")
    scope = subject.scope
    return scope.names.get(name) if group == "student" else scope.groups.get(group, {}).get(name)


def _deadlines(subject: Subject, found: list[Complaint]) -> None:
    """`reads-the-clock`: a due date that reads the time of looking would never stand still."""
    for name, deadline in subject.machine.deadlines.items():
        for key, text in (("due", deadline.due), ("opens", deadline.opens)):
            if text is None:
                continue
            path = ("deadlines", name, key)
            expression = compiled(_text(subject, text, None, *path), found)
            if expression is None:
                continue
            clock = sorted(_CLOCK & set(expression.reads))
            if clock:
                message = f"it reads {', '.join(clock)}, so it would move with every look."
                found.append(subject.says("reads-the-clock", message, *path))
            if expression.kind not in {DATE, MOMENT}:
                message = f"expected a date or a moment, not {expression.kind}."
                found.append(subject.says("expression", message, *path))


def _rules(subject: Subject, names: Iterable[str], found: list[Complaint]) -> None:
    for name, rule in conditions(names, subject.library.rulebook.rules).items():
        found.extend(rule_faults(name, rule, subject.scope, subject))


def rule_faults(name: str, rule: Rule, scope: Scope, subject: Subject) -> Iterator[Complaint]:
    """What is wrong with the texts of one rule, asked of the cases of one machine."""
    found: list[Complaint] = []
    lets = {**derived(subject.library), **rule.let}
    text = Text(tree="rules", path=(name,), text="", scope=scope, lets=lets, asked_by=subject.name)
    for key, body in (("applies", rule.applies), ("holds", rule.holds)):
        if body is not None:
            compiled(replace(text, path=(name, key), text=body, expects=YES_NO), found)
    for key, body in rule.show.items():
        compiled(replace(text, path=(name, "show", key), text=body), found)
    if rule.otherwise is not None:
        known = {**lets, **rule.show}
        for placeholder in placeholders(rule.otherwise):
            if placeholder not in known:
                body = "case.batch" if placeholder == "batch" else placeholder
                compiled(replace(text, path=(name, "otherwise"), text=body, expects=None), found)
    yield from (_whole(one) if one.path[1:2] == ("otherwise",) else one for one in found)


def _whole(complaint: Complaint) -> Complaint:
    """A placeholder is a text of its own; its offset means nothing in the sentence."""
    return replace(complaint, finding=replace(complaint.finding, offset=0))


def sentences(library: Library) -> Iterator[Complaint]:
    """`expression`: braces in a sentence that hold no plain name, in rules and engine rules."""
    for tree, rules in (("rules", library.rulebook.rules), ("engine", library.rulebook.engine)):
        for name, rule in rules.items():
            for lang in ("zh", "en"):
                text = getattr(rule.otherwise, lang, "")
                stray = _BRACES.search(_PLACEHOLDER.sub("", text))
                if stray is not None:
                    message = "braces hold one plain name, such as {fee_owed} or {case.batch}."
                    finding = Finding(code="expression", message=message)
                    yield Complaint(tree=tree, path=(name, "otherwise", lang), finding=finding)


def documents(subject: Subject) -> Iterator[Complaint]:
    """The rules of uploaded files and the rows of forms, for the cases that name them."""
    found: list[Complaint] = []
    book = subject.library.rulebook
    scope = file_scope(subject.scope)
    for name in dict.fromkeys(name for name, _ in documents_named(subject)):
        document = book.documents.get(name)
        if document is None:
            continue
        for rule in document.rules:
            if rule in book.rules:
                found.extend(rule_faults(rule, book.rules[rule], scope, subject))
        if document.rows is not None and subject.machine.members is not None:
            text = _row_text(subject, "members", document.rows)
            compiled(replace(text, tree="documents", path=(name, "rows")), found)
    yield from dict.fromkeys(found)


def groups(subject: Subject) -> Iterator[Complaint]:
    """The rules asked at every write of a fact, and the derived facts, compiled for the record of every profile."""
    if subject.part is not None or not subject.definition.record:
        return
    found: list[Complaint] = []
    vocabulary = subject.library.rulebook.vocabulary
    for group in vocabulary.groups.values():
        _rules(subject, group.guards, found)
    for name, text in derived(subject.library).items():
        whole = _text(subject, text, kind_or_unknown(vocabulary.student[name].type))
        compiled(replace(whole, tree="vocabulary", path=("student", name, "derive")), found)
    yield from dict.fromkeys(found)


def columns(subject: Subject) -> Iterator[Complaint]:
    """`unknown-field`: the columns and the order of the forms a machine names."""
    for name in dict.fromkeys(name for name, _ in documents_named(subject)):
        document = subject.library.rulebook.documents.get(name)
        known = None if document is None else _columns_of(subject, document.made_from)
        if document is None or known is None:
            continue
        for key, words in (("columns", document.columns), ("sort", document.sort)):
            for index, word in enumerate(words):
                if word not in known:
                    message = f"no column '{word}' in {document.made_from}.{nearest(word, known)}"
                    finding = Finding(code="unknown-field", message=message)
                    yield Complaint(tree="documents", path=(name, key, index), finding=finding)


def _columns_of(subject: Subject, made_from: str | None) -> Collection[str] | None:
    """What a form made for a machine can show; nothing is known of what lies outside its cases."""
    if made_from == "members":
        return subject.scope.rows("members", "")
    if made_from == "case":
        return {*subject.scope.names, *subject.scope.groups["case"]}
    return None


def batches(library: Library) -> Iterator[Complaint]:
    """The order constraints of the kinds of batch."""
    found: list[Complaint] = []
    for kind, one in library.rulebook.vocabulary.batch.items():
        scope = batch_scope(library.rulebook.vocabulary, kind)
        for index, text in enumerate(one.check):
            path = ("batch", kind, "check", index)
            compiled(
                Text(tree="vocabulary", path=path, text=text, scope=scope, lets={}, expects=YES_NO),
                found,
            )
    yield from found
