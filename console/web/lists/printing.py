"""A list on paper: its forms as they were made, its receipt; with places to sign and the fingerprint."""

from __future__ import annotations

from collections.abc import Sequence

from console.web.faults import NotFound
from console.web.lettering import long_moment
from console.web.lists.chain import Block
from console.web.lists.reading import Book
from console.web.lists.view import ListView, Paper
from engine.definition import Bilingual
from engine.documents import column_title
from engine.drafts import form_from
from engine.store.documents import DocumentRow
from engine.viewing import VIEW, view
from exchange.list_forms import PrintedForm, Sheet, SignHere, forms_pdf

_BOTH_SIDES = (
    SignHere(role=Bilingual(zh="移交人", en="Handed over by"), seal=None),
    SignHere(role=Bilingual(zh="接收人", en="Received by"), seal=None),
)


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
    block = next((one for one in shown.blocks if one.is_open), next(iter(shown.blocks), None))
    return forms_pdf(_sheet(shown, forms, () if block is None else _signs(block)), book.visit.at)


def printed_receipt(shown: ListView) -> bytes:
    """The receipt as a PDF, with places where both sides sign.

    Raises:
        NotFound: If there is none.
    """
    receipt, book = shown.receipt, shown.book
    if receipt is None:
        raise NotFound
    say = book.visit.say
    rows = (
        (say("名单"), book.visit.title(book.definition.title)),
        (say("人数"), str(receipt.draft.count)),
        (say("指纹"), receipt.draft.sha256),
        *receipt.stated,
        (say("接收人"), receipt.by),
        (say("接收时间"), long_moment(receipt.at, book.visit.lang)),
    )
    form = PrintedForm(
        kind="", title=Bilingual(zh=f"{receipt.step.zh}回执", en=f"Receipt: {receipt.step.en}"), is_roll=False,
        columns=(say("项目"), say("内容")), rows=rows, sha256="",
    )  # fmt: skip
    return forms_pdf(_sheet(shown, [form], _BOTH_SIDES), book.visit.at)


def _sheet(shown: ListView, forms: Sequence[PrintedForm], signs: Sequence[SignHere]) -> Sheet:
    book, draft = shown.book, shown.draft
    return Sheet(
        unit=book.unit,
        list=book.definition.title,
        batch=shown.batch,
        number=book.case.number,
        draft=shown.number,
        sha256="" if draft is None else draft.sha256,
        forms=tuple(forms),
        signs=tuple(signs),
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
