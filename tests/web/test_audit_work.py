"""An auditor's own work: samples, findings, working papers, seals and what-if; each look at them is in the trail."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import orjson
import pytest
from openpyxl import load_workbook

from console import proposed_rules
from console.demo import evening, school
from console.seal_keys import make_key
from console.sealing import sealer_of
from console.settings import HOME, Settings
from engine.auditing.sampling import draw, rank
from engine.expressions.functions import Registered
from engine.loading.folder import read
from engine.loading.remembered import load_remembered
from engine.organisation import add_units, give_role
from engine.records import case_number, case_of
from engine.replay import replay_one
from engine.sealing import seal
from engine.store.registry import UnitRow
from rules.functions import FUNCTIONS
from tests.web.conftest import Person, Site

_OF_THE_LOOK = 3
"""Statements by which the registry's chain keeps a look; the ceilings are of what the page reads beside them."""
_STRICTER = ("holds: terms_passed >= terms_required", "holds: terms_passed > terms_required")
_SAMPLE = {"batch": school.BATCH, "workflow": "diploma-registration", "by": "unit", "confidence": "95", "error": "10",
           "size": "", "seed": "2024"}  # fmt: skip


def only_reading() -> Callable[..., tuple[object, object]]:
    """What reads definitions once and checks them no further: that takes seconds, and is proved elsewhere."""
    installed = load_remembered(HOME, Settings().memory_folder, FUNCTIONS)
    known: dict[int, tuple[object, object]] = {_texts(HOME): (installed, ())}

    def reading(
        folder: Path, functions: Mapping[str, Registered], *, messages: object, over: Mapping[str, str]
    ) -> tuple[object, object]:
        assert messages
        assert not over
        if _texts(folder) not in known:
            found = read(folder, functions)
            known[_texts(folder)] = (found.library, found.faults)
        return known[_texts(folder)]

    return reading


@pytest.fixture(scope="module", autouse=True)
def _rules_are_only_read() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proposed_rules, "examine", only_reading())
        yield


def _texts(folder: Path) -> int:
    return hash(
        tuple(path.read_bytes() for part in ("rules", "workflows") for path in sorted((folder / part).rglob("*.yaml")))
    )


@pytest.fixture
def auditor(site: Site) -> Person:
    """The auditor of the school."""
    return site.signed_in("auditor")


