"""What people read: every message, alone and with others, in both languages, as text and as HTML."""

import re
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest

from engine.definition import Bilingual
from engine.expressions.kinds import SHANGHAI
from notifications.messages.catalogue import MESSAGES, shipped, variables
from notifications.messages.letters import Left, Letter, Notice
from notifications.messages.rendering import Messages
from notifications.messages.samples import (
    AT,
    every_sample,
    sample_handed_over,
    sample_letter,
    sample_notice,
    sample_of_a_role,
    sample_of_a_signature,
)
from notifications.messages.wording import due_words, left_words, when_words
from tests.house.source import ROOT

URL = "https://xueji.school.example"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# A paper ID number and a student number of nobody.
ID_NUMBER, STUDENT_NUMBER, TELEPHONE = "110101200002300017", "2233001200456", "19900000000"

ABOUT_CASES = [one for one in MESSAGES if one not in ("revealed_often", "absence")]
LETTERS = [
    *(pytest.param(sample_letter((sample_notice(one),)), id=one) for one in ABOUT_CASES),
    *(pytest.param(sample_letter((sample_notice(one),) * 3), id=f"{one}-several") for one in ABOUT_CASES),
]


def _messages(*, is_rehearsal: bool = False) -> Messages:
    return Messages(
        None, url=f"{URL}/", sender="学籍科 <records@school.example>", log="xueji/0a1b", is_rehearsal=is_rehearsal
    )


def _mail(letter: Letter) -> EmailMessage:
    return _messages().mail(letter)


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def _html(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content())


