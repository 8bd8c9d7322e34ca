"""加签 and 减签 on the page: two steps out of one state are being signed, and either lets its signers be changed."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from console.demo.sheets import Files
from console.settings import HOME
from engine.loading.folder import load
from engine.records import case_number, case_of
from engine.store import registry
from tests.conftest import MadeOnce
from tests.definitions.world import world_at
from tests.engine.town import KEY, LOG
from tests.web.conftest import Person, Site, opening
from tests.web.reading import filled
from tests.web.test_api import Program

LENDING = """\
workflow: weighed-loan
procedure: W-99
title: {zh: 档案借阅, en: Loan of a file}
version: 1
effective_from: 2024-01-01
profile: open-university
source: test
about: [student]
unique: never
states:
  asked:   {title: {zh: 已提出, en: Asked}}
  lent:    {title: {zh: 已借出, en: Lent}, final: true}
  refused: {title: {zh: 不予借出, en: Refused}, final: true}
transitions:
  ask: {title: {zh: 提出, en: Ask}, from: new, to: asked, by: site_operator}
  lend:
    title: {zh: 借出, en: Lend}
    from: asked
    to: lent
    sign:
      slots: {first: {role: site_operator}, second: {role: site_approver}, third: {role: site_head, seal: 教学点公章}}
      order: sequence
      add: {by: site_operator, roles: records_section, at_most: 1}
      drop: {by: site_operator, slots: [second, third]}
  refuse:
    title: {zh: 不予借出, en: Refuse}
    from: asked
    to: refused
    kind: reject
    sign:
      slots: {desk: {role: site_approver}, head: {role: site_head}}
      add: {by: site_operator, roles: records_section, at_most: 1}
      drop: {by: site_operator, slots: [head]}
"""
OPERATOR, APPROVER = "site_operator@S1", "site_approver@S1"
WHY = "金额较大，请学籍科一并把关"


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan just asked for, in a house of its own."""

    site: Site
    number: str

    def changes(self, form: dict[str, str], *, by: str = OPERATOR) -> httpx.Response:
        """The form of the page as it stands, sent with what was chosen."""
        person: Person = self.site.signed_in(by)
        return person.post(f"/cases/{self.number}/signers", {"reason": WHY, **form})

    def page(self) -> str:
        return self.site.signed_in(OPERATOR).get(f"/cases/{self.number}/signers").text

    def signs(self, login: str, step: str = "lend") -> int:
        return self.site.signed_in(login).post(f"/cases/{self.number}/do/{step}", {}).status_code

    def events(self) -> list[dict[str, Any]]:
        with self.site.house.desks.borrowed() as office:
            sql = "SELECT body FROM event WHERE chain = ? ORDER BY seq"
            rows = office.desk.connection.execute(sql, (case_of(self.number),)).fetchall()
        return [orjson.loads(bytes(body)) for (body,) in rows]