def said(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def rows(site: Site, sql: str, *values: object) -> list[Any]:
    with site.house.desks.borrowed() as office:
        return list(office.desk.connection.execute(sql, values).fetchall())


def registry(site: Site) -> list[dict[str, Any]]:
    return [orjson.loads(body) for (body,) in rows(site, "SELECT body FROM event WHERE chain = 0 ORDER BY seq")]


def returned(site: Site) -> str:
    sql = "SELECT id FROM cases WHERE unit = ? AND state = 'applied' AND workflow = 'diploma-registration' AND seq = 4"
    return case_number(rows(site, sql, evening.SITE)[0][0])


def done(person: Person, address: str) -> str:
    """The page once nothing is worked out any more."""
    for _ in range(600):
        page = person.get(address)
        if "Refresh" not in page.headers:
            assert page.status_code == 200, page.text
            return page.text
        time.sleep(0.1)
    raise AssertionError(address)


def found(person: Person) -> str:
    return done(person, str(person.post("/audit/findings", {"batch": school.BATCH}).headers["location"]))


def test_the_same_seed_draws_the_same_sample_and_anybody_can_draw_it_again(site: Site, auditor: Person) -> None:
    first, second = (auditor.post("/audit/samples", _SAMPLE).headers["location"] for _ in range(2))
    pages = [auditor.get(address).text for address in (first, second)]
    drawn = [list(dict.fromkeys(re.findall(r'href="/audit/cases/(\w{8})\?sample', page))) for page in pages]

    told = [one["data"] for one in registry(site) if one["kind"] == "noted"][-1]
    by_unit: dict[str, list[str]] = {}
    for case, unit in rows(
        site, "SELECT id, unit FROM cases WHERE batch = ? AND workflow = 'diploma-registration'", school.BATCH
    ):
        by_unit.setdefault(unit, []).append(case_number(case))
    cases = set(drawn[0])
    assert first != second
    assert drawn[0] == drawn[1]
    assert cases == set(draw(by_unit, len(told["cases"]), "2024").cases)
    here = sorted(by_unit[evening.SITE], key=lambda number: rank("2024", number))
    assert [one in cases for one in here] == sorted((one in cases for one in here), reverse=True), "smallest hashes"
    assert "种子 2024" in said(pages[0])
    assert "95%" in said(pages[0])


def test_what_has_been_looked_at_of_a_sample_is_told_by_the_trail_and_the_next_is_offered(auditor: Person) -> None:
    address = auditor.post("/audit/samples", _SAMPLE).headers["location"]
    before = auditor.get(address).text
    cases = list(dict.fromkeys(re.findall(r'href="(/audit/cases/\w+\?sample=\d+)"', before)))
    slider = auditor.get(cases[0]).text
    after = auditor.get(address).text

    assert f"已看 0 / {len(cases)}" in said(before)
    assert f"已看 1 / {len(cases)}" in said(after)
    assert f"样本 1 / {len(cases)}" in said(slider)
    assert f'rel="next" href="{cases[1]}"' in slider
    assert re.search(r'<a class="btn btn-primary" href="([^"]+)"', after)[1] == cases[1]  # type: ignore[index]  # there is one
    assert f"已看 1 / {len(cases)}" in said(auditor.get("/audit/samples").text)
    assert auditor.get(cases[0].replace(cases[0].split("=")[1], "1")).status_code == 404


@pytest.mark.parametrize("wrong", [{"confidence": "0"}, {"error": "100"}, {"size": "-1"}, {"confidence": "nan"}])
def test_a_sample_that_cannot_be_meant_is_refused_beside_its_field_and_nothing_is_drawn(
    site: Site, auditor: Person, wrong: dict[str, str]
) -> None:
    before = len(registry(site))
    answer = auditor.post("/audit/samples", {**_SAMPLE, **wrong})

    assert answer.status_code == 422
    assert f'href="#{next(iter(wrong))}"' in answer.text
    assert [one for one in registry(site)[before:] if one["kind"] == "noted"] == []


def test_findings_are_told_by_kind_with_threshold_and_what_they_may_innocently_be(site: Site, auditor: Person) -> None:
    assert "疑点" in auditor.get("/audit/findings").text
    page = said(found(auditor))

    assert "整批" in page
    assert "一人一秒内办理 10 件以上" in page
    assert "也可能是正常的：先抽看，再整批办理可直接办的件" in page
    assert "依据后来更正" in page
    assert "查了 8 项" in page
    assert "待核实" in page
    looks = (one["data"]["trigger"] for one in registry(site) if one["kind"] == "viewed")
    assert next(looks) == "view:findings"


def test_a_conclusion_needs_a_note_follows_the_one_before_and_stays_in_the_trail(site: Site, auditor: Person) -> None:
    address = re.search(r"/audit/findings/[0-9a-f]{64}", found(auditor))[0]  # type: ignore[index]  # there are some
    without = auditor.post(address, {"standing": "confirmed", "text": ""})
    leaping = auditor.post(address, {"standing": "mended", "text": "已整改完毕"})
    good = auditor.post(address, {"standing": "confirmed", "text": "已向经办人核对"})
    after = auditor.post(address, {"standing": "mended", "text": "已补办手续"})

    assert [one.status_code for one in (without, leaping, good, after)] == [422, 422, 303, 303]
    page = said(auditor.get(address).text)
    assert "已向经办人核对" in page
    assert "已补办手续" in page
    events = [one["data"] for one in registry(site) if one["kind"] == "noted"]
    assert [(one["finding"], one["standing"]) for one in events] == [
        (address.rpartition("/")[2], "confirmed"), (address.rpartition("/")[2], "mended"),
    ]  # fmt: skip
    assert "核对" not in str(events)
    assert "已整改 1" in said(found(auditor)), "found again, it is the same"
    with site.house.desks.borrowed() as office:
        assert replay_one(office.desk.connection, office.log, office.key, 0).diverged == ()


def test_a_finding_is_said_in_words_and_with_names_and_never_by_internal_ids(auditor: Person) -> None:
    lines = re.findall(r'<span class="xj-audit-line">([^<]+)</span>', found(auditor))

    assert any("更正为" in line and "办理“" in line for line in lines), lines
    for line in lines:
        assert re.search(r"[a-z]+_[a-z_]+|\btrue\b|\bfalse\b|⟦|T\d\d:\d\d", line) is None, line
    assert any(line.startswith("林芳 对 ") for line in lines), lines


def test_the_moment_of_a_decision_says_that_what_it_rested_on_was_corrected_later(auditor: Person) -> None:
    corrected = re.findall(
        r'<span class="xj-audit-line">[^<]*更正为[^<]*</span>\s*<a [^>]*href="([^"]+)"', found(auditor)
    )
    case, seq = re.findall(r'href="(/audit/cases/\w+)\?seq=(\d+)"', auditor.get(corrected[0]).text)[0]
    decided = said(auditor.get(f"{case}?seq={seq}").text)

    assert "这项决定依据的值后来改过 ：档案审核（2024年5月15日（周三）14:20）" in decided
    assert "版本 v1" in decided
    assert re.search(r"教学点经办人 \S*林芳", decided), "by name, though the past knows no names"
    assert "这项决定依据的值后来改过" not in said(auditor.get(f"{case}?seq=1").text), "opening it decided nothing"


def test_the_address_of_a_finding_and_of_a_what_if_opens_for_a_colleague_and_not_elsewhere(
    site: Site, auditor: Person
) -> None:
    with site.house.desks.borrowed() as office:
        held = rows(site, "SELECT unit FROM role_grant WHERE login = 'auditor' AND until IS NULL")[0][0]
        other = UnitRow(code="52000", name="另一所学校", kind="school", parent=None, path="", profile="online-ed")
        add_units(office.desk, [other], at=site.watch.at, actor=school.HEAD)
        for login, unit in (("colleague", held), ("elsewhere", "52000")):
            give_role(office.desk, login, "auditor", unit, at=site.watch.at, actor=school.HEAD)
    finding = re.search(r"/audit/findings/[0-9a-f]{64}", found(auditor))[0]  # type: ignore[index]  # there are some
    run, _ = judged(auditor, "graduation.yaml", stricter())
    colleague, elsewhere = site.signed_in("colleague"), site.signed_in("elsewhere")

    assert [colleague.get(one).status_code for one in (finding, run)] == [200, 200]
    assert [elsewhere.get(one).status_code for one in (finding, run)] == [404, 404]
    assert "没有改动任何数据；郑文 " in said(colleague.get(run).text), "it says whose it is"
    assert "郑文 2024年" in said(colleague.get(finding).text)
    assert "没有改动任何数据；您 " in said(auditor.get(run).text)
    assert colleague.post(finding, {"standing": "confirmed", "text": "已由同事核对"}).status_code == 303
    assert "已由同事核对" in auditor.get(finding).text
    assert elsewhere.post(finding, {"standing": "confirmed", "text": "不该看到"}).status_code == 404
    found(auditor)
    assert auditor.get(finding).status_code == 200, "looked for once more, it stands where it stood"


def test_what_was_found_is_taken_out_with_a_fresh_proof_and_the_trail_says_so(site: Site, auditor: Person) -> None:
    found(auditor)
    book = auditor.post("/audit/findings/export", {"batch": school.BATCH})
    site.watch.pass_by(minutes=16)
    asked_again = auditor.post("/audit/findings/export", {"batch": school.BATCH})

    sheet = load_workbook(BytesIO(book.content)).worksheets[0]
    assert next(one.value for one in sheet[1]) == "疑点"
    assert sheet.max_row > 1
    told = [one["data"] for one in registry(site) if one["kind"] == "exported"][-1]
    assert told["trigger"] == "audit:findings"
    assert told["sha256"] == {"xlsx": sha256(book.content).hexdigest()}
    assert asked_again.headers["location"].startswith("/sign-in/again")


def test_a_note_is_written_from_the_slider_and_leads_back_to_its_event(site: Site, auditor: Person) -> None:
    number = returned(site)
    slider = auditor.get(f"/audit/cases/{number}?seq=3").text
    answer = auditor.post(
        "/audit/papers", {"case": number, "seq": "3", "text": "退回理由 <b>太短</b>", "conclusion": "exception"}
    )
    page = auditor.get(answer.headers["location"]).text

    assert '<input type="hidden" name="seq" value="3">' in slider
    assert f'href="/audit/cases/{number}?seq=3"' in page
    assert "退回理由 &lt;b&gt;太短&lt;/b&gt;" in page
    assert "还没有封存" in page
    assert "退回理由" in auditor.get("/audit/papers").text
    event = orjson.loads(rows(site, "SELECT body FROM event WHERE chain = ? ORDER BY seq DESC", case_of(number))[0][0])
    assert (event["kind"], event["data"]["event"], event["data"]["conclusion"]) == ("noted", 3, "exception")
    assert "太短" not in str(event)
    assert auditor.post("/audit/papers", {"case": number, "seq": "99", "text": "x"}).status_code == 404
    assert auditor.post("/audit/papers", {"case": "00000000", "text": "x"}).status_code == 404
    assert auditor.post("/audit/papers", {"case": number, "text": ""}).status_code == 422


def test_a_note_on_a_batch_is_read_by_auditors_of_the_unit_and_by_nobody_elsewhere(site: Site, auditor: Person) -> None:
    with site.house.desks.borrowed() as office:
        other = UnitRow(code="52000", name="另一所学校", kind="school", parent=None, path="", profile="online-ed")
        add_units(office.desk, [other], at=site.watch.at, actor=school.HEAD)
        give_role(office.desk, "elsewhere", "auditor", "52000", at=site.watch.at, actor=school.HEAD)
    address = auditor.post("/audit/papers", {"batch": school.BATCH, "text": "抽样复核中"}).headers["location"]
    elsewhere = site.signed_in("elsewhere")

    assert "抽样复核中" in auditor.get(address).text
    assert elsewhere.get(address).status_code == 404
    assert "抽样复核中" not in elsewhere.get("/audit/papers").text
    assert "底稿 0 条" in said(elsewhere.get("/audit/papers").text)
    pdf = auditor.post("/audit/papers/export", {"batch": school.BATCH})
    assert pdf.content.startswith(b"%PDF")


def test_seals_tell_heads_and_what_is_not_sealed_and_a_check_notices_what_was_changed(
    site: Site, auditor: Person
) -> None:
    assert "日志还没有封存过" in auditor.get("/audit/seals").text
    make_key(site.house.settings.seal_key_file, None)
    with site.house.desks.borrowed() as office:
        sealer = sealer_of(site.house.settings, office.log)
        assert sealer is not None
        seal(office.desk.connection, sealer, "test", site.watch)
    page, good = auditor.get("/audit/seals"), auditor.post("/audit/seals")
    paper = auditor.post("/audit/papers", {"batch": school.BATCH, "text": "封存之后"}).headers["location"]
    with site.house.desks.borrowed() as office:
        seal(office.desk.connection, sealer, "test", site.watch)
        raw = office.desk.connection.raw
        raw.execute("DROP TRIGGER guard_leaf_update")
        raw.execute("UPDATE leaf SET hash = zeroblob(32) WHERE idx = (SELECT max(idx) - 1 FROM leaf)")
        raw.commit()
    bad = auditor.post("/audit/seals").text

    assert "最近 1 条尚未封存" in said(page.text), "the look at this very page"
    assert "最近 1 个封存头的树根，与现在的封存树逐个相符" in said(good.text)
    assert "数据库的防护都在" in good.text
    assert "已封存于 #" in said(auditor.get(paper).text)
    assert "对不上：封存头" in said(bad)
    assert "guard_leaf_update" in bad


def stricter() -> bytes:
    text = (HOME / "rules" / "graduation.yaml").read_text("utf-8")
    return text.replace(*_STRICTER).encode()


def judged(person: Person, name: str, body: bytes) -> tuple[str, str]:
    """The address and page of a what-if under rules that are handed in."""
    file = ("file", (name, body, "application/octet-stream"))
    answer = person.post("/audit/what-if", {"batch": school.BATCH}, files=[file])
    assert answer.status_code == 303, answer.text
    address = str(answer.headers["location"])
    return address, done(person, address)


def cells(page: str) -> list[tuple[int, str]]:
    return [
        (int(number.replace(",", "")), unescape(address))
        for address, number in re.findall(r'<td class="xj-num"[^>]*><a href="([^"]+)">([\d,]+)</a>', page)
    ]


def test_other_rules_tell_what_would_have_been_whose_and_why_and_change_nothing(
    open_site: Callable[..., Site], tmp_path: Path
) -> None:
    (tmp_path / "same" / "rules").mkdir(parents=True)
    (tmp_path / "same" / "rules" / "graduation.yaml").write_bytes((HOME / "rules" / "graduation.yaml").read_bytes())
    site = open_site(what_if=tmp_path)
    auditor = site.signed_in("auditor")
    cases = rows(site, "SELECT id, state, revision, seq FROM cases ORDER BY id")
    address, page = judged(auditor, "graduation.yaml", stricter())

    matrix = cells(page)
    assert "只是推演，没有改动任何数据" in page
    assert rows(site, "SELECT id, state, revision, seq FROM cases ORDER BY id") == cases
    [passes, fails, open_, *refused] = [number for number, _ in matrix]
    assert (fails > 100, open_, refused[0], refused[2]) == (True, 0, 0, 0)
    assert sum(number for number, _ in matrix) == passes + fails + refused[1]
    for number, link in matrix:
        assert f"每件 {number:,} 件" in said(auditor.get(link).text), link
    assert "G-GR-04 教学计划各学期成绩合格" in said(page)
    by_unit = re.findall(r'<a href="([^"]+unit=[^"]+)">(\d+)<', page)
    assert sum(int(number) for _, number in by_unit) == fails
    assert f"每件 {by_unit[0][1]} 件" in said(auditor.get(unescape(by_unit[0][0])).text)
    assert site.signed_in("auditor").get(address).status_code == 200, "the same person at another browser"

    book = auditor.post(f"{address}/export", {"was": "passed", "now": "refuse"})
    assert load_workbook(BytesIO(book.content)).worksheets[0].max_row == fails + 1
    same = done(auditor, auditor.post("/audit/what-if", {"batch": school.BATCH, "folder": "same"}).headers["location"])
    assert "没有差别" in same
    assert "strict" not in auditor.post("/audit/what-if", {"batch": school.BATCH, "folder": "../strict"}).text


def test_rules_that_cannot_be_used_are_told_with_every_place(auditor: Person) -> None:
    broken = stricter().replace(b"holds: terms_passed", b"hold: terms_passed").replace(b"holds: fee_owed", b"hold: 1")
    page = said(judged(auditor, "graduation.yaml", broken)[1])

    assert "这份规则不能用" in page
    assert "rules/graduation.yaml:28:" in page
    assert "rules/graduation.yaml:50:" in page
    assert "Did you mean 'holds'?" in page


def packed(*names: str) -> bytes:
    made = BytesIO()
    with ZipFile(made, "w") as package:
        for name in names:
            package.writestr(name, stricter())
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("notes.yaml", b"a: b\n"),
        ("rules.zip", packed("rules/../../../etc/x.yaml")),
        ("rules.zip", packed("rules/functions.py")),
        ("rules.zip", b"PK\x03\x04 broken"),
        ("rules.yaml", b"x" * (4 * 2**20 + 1)),
    ],
    ids=["unknown", "climbing", "code", "damaged", "large"],
)
def test_what_is_no_definition_is_refused_before_anything_is_read(read_site: Site, name: str, body: bytes) -> None:
    person = read_site.signed_in("auditor")
    answer = person.post("/audit/what-if", {"batch": school.BATCH}, files=[("file", (name, body, "x/y"))])

    assert answer.status_code == 422
    assert 'href="#file"' in answer.text


