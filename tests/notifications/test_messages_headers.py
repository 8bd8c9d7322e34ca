"""The mail around a message: headers nobody can write lines into, characters that survive, lines that are short."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header
from email.message import EmailMessage
from email.policy import SMTPUTF8, default
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.definition import Bilingual
from notifications.messages.envelopes import Unmailable
from notifications.messages.letters import Letter
from notifications.messages.rendering import Messages
from notifications.messages.samples import sample_letter, sample_notice

URL, SENDER = "https://xueji.school.example", "学籍科 <records@school.example>"
MESSAGES = Messages(None, url=URL, sender=SENDER, log="xueji/0a1b", is_rehearsal=False)
LETTER = sample_letter((sample_notice("approaching"),))
BREAKS = ["\n", "\r", "\r\n", "\r\n ", "\x00", "\x0b", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ud800"]
INTENDED = [
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress", "MIME-Version",
    "Content-Type", "Content-Language",
]  # fmt: skip


def _headers(mail: EmailMessage) -> dict[str, str]:
    """The headers as they leave, unfolded."""
    head = mail.as_bytes().partition(b"\r\n\r\n")[0].decode("ascii")
    return dict(line.split(": ", 1) for line in re.sub(r"\r\n(?=[ \t])", "", head).split("\r\n"))


def _decoded(header: str) -> str:
    return "".join(
        part if isinstance(part, str) else part.decode(charset or "ascii") for part, charset in decode_header(header)
    )


def test_a_mail_says_that_a_machine_wrote_it_and_asks_for_no_automatic_answer():
    mail = MESSAGES.mail(LETTER)

    assert list(_headers(mail)) == INTENDED
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert mail["Content-Language"] == "zh-CN, en"


def test_the_date_is_that_of_the_letter_and_the_message_id_the_one_it_was_given():
    written = datetime(2024, 5, 8, 0, 30, tzinfo=UTC)

    mail = MESSAGES.mail(replace(LETTER, at=written, message_id="<12.single.7@xueji.0a1b>"))

    assert parsedate_to_datetime(mail["Date"]) == written
    assert mail["Date"].endswith("+0800")
    assert mail["Message-ID"] == "<12.single.7@xueji.0a1b>"


@pytest.mark.parametrize(
    "name", ["陈𠮷怡", "㛃㛃", "阿依古丽·买买提", "O'Neill, Sean", '陈"怡"', "a" * 60, "欧阳" * 20]
)
def test_a_name_arrives_as_it_is_written(name):
    mail = MESSAGES.mail(replace(LETTER, name=name))

    shown = _decoded(_headers(mail)["To"])
    body = message_from_bytes(mail.as_bytes(), policy=default).get_body(("plain",))

    assert name in shown.replace('\\"', '"')
    assert body is not None
    assert f"{name}，您好！" in body.get_content()


def test_a_letter_to_nobody_by_name_is_addressed_plainly():
    assert _headers(MESSAGES.mail(replace(LETTER, name=None)))["To"] == "chen.jiayi@school.example"


@pytest.mark.parametrize("letter", [LETTER, sample_letter(sample_notice(one) for one in ("moved", "overdue") * 30)])
def test_nothing_leaves_that_is_not_ascii_or_longer_than_a_line_may_be(letter):
    long = Bilingual(zh="国家开放大学（中央广播电视大学）开放教育" * 4, en="Open education of the Open University " * 4)
    letter = replace(letter, notices=tuple(replace(one, workflow=long) for one in letter.notices))

    lines = MESSAGES.mail(letter).as_bytes().split(b"\r\n")

    assert max(map(len, lines)) <= 78
    assert all(line.isascii() for line in lines)
    assert not any(b"\n" in line or b"\r" in line for line in lines)


def test_a_mail_is_written_as_each_server_asks_whichever_was_asked_first():
    mails = [MESSAGES.mail(LETTER) for _ in range(2)]

    plain, rich, plain_again = mails[0].as_bytes(), mails[1].as_bytes(policy=SMTPUTF8), mails[1].as_bytes()

    assert plain == plain_again
    assert plain.isascii()
    assert f"From: {SENDER}\r\n".encode() in rich


@pytest.mark.parametrize("kept_apart", [b"alternative", b"mixed"])
def test_no_text_can_end_its_part_of_the_mail_early(kept_apart):
    boundaries = re.findall(rb'multipart/(\w+);\s+boundary="([^"]+)"', MESSAGES.mail(LETTER).as_bytes())
    line = f"--{dict(boundaries)[kept_apart].decode()}--"
    (notice,) = LETTER.notices

    written = MESSAGES.mail(replace(LETTER, notices=(replace(notice, unit=f"{line}\r\n{line}"),)))

    arrived = message_from_bytes(written.as_bytes(), policy=default)
    leaves = [part for part in arrived.walk() if not part.is_multipart()]
    assert [part.get_content_type() for part in leaves] == ["text/plain", "text/html", "text/calendar"]
    assert line in leaves[0].get_content()
    assert "打开办理" in leaves[0].get_content()
    assert [part.defects for part in arrived.walk()] == [[]] * 5


def _with_name(text: str) -> Letter:
    return replace(LETTER, name=text)


def _with_address(text: str) -> Letter:
    return replace(LETTER, to=text)


def _with_message_id(text: str) -> Letter:
    return replace(LETTER, message_id=text)


def _with_subject(text: str) -> Letter:
    (notice,) = LETTER.notices
    return replace(LETTER, notices=(replace(notice, case=text),))


@pytest.mark.parametrize("broken", BREAKS, ids=ascii)
@pytest.mark.parametrize("put", [_with_name, _with_address, _with_message_id, _with_subject])
def test_a_line_break_in_any_header_makes_no_mail_and_is_told_without_what_it_said(put, broken):
    injected = f"chen{broken}Bcc: everybody@school.example"

    with pytest.raises(Unmailable) as told:
        MESSAGES.mail(put(injected))

    assert "everybody" not in str(told.value)


@pytest.mark.parametrize(
    "address",
    [
        "", "chen", "chen@", "@school.example", "chen@@school.example", "chen jiayi@school.example",
        "chen@school.example, wang@school.example", "<chen@school.example>", "chen.@school.example",
        ".chen@school.example", "ch..en@school.example", "chen@-school.example", "chen@school..example",
        "陈@school.example", "chen@学校.example", "chen@school.example ", f"{'c' * 65}@school.example",
        f"chen@{'s' * 64}.example", '"chen jiayi"@school.example', "chen@[127.0.0.1]", "chen(x)@school.example",
    ],
)  # fmt: skip
def test_what_is_no_address_gets_no_mail(address):
    with pytest.raises(Unmailable, match="The address is no mail address"):
        MESSAGES.mail(_with_address(address))


@pytest.mark.parametrize("sender", ["", "学籍科", "学籍科 <records>", "学籍科\r\nBcc: x <records@school.example>"])
def test_a_sender_that_is_none_is_refused_before_any_mail_is_made(sender):
    with pytest.raises(Unmailable):
        Messages(None, url=URL, sender=sender, log="xueji/0a1b", is_rehearsal=False)


@given(name=st.text(max_size=80), case=st.text(max_size=40))
def test_whatever_a_name_or_a_number_holds_a_mail_has_the_headers_it_should_have_or_is_not_made(name, case):
    (notice,) = LETTER.notices
    letter = replace(LETTER, name=name, notices=(replace(notice, case=case),))

    try:
        mail = MESSAGES.mail(letter)
    except Unmailable:
        return

    arrived = message_from_bytes(mail.as_bytes(), policy=default)
    assert [key for key, _ in arrived.items()] == INTENDED
    assert [one.addr_spec for one in arrived["To"].addresses] == ["chen.jiayi@school.example"]
