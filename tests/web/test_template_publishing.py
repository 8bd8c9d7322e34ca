"""Templates of mails are changed by two persons, and are in force for mails that have not left, in every process."""

import re
from datetime import date
from html import unescape
from pathlib import Path

import orjson
import pytest

from console import message_view, publications
from console.calling import Caller
from console.wiring import Office
from engine.errors import Unknown
from engine.replay import Divergence, replay_range
from engine.store import proposals
from engine.store.trail import spans
from tests.web.conftest import Person, Site
from tests.web.test_api import Program

FIRST, OTHER = "system-admin", "second-system-admin"
PAGE = "/admin/templates/urged"
SAYS = "urged/says.txt"
WRITTEN = "请办 {{ matter.zh }}，行政楼 102。\nPlease deal with {{ matter.en }}, room 102.\n"
REASON = "按学籍科 5 月要求改措辞"
DAY = "2024-05-15"


def submitted(person: Person, page: str = PAGE, day: str = DAY, reason: str = REASON, **texts: str) -> str:
    """Hand templates in on a mail's page; where the newest proposal is."""
    named = {name.replace("__", "/").replace("_", "."): text for name, text in texts.items()} or {SAYS: WRITTEN}
    answer = person.post(f"{page}/submit", {**named, "effective_on": day, "reason": reason})
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == f"{page}?said=submitted"
    with person.site.house.desks.borrowed() as office:
        newest = max(one.number for one in proposals.lines(office.desk.connection))
    return f"/admin/definitions/proposals/{newest}"


def published(site: Site, **texts: str) -> str:
    address = submitted(site.signed_in(FIRST), **texts)
    assert site.signed_in(OTHER).post(f"{address}/approve").headers["location"] == f"{address}?said=approved"
    return address


