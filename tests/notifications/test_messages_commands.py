"""`xueji messages check` and `xueji messages show`."""

import json

import pytest

from console import message_view
from engine.errors import Unknown
from notifications.messages.catalogue import MESSAGES


def test_faults_are_listed_with_their_places_and_counted(tmp_path, capsys):
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / "says.txt").write_text("{{ stat.zh }}\n{{ state.en }}\n", encoding="utf-8")

    told = message_view.check(tmp_path, as_json=False)

    printed = capsys.readouterr().out
    assert told == 1
    assert "moved/says.txt:1:1: template: 没有变量“stat”" in printed
    assert "Did you mean 'state'?" in printed
    assert "1 处错误 faults" in printed


def test_faults_are_one_json_document(tmp_path, capsys):
    (tmp_path / "moved.txt").write_text("", encoding="utf-8")

    told = message_view.check(tmp_path, as_json=True)

    (fault,) = json.loads(capsys.readouterr().out)
    assert told == 1
    assert (fault["file"], fault["line"]) == ("moved.txt", 1)


def test_a_folder_without_faults_can_be_used(tmp_path, capsys):
    assert message_view.check(tmp_path, as_json=False) == 0
    assert "the templates can be used" in capsys.readouterr().out


@pytest.mark.parametrize("name", [*MESSAGES, "digest"])
def test_every_message_can_be_looked_at_as_text_and_as_html(name, tmp_path, capsys):
    page = tmp_path / "page.html"

    told = message_view.show(name, page, message_view.Under())

    printed = capsys.readouterr().out
    assert told == 0
    assert "Subject: 【演练】【学籍】" in printed
    assert "陈𠮷怡，您好！\nDear 陈𠮷怡,\n" in printed
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_message_is_shown_with_the_templates_of_an_institution(tmp_path, capsys):
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / "says.txt").write_text("请看{{ state.zh }}\nSee {{ state.en }}\n", encoding="utf-8")

    message_view.show("moved", None, message_view.Under(tmp_path))

    assert "请看已申请\nSee Applied" in capsys.readouterr().out


def test_a_message_that_does_not_exist_is_answered_with_the_nearest_that_does():
    with pytest.raises(Unknown, match="Did you mean 'approaching'"):
        message_view.show("aproaching", None, message_view.Under())
