"""Approved templates lie over those installed; what cannot be used is left out by name, and the others stay."""

from collections.abc import Mapping

import pytest

from engine.errors import Fault
from notifications.messages import laying
from notifications.messages.laying import Installed, laid
from notifications.messages.overriding import faults_of
from notifications.messages.rendering import Messages
from notifications.messages.samples import sample_letter, sample_notice

GOOD = "请看{{ state.zh }}\nSee {{ state.en }}\n"
BAD = "请看{{ stat.zh }}\nSee {{ state.en }}\n"


def house(folder=None) -> Messages:
    return Messages(folder, url="https://x.example", sender="records@school.example", log="x", is_rehearsal=True)


def text_of(messages: Messages) -> str:
    body = messages.mail(sample_letter((sample_notice("moved"),))).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_an_approved_template_lies_over_the_folder_and_an_empty_one_gives_the_folder_back(tmp_path):
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / "says.txt").write_text("目录{{ state.zh }}\nFolder {{ state.en }}\n", encoding="utf-8")
    messages = house(tmp_path)

    assert messages.lay({"moved/says.txt": GOOD}) == ()
    assert "请看已申请" in text_of(messages)
    assert messages.lay({"moved/says.txt": ""}) == ()
    assert "目录已申请" in text_of(messages)


def test_templates_that_cannot_be_used_are_left_out_by_name_and_the_others_are_used():
    messages = house()

    left_out = messages.lay({"moved/says.txt": GOOD, "urged/says.txt": BAD, "returned/subject.txt": None})

    assert [one.file for one in left_out] == ["returned/subject.txt", "urged/says.txt"]
    assert "请看已申请" in text_of(messages)


def test_a_frame_that_breaks_every_mail_is_left_out_and_not_what_stands_in_it():
    own, left_out = laid({}, {"base.txt": "{% block content %}{% endblock %}", "moved/says.txt": GOOD})

    assert [one.file for one in left_out] == ["base.txt"]
    assert own == {"moved/says.txt": GOOD}


def test_a_template_whose_name_is_gone_with_a_release_is_left_out():
    own, left_out = laid({}, {"moved/header.txt": "x", "moved/says.txt": GOOD})

    assert ([one.file for one in left_out], own) == (["moved/header.txt"], {"moved/says.txt": GOOD})


def test_a_text_is_tried_with_those_that_are_in_force_and_not_with_those_that_are_left_out():
    installed = Installed(None)

    assert installed.faults("moved/says.txt", GOOD, {"urged/says.txt": BAD}) == []
    [fault] = installed.faults("moved/says.txt", BAD, {"urged/says.txt": GOOD})
    assert (fault.file, fault.line) == ("moved/says.txt", 1)
    block = "{% block greeting %}您好{% endblock %}\n{% block content %}{% endblock %}\n演练 {{ queue }}\n"
    [unknown] = installed.faults("base.txt", block.replace("queue", "queues"), {})
    assert "Did you mean 'queue'" in unknown.message


def test_a_message_without_a_body_of_its_own_is_said_by_that_of_all_of_them():
    installed = Installed(None)

    assert installed.said("moved/body.txt", {}) == installed.said("notice.txt", {})
    assert installed.said("moved/body.txt", {"notice.txt": "all"}) == "all"
    assert installed.said("moved/body.txt", {"notice.txt": "all", "moved/body.txt": "one"}) == "one"


def test_templates_without_faults_are_not_tried_again(monkeypatch: pytest.MonkeyPatch):
    tried = []

    def counted(own: Mapping[str, str]) -> list[Fault]:
        tried.append(own)
        return faults_of(own)

    monkeypatch.setattr(laying, "faults_of", counted)
    own = {"moved/says.txt": GOOD.replace("请看", "请再看")}

    assert [laid({}, own).left_out for _ in range(3)] == [()] * 3
    assert len(tried) == 1
