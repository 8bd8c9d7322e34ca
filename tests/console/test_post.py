"""How people are told is read from settings; what cannot be read is named, all of it at once, with what is expected."""

from pathlib import Path

import pytest

from console.post import UnusableSettings, post_of
from console.settings import Settings
from notifications.composing import Hours
from notifications.mailers import Relay

SENDER = "xueji@xueji.invalid"


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text("open sesame\n", encoding="utf-8")
    return file


def settings(**said: object) -> Settings:
    return Settings.model_validate({"database": "sqlite:////srv/xueji/xueji.db", **said})


def faults_of(**said: object) -> tuple[str, ...]:
    with pytest.raises(UnusableSettings) as caught:
        post_of(settings(**said))
    return caught.value.faults


def test_a_fresh_install_puts_mails_in_a_folder_beside_its_database_and_knows_nobodys_address():
    post = post_of(settings())

    assert post.way == Path("/srv/xueji/mail")
    assert (post.sender, post.url) == ("xueji@localhost", "http://localhost:8000")
    assert post.hours == Hours()


@pytest.mark.parametrize("database", ["postgresql://xueji@db/xueji", "sqlite:///file:xueji.db?uri=true"])
def test_beside_a_database_that_is_no_file_there_is_the_working_folder(database):
    assert settings(database=database).mail_folder == Path("mail")


@pytest.mark.parametrize(
    ("mail", "port", "security"),
    [
        ("smtp://office@mail.xueji.invalid", 587, "starttls"),
        ("smtp://office@mail.xueji.invalid:2525?security=starttls", 2525, "starttls"),
        ("smtps://office@mail.xueji.invalid", 465, "tls"),
    ],
)
def test_a_mail_server_is_spoken_to_under_encryption_with_the_password_from_its_file(password, mail, port, security):
    post = post_of(settings(mail=mail, mail_password_file=password, sender=SENDER))

    assert post.way == Relay(
        host="mail.xueji.invalid", port=port, security=security, user="office", password=password.read_text().strip()
    )


def test_only_a_server_without_an_account_may_be_spoken_to_in_the_clear():
    post = post_of(settings(mail="smtp://localhost:25?security=none", sender=SENDER))

    assert post.way == Relay(host="localhost", port=25, security="none", user=None, password=None)
    [fault] = faults_of(mail="smtp://office@localhost?security=none", sender=SENDER)
    assert "须加密" in fault


@pytest.mark.parametrize(
    "mail",
    [
        "mail.xueji.invalid", "smtp:/mail.xueji.invalid", "smtp://", "http://mail.xueji.invalid", "file:",
        "smtp://mail.xueji.invalid:port", "smtp://mail.xueji.invalid?secure=tls", "smtp://mail.xueji.invalid/inbox",
        "smtps://mail.xueji.invalid?security=none", "smtp://mail.xueji.invalid?security=tls",
    ],
)  # fmt: skip
def test_a_way_that_is_none_is_answered_with_the_three_that_there_are(mail):
    [fault] = faults_of(mail=mail, sender=SENDER)

    assert fault.startswith("XUEJI_MAIL：")
    assert "file:文件夹 FOLDER、smtp://USER@HOST:587?security=starttls、smtps://USER@HOST" in fault


def test_a_password_in_the_address_is_refused_and_not_repeated():
    [fault] = faults_of(mail="smtps://office:sesame@mail.xueji.invalid", sender=SENDER)

    assert "XUEJI_MAIL_PASSWORD_FILE" in fault
    assert "sesame" not in fault


@pytest.mark.parametrize("file", [None, Path("/nowhere/password")])
def test_an_account_without_its_password_file_is_told_which_setting_is_missing(file):
    [fault] = faults_of(mail="smtps://office@mail.xueji.invalid", mail_password_file=file, sender=SENDER)

    assert fault.startswith("XUEJI_MAIL_PASSWORD_FILE：")


@pytest.mark.parametrize("sender", [None, "office", "office@", "a@b\r\nBcc: c@d", "学籍@xueji.invalid", "a b@c"])
def test_mail_to_a_server_needs_a_sender_that_is_an_address(sender):
    [fault] = faults_of(mail="smtp://localhost?security=none", sender=sender)

    assert fault.startswith("XUEJI_SENDER：")


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"url": "localhost:8000"}, "XUEJI_URL"),
        ({"url": "https://xueji.invalid/?a=1"}, "XUEJI_URL"),
        ({"mail_rate": "0"}, "XUEJI_MAIL_RATE"),
        ({"mail_rate": "60/min"}, "XUEJI_MAIL_RATE"),
        ({"quiet_hours": "21-7"}, "XUEJI_QUIET_HOURS"),
        ({"quiet_hours": "21:00"}, "XUEJI_QUIET_HOURS"),
        ({"digest_hour": "24:00"}, "XUEJI_DIGEST_HOUR"),
        ({"working_days_only": "true"}, "XUEJI_WORKING_DAYS_ONLY"),
        ({"messages": Path("/nowhere/messages")}, "XUEJI_MESSAGES"),
        ({"lease_seconds": "3601"}, "XUEJI_LEASE_SECONDS"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named_with_what_is_expected(said, name):
    [fault] = faults_of(**said)

    assert fault.startswith(f"{name}：“{next(iter(said.values()))}”")


def test_everything_that_is_wrong_is_said_at_once():
    faults = faults_of(mail="smtp", sender="office", url="here", mail_rate="many", quiet_hours="night")

    assert [fault.split("：")[0] for fault in faults] == [
        "XUEJI_QUIET_HOURS", "XUEJI_MAIL", "XUEJI_SENDER", "XUEJI_URL", "XUEJI_MAIL_RATE",
    ]  # fmt: skip


def test_quiet_hours_can_be_switched_off_and_a_url_keeps_its_path_without_the_slash_at_its_end():
    post = post_of(settings(quiet_hours="none", url="https://xueji.invalid/office/", working_days_only="yes"))

    assert post.hours.quiet_from == post.hours.quiet_to
    assert post.url == "https://xueji.invalid/office"
    assert post.hours.working_days_only
