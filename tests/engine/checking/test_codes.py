"""One fault of each code, made in a folder that is otherwise in order, is found where it stands."""

from pathlib import Path

import pytest

from engine.checking.examining import examine
from engine.checking.rulebooks import rule_in_use
from engine.errors import Fault
from engine.loading.folder import load
from tests.engine.loading.folders import clean_folder, spoil, write

VOCABULARY = "rules/vocabulary.yaml"
LEAVE, RECORD = "workflows/leave.yaml", "workflows/record.yaml"
BACK = "  back: {title: {zh: 退回, en: Send back}, from: asked, to: asked, kind: return, by: head}\n"
FINAL = "  granted: {title: {zh: 已批准, en: Granted}, final: true}\n"
DAYS = "  days: {type: number, title: {zh: 天数, en: Days}}\n"
GO = "{title: {zh: 办理, en: Go}, "
WAIT = "{title: {zh: 等待, en: Wait}"

CODES = [
    pytest.param("unknown-state", (LEAVE, "while: asked", "while: askd"), "askd", id="unknown-state"),
    pytest.param("unknown-trigger", (LEAVE, "against: reopen", "against: reopn"), "reopn", id="unknown-trigger"),
    pytest.param(
        "unknown-slot",
        (LEAVE, "    about: [school]\n", "    about: [school]\n    distinct: [[close, send.hed]]\n"),
        "send.hed",
        id="unknown-slot",
    ),
    pytest.param("unknown-rule", (LEAVE, "settled: paid", "settled: payd"), "payd", id="unknown-rule"),
    pytest.param(
        "unknown-rule",
        ("rules/conditions.yaml", "[paid, on-roll]", "[paid, on-rol]"),
        "on-rol",
        id="unknown-rule-in-a-set",
    ),
    pytest.param(
        "unknown-role",
        (LEAVE, "kind: return, by: head}\ndead", "kind: return, by: hed}\ndead"),
        "hed",
        id="unknown-role",
    ),
    pytest.param("unknown-field", (LEAVE, "asks: [days]", "asks: [dais]"), "dais", id="unknown-field"),
    pytest.param(
        "unknown-field",
        (LEAVE, "with: {remark:", "with: {remark: \"'a'\", remarc:"),
        "remarc",
        id="unknown-field-of-a-linked-case",
    ),
    pytest.param(
        "unknown-fact",
        (LEAVE, "    by: head\n", "    by: head\n    set: {student.fee_owd: 0.00}\n"),
        "student.fee_owd",
        id="unknown-fact",
    ),
    pytest.param(
        "unknown-fact",
        ("rules/conditions.yaml", 'zh: "尚欠{fee_owed}"', 'zh: "尚欠{fee_owd}"'),
        "{zh",
        id="unknown-fact-in-a-sentence",
    ),
    pytest.param(
        "unknown-document",
        (LEAVE, "needs: [F-01]", "needs: [F-01, F-02]"),
        "F-02",
        id="unknown-document",
    ),
    pytest.param("unknown-unit", (LEAVE, "[school]", "[shcool]"), "shcool", id="unknown-unit"),
    pytest.param(
        "unknown-batch",
        (LEAVE, DAYS, DAYS + "  batch: {type: batch clas, title: {zh: 届, en: Class}}\n"),
        "batch clas",
        id="unknown-batch",
    ),
    pytest.param("unknown-type", (LEAVE, "type: number", "type: nubmer"), "nubmer", id="unknown-type"),
    pytest.param("unknown-choice", (LEAVE, "choice level", "choice lvel"), "choice lvel", id="unknown-choice"),
    pytest.param(
        "unknown-group",
        ("rules/vocabulary.yaml", "group: money", "group: mony"),
        "mony",
        id="unknown-group",
    ),
    pytest.param(
        "unknown-workflow",
        (LEAVE, "of: leave,", "of: leav,"),
        "leav,",
        id="unknown-workflow",
    ),
    pytest.param(
        "unknown-deadline",
        (
            "rules/conditions.yaml",
            "holds: record.state == 'enrolled'",
            "holds: record.state == 'enrolled' or before('D-9')",
        ),
        "'D-9'",
        id="unknown-deadline",
    ),
    pytest.param(
        "name-clash",
        (LEAVE, DAYS, DAYS + "  fee_owed: {type: money, title: {zh: 费, en: Fee}}\n"),
        "fee_owed",
        id="name-clash",
    ),
    pytest.param(
        "expression",
        ("rules/conditions.yaml", "fee_owed <= limit", "fee_owed <= level"),
        "fee_owed",
        id="expression",
    ),
    pytest.param(
        "expression",
        (LEAVE, 'due: "days_after(case.opened_on, 5)"', "due: case.days"),
        "case.days",
        id="a-due-date-that-is-none",
    ),
    pytest.param(
        "unreachable",
        (LEAVE, FINAL, FINAL + f"  lost: {WAIT}, final: true}}\n"),
        "lost",
        id="unreachable",
    ),
    pytest.param(
        "leaves-final",
        (LEAVE, BACK, BACK + f"  undo: {GO}from: granted, to: asked, kind: return, by: head}}\n"),
        "granted",
        id="leaves-final",
    ),
    pytest.param(
        "nobody-can",
        (LEAVE, "    by: head\n", "    by: {role: teacher, at: school}\n"),
        "{role",
        id="nobody-can",
    ),
    pytest.param(
        "nobody-can",
        (LEAVE, "    by: head\n", ""),
        "grant",
        id="nobody-is-named",
    ),
    pytest.param(
        "uncapped-loop",
        (LEAVE, "from: asked, to: asked, kind: return", "from: asked, to: asked"),
        "asked",
        id="uncapped-loop",
    ),
    pytest.param(
        "one-person-alone",
        (LEAVE, "    by: head\n", "    by: [head, clerk]\n"),
        "grant",
        id="one-person-alone",
    ),
    pytest.param(
        "wrong-value",
        (VOCABULARY, "batch:\n", "unit:\n  size: {type: number, unique: true, title: {zh: 人数, en: Size}}\nbatch:\n"),
        "true",
        id="a-fact-of-units-that-no-case-could-be-asked-about",
    ),
    pytest.param(
        "moves-identity",
        ("workflows/trip.yaml", "to: back, by: clerk", "to: back, by: clerk, asks: [place]"),
        "return",
        id="moves-identity",
    ),
    pytest.param(
        "retract-effect",
        (LEAVE, "    by: head\n", "    by: head\n    retractable: true\n"),
        "true",
        id="retract-effect",
    ),
    pytest.param("opening-lacks", (LEAVE, ", with: {place: \"'外地'\"}", ""), "trip.start", id="opening-lacks"),
    pytest.param(
        "effect-not-allowed",
        (RECORD, "by: effect", "by: clerk"),
        "record.note",
        id="effect-not-allowed",
    ),
    pytest.param("effect-asks", (LEAVE, ", with: {remark: \"'请假'\"}", ""), "record.note", id="effect-asks"),
    pytest.param(
        "nothing-fires",
        (LEAVE, "      - {fire: record.note, with: {remark: \"'请假'\"}}\n", ""),
        "note",
        id="nothing-fires",
    ),
    pytest.param(
        "slots-may-be-empty",
        (LEAVE, "{role: head}", "{role: head, applies: case.late}"),
        "{head",
        id="slots-may-be-empty",
    ),
    pytest.param(
        "against-not-open",
        (LEAVE, "from: closed, to: open", "from: open, to: open"),
        "reopen",
        id="against-not-open",
    ),
    pytest.param(
        "signed-while-open",
        (LEAVE, "en: Closed}, frozen: true}", "en: Closed}}"),
        "closed",
        id="signed-while-open",
    ),
    pytest.param(
        "never-full",
        (LEAVE, "sign: {against: reopen,", "sign: {quorum: 2, against: reopen,"),
        "2",
        id="never-full",
    ),
    pytest.param(
        "never-full",
        (LEAVE, "sign: {against: reopen,", "sign: {quorum: 0, against: reopen,"),
        "0",
        id="a-quorum-of-nobody",
    ),
    pytest.param(
        "unknown-state",
        (LEAVE, "version: 1\n", "version: 2\nupgrades: {1: {asked: askd}}\n"),
        "askd",
        id="an-upgrade-to-no-state",
    ),
    pytest.param(
        "wrong-value",
        (LEAVE, "version: 1\n", "version: 2\nupgrades: {2: {asked: granted}}\n"),
        "2:",
        id="an-upgrade-from-itself",
    ),
    pytest.param(
        "unknown-field",
        ("rules/documents.yaml", "file: [pdf]", "made_from: case, columns: [name, days, lvel]"),
        "lvel",
        id="a-column-of-a-form",
    ),
    pytest.param("timer", (LEAVE, "while: asked,", "while: asked, missed: {fire: back},"), "back", id="timer"),
    pytest.param(
        "reads-the-clock",
        (LEAVE, "days_after(case.opened_on", "days_after(today"),
        '"days_after',
        id="reads-the-clock",
    ),
    pytest.param(
        "invariant",
        (LEAVE, "rounds: 3\n", "rounds: 3\ninvariants: {INV-1: {since: asked}}\n"),
        "INV-1",
        id="invariant",
    ),
]