class _Page(HTMLParser):
    """What a page says and links to; it fails on what is not closed in order."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.said: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "background"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.said.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.said).split())


@pytest.mark.parametrize("letter", LETTERS)
def test_every_message_greets_its_reader_and_says_the_same_in_chinese_and_english_in_text_and_html(letter):
    mail = _mail(letter)

    text, page = _text(mail), _Page(_html(mail))

    for said in (text, page.words):
        assert "陈𠮷怡，您好！" in said
        assert "Dear 陈𠮷怡," in said
        assert "收到的原因：您是柳桥教学点的教学点审批人。" in said
        assert "Why you get this: you are teaching-point approver at 柳桥教学点." in said
        assert "柳桥教学点" in said
        assert "毕业申请 Graduation application" in said
        assert not re.search(r"None|[Uu]ndefined|\{\{|\{%", said)
    assert CHINESE.search(mail["Subject"])
    assert mail["Subject"].startswith("【学籍】")


@pytest.mark.parametrize("letter", LETTERS)
def test_every_message_says_what_happened_first_in_chinese_then_in_english(letter):
    lines = [line for line in _text(_mail(letter)).splitlines() if line]

    zh, en = lines[2:4]

    assert CHINESE.search(zh)
    assert re.match(r"[A-Z0-9]", en)
    assert not CHINESE.search(en.replace("柳桥教学点", ""))


@pytest.mark.parametrize("letter", LETTERS)
def test_text_and_html_name_the_same_date_and_the_same_way_to_the_case(letter):
    (notice, *_) = letter.notices
    mail = _mail(letter)

    text, page = _text(mail), _Page(_html(mail))

    assert f"{URL}/cases/7QK4M2T9" in text
    assert f"{URL}/cases/7QK4M2T9" in page.links
    if notice.due_at is not None:
        due = due_words(notice.due_at)
        assert due.zh in text
        assert due.en in text
        assert due.zh in page.words
        assert due.en in page.words


@pytest.mark.parametrize("letter", every_sample())
def test_the_html_is_well_formed_and_fetches_nothing(letter):
    html = _html(_mail(letter))
    page = _Page(html)

    assert all(link.startswith(f"{URL}/") for link in page.links)
    assert page.tags & {"img", "script", "link", "iframe", "object", "form", "video"} == set()
    assert not re.search(r"url\(|@import|@font-face|javascript:", html)


@pytest.mark.parametrize("letter", LETTERS)
def test_a_rehearsal_says_so_in_the_subject_and_in_both_bodies_and_a_live_database_never_does(letter):
    rehearsed, live = _messages(is_rehearsal=True).mail(letter), _mail(letter)

    assert rehearsed["Subject"].startswith("【演练】【学籍】")
    assert all("演练，数据不真实" in said for said in (_text(rehearsed), _html(rehearsed)))
    assert all("演练" not in said for said in (live["Subject"], _text(live), _html(live)))


@pytest.mark.parametrize(
    ("message", "subject"),
    [
        pytest.param("approaching", "【学籍】毕业申请：还剩 4 个工作日（5月13日截止） 7QK4M2T9", id="approaching"),
        pytest.param("due_today", "【学籍】毕业申请：今天截止（5月8日） 7QK4M2T9", id="today"),
        pytest.param("overdue", "【学籍】毕业申请：逾期 2 个工作日（5月6日截止） 7QK4M2T9", id="overdue"),
        pytest.param("returned", "【学籍】毕业申请：已退回修改 7QK4M2T9", id="returned"),
        pytest.param("copied", "【学籍】毕业申请：抄送 7QK4M2T9", id="copied"),
        pytest.param(
            "deadline_moved", "【学籍】毕业申请：截止时间已改，还剩 26 天（6月3日截止，暂定） 7QK4M2T9", id="moved"
        ),
    ],
)
def test_a_subject_tells_what_until_when_and_which_case_and_nobodys_name(message, subject):
    assert _mail(sample_letter((sample_notice(message),)))["Subject"] == subject


def test_a_moved_deadline_names_the_new_date_the_old_one_and_that_holidays_may_change_it():
    mail = _mail(sample_letter((sample_notice("deadline_moved"),)))

    for said in (_text(mail), _Page(_html(mail)).words):
        assert "2024年6月3日（周一）24:00 前（暂定）" in said
        assert "by 3 Jun 2024 (Mon), 24:00 (provisional)" in said
        assert "2024年5月13日（周一）24:00 前" in said


def test_a_deadline_without_a_date_is_said_to_be_open():
    bare = replace(sample_notice("deadline_moved"), due_at=None, was_due_at=None, left=None)

    mail = _mail(sample_letter((bare,)))

    assert "待定" in mail["Subject"]
    assert "截止 Due：待定 not set yet" in _text(mail)
    assert "截止时间待定 The deadline is not set yet." in _Page(_html(mail)).words


DELEGATIONS = [
    pytest.param(
        sample_notice("delegated"),
        "您受委派代行“教学点审批人”职责，办理这件业务，至2024年5月13日（周一）24:00。",
        "You are to act as Teaching-point approver on this case, until 13 May 2024 (Mon), 24:00.",
        id="case",
    ),
    pytest.param(
        sample_of_a_role("delegated"),
        "您受委派代行柳桥教学点的“教学点审批人”职责，至2024年5月13日（周一）24:00。",
        "You are to act as Teaching-point approver at 柳桥教学点, until 13 May 2024 (Mon), 24:00.",
        id="role",
    ),
    pytest.param(
        sample_of_a_signature("delegated"),
        "学生委托您在这件业务中代为签字，至2024年5月13日（周一）24:00。",
        "A student has left it to you to sign in this case, until 13 May 2024 (Mon), 24:00.",
        id="signature",
    ),
    pytest.param(
        sample_handed_over(),
        "这件业务已转给您办理，今后由您负责。",
        "This case has been handed over to you for good.",
        id="handed-over",
    ),
    pytest.param(
        sample_notice("delegation_ended"),
        "委派已收回，您不再代行“教学点审批人”职责办理这件业务。",
        "It was taken back: you no longer act as Teaching-point approver on this case.",
        id="case-ended",
    ),
    pytest.param(
        sample_of_a_role("delegation_ended"),
        "委派已收回，您不再代行柳桥教学点的“教学点审批人”职责。",
        "It was taken back: you no longer act as Teaching-point approver at 柳桥教学点.",
        id="role-ended",
    ),
    pytest.param(
        sample_of_a_signature("delegation_ended"),
        "学生已收回委托，这件业务不再由您代为签字。",
        "The student has taken it back: you no longer sign in this case.",
        id="signature-ended",
    ),
]


@pytest.mark.parametrize(("notice", "zh", "en"), DELEGATIONS)
def test_what_is_passed_on_is_said_with_who_what_and_how_long_alone_and_in_a_digest(notice, zh, en):
    single, several = _mail(sample_letter((notice,))), _mail(sample_letter((notice, sample_notice("moved"))))

    for mail in (single, several):
        for said in (_text(mail), _Page(_html(mail)).words):
            assert zh in said
            assert en in said
            assert ("欧阳·建国" in said) == (notice.delegation.giver is not None)
    for said in (_text(single), _Page(_html(single)).words):
        assert "2024年5月8日（周三）08:00" in said
        assert "8 May 2024 (Wed), 08:00" in said
    assert "欧阳" not in single["Subject"]


@pytest.mark.parametrize(
    ("message", "subject"),
    [
        ("delegated", "【学籍】委派您代行柳桥教学点的教学点审批人职责"),
        ("delegation_ended", "【学籍】委派已收回：柳桥教学点的教学点审批人职责"),
    ],
)
def test_a_role_at_a_unit_is_about_no_case_and_leads_to_the_queue(message, subject):
    mail = _mail(sample_letter((sample_of_a_role(message),)))

    text, page = _text(mail), _Page(_html(mail))

    assert mail["Subject"] == subject
    assert f"打开待办 Your queue：\n{URL}/queue/todo" in text
    assert page.links == [f"{URL}/queue/todo"]
    for said in (text, page.words):
        assert "柳桥教学点及下级单位" in said
        assert not re.search(r"事项|状态|/cases/|None|[Uu]ndefined|毕业申请", said)


def test_a_giver_known_by_a_long_number_only_is_not_named_by_it():
    notice = sample_notice("delegated")
    assert notice.delegation is not None

    mail = _mail(sample_letter((replace(notice, delegation=replace(notice.delegation, giver=STUDENT_NUMBER)),)))

    assert "委派人 From：****" in _text(mail)
    assert STUDENT_NUMBER not in _html(mail)


def test_what_people_wrote_is_shown_word_for_word_but_never_as_html_nor_with_the_numbers_of_a_person():
    reason = f"<b>照片</b> & 姓名不符；证件号 {ID_NUMBER}，学号{STUDENT_NUMBER}，电话{TELEPHONE}，2024-05-13 前改好"
    notice = replace(sample_notice("returned"), reason=reason)

    single, several = _mail(sample_letter((notice,))), _mail(sample_letter((notice, sample_notice("moved"))))

    for mail in (single, several):
        text, html = _text(mail), _html(mail)
        assert "<b>照片</b> & 姓名不符；证件号 ****，学号****，电话****，2024-05-13 前改好" in text
        assert "&lt;b&gt;照片&lt;/b&gt; &amp; 姓名不符；证件号 ****" in html
        assert not any(number in said for number in (ID_NUMBER, STUDENT_NUMBER, TELEPHONE) for said in (text, html))


def test_a_name_is_in_the_greeting_and_nowhere_else():
    for letter in every_sample():
        mail = _mail(letter)
        assert "陈𠮷怡" not in mail["Subject"]
        assert _text(mail).count("陈𠮷怡") == (0 if letter.name is None else 2)


def test_a_digest_counts_by_urgency_with_the_latest_first():
    letter = sample_letter(sample_notice(one) for one in MESSAGES)

    mail = _mail(letter)

    assert mail["Subject"] == "【学籍】16 件事：逾期 2 件，今天 1 件，近期 3 件，通知 10 件"
    text = _text(mail)
    assert "late 2, today 1, soon 3, news 10" in text
    assert re.findall(r"【(\S+) \w+】 (\d+) 件", text) == [("逾期", "2"), ("今天", "1"), ("近期", "3"), ("通知", "10")]
    assert text.index("逾期 3 个工作日") < text.index("逾期 2 个工作日") < text.index("今天截止")


def test_a_digest_shows_fifty_and_leads_to_the_queue_for_the_rest():
    letter = sample_letter(replace(sample_notice("overdue"), case=f"CASE{number:04}") for number in range(53))

    mail = _mail(letter)

    assert "逾期 53 件" in mail["Subject"]
    text, page = _text(mail), _Page(_html(mail))
    assert text.count("/cases/") == 50
    assert len([link for link in page.links if "/cases/" in link]) == 50
    assert f"另有 3 件，见待办 3 more, in your queue：\n{URL}/queue/todo" in text
    assert "另有 3 件 3 more" in page.words
    assert f"{URL}/queue/todo" in page.links


def test_a_reminder_that_leaves_late_is_sorted_by_what_is_true_then():
    early = sample_notice("approaching")
    late = replace(early, left=Left(days=-1, working_days=-1))
    letter = replace(sample_letter((late, sample_notice("moved"))), at=datetime(2024, 5, 14, 8, tzinfo=SHANGHAI))

    text = _text(_mail(letter))

    assert "【逾期 Late】 1 件" in text
    assert "逾期 1 个工作日" in text


def _in_shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("due", "at", "left", "zh", "en"),
    [
        ("2024-05-13T23:59:59", "2024-05-08T08:00", (5, 4), "还剩 4 个工作日", "4 working days left"),
        ("2024-05-09T23:59:59", "2024-05-08T08:00", (1, 1), "还剩 1 个工作日", "1 working day left"),
        ("2024-06-03T23:59:59", "2024-05-08T08:00", (26, 19), "还剩 26 天", "26 days left"),
        ("2024-05-13T23:59:59", "2024-05-08T08:00", (5, None), "还剩 5 天", "5 days left"),
        (
            "2024-06-09T23:59:59",
            "2024-06-07T20:00",
            (2, 0),
            "还剩 2 天，其间没有工作日",
            "2 days left, none of them a working day",
        ),
        ("2024-05-08T23:59:59", "2024-05-08T08:00", (0, 0), "今天截止", "due today"),
        ("2024-05-08T17:40:00", "2024-05-08T18:00", (0, 0), "今天已过截止时间", "the time ran out today"),
        ("2024-05-06T23:59:59", "2024-05-08T08:00", (-2, -2), "逾期 2 个工作日", "2 working days late"),
        ("2024-06-07T23:59:59", "2024-06-08T08:00", (-1, 0), "逾期 1 天", "1 day late"),
    ],
)
def test_the_time_left_is_counted_as_people_plan(due, at, left, zh, en):
    days, working_days = left

    said = left_words(_in_shanghai(due), _in_shanghai(at), Left(days=days, working_days=working_days))

    assert (said.zh, said.en) == (zh, en)


def test_a_date_ends_at_midnight_and_a_moment_at_its_time():
    whole, moment = map(_in_shanghai, ("2024-05-13T23:59:59", "2024-05-13T17:40:00"))

    assert due_words(whole).zh == "2024年5月13日（周一）24:00 前"
    assert due_words(moment).zh == "2024年5月13日（周一）17:40 前"
    assert due_words(moment).en == "by 13 May 2024 (Mon), 17:40"
    assert when_words(moment, AT, Left(days=5, working_days=4), is_provisional=False) == (
        "还剩 4 个工作日（5月13日 17:40截止）"
    )


def test_every_template_of_the_house_is_one_that_is_used_and_every_message_has_its_own():
    names = set(shipped())

    assert names <= set(variables())
    assert {f"{message}/{file}" for message in MESSAGES for file in ("subject.txt", "says.txt")} <= names


def _colours(css: str) -> list[tuple[str, str, str]]:
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", css)
    found = []
    for selector, body in rules:
        ink = re.search(r"(?<![-\w])color: (#\w{6})", body)
        paper = re.search(r"background-color: (#\w{6})", body)
        if ink and paper:
            found.append((selector.strip(), ink[1], paper[1]))
    return found


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_coloured_text_can_be_read_by_day_and_by_night():
    pairs = _colours(shipped()["base.html"])

    ratios = {}
    for selector, ink, paper in pairs:
        dark, light = sorted((_luminance(ink), _luminance(paper)))
        ratios[selector] = (light + 0.05) / (dark + 0.05)

    assert len(pairs) > 10
    assert {selector: ratio for selector, ratio in ratios.items() if ratio < 4.5} == {}


def test_a_title_with_markup_stays_text():
    notice: Notice = replace(sample_notice("moved"), state=Bilingual(zh="<i>在籍</i>", en="<i>Enrolled</i>"))

    html = _html(_mail(sample_letter((notice,))))

    assert "&lt;i&gt;在籍&lt;/i&gt;" in html
    assert "<i>" not in html


def test_those_who_look_after_people_are_told_of_a_colleague_and_of_no_case():
    mail = _mail(sample_letter((sample_notice("revealed_often"),)))

    for said in (_text(mail), _Page(_html(mail)).words):
        assert "欧阳·建国一小时内显示个人信息超过 30 次，请了解原因。" in said
        assert "shown to 欧阳·建国 more than 30 times within an hour" in said
        assert f"{URL}/admin/access" in said
        assert "7QK4M2T9" not in said
        assert "及下级单位" not in said
    assert "欧阳" not in mail["Subject"]


def test_every_variable_and_message_is_explained():
    explained = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "messages.md").read_text("utf-8")))

    assert {*MESSAGES, "digest"} <= explained
    assert frozenset().union(*variables().values()) <= explained
