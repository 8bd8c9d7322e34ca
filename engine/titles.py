"""How values, codes and states are called on screen, for the cases of one workflow."""

from __future__ import annotations

from collections.abc import Mapping

from engine.definition import Bilingual, Definition, MachineFile
from engine.expressions.kinds import Titles
from engine.expressions.scope import Scope
from engine.library import Library
from engine.vocabulary import RulebookText


def choices_of(library: Library, definition: Definition, scope: Scope) -> Titles:
    """Titles of the codes that sentences show: choice lists, states of every workflow of the profile, batches."""
    titles: dict[str, Mapping[str, Mapping[str, str]]] = dict(scope.choices)
    for name, one in {**library.machines_of(definition.profile), definition.workflow: definition}.items():
        titles[f"state {name}"] = {word: state.title.model_dump() for word, state in one.states.items()}
    for name, batch in library.batches.items():
        titles[f"batch {batch.kind}"] = {**titles.get(f"batch {batch.kind}", {}), name: batch.title.model_dump()}
    return titles


def titles_of(definition: MachineFile, book: RulebookText) -> dict[str, Bilingual]:
    """Titles by key: facts, fields of the case and of batches."""
    titles = {name: fact.title for name, fact in book.vocabulary.student.items()}
    titles |= {f"case.{name}": one.title for name, one in definition.fields.items()}
    titles |= {
        f"batch.{name}": one.title for kind in book.vocabulary.batch.values() for name, one in kind.fields.items()
    }
    titles["case.reason"] = Bilingual(zh="理由", en="Reason")
    titles["record.state"] = Bilingual(zh="学籍状态", en="State of the record")
    return titles