def shown(fault: Fault) -> str:
    """What stands at the place of a fault."""
    return fault.excerpt[fault.column - 1 :]


def test_a_folder_in_order_shows_no_fault_and_no_warning(tmp_path: Path):
    library, faults = examine(clean_folder(tmp_path))

    assert faults == ()
    assert library is not None


@pytest.mark.parametrize(("code", "spoiling", "place"), CODES)
def test_the_fault_is_found_alone_and_where_it_stands(tmp_path, code, spoiling, place):
    spoil(clean_folder(tmp_path), *spoiling)

    _, faults = examine(tmp_path)

    assert {fault.code for fault in faults} == {code}, "\n".join(map(str, faults))
    assert shown(faults[0]).startswith(place), str(faults[0])


MESSAGES = ("moved", "returned", "registered")


def test_a_step_tells_only_what_can_be_told(tmp_path):
    spoil(clean_folder(tmp_path), LEAVE, "    needs: [F-01]\n", "    needs: [F-01]\n    tell: [clerk, head]\n")
    assert examine(tmp_path, messages=MESSAGES)[1] == ()
    spoil(tmp_path, LEAVE, "[clerk, head]", "[clerk, {to: student, message: registerd}]")

    _, faults = examine(tmp_path, messages=MESSAGES)

    assert [fault.code for fault in faults] == ["unknown-message"]
    assert shown(faults[0]).startswith("registerd")
    assert "Did you mean 'registered'" in faults[0].message
    assert examine(tmp_path)[1] == (), "what can be told is for others to say"


