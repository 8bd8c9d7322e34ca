"""The forms of a list on paper: as they were made, in the order required, with places to sign and the fingerprint."""

from __future__ import annotations

from collections.abc import Sequence

from console.web.faults import NotFound
from console.web.lists.chain import Block
from console.web.lists.reading import Book
from console.web.lists.view import ListView, Paper
from engine.documents import column_title
from engine.drafts import form_from
from engine.store.documents import DocumentRow
from engine.viewing import VIEW, view
from exchange.list_forms import PrintedForm, Sheet, SignHere, forms_pdf


def to_print(shown: ListView, kind: str) -> tuple[Paper, ...]:
    """The forms of the draft that stands, or of them the one asked for.

    Raises:
        NotFound: If there is none.
    """
    made = tuple(one for one in shown.papers if one.is_made and not one.is_old and kind in ("", one.kind))
    if not made:
        raise NotFound
    return made


def printed(shown: ListView, kind: str) -> bytes:
    """The forms as a PDF; every form is a document that is looked at, and the trail keeps the look.

    Raises:
        NotFound: If there is none.
        NotAllowed: If the visitor takes no part in such lists.
    """
    book = shown.book
    papers = to_print(shown, kind)
    viewed = [view(book.visit.desk, book.case.id, one.kind, one.seq, book.visit.asks(VIEW)).document for one in papers]
    forms = [_form(book, one, row) for one, row in zip(papers, viewed, strict=True)]
    return forms_pdf(_sheet(shown, forms), book.visit.at)


def _sheet(shown: ListView, forms: Sequence[PrintedForm]) -> Sheet:
    book, draft = shown.book, shown.draft
    block = next((one for one in shown.blocks if one.is_open), next(iter(shown.blocks), None))
    return Sheet(
        unit=book.unit,
        list=book.definition.title,
        batch=shown.batch,
        number=book.case.number,
        draft=shown.number,
        sha256="" if draft is None else draft.sha256,
        forms=tuple(forms),
        signs=() if block is None else tuple(_signs(block)),
        is_rehearsal=book.visit.house.rehearsal,
        by=book.name(book.visit.login),
    )


def _signs(block: Block) -> list[SignHere]:
    return [SignHere(role=one.role, seal=one.seal) for one in block.places]


def _form(book: Book, paper: Paper, row: DocumentRow) -> PrintedForm:
    made = form_from(row.made or {"columns": [], "rows": []})
    lines = [
        tuple(book.said(column, value) for column, value in zip(made.columns, line, strict=True))
        for line in made.lines.values()
    ]
    return PrintedForm(
        kind=paper.kind,
        title=paper.title,
        columns=tuple(column_title(book.machine, one) for one in made.columns),
        rows=tuple(lines),
        sha256=str(row.looks.get("sha256", "")),
    )