def mail_of(person: Person, page: str = PAGE) -> str:
    """The text of the mail as its page shows it."""
    found = re.search(r'<pre class="xj-mail-text"[^>]*>(.*?)</pre>', person.get(page).text, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def events(site: Site) -> list[dict[str, object]]:
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute("SELECT body FROM event WHERE chain = 0 ORDER BY seq").fetchall()
    return [orjson.loads(bytes(row[0])) for row in rows]


def test_a_template_is_checked_shown_with_its_difference_submitted_and_approved_by_another(site: Site) -> None:
    first, other = site.signed_in(FIRST), site.signed_in(OTHER)
    before = mail_of(first)
    checked = first.post(PAGE, {SAYS: WRITTEN})
    assert checked.status_code == 200
    assert "<ins>请办 {{ matter.zh }}，行政楼 102。</ins>" in checked.text
    assert "<del>有人催办" in checked.text
    assert "请办 审核学籍卡与登记表，行政楼 102。" in checked.text
    assert 'name="reason"' in checked.text

    address = submitted(first)
    assert mail_of(first) == before, "nothing is in force yet"
    own = first.post(f"{address}/approve")
    assert (own.status_code, "须由另一人批准" in own.text) == (409, True)
    shown = other.get(address).text
    assert "消息模板：催办" in shown
    assert REASON in shown
    assert "请办 审核学籍卡与登记表，行政楼 102。" in mail_of(other, f"{PAGE}?proposal={address.rpartition('/')[2]}")

    assert other.post(f"{address}/approve").headers["location"] == f"{address}?said=approved"
    assert "请办 审核学籍卡与登记表，行政楼 102。" in mail_of(first)
    page = first.get(PAGE).text
    assert re.search(r"\S+提交、\S+批准，2024年5月15日（周三）起", page)
    assert "已发布的" in first.get("/admin/templates").text


def test_the_trail_tells_who_published_a_template_and_replay_finds_it_as_it_is_told(site: Site) -> None:
    address = published(site)

    [told] = [one for one in events(site) if one["kind"] == "definition_published" and "message" in one["data"]]  # type: ignore[operator] # a mapping
    data = told["data"]
    assert isinstance(data, dict)
    assert (data["message"], data["file"]) == (SAYS, f"messages/{SAYS}")
    assert (data["proposed_by"], data["approved_by"], data["effective_from"]) == (FIRST, OTHER, DAY)
    assert data["sha256"] == proposals.digest_of(WRITTEN)
    with site.house.desks.borrowed() as office:
        assert _diverged(office) == ()
        number = address.rpartition("/")[2]
        office.desk.connection.execute("UPDATE proposal SET body = 'forged' WHERE number = ?", (int(number),))
        assert [one.why.endswith(f": proposal {number}") for one in _diverged(office)] == [True]


def _diverged(office: Office) -> tuple[Divergence, ...]:
    [whole] = spans(office.desk.connection, 1)
    return replay_range(office.desk.connection, office.log, office.key, whole).diverged


def test_definitions_are_not_read_again_because_a_template_was_approved(site: Site) -> None:
    library = site.house.desks.in_force.library
    with site.house.desks.borrowed() as office:
        before = proposals.numbers_in_force(office.desk.connection, date.max)
    published(site)
    with site.house.desks.borrowed() as office:
        assert proposals.numbers_in_force(office.desk.connection, date.max) == before
        assert proposals.texts_in_force(office.desk.connection, date.max) == {}
        assert office.desk.library is library


def test_approving_asks_for_a_fresh_proof(site: Site) -> None:
    address = submitted(site.signed_in(FIRST))
    other = site.signed_in(OTHER)
    site.watch.pass_by(minutes=16)
    assert other.post(f"{address}/approve").headers["location"].startswith("/sign-in/again")
    assert events(site)[-1]["kind"] != "definition_published"


def test_what_is_refused_or_taken_back_changes_no_mail(site: Site) -> None:
    first, other = site.signed_in(FIRST), site.signed_in(OTHER)
    before = mail_of(first)
    refused = submitted(first)
    other.post(f"{refused}/refuse", {"reason": "措辞不妥"})
    assert "措辞不妥" in first.get(refused).text
    withdrawn = submitted(first)
    first.post(f"{withdrawn}/withdraw")
    assert other.post(f"{withdrawn}/approve").status_code == 409
    assert mail_of(first) == before


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (SAYS, "请{{ matters.zh }}\nPlease {{ matter.en }}", ("urged/says.txt:1:1", "Did you mean 'matter'")),
        (SAYS, "只有中文 {{ matter.zh }}", ("urged/says.txt:1:1", "says.txt 应有两行")),
        (SAYS, "", ("urged/says.txt:1:1", "says.txt 应有两行")),
        (SAYS, "一\n{% if %}two", ("urged/says.txt:2:1", "模板有误")),
        ("urged/subject.txt", "催办\n{{ case }}", ("urged/subject.txt:1:1", "换行或控制字符")),
        ("urged/subject.txt", "", ("urged/subject.txt:1:1", "主题应有 1 至 150 字")),
        ("urged/body.txt", "催办", ("urged/body.txt:1:1", "没有写出")),
        ("urged/body.html", "<p>{{ link }}</p>", ("urged/body.html:1:1", "演练")),
        (SAYS, "{{ 'x' * 2000000000 }}\nx", ("urged/says.txt:1:1", "占用过多内存")),
        (SAYS, "{{ ''.__class__ }}\nx", ("urged/says.txt:1:1",)),
    ],
    ids=["unknown word", "one line", "empty", "no template", "line break in the subject", "no subject",
         "no link in text", "no rehearsal in html", "costs too much", "reaches for what it may not"],
)  # fmt: skip
def test_a_template_that_cannot_be_used_is_refused_where_it_is_wrong_and_not_submitted(
    read_site: Site, name: str, text: str, said: tuple[str, ...]
) -> None:
    admin = read_site.signed_in(FIRST)
    for address in (PAGE, f"{PAGE}/submit"):
        answer = admin.post(address, {name: text, "effective_on": DAY, "reason": REASON})
        assert answer.status_code == 422, address
        assert [one for one in said if one not in unescape(answer.text)] == []
        assert "提交发布" not in answer.text
    with read_site.house.desks.borrowed() as office:
        assert [one for one in proposals.lines(office.desk.connection) if one.file.startswith("messages/")] == []


