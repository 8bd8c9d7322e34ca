"""The forms of a list as a PDF to be signed and sealed on paper, laid out by `list_forms.typ`.

Every page says of which list and draft it is and carries its fingerprint as a QR code, so that what was signed can be
held against what the registry has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.definition import Bilingual
from engine.expressions.kinds import SHANGHAI
from exchange.audit_reports import qr_code
from exchange.typesetting import typeset

TEMPLATE = "list_forms.typ"
_GROUP = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SignHere:
    """A place to sign: as whom, and which seal where it is one."""

    role: Bilingual
    seal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedForm:
    """A form: its catalogue id, the heads of its columns, its rows as words, and the hash of what was made.

    `is_roll` False: its rows are no people, such as those of a receipt.
    """

    kind: str
    title: Bilingual
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sha256: str
    is_roll: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What is printed.

    Attributes:
        number: The list's case number.
        sha256: What commits to the members of the draft; empty: none was fixed yet.
        by: Who prints, as addressed.
    """

    unit: str
    list: Bilingual
    batch: str
    number: str
    draft: int
    sha256: str
    forms: tuple[PrintedForm, ...]
    signs: tuple[SignHere, ...]
    is_rehearsal: bool
    by: str


def forms_pdf(sheet: Sheet, at: datetime) -> bytes:
    """The forms, A4, each on pages of its own, as a PDF.

    Raises:
        CannotTypeset: If the template cannot be set.
    """
    data = {
        "unit": sheet.unit,
        "list": sheet.list.zh,
        "batch": sheet.batch,
        "number": f"{sheet.number[:_GROUP]}-{sheet.number[_GROUP:]}",
        "draft": sheet.draft,
        "fingerprint": sheet.sha256[: 3 * _GROUP],
        "qr": qr_code(marking(sheet)) if sheet.sha256 else "",
        "rehearsal": sheet.is_rehearsal,
        "by": sheet.by,
        "at": f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        "signs": [{"role": one.role.zh, "seal": one.seal or ""} for one in sheet.signs],
        "forms": [_form(one) for one in sheet.forms],
    }
    return typeset(TEMPLATE, data, at)


def marking(sheet: Sheet) -> str:
    """What the QR code says: the list, its draft, and the whole fingerprint."""
    return f"XUEJI {sheet.number} {sheet.draft} {sheet.sha256}"


def _form(one: PrintedForm) -> dict[str, object]:
    return {
        "kind": one.kind,
        "title": one.title.zh,
        "columns": list(one.columns),
        "rows": [list(row) for row in one.rows],
        "sha256": one.sha256[: 3 * _GROUP],
        "roll": one.is_roll,
    }