def test_a_step_that_tells_one_role_is_asked_too(tmp_path):
    tell = "    needs: [F-01]\n    tell: {to: clerk, message: move}\n"
    spoil(clean_folder(tmp_path), LEAVE, "    needs: [F-01]\n", tell)

    (fault,) = examine(tmp_path, messages=MESSAGES)[1]

    assert shown(fault).startswith("move}")


def test_a_state_that_only_leads_in_circles_has_no_way_out(tmp_path):
    spoil(clean_folder(tmp_path), LEAVE, FINAL, FINAL + f"  a: {WAIT}}}\n  b: {WAIT}}}\n")
    circle = f"  go: {GO}from: [asked, b], to: a, by: head}}\n  again: {GO}from: a, to: b, kind: return, by: head}}\n"
    spoil(tmp_path, LEAVE, BACK, BACK + circle)

    _, faults = examine(tmp_path)

    assert [(fault.code, shown(fault)[0]) for fault in faults] == [
        ("no-way-out", "a"),
        ("no-way-out", "b"),
    ]


def test_a_state_that_nothing_leads_on_from_waits_for_nobody(tmp_path):
    spoil(clean_folder(tmp_path), LEAVE, FINAL, FINAL + f"  limbo: {WAIT}}}\n")
    spoil(tmp_path, LEAVE, BACK, BACK + f"  go: {GO}from: asked, to: limbo, by: head}}\n")

    _, faults = examine(tmp_path)

    assert [fault.code for fault in faults] == ["nobody-waits"]
    assert shown(faults[0]).startswith("limbo")


def test_ways_out_that_ask_what_nobody_can_mend_are_a_trap(tmp_path):
    spoil(clean_folder(tmp_path), LEAVE, "    needs: [F-01]\n", "    needs: [F-01]\n    guards: [on-roll]\n")
    spoil(tmp_path, LEAVE, BACK, BACK.replace("by: head", "by: head, guards: [on-roll]"))

    _, faults = examine(tmp_path)

    assert [fault.code for fault in faults] == ["trap"]
    assert shown(faults[0]).startswith("asked")


def test_distinct_keeps_the_one_who_files_from_approving(tmp_path):
    spoil(clean_folder(tmp_path), LEAVE, "    by: head\n", "    by: [head, clerk]\n")
    spoil(tmp_path, LEAVE, "rounds: 3\n", "rounds: 3\ndistinct: [[ask, grant]]\n")

    assert examine(tmp_path)[1] == ()


def test_steps_whose_effects_lead_back_to_them_never_end(tmp_path):
    spoil(clean_folder(tmp_path), RECORD, "by: effect, asks: [remark]}", "by: effect, asks: [remark], then: [%s]}")
    spoil(tmp_path, RECORD, "%s", "{fire: leave.again, expects: any}")
    again = f"  again: {GO}from: asked, by: effect, then: [{{fire: record.note, with: {{remark: \"''\"}}}}]}}\n"
    spoil(tmp_path, LEAVE, BACK, BACK + again)

    _, faults = examine(tmp_path)

    assert [(fault.code, shown(fault).split(":")[0]) for fault in faults] == [
        ("effect-cycle", "again"),
        ("effect-cycle", "note"),
    ]


