"""The values of a batch, typed by its kind, and the order its dates must keep.

Source: the definition language, section 12.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.errors import nearest
from engine.expressions.compiling import compile_expression
from engine.expressions.faults import ExpressionFaults
from engine.expressions.kinds import (
    UNKNOWN,
    YES_NO,
    Kind,
    Titles,
    Value,
    decode,
    encode,
    parse_input,
    parse_kind,
)
from engine.loading.nodes import Node, Place
from engine.loading.positions import Finding
from engine.loading.shapes import Found
from engine.records import Json
from engine.scopes import batch_scope, choice_titles, kind_or_unknown
from engine.vocabulary import BatchFile, BatchKind, RulebookText


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """One batch while it is being typed."""

    file: BatchFile
    kind: BatchKind
    tree: Node
    rulebook: RulebookText


def typed_batch(file: BatchFile, tree: Node, rulebook: RulebookText, found: Found) -> BatchFile:
    """The batch with every value as its type is written in JSON; faults are added to `found`."""
    kinds = rulebook.vocabulary.batch
    if file.profile not in rulebook.organisation.profiles:
        hint = nearest(file.profile, rulebook.organisation.profiles)
        found.append(_at(tree, "profile", "unknown-profile", f"no profile '{file.profile}'.{hint}"))
    if file.kind not in kinds:
        hint = nearest(file.kind, kinds)
        found.append(_at(tree, "kind", "unknown-batch", f"no kind of batch '{file.kind}'.{hint}"))
        return file
    batch = _Batch(file=file, kind=kinds[file.kind], tree=tree, rulebook=rulebook)
    values = {name: _typed(batch, name, found) for name in file.values if _is_known(batch, name, found)}
    _check_order(batch, values, found)
    written = {name: encode(kind_or_unknown(batch.kind.fields[name].type), value) for name, value in values.items()}
    return BatchFile.model_validate({**file.model_dump(by_alias=True), **written})


def _is_known(batch: _Batch, name: str, found: Found) -> bool:
    """Whether a key is a field with a type; a type that is none is told where the vocabulary says it."""
    field = batch.kind.fields.get(name)
    if field is None:
        hint = nearest(name, batch.kind.fields)
        message = f"no key '{name}' in a batch of kind '{batch.file.kind}'.{hint}"
        found.append((batch.tree.keys[name], Finding(code="unknown-key", message=message)))
        return False
    return kind_or_unknown(field.type) != UNKNOWN


def _typed(batch: _Batch, name: str, found: Found) -> Value | None:
    field = batch.kind.fields[name]
    titles = choice_titles(batch.rulebook.vocabulary)
    try:
        return value_as_written(parse_kind(field.type), batch.tree.entries[name].plain(), titles)
    except ValueError as error:
        found.append(_at(batch.tree, name, "wrong-value", f"'{name}' is a {field.type}. {error}"))
        return None


def value_as_written(kind: Kind, given: Json, titles: Titles) -> Value | None:
    """What a person wrote in a batch file, as a value; None where the date is still open.

    Raises:
        ValueError: If it is not of its kind, or a code is not in its list.
    """
    if isinstance(given, str):
        return parse_input(kind, given, titles)
    value = decode(kind, given)
    if isinstance(value, frozenset):
        for position, part in enumerate(kind.parts):
            _check_codes(part, {str(element[position]) for element in value}, titles)
    return value


def _check_codes(kind: Kind, codes: Iterable[str], titles: Titles) -> None:
    known = titles.get(kind.of, {})
    wrong = sorted(code for code in codes if kind.name == "choice" and code not in known)
    if wrong:
        message = f"'{wrong[0]}' is not in the list '{kind.of}'.{nearest(wrong[0], known)}"
        raise ValueError(message)


def _check_order(batch: _Batch, values: Mapping[str, Value | None], found: Found) -> None:
    scope = batch_scope(batch.rulebook.vocabulary, batch.file.kind)
    for text in batch.kind.check:
        try:
            rule = compile_expression(text, scope, {}, YES_NO)
        except ExpressionFaults:
            continue  # the vocabulary is at fault, and `engine.checking` says so where it stands
        seen = {name: values.get(name) for name in rule.reads}
        if rule.evaluate(seen) is False:
            shown = ", ".join(f"{name} {value}" for name, value in seen.items())
            found.append(
                _at(
                    batch.tree,
                    rule.reads[0],
                    "wrong-value",
                    f"it must hold that {text}; here {shown}.",
                )
            )


def _at(tree: Node, key: str, code: str, message: str) -> tuple[Place, Finding]:
    return tree.at([key]).place, Finding(code=code, message=message)
