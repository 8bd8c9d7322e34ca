"""A procedure that takes papers, beside the shipped ones: documents of every sort, under the shipped rules of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from engine.attaching import Attached, attach
from engine.definition import Definition
from engine.library import Library
from engine.records import Moved, Refused, Repeated, Request
from engine.store import documents
from engine.store.documents import DocumentRow
from engine.vocabulary import Document
from exchange.evidence import inspect
from tests.engine.lab import loan, rule, with_loan
from tests.engine.town import FIRST, NOW, Town, town_at
from tests.exchange.pictures import picture

NAME = "测试"
WITHDRAWAL, EVIDENCE, PHOTO, STATEMENT = "E-WD", "E-IC-ENROL", "E-PHOTO", "E-F04"
"""Shipped documents, one for each row of requirements 6.1 that software can check."""
SCAN, PHOTO_BY_NUMBER, LIST, MADE = "T-SCAN", "T-PHOTO", "T-LIST", "T-MADE"
STRANGE, BY_RULE = "T-STRANGE", "T-BY-RULE"
TICKS = {"both_sides": {"zh": "正反面", "en": "both sides"}, "legible": {"zh": "清晰", "en": "legible"}}


def _documents() -> dict[str, Document]:
    """Beside the shipped ones: what they do not happen to be."""
    written: dict[str, dict[str, object]] = {
        SCAN: {"file": ["jpeg", "png", "pdf"], "count": 2, "rules": ["at-most-10-mb"], "ticks": TICKS},
        PHOTO_BY_NUMBER: {"file": ["jpeg"], "rules": ["named-by-number", "at-least-200-by-200"]},
        LIST: {"file": ["xlsx", "zip"]},
        MADE: {"made_from": "case", "columns": ["student_no", "name", "level", "certificate_no"]},
        STRANGE: {"file": ["jpeg"]},
        BY_RULE: {"file": ["jpeg"]},
    }  # fmt: skip
    title = {"zh": "材料", "en": "paper"}
    return {
        kind: Document.model_validate({"title": {**title, "en": kind}, "source": "test", **one})
        for kind, one in written.items()
    }


def lending_papers() -> Definition:
    """A loan that needs every sort of document; one is only read by a rule, one has no place in it."""
    steps: Mapping[str, Mapping[str, object]] = {
        "check": {
            "from": "asked", "to": "checked", "by": "site_approver",
            "needs": [WITHDRAWAL, PHOTO, PHOTO_BY_NUMBER, LIST], "reviews": [EVIDENCE, SCAN, STATEMENT],
            "guards": ["paper-there"], "issues": [MADE],
        },
        "lend": {
            "from": "checked", "to": "lent",
            "sign": {"slots": {"records": {"role": "records_section", "needs": [MADE]}}},
        },
        "give_up": {"from": "asked", "to": "lent", "by": ["site_operator", "student"]},
    }  # fmt: skip
    return loan(steps)


def with_papers(library: Library) -> Library:
    """The shipped library with the procedure, its documents and the rule that reads one of them."""
    by_number = rule("file.stem == id_number", of="file")
    paper_there = rule(f"has('{BY_RULE}')")
    more = with_loan(library, lending_papers(), paper_there=paper_there, named_by_number=by_number)
    book = more.rulebook.model_copy(update={"documents": {**more.rulebook.documents, **_documents()}})
    return replace(more, rulebook=book)


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """A loan just asked for by the first student, and short words for handing in its papers."""

    town: Town
    case: int

    def request(self, login: str = "operator.s1", **changes: object) -> Request:
        return replace(self.town.request("attach", login), **changes)  # type: ignore[arg-type] # a test's own words

    def hand_in(
        self, kind: str, body: bytes, name: str = "", request: Request | None = None
    ) -> Attached | Refused | Repeated:
        upload = inspect(name or f"{FIRST}{NAME}.jpg", body)
        return attach(self.town.desk, self.case, kind, upload, request or self.request())

    def handed_in(self, kind: str, body: bytes | None = None, name: str = "") -> DocumentRow:
        """Hand in a paper that must be taken."""
        outcome = self.hand_in(kind, picture() if body is None else body, name)
        assert isinstance(outcome, Attached), outcome
        return outcome.document

    def refused(self, kind: str, body: bytes, name: str = "") -> tuple[str, ...]:
        """Hand in a paper that must not be taken; the ids of what stands in the way."""
        outcome = self.hand_in(kind, body, name)
        assert isinstance(outcome, Refused), outcome
        return (*outcome.failed, *outcome.undecided)

    def rows(self) -> list[DocumentRow]:
        return documents.of_case(self.town.connection, self.case)

    def files(self) -> int:
        [row] = self.town.connection.execute("SELECT count(*) FROM file").fetchall()
        return int(str(row[0]))


@contextmanager
def papers_at(url: str, library: Library) -> Iterator[Papers]:
    """A desk that takes papers, at a database where the loan has been asked for."""
    with town_at(url, with_papers(library)) as town:
        town.desk.publish(NOW, "setup")
        opened = town.open(("loan", "ask"), FIRST, "operator.s1")
        assert isinstance(opened, Moved), opened
        yield Papers(town=town, case=opened.case.id)