def _stage(folder: Path) -> None:
    """The definitions as shipped and one procedure more, and a loan asked for under them."""
    home = folder / "home"
    for name in ("rules", "workflows"):
        shutil.copytree(HOME / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    (home / "workflows" / "weighed-loan.yaml").write_text(LENDING, encoding="utf-8")
    with world_at(folder / "evening.db", load(home), "open-university") as world:
        loan = world.opens("weighed-loan", world.enrols(), "ask", "site_operator")
        with world.town.connection.writing():
            registry.set_setting(world.town.connection, "log", LOG)
            registry.set_setting(world.town.connection, "rehearsal", "yes")
    (folder / "loan.txt").write_text(case_number(loan.id))
    key = folder / "evening.db.key"
    key.write_text(KEY.hex())
    key.chmod(0o600)


@pytest.fixture(scope="session")
def staged(made_once: MadeOnce) -> Path:
    return made_once("weighed-loan", _stage)


@pytest.fixture
def loan(staged: Path, tmp_path: Path) -> Iterator[Loan]:
    with opening(Files(into=staged), tmp_path) as open_one:
        yield Loan(site=open_one(definitions=staged / "home"), number=(staged / "loan.txt").read_text())


@pytest.mark.parametrize("step", ["lend", "refuse"])
def test_a_signer_is_added_to_the_step_under_which_it_was_chosen(loan: Loan, step: str) -> None:
    html = loan.page()

    answer = loan.changes({"change": f"add:{step}:records_section"})

    assert f'value="add:{step}:records_section"' in html
    assert answer.status_code == 303
    told = loan.events()[-1]
    assert (told["kind"], told["data"]["trigger"], told["data"]["signer"]) == (
        "signer_changed",
        step,
        "records_section",
    )
    assert list(told["data"]["slots"]) == [step]


def test_a_place_goes_unsigned_in_the_step_it_belongs_to_and_is_named_as_people_know_it(loan: Loan) -> None:
    html = loan.page()

    answer = loan.changes({"change": "drop:refuse:head"})

    assert "减签：第 3 位，教学点负责人　盖章" in html
    assert "减签：head" not in html
    assert answer.status_code == 303
    assert (loan.events()[-1]["data"]["trigger"], loan.events()[-1]["data"]["dropped"]) == ("refuse", "head")


def test_a_change_that_names_no_step_changes_nothing(loan: Loan) -> None:
    told = {"add:records_section": 422, "drop:": 422, "": 422, "add:nothing:records_section": 404}
    assert {change: loan.changes({"change": change}).status_code for change in told} == told
    assert [one["kind"] for one in loan.events()] == ["opened"]


def test_in_sequence_a_signer_comes_before_or_after_oneself(loan: Loan) -> None:
    html = loan.page()
    assert "在我之前（第 1 位，教学点经办人）" in html
    assert "在我之后，第 2 位，教学点审批人之前" in html
    assert 'name="before:refuse"' not in html, "where signatures are given in any order there is no before"

    loan.changes({"change": "add:lend:records_section", "before:lend": "second"})

    assert loan.events()[-1]["data"]["before"] == "second"
    assert loan.signs(OPERATOR) == 303
    assert loan.signs(APPROVER) == 422, "the signer added comes first"
    assert loan.signs("records_section@P") == 303
    assert loan.signs(APPROVER) == 303


def test_a_signer_is_not_put_before_somebody_who_has_signed(loan: Loan) -> None:
    assert loan.signs(OPERATOR) == 303

    answer = loan.changes({"change": "add:lend:records_section", "before:lend": "first"})

    assert answer.status_code == 404
    assert '<option value="first"' not in loan.page()
    assert [one["kind"] for one in loan.events()] == ["opened", "signed"]


def test_a_change_of_signers_that_was_refused_is_done_once_it_is_mended(loan: Loan) -> None:
    """Sent as its page holds it, with the request number that stands in it."""
    person, address = loan.site.signed_in(OPERATOR), f"/cases/{loan.number}/signers"
    form = {**filled(person.get(address).text, address), "reason": WHY}

    refused, again = (person.post(address, {**form, "change": "add:lend:site_head"}) for _ in range(2))
    mended = {**filled(refused.text, address), "reason": WHY, "change": "add:lend:records_section"}

    assert (refused.status_code, again.status_code) == (422, 422)
    assert "刚才没有办成：" in again.text
    assert person.post(address, mended).status_code == 303
    assert [one["kind"] for one in loan.events()] == ["opened", "refused", "signer_changed"]


def test_a_program_puts_a_signer_before_another_too(loan: Loan) -> None:
    program = Program(loan.site, OPERATOR, "read", "decide")
    asked = {"trigger": "lend", "change": "add", "signer": "records_section", "reason": WHY}

    nowhere = program.post(f"/cases/{loan.number}/signers", {**asked, "before": "nobody"}, "signer-0001")
    done = program.post(f"/cases/{loan.number}/signers", {**asked, "before": "third"}, "signer-0002")

    assert (nowhere.status_code, done.status_code) == (422, 200)
    assert loan.events()[-1]["data"]["before"] == "third"
