"""An institution's own templates: used when they are sound, refused before they are used when they are not."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from notifications.messages.catalogue import shipped
from notifications.messages.envelopes import Unmailable
from notifications.messages.overriding import TemplatesRefused, check_overrides
from notifications.messages.rendering import Messages
from notifications.messages.samples import sample_letter, sample_notice

SENTENCE = "{{ matter.zh }}：请到学籍窗口办理。\n{{ matter.en }}: please come to the records counter.\n"
NESTED = "{% for a in groups %}" * 3 + "{{ a.title.zh }}" + "{% endfor %}" * 3


def _folder(folder: Path, files: Iterable[tuple[str, str]]) -> Path:
    for name, text in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _messages(folder: Path) -> Messages:
    return Messages(
        folder,
        url="https://xueji.school.example",
        sender="学籍科 <records@school.example>",
        log="xueji/0a1b",
        is_rehearsal=False,
    )


def _places(folder: Path) -> list[str]:
    return [f"{fault.file}:{fault.line}" for fault in check_overrides(folder)]


def test_a_sound_template_takes_the_place_of_that_of_the_house_wherever_the_sentence_is_said(tmp_path):
    messages = _messages(_folder(tmp_path, [("approaching/says.txt", SENTENCE)]))

    alone = messages.mail(sample_letter((sample_notice("approaching"),))).as_string()
    both = [sample_notice("approaching"), sample_notice("moved")]
    bodies = [messages.mail(sample_letter(notices)).get_body(("plain",)) for notices in (both[:1], both)]

    assert check_overrides(tmp_path) == []
    assert alone
    for body in bodies:
        assert body is not None
        assert "审核学籍卡与登记表：请到学籍窗口办理。" in body.get_content()
        assert "Review of card and form: please come to the records counter." in body.get_content()


def test_a_message_may_be_given_a_body_of_its_own(tmp_path):
    own = '{% extends "notice.html" %}{% block why %}<p>教务处</p>{% endblock %}'
    messages = _messages(_folder(tmp_path, [("returned/body.html", own)]))

    returned, moved = (
        messages.mail(sample_letter((sample_notice(one),))).get_body(("html",)) for one in ("returned", "moved")
    )

    assert returned is not None
    assert moved is not None
    assert "教务处" in returned.get_content()
    assert "教务处" not in moved.get_content()


def test_the_templates_of_the_house_have_no_fault_themselves(tmp_path):
    assert check_overrides(_folder(tmp_path, shipped().items())) == []


def test_an_empty_folder_and_hidden_files_change_nothing(tmp_path):
    assert check_overrides(_folder(tmp_path, [(".gitignore", "*~\n")])) == []


def test_an_unknown_variable_is_named_with_its_line_and_the_nearest_right_one(tmp_path):
    _folder(tmp_path, [("approaching/says.txt", "{{ matter.zh }}快到期了。\n{{ mater.en }} is due.\n")])

    (fault,) = check_overrides(tmp_path)

    assert (fault.file, fault.line, fault.excerpt) == ("approaching/says.txt", 2, "{{ mater.en }} is due.")
    assert "Did you mean 'matter'?" in fault.message


def test_a_word_that_a_variable_does_not_have_is_named_with_the_nearest_right_one(tmp_path):
    _folder(tmp_path, [("moved/subject.txt", "【学籍】{% if case %}\n{{ workflow.zhh }}{% endif %}\n")])

    (fault,) = check_overrides(tmp_path)

    assert (fault.file, fault.line) == ("moved/subject.txt", 2)
    assert "Did you mean 'zh'?" in fault.message


def test_all_faults_are_told_at_once(tmp_path):
    _folder(
        tmp_path,
        [
            ("aproaching/says.txt", SENTENCE),
            ("moved/says.txt", "{{ staet.zh }}\n{{ stat.en }}\n"),
            ("notice.txt", "{% if %}\n"),
        ],
    )

    assert _places(tmp_path) == ["aproaching/says.txt:1", "moved/says.txt:1", "moved/says.txt:2", "notice.txt:1"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        pytest.param("refused/says.txt", "只有一行。\n", "says.txt has two lines", id="one-line"),
        pytest.param("moved/subject.txt", "{{ workflow.zh }}\n{{ case }}\n", "a line break", id="two-line-subject"),
        pytest.param("moved/subject.txt", " \n", "a subject has 1 to", id="empty-subject"),
        pytest.param("notice.txt", "{{ says.zh }} {{ says.en }}\n", "https://xueji.example/cases/", id="no-link"),
        pytest.param("base.html", "{{ queue }}{% block content %}{% endblock %}\n", "演练", id="no-rehearsal"),
        pytest.param("notice.html", "{{ due.zh }} {{ link }} 演练\n", "'None' has no attribute 'zh'", id="not-always"),
        pytest.param("notice.txt", "{{ link }} 演练 {{ reason }}\n", "ask first", id="absent"),
        pytest.param("notice.txt", "{{ link }} 演练（{{ case }}）\n", "ask first", id="no-case"),
        pytest.param("moved/subject.txt", "{{ case.__class__ }}\n", "unsafe", id="escape"),
        pytest.param("moved/subject.txt", "{{ todo.append(1) }}{{ case }}\n", "unsafe", id="change"),
        pytest.param("base.txt", "{% extends 'base.txt' %}\n", "recursion", id="itself"),
    ],
)
def test_a_template_that_does_not_say_what_a_mail_must_say_is_refused(tmp_path, name, text, told):
    _folder(tmp_path, [(name, text)])

    (fault,) = check_overrides(tmp_path)

    assert fault.file == name
    assert told in fault.message


def test_no_mail_is_made_with_templates_that_have_a_fault(tmp_path):
    _folder(tmp_path, [("moved/says.txt", "{{ nothing }}")])

    with pytest.raises(TemplatesRefused, match=r"moved/says\.txt:1:1"):
        _messages(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "{% include '../secret.txt' %}",
        "{% include '/etc/hostname' %}",
        "{% extends case %}",
        "{% import 'moved/other.txt' as other %}",
        "{% from 'x' import y %}",
        "{% include ['base.txt', '../secret.txt'] %}",
    ],
)
def test_a_template_reaches_nothing_but_the_other_templates(tmp_path, text):
    _folder(tmp_path, [("moved/body.txt", f"\n{text}\n")])
    (tmp_path.parent / "secret.txt").write_text("secret", encoding="utf-8")

    (fault,) = check_overrides(tmp_path)

    assert (fault.file, fault.line) == ("moved/body.txt", 2)
    assert "only these templates, by their names" in fault.message


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path):
    outside = _folder(tmp_path / "outside", [("says.txt", SENTENCE)])
    folder = tmp_path / "folder"
    (folder / "moved").mkdir(parents=True)
    (folder / "moved" / "says.txt").symlink_to(outside / "says.txt")

    (fault,) = check_overrides(folder)

    assert "the file lies outside the folder" in fault.message


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x" * 300_000], ids=["bytes", "huge"])
def test_a_file_that_is_no_text_is_refused(tmp_path, content):
    _folder(tmp_path, [("moved/says.txt", "")])
    (tmp_path / "moved" / "says.txt").write_bytes(content)

    assert _places(tmp_path) == ["moved/says.txt:1"]


def test_a_folder_that_is_not_there_is_a_fault(tmp_path):
    (fault,) = check_overrides(tmp_path / "nowhere")

    assert "there is no such folder" in fault.message


@pytest.mark.skipif(os.name == "nt", reason="limits of a process are those of POSIX")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("digest/body.txt", "{% for a in range(99999) %}" * 2 + "{% endfor %}" * 2, id="endless"),
        pytest.param("moved/subject.txt", "{{ ('x' * 2000000000) | length }}", id="compiled"),
        pytest.param("moved/subject.txt", "{{ case * 2000000000 }}", id="multiplied"),
        pytest.param("moved/body.txt", "{{ '%0999999999d' % 1 }}", id="formatted"),
        pytest.param("notice.txt", "{% for a in range(99999) %}{{ says.zh * 100 }}{% endfor %}", id="long"),
    ],
)
def test_a_template_that_costs_too_much_is_refused_where_it_can_do_no_harm(tmp_path, name, text):
    _folder(tmp_path, [(name, text)])

    (fault,) = check_overrides(tmp_path)

    assert fault.file == name
    assert "too much memory" in fault.message


def test_what_was_checked_is_what_is_used(tmp_path):
    messages = _messages(_folder(tmp_path, [("approaching/says.txt", SENTENCE)]))

    _folder(tmp_path, [("approaching/says.txt", "{{ nothing }}")])

    body = messages.mail(sample_letter((sample_notice("approaching"),))).get_body(("plain",))
    assert body is not None
    assert "请到学籍窗口办理" in body.get_content()


def test_a_template_that_fails_for_one_case_only_spoils_no_other_mail(tmp_path):
    text = "{{ matter.zh }}{% if case == 'BAD1' %}{{ 1 / 0 }}{% endif +%}\n{{ matter.en }}\n"
    messages = _messages(_folder(tmp_path, [("approaching/says.txt", text)]))
    notice = sample_notice("approaching")

    with pytest.raises(Unmailable, match=r"approaching/says\.txt failed"):
        messages.mail(sample_letter((replace(notice, case="BAD1"),)))

    assert messages.mail(sample_letter((notice,)))["Subject"]
