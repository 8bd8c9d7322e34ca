"""Handing a mail over has one of four ends, and a real server decides which."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.mailers import Answer, Commit, FileMailer, Mailer, Patience, Relay, SmtpMailer, file_name
from tests.faults.crews import watching
from tests.faults.mail_server import (
    AUTHENTICATED,
    DROP,
    HANG,
    PASSWORD,
    TAKE_AND_DROP,
    TAKE_AND_HANG,
    USER,
    Certificate,
    Fault,
    Office,
    made_certificate,
    serving,
    takes_everything,
)

SENDER, TO = "xueji@school.invalid", "li.lei.88@people.invalid"
QUICK = Patience(connecting=2, reply=0.3, text=0.3, end=0.3)


def yes() -> bool:
    return True


def mail(number: int = 1) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = SENDER, TO
    message["Subject"] = "【学籍】毕业申请：还剩 3 个工作日"
    message["Message-ID"] = f"<mail-{number}@school.invalid>"
    message.set_content("请于 5 月 13 日前办理，𠮷·㛃。\n.\n..两个点\n")
    return message


def at_step(step: str, answer: str, *, times: int = 1) -> Fault:
    """A server that answers otherwise at one step, so often."""
    left = [times]

    def fault(at: str, _to: str) -> str | None:
        if at != step or not left[0]:
            return None
        left[0] -= 1
        return answer

    return fault


@contextmanager
def talking(fault: Fault | None = None, patience: Patience = QUICK) -> Iterator[tuple[Office, SmtpMailer]]:
    """A server in clear on this machine, and a mailer for it."""
    with serving(Office(fault=fault or takes_everything)) as office:
        relay = Relay(host="127.0.0.1", port=office.port, security="none")
        with closing(SmtpMailer(relay, patience)) as mailer:
            yield office, mailer


def handed(mailer: Mailer, number: int = 1, *, to: str = TO, commit: Commit = yes) -> Answer:
    """What comes of handing a mail over."""
    answer = mailer.hand_over(mail(number), SENDER, to, commit)
    assert answer is not None
    return answer


def is_abandoned(mailer: Mailer) -> bool:
    """Whether a mail stays here that is another sender's by now."""
    return mailer.hand_over(mail(), SENDER, TO, lambda: False) is None


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return made_certificate(tmp_path_factory.mktemp("certificate"))


def test_a_mail_arrives_as_it_was_written_dots_and_rare_characters_included():
    with talking() as (office, mailer):
        answer = handed(mailer)

        assert answer.outcome == "accepted"
        assert answer.text.startswith("250 2.0.0 OK: queued as")
        taken = office.mail("<mail-1@school.invalid>")
        assert taken["Subject"] == "【学籍】毕业申请：还剩 3 个工作日"
        assert taken.get_content() == "请于 5 月 13 日前办理，𠮷·㛃。\n.\n..两个点\n"
        assert max(map(len, office.texts["<mail-1@school.invalid>"].split(b"\r\n"))) <= 78


def test_many_mails_go_over_one_connection():
    with talking() as (office, mailer):
        answers = {handed(mailer, number).outcome for number in range(1, 51)}

        assert answers == {"accepted"}
        assert office.log.count("EHLO") == 1
        assert len(office.taken) == 50


def test_a_connection_the_server_has_closed_meanwhile_is_replaced_without_losing_a_mail():
    dropping = at_step("MAIL", DROP)
    with talking() as (office, mailer):
        assert handed(mailer).outcome == "accepted"
        office.fault = dropping

        assert handed(mailer, 2).outcome == "accepted"
        assert office.log.count("EHLO") == 2


def test_a_server_that_takes_only_so_many_mails_over_one_connection_is_dialled_again():
    with talking() as (office, mailer):
        assert handed(mailer).outcome == "accepted"
        office.fault = at_step("MAIL", "421 4.7.0 Too many mails in one connection")

        assert handed(mailer, 2).outcome == "accepted"