def test_a_package_stands_for_the_files_it_has() -> None:
    texts = proposed_rules.handed_in("rules.zip", packed("proposal/rules/graduation.yaml"), HOME)

    assert texts == {"rules/graduation": stricter()}


def test_every_page_of_an_auditors_work_is_few_statements_and_leaves_its_event(narrow_site: Site) -> None:
    auditor, number = narrow_site.signed_in("auditor"), returned(narrow_site)
    sample = auditor.post("/audit/samples", _SAMPLE).headers["location"]
    paper = auditor.post("/audit/papers", {"case": number, "text": "底稿"}).headers["location"]
    finding = re.search(r"/audit/findings/[0-9a-f]{64}", found(auditor))[0]  # type: ignore[index]  # there are some
    run, _ = judged(auditor, "graduation.yaml", stricter())
    pages = {
        "/audit/samples": 8, sample: 8, "/audit/papers": 8, paper: 8, f"/audit/findings?batch={school.BATCH}": 8,
        finding: 8, "/audit/seals": 8, "/audit/what-if": 8, run: 6, f"{run}?was=passed&now=refuse&sort=unit": 6,
    }  # fmt: skip
    for address, most in pages.items():
        before = len(registry(narrow_site))
        with narrow_site.counted() as statements:
            assert auditor.get(address).status_code == 200
        assert len(statements) <= most + _OF_THE_LOOK, (address, statements)
        looks = registry(narrow_site)[before:]
        assert [(one["kind"], one["actor"]) for one in looks] == [("viewed", "auditor")], address


def test_nobody_but_an_auditor_finds_these_pages(read_site: Site) -> None:
    for login in (evening.APPROVER, school.HEAD, "audit-admin"):
        person = read_site.signed_in(login)
        for page in ("samples", "findings", "papers", "seals", "what-if"):
            assert person.get(f"/audit/{page}").status_code == 404