def test_a_reason_a_day_not_past_and_a_change_are_needed(read_site: Site) -> None:
    admin = read_site.signed_in(FIRST)
    wanted = {SAYS: WRITTEN, "effective_on": DAY, "reason": REASON}
    for said, words in (
        ({"reason": "不"}, "4—500 字"),
        ({"effective_on": "2024-05-14"}, "2024-05-15"),
        ({"effective_on": "soon"}, "请写日期"),
        ({SAYS: unescape(installed(admin))}, "没有改动，无须提交"),
    ):
        answer = admin.post(f"{PAGE}/submit", {**wanted, **said})
        assert (answer.status_code, words in answer.text) == (422, True), said


def installed(admin: Person) -> str:
    found = re.search(r'name="urged/says.txt"[^>]*>(.*?)</textarea>', admin.get(PAGE).text, re.DOTALL)
    assert found is not None
    return found[1].replace("\n", "\r\n")  # as a browser sends it


def test_several_templates_of_a_mail_are_submitted_all_of_them_or_none(site: Site) -> None:
    first = site.signed_in(FIRST)
    bad = first.post(f"{PAGE}/submit", {SAYS: WRITTEN, "urged/subject.txt": "", "effective_on": DAY, "reason": REASON})
    assert bad.status_code == 422
    with site.house.desks.borrowed() as office:
        assert proposals.lines(office.desk.connection, f"messages/{SAYS}") == []
    submitted(first, urged__says_txt=WRITTEN, urged__subject_txt="【学籍】请办 {{ case }}")
    page = first.get(PAGE).text
    assert f"messages/{SAYS}" in page
    assert "messages/urged/subject.txt" in page


def test_a_form_sent_twice_is_one_proposal_and_the_same_text_for_another_day_is_told_of_the_first(site: Site) -> None:
    first = site.signed_in(FIRST)
    wanted = {SAYS: WRITTEN, "effective_on": DAY, "reason": REASON}

    answers = [first.post(f"{PAGE}/submit", wanted) for _ in range(2)]
    later = first.post(f"{PAGE}/submit", {**wanted, "effective_on": "2024-05-20"})

    assert [one.headers.get("location") for one in answers] == [f"{PAGE}?said=submitted"] * 2
    with site.house.desks.borrowed() as office:
        [one] = proposals.lines(office.desk.connection, f"messages/{SAYS}")
    assert (later.status_code, f"第 {one.number} 号发布，正等另一人批准" in later.text) == (422, True)
    assert WRITTEN.splitlines()[0] in unescape(later.text), "what was typed is still there"
    site.signed_in(OTHER).post(f"/admin/definitions/proposals/{one.number}/refuse", {"reason": "措辞不妥"})
    submitted(first)


def test_a_text_that_is_approved_for_a_day_to_come_is_told_beside_what_else_was_typed(site: Site) -> None:
    first = site.signed_in(FIRST)
    address = submitted(first, day="2024-05-20", urged__says_txt=WRITTEN)
    site.signed_in(OTHER).post(f"{address}/approve")
    subject = "【学籍】请办 {{ case }}"
    texts = {SAYS: WRITTEN, "urged/subject.txt": subject}

    answer = first.post(f"{PAGE}/submit", {**texts, "effective_on": "2024-05-21", "reason": REASON})

    assert answer.status_code == 422
    for one in ("与现行的没有差别", subject, WRITTEN.splitlines()[0], REASON, "2024-05-21"):
        assert one in unescape(answer.text)
    with site.house.desks.borrowed() as office:
        assert proposals.lines(office.desk.connection, "messages/urged/subject.txt") == []


def test_the_body_of_all_mails_and_a_body_for_one_alone_can_be_published(site: Site) -> None:
    admin = site.signed_in(FIRST)
    shared = re.search(r'name="notice.txt"[^>]*>(.*?)</textarea>', admin.get("/admin/templates/notice").text, re.DOTALL)
    assert shared is not None
    text = unescape(shared[1])
    address = submitted(admin, page="/admin/templates/notice", notice_txt=text.replace("您可以办", "您能办"))
    site.signed_in(OTHER).post(f"{address}/approve")
    assert "您能办 You can" in mail_of(admin)

    published(site, urged__body_txt=text.replace("您可以办", "请您办"))
    assert "请您办 You can" in mail_of(admin)
    assert "您能办 You can" in mail_of(admin, "/admin/templates/returned")