@pytest.mark.parametrize(
    ("step", "said", "outcome", "about"),
    [
        pytest.param("MAIL", "421 4.3.2 Going down", "later", "system", id="going-down"),
        pytest.param("MAIL", "451 4.7.1 Too fast", "later", "system", id="too-fast"),
        pytest.param("MAIL", "550 5.7.1 This sender may not", "later", "system", id="our-own-address"),
        pytest.param("MAIL", "552 5.3.4 Too large", "never", "mail", id="too-large"),
        pytest.param("RCPT", "450 4.2.0 Greylisted", "later", "mail", id="greylisted"),
        pytest.param("RCPT", "451 4.3.0 Try again", "later", "mail", id="for-a-while"),
        pytest.param("RCPT", "452 4.2.2 Mailbox full", "later", "mail", id="full-for-now"),
        pytest.param("RCPT", "421 4.3.2 Going down", "later", "system", id="down-at-recipient"),
        pytest.param("RCPT", "530 5.7.0 Must log in", "later", "system", id="wants-login"),
        pytest.param("RCPT", "550 5.1.1 No such user", "never", "address", id="no-such-user"),
        pytest.param("RCPT", "550 Mailbox not found", "never", "address", id="no-such-user-unsaid"),
        pytest.param("RCPT", "550 5.2.1 Disabled", "never", "address", id="disabled"),
        pytest.param("RCPT", "550 5.7.1 Relaying denied", "never", "mail", id="no-relaying"),
        pytest.param("RCPT", "553 5.1.8 Bad sender", "never", "mail", id="bad-sender-said-late"),
        pytest.param("RCPT", "552 5.2.2 Mailbox full", "never", "mail", id="full-for-good"),
        pytest.param("DATA", "451 4.3.0 Try again", "later", "mail", id="text-for-a-while"),
        pytest.param("DATA", "421 4.3.2 Going down", "later", "system", id="down-after-text"),
        pytest.param("DATA", "554 5.7.1 Looks like spam", "never", "mail", id="text-for-good"),
        pytest.param("DATA", "354 What now", "unknown", "system", id="no-answer-to-a-text"),
        pytest.param("DATA", "999 Gibberish", "unknown", "system", id="gibberish"),
    ],
)
def test_what_the_server_says_decides_whether_a_mail_is_tried_again_and_what_is_at_fault(step, said, outcome, about):
    with talking(at_step(step, said)) as (office, mailer):
        answer = handed(mailer)

        assert (answer.outcome, answer.about) == (outcome, about)
        assert said in answer.text
        assert not office.taken
        assert handed(mailer, 2).outcome == "accepted"


@pytest.mark.parametrize("step", ["EHLO", "MAIL", "RCPT"])
@pytest.mark.parametrize("does", [DROP, HANG])
def test_a_line_that_is_lost_before_the_text_may_be_tried_again(step, does):
    with talking(at_step(step, does)) as (office, mailer):
        answer = handed(mailer)

        assert (answer.outcome, answer.about) == ("later", "system")
        assert not office.taken
        assert handed(mailer).outcome == "accepted"


@pytest.mark.parametrize("does", [DROP, TAKE_AND_DROP, HANG, TAKE_AND_HANG])
def test_when_no_answer_comes_to_the_last_line_nobody_knows_whether_the_mail_was_taken(does):
    with talking(at_step("DATA", does)) as (office, mailer):
        answer = handed(mailer)

        assert (answer.outcome, answer.about) == ("unknown", "system")
        assert "no answer came" in answer.text
        assert len(office.taken) == (does in {TAKE_AND_DROP, TAKE_AND_HANG})


def test_nothing_listens_there():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    mailer = SmtpMailer(Relay(host="127.0.0.1", port=port, security="none"), QUICK)

    answer = handed(mailer)

    assert (answer.outcome, answer.about) == ("later", "system")
    assert f"127.0.0.1:{port} 无法连接 It cannot be reached" in answer.text


def test_the_row_is_marked_after_the_recipient_is_taken_and_before_the_text_is_asked_for():
    with talking() as (office, mailer):
        steps: list[list[str]] = []
        office.fault = lambda step, _: office.log.append(step)

        def commit() -> bool:
            steps.append(list(office.log))
            return True

        handed(mailer, commit=commit)

        assert steps == [["EHLO", "EHLO", "MAIL", "MAIL", "RCPT"]]
        assert office.log[-1] == "DATA"


def test_a_mail_that_is_another_sender_s_by_now_is_abandoned_and_the_connection_goes_on():
    with talking() as (office, mailer):
        assert is_abandoned(mailer)
        assert not office.taken

        assert handed(mailer, 2).outcome == "accepted"
        assert office.log.count("EHLO") == 1
        assert list(office.taken) == ["<mail-2@school.invalid>"]


def test_an_error_while_the_row_is_marked_leaves_no_half_told_mail_behind():
    def fails() -> bool:
        raise ArithmeticError

    with talking() as (office, mailer):
        with pytest.raises(ArithmeticError):
            handed(mailer, commit=fails)

        assert handed(mailer, 2).outcome == "accepted"
        assert list(office.taken) == ["<mail-2@school.invalid>"]


def test_no_answer_that_is_kept_or_shown_names_an_address():
    said = f"550 5.1.1 <{TO}>: LI.LEI.88 unknown here, ask postmaster@people.invalid"
    with talking(at_step("RCPT", said)) as (_, mailer):
        answer = handed(mailer)

        assert answer.text == "RCPT: 550 5.1.1 <…>: … unknown here, ask …"


def test_a_long_answer_of_several_lines_is_kept_short_and_on_one_line():
    with talking(at_step("RCPT", "550-5.1.1 first\r\n550 5.1.1 " + "x" * 400)) as (_, mailer):
        text = handed(mailer).text

        assert text.startswith("RCPT: 550 5.1.1 first 5.1.1 xxx")
        assert len(text) <= 200


def test_starttls_with_a_login_is_used_when_it_is_asked_for(certificate):
    office = Office()
    tls = {"tls_context": certificate.of_server(), "require_starttls": True}
    with serving(office, **tls, **AUTHENTICATED):
        relay = Relay(
            host="localhost", port=office.port, security="starttls", user=USER, password=PASSWORD,
            context=certificate.believed(),
        )  # fmt: skip
        with closing(SmtpMailer(relay, QUICK)) as mailer:
            assert handed(mailer).outcome == "accepted"