def test_enough_signers_may_be_added_for_a_quorum(tmp_path):
    added = "sign: {quorum: 2, add: {by: clerk, roles: teacher}, against: reopen,"
    spoil(clean_folder(tmp_path), LEAVE, "sign: {against: reopen,", added)

    assert examine(tmp_path)[1] == ()


def test_a_list_shows_the_columns_of_its_members(tmp_path):
    form = "F-02: {title: {zh: 名单, en: List}, made_from: members, columns: [name, days], sort: [stat]}\n"
    forms = (clean_folder(tmp_path) / "rules/documents.yaml").read_text(encoding="utf-8")
    write(tmp_path, "rules/documents.yaml", forms + form)
    spoil(tmp_path, LEAVE, "from: open, to: closed, by: clerk", "from: open, to: closed, by: clerk, issues: F-02")

    _, faults = examine(tmp_path)

    assert [(fault.code, shown(fault)) for fault in faults] == [("unknown-field", "stat]}")]
    assert "Did you mean 'state'?" in faults[0].message


def test_a_rulebook_keeps_the_rules_that_open_cases_ask(tmp_path):
    library = load(clean_folder(tmp_path))
    book = library.rulebook
    without = book.model_copy(update={"rules": {name: one for name, one in book.rules.items() if name != "ready"}})
    in_use = library.definitions.values()

    (complaint,) = rule_in_use(in_use, without)

    assert not list(rule_in_use(in_use, book))
    assert complaint.finding.code == "rule-in-use"
    assert "'leave' version 1 (college) ask the rule 'ready'" in complaint.finding.message


def test_a_timed_step_is_in_order_when_its_deadline_runs_where_it_is_open(tmp_path):
    spoil(clean_folder(tmp_path), LEAVE, "while: asked,", "while: asked, missed: {fire: lapse},")
    spoil(tmp_path, LEAVE, BACK, BACK + f"  lapse: {GO}from: asked, to: cancelled, by: timer}}\n")

    assert examine(tmp_path)[1] == ()


def test_a_rule_that_nothing_names_is_a_warning(tmp_path):
    idle = "idle: {id: G-9, title: {zh: 甲, en: A}, holds: true, otherwise: {zh: 乙, en: B}, source: S-1}\n"
    write(clean_folder(tmp_path), "rules/idle.yaml", idle)

    _, faults = examine(tmp_path)

    assert [(fault.code, fault.is_warning) for fault in faults] == [("rule-unused", True)]


def test_an_unknown_profile_is_named_with_the_nearest(tmp_path):
    trip = (clean_folder(tmp_path) / "workflows/trip.yaml").read_text(encoding="utf-8")
    lone = trip.replace("workflow: trip", "workflow: lone").replace("by: effect", "by: clerk")
    write(tmp_path, "workflows/lone.yaml", lone.replace("profile: college", "profile: colege"))

    _, faults = examine(tmp_path)

    assert [fault.code for fault in faults] == ["unknown-profile"]
    assert "Did you mean 'college'?" in faults[0].message


def test_a_set_of_rules_that_contains_itself_goes_round_in_circles(tmp_path):
    spoil(clean_folder(tmp_path), "rules/conditions.yaml", "[paid, on-roll]", "[paid, on-roll, ready]")

    _, faults = examine(tmp_path)

    assert [fault.code for fault in faults] == ["uncapped-loop"]
    assert shown(faults[0]).startswith("ready")


def test_a_name_that_is_reserved_cannot_be_a_role(tmp_path):
    spoil(clean_folder(tmp_path), "rules/organisation.yaml", "  head:", "  timer:")

    _, faults = examine(tmp_path)

    assert {fault.code for fault in faults} == {"name-clash", "unknown-role"}


def test_braces_in_a_sentence_hold_plain_names_only(tmp_path):
    spoil(clean_folder(tmp_path), "rules/conditions.yaml", 'en: "{fee_owed} owed"', 'en: "{fee_owed!r} owed"')

    _, faults = examine(tmp_path)

    assert [fault.code for fault in faults] == ["expression"]


def test_a_fault_begins_with_the_chinese_label_and_names_the_nearest_word(tmp_path):
    spoil(clean_folder(tmp_path), LEAVE, "settled: paid", "settled: payd")

    _, faults = examine(tmp_path)

    assert faults[0].message == "没有这条规则 · no rule 'payd'. Did you mean 'paid'?"