def test_the_installed_text_comes_back_by_two_persons_as_well_and_the_old_ones_stay_readable(site: Site) -> None:
    first, other = site.signed_in(FIRST), site.signed_in(OTHER)
    before = mail_of(first)
    old = published(site)
    answer = first.post(f"{PAGE}/back", {"part": SAYS, "reason": ""})
    assert (answer.status_code, "4—500 字" in answer.text) == (422, True)
    assert first.post(f"{PAGE}/back", {"part": "urged/other.txt", "reason": REASON}).status_code == 404
    first.post(f"{PAGE}/back", {"part": SAYS, "reason": "恢复原来的措辞"})
    with site.house.desks.borrowed() as office:
        number = proposals.lines(office.desk.connection)[0].number
    back = f"/admin/definitions/proposals/{number}"
    assert "用回安装的文字" in other.get(back).text
    assert "行政楼 102" in mail_of(first), "it is not approved yet"

    other.post(f"{back}/approve")
    assert mail_of(first) == before
    page = first.get(PAGE).text
    assert "起用回安装的文字" in page
    assert "历次文字" in page
    assert "行政楼 102。" in first.get(old).text
    assert "行政楼 102。" in mail_of(first, f"{PAGE}?proposal={old.rpartition('/')[2]}")


def test_what_was_overtaken_meanwhile_is_not_approved(site: Site) -> None:
    first, other = site.signed_in(FIRST), site.signed_in(OTHER)
    one, two = submitted(first), submitted(first, urged__says_txt=WRITTEN.replace("102", "103"))
    other.post(f"{one}/approve")
    assert other.post(f"{two}/approve").status_code == 409
    assert "102" in mail_of(first)


def test_a_template_is_checked_again_when_it_is_approved(site: Site) -> None:
    address = submitted(site.signed_in(FIRST))
    broken = WRITTEN.replace("matter.zh", "subject_matter")
    with site.house.desks.borrowed() as office:  # as if a release had taken the word away since
        office.desk.connection.execute(
            "UPDATE proposal SET body = ?, sha256 = ? WHERE number = ?",
            (broken, proposals.digest_of(broken), int(address.rpartition("/")[2])),
        )
    answer = site.signed_in(OTHER).post(f"{address}/approve")
    assert answer.status_code == 422
    assert f"messages/{SAYS}:1:1" in answer.text
    assert "行政楼" not in mail_of(site.signed_in(FIRST))


@pytest.mark.parametrize("harm", ["a word that is gone", "another text than was approved"])
def test_an_approved_template_that_cannot_be_used_any_more_is_named_and_mails_say_what_is_installed(
    site: Site, harm: str
) -> None:
    first = site.signed_in(FIRST)
    before = mail_of(first)
    published(site)
    published(site, urged__subject_txt="【学籍】请办 {{ case }}")
    broken = WRITTEN.replace("matter.zh", "subject_matter")
    digest = proposals.digest_of(broken if harm == "a word that is gone" else WRITTEN)
    with site.house.desks.borrowed() as office:
        sql = "UPDATE proposal SET body = ?, sha256 = ? WHERE file = ?"
        office.desk.connection.execute(sql, (broken, digest, f"messages/{SAYS}"))

    assert mail_of(first) == before
    page = first.get(PAGE).text
    assert "主题：【演练】【学籍】请办 7QK4M2T9" in page, "the other one is still in force"
    assert f"{SAYS}:1:1" in page
    assert "不能使用" in first.get("/admin/templates").text
    assert f"不能使用：{SAYS}" in site.signed_in("audit-admin").get("/admin/health").text
    assert first.get("/admin/definitions").status_code == 200
    caller = Caller(settings=site.house.settings, now=site.watch.at)
    assert message_view.check_in_force(caller, as_json=True) == 1


