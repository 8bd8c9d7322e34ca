"""`case --at` and `replay --under`: the same page at any moment there was, and what other rules would have changed."""

import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from console import proposed_rules
from console.settings import HOME
from engine.checking.examining import examine
from engine.expressions.functions import Registered
from tests.console.counter import NOW, READY, Counter

AGAINST_ONE = "terms_passed >= terms_required", "terms_passed > terms_required"


def at(counter: Counter, moment: str, *words: str) -> dict[str, object]:
    """A page as it is shown at a moment, live or looked back at."""
    result = counter.xueji("case", READY[0], *words, "--json", now=moment)
    assert result.exit_code == 0, result.stderr
    page: dict[str, object] = json.loads(result.stdout)
    return page


def test_the_page_of_a_moment_is_the_page_that_was_shown_then(counter: Counter) -> None:
    counter.xueji("move", READY[0], "apply", "batch=2024-06", "--as", "op", now="2024-05-14T10:00")
    shown = at(counter, "2024-05-14T10:00")
    counter.xueji("move", READY[0], "site_approve", "--as", "ap", now="2024-05-15T10:00")
    counter.xueji("user", "add", "late", "--role", "site_approver", "--unit", "510101", now="2024-05-16T10:00")

    again = at(counter, "2024-05-20T10:00", "--at", "2024-05-14T10:00")

    assert again.pop("at") == "2024-05-14T02:00:00.000000Z"
    assert again.pop("lacking") == []
    assert again == shown
    assert shown["state"] == "applied"


def test_looking_back_on_screen_says_so_and_shows_facts_but_no_personal_ones(counter: Counter) -> None:
    shown = counter.xueji("case", READY[0], "--at", NOW)

    assert shown.exit_code == 0
    assert "回看 as it stood：2024年5月13日" in shown.stdout
    assert "合格学期数 terms_passed" in shown.stdout
    assert "id_number" not in shown.stdout


def test_a_moment_that_has_not_come_and_one_before_anything_are_answered(counter: Counter) -> None:
    ahead = counter.xueji("case", READY[0], "--at", "2024-06-01")
    before = counter.xueji("case", READY[0], "--at", "2024-01-01")

    assert (ahead.exit_code, before.exit_code) == (2, 2)
    assert "尚未到来" in ahead.stderr
    assert READY[0] in before.stderr


def test_an_auditors_look_stands_in_the_timeline_and_nobody_elses_does(counter: Counter) -> None:
    counter.done("user", "add", "aud", "--role", "auditor", "--unit", "SX")
    by_operator = counter.document("case", READY[0], "--as", "op")
    by_auditor = counter.document("case", READY[0], "--as", "aud", "--at", NOW)
    last = counter.document("case", READY[0])["timeline"][-1]

    assert by_operator["timeline"] == [one for one in by_auditor["timeline"] if one["kind"] != "viewed"]
    assert (last["kind"], last["actor"], last["trigger"]) == ("viewed", "aud", "view:case")
    assert counter.document("replay", "--all")["diverged"] == []


@pytest.fixture(scope="module", autouse=True)
def rules_are_checked_once() -> Iterator[None]:
    """The same files are checked once, however many commands ask: that takes longer than all the rest."""
    known: dict[str, object] = {}

    def once(
        folder: Path, functions: Mapping[str, Registered], *, messages: Collection[str], over: Mapping[str, str]
    ) -> object:
        files = sorted(path for path in folder.rglob("*.yaml"))
        laid = (text.encode() for _, text in sorted(over.items()))
        digest = sha256(b"".join([*(path.read_bytes() for path in files), *laid])).hexdigest()
        if digest not in known:
            known[digest] = examine(folder, functions, messages=messages, over=over)
        return known[digest]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proposed_rules, "examine", once)
        yield


@pytest.fixture
def strict(tmp_path: Path) -> Path:
    """A folder in which one rule asks for one term more than is required."""
    text = (HOME / "rules" / "graduation.yaml").read_text(encoding="utf-8")
    assert AGAINST_ONE[0] in text
    file = tmp_path / "strict" / "rules" / "graduation.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text.replace(*AGAINST_ONE), encoding="utf-8")
    return file.parents[1]


def test_one_rule_made_stricter_names_the_decisions_it_would_have_stopped(counter: Counter, strict: Path) -> None:
    counter.done("move", READY[0], "apply", "batch=2024-06", "--as", "op")

    answer = counter.document("replay", "--all", "--under", str(strict), code=1)
    shown = counter.xueji("replay", "--all", "--under", str(strict), "--batch", "2024-06")

    [one] = answer["differences"]
    assert (one["student_no"], one["trigger"], one["actor"], one["would_be"]) == (READY[0], "apply", "op", "refused")
    assert one["rules"] == [{"rule": "terms-passed", "id": "G-GR-04", "then": "holds", "now": "fails"}]
    assert (one["values"]["terms_passed"], one["values"]["terms_required"]) == (5, 5)
    assert answer["by_rule"] == [{"name": "terms-passed", "would_be_refused": 1, "would_be_allowed": 0}]
    assert (answer["would_be_refused"], answer["would_be_allowed"], answer["open"]) == (1, 0, 0)
    assert shown.exit_code == 1
    assert "将被拒绝 would be refused 1" in shown.stdout


def test_a_copy_of_the_same_rules_and_procedures_makes_no_difference(counter: Counter, tmp_path: Path) -> None:
    counter.done("move", READY[0], "apply", "batch=2024-06", "--as", "op")
    for part in ("rules", "workflows"):
        shutil.copytree(HOME / part, tmp_path / "same" / part)

    answer = counter.document("replay", "--all", "--under", str(tmp_path / "same"))

    assert (answer["differences"], answer["would_be_refused"], answer["folded"]) == ([], 0, 0)


def test_other_rules_are_laid_over_those_that_two_approved(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    shutil.copy(HOME / "rules" / "credentials.yaml", tmp_path / "rules")
    approved = (HOME / "rules" / "graduation.yaml").read_text("utf-8").replace("学费已缴清", "学费已经缴清")

    found = proposed_rules.rules_in(tmp_path, HOME, {"rules/graduation.yaml": approved})

    assert "学费已经缴清" in (found.rulebook or "")


def test_what_cannot_be_meant_is_answered(counter: Counter, tmp_path: Path) -> None:
    words = [
        ("replay", READY[0], "--under", str(tmp_path)),
        ("replay", "--all", "--batch", "2024-06"),
        ("replay", "--all", "--under", str(tmp_path)),
        ("replay", "--all", "--cluster", "tcp://127.0.0.1:1"),
    ]
    answers = [counter.xueji(*one) for one in words]

    assert [one.exit_code for one in answers] == [2] * 4
    assert "--all" in answers[0].stderr
    assert "--under" in answers[1].stderr
    assert "workflows" in answers[2].stderr
    assert "PostgreSQL" in answers[3].stderr