def test_a_server_that_is_encrypted_from_the_first_byte(certificate):
    with serving(Office(), tls=certificate.of_server()) as office:
        relay = Relay(host="localhost", port=office.port, security="tls", context=certificate.believed())
        with closing(SmtpMailer(relay, QUICK)) as mailer:
            assert handed(mailer).outcome == "accepted"


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.filterwarnings("ignore:.*SSL.*")
def test_a_certificate_that_nobody_vouches_for_lets_nothing_pass_and_says_so(certificate, security):
    server = {"tls": certificate.of_server()} if security == "tls" else {"tls_context": certificate.of_server()}
    with serving(Office(), **server) as office:
        relay = Relay(host="localhost", port=office.port, security=security)
        with closing(SmtpMailer(relay, QUICK)) as mailer:
            answer = handed(mailer)

            assert (answer.outcome, answer.about) == ("later", "system")
            assert "证书不可信 Its certificate is not trusted" in answer.text
            assert not office.taken


def test_a_wrong_password_is_told_to_staff_and_is_no_fault_of_the_mail(certificate):
    with serving(Office(), tls_context=certificate.of_server(), **AUTHENTICATED) as office:
        relay = Relay(
            host="localhost", port=office.port, security="starttls", user=USER, password=PASSWORD,
            context=certificate.believed(),
        )  # fmt: skip
        for password, said in (("wrong", "refuses the user or password"), ("密码", "must be ASCII")):
            with closing(SmtpMailer(replace(relay, password=password), QUICK)) as mailer:
                answer = handed(mailer)

                assert (answer.outcome, answer.about) == ("later", "system")
                assert said in answer.text


def test_without_starttls_nothing_is_sent_in_clear():
    with serving(Office()) as office:
        with closing(SmtpMailer(Relay(host="127.0.0.1", port=office.port, security="starttls"), QUICK)) as mailer:
            answer = handed(mailer)

        assert (answer.outcome, answer.about) == ("later", "system")
        assert "no STARTTLS" in answer.text
        assert "MAIL" not in office.log


def test_an_address_with_other_letters_is_sent_to_a_server_that_can_and_refused_where_it_cannot():
    chinese = "李雷@people.invalid"
    with talking() as (office, mailer):
        assert handed(mailer, to=chinese).outcome == "accepted"
        assert len(office.taken) == 1

        office.fault = at_step("EHLO", "250 SIZE 1000")
        mailer.close()
        answer = handed(mailer, 2, to=chinese)

        assert (answer.outcome, answer.about) == ("never", "address")
        assert len(office.taken) == 1


def test_a_mail_becomes_a_file_that_only_its_owner_reads(tmp_path):
    mailer = FileMailer(tmp_path / "mail")

    assert handed(mailer).outcome == "accepted"

    (file,) = (tmp_path / "mail").iterdir()
    assert file.name == "mail-1@school.invalid.eml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert file.read_bytes().endswith(b"\r\n")


@pytest.mark.parametrize(
    ("is_lasting", "steps"), [(True, ["fsync", "marked", "replace", "fsync"]), (False, ["marked", "replace"])]
)
def test_a_file_and_its_name_are_on_the_disk_before_it_counts_as_handed_over(tmp_path, is_lasting, steps):
    mailer, seen = FileMailer(tmp_path, is_lasting=is_lasting), list[str]()

    def marked() -> bool:
        seen.append("marked")
        return True

    with watching({"fsync", "replace"}, seen):
        assert handed(mailer, commit=marked).outcome == "accepted"

    assert seen == steps


def test_the_same_mail_handed_over_twice_is_one_file_as_it_was_first(tmp_path):
    mailer = FileMailer(tmp_path)
    handed(mailer)
    (file,) = tmp_path.iterdir()
    was = file.read_bytes()

    assert handed(mailer).outcome == "accepted"

    assert [one.read_bytes() for one in tmp_path.iterdir()] == [was]


def test_a_mail_that_is_another_sender_s_by_now_leaves_no_file(tmp_path):
    assert is_abandoned(FileMailer(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_keeps_the_mail_for_later(tmp_path):
    (tmp_path / "mail").write_text("no folder")

    answer = handed(FileMailer(tmp_path / "mail"))

    assert (answer.outcome, answer.about) == ("later", "system")
    assert str(tmp_path) not in answer.text


def test_a_mail_without_a_name_of_its_own_is_refused():
    with pytest.raises(ValueError, match="Message-ID"):
        FileMailer(Path()).hand_over(EmailMessage(), SENDER, TO, yes)


@given(st.lists(st.text(min_size=1).filter(lambda text: text.strip("<> \n\t")), unique_by=lambda name: name.strip()))
def test_different_message_ids_are_different_plain_file_names(names):
    made = [file_name(f"<{name}@school.invalid>") for name in names]

    assert len(set(made)) == len(names)
    assert all(re.fullmatch(r"[0-9A-Za-z_][0-9A-Za-z@._-]{0,180}", name) for name in made)