def test_the_preview_reaches_nothing_and_does_nothing(site: Site) -> None:
    first = site.signed_in(FIRST)
    wild = (
        '<script>alert(1)</script><img src="https://elsewhere.invalid/x.png" onerror="alert(1)">'
        '<p onclick="alert(1)">{{ link }} 演练</p>'
    )
    tried = first.post(PAGE, {"urged/body.html": wild})
    assert tried.status_code == 200
    assert "<script>alert" not in tried.text
    number = submitted(first, urged__body_html=wild).rpartition("/")[2]
    alone = first.get(f"{PAGE}/mail?proposal={number}")
    policy = alone.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-" not in policy
    assert first.get(f"/admin/templates/moved/mail?proposal={number}").status_code == 404
    assert first.get(f"{PAGE}?proposal=99").status_code == 404


def test_at_the_keyboard_a_template_is_proposed_shown_and_given_back_and_a_message_is_shown_as_it_is_in_force(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    caller = Caller(settings=site.house.settings, now=site.watch.at)
    file = tmp_path / "urged" / "says.txt"
    file.parent.mkdir()
    file.write_text(WRITTEN.replace("matter.zh", "matters.zh"), "utf-8")
    asked = publications.Proposing(file=file, login=FIRST, reason=REASON, day=None)
    assert publications.propose(caller, asked, dry_run=False, as_json=False) == 1
    assert "messages/urged/says.txt:1:1" in capsys.readouterr().err
    file.write_text(WRITTEN, "utf-8")
    assert publications.propose(caller, asked, dry_run=False, as_json=True) == 0
    number = orjson.loads(capsys.readouterr().out)["number"]
    assert publications.approve(caller, number, FIRST, dry_run=False, as_json=False) == 1
    assert publications.approve(caller, number, OTHER, dry_run=False, as_json=False) == 0

    capsys.readouterr()
    message_view.show("urged", None, message_view.in_force(caller))
    told = capsys.readouterr()
    assert "行政楼 102。" in told.out
    assert f"messages/{SAYS}：已批准 approved，{FIRST}、{OTHER}，2024-05-15" in told.err
    back = publications.Proposing(file=Path(SAYS), login=OTHER, reason=REASON, day=None, is_back=True)
    assert publications.propose(caller, back, dry_run=False, as_json=False) == 0
    assert publications.approve(caller, number + 1, FIRST, dry_run=False, as_json=False) == 0
    assert publications.show(caller, number + 1, as_json=False) == 0
    assert "用回安装的文字" in capsys.readouterr().out
    message_view.show("urged", None, message_view.in_force(caller))
    assert "有人催办" in capsys.readouterr().out
    unknown = publications.Proposing(file=Path("urged/say.txt"), login=OTHER, reason=REASON, day=None, is_back=True)
    with pytest.raises(Unknown, match=r"Did you mean 'urged/says\.txt'"):
        publications.propose(caller, unknown, dry_run=False, as_json=False)


def test_a_program_proposes_a_template_for_its_person_and_another_persons_approves_it(site: Site) -> None:
    first, other = (Program(site, one, "read", "admin") for one in (FIRST, OTHER))
    bad = first.post("/admin/proposals", {"name": f"messages/{SAYS}", "text": "{{ matters.zh }}\nx"}, "draft-001")
    assert [one.partition(" ")[0] for one in bad.json()["faults"]] == [f"messages/{SAYS}:1:1:"]
    given = {"name": f"messages/{SAYS}", "text": WRITTEN}
    drafts = [first.post("/admin/proposals", given, "draft-002").json() for _ in range(2)]
    assert drafts[0] == drafts[1]
    address = f"/admin/proposals/{drafts[0]['number']}"
    assert first.post(f"{address}/submit", {"effective_on": DAY, "reason": REASON}, "submit-01").status_code == 200
    assert first.post(f"{address}/approve", {}, "approve-1").status_code == 409
    assert other.post(f"{address}/approve", {}, "approve-2").json()["stage"] == "approved"
    assert "行政楼 102。" in mail_of(site.signed_in(FIRST))

    back = {**given, "text": "", "installed": True}
    shown = first.post("/admin/proposals", back, "draft-003").json()
    assert {"zh": "用回安装的文字。", "en": "The installed text is back."} in shown["differences"]
