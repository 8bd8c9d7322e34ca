"""Forms that share the members of a list out: what the check says of those that cannot."""

from engine.checking.examining import examine
from tests.engine.checking.test_codes import LEAVE, shown
from tests.engine.loading.folders import clean_folder, spoil, write

FORM = "F-0{n}: {{title: {{zh: 名单, en: List}}, made_from: members, rows: it.days > {n}, columns: [{columns}]}}\n"


def test_forms_share_a_list_out_that_are_made_of_its_members_when_they_are_fixed(tmp_path):
    forms = (clean_folder(tmp_path) / "rules/documents.yaml").read_text(encoding="utf-8")
    made = "".join(FORM.format(n=n, columns="number, name") for n in (2, 3, 4))
    write(tmp_path, "rules/documents.yaml", forms + made)
    spoil(
        tmp_path, LEAVE, "from: open, to: closed, by: clerk", "from: open, to: closed, by: clerk, issues: [F-02, F-03]"
    )
    for shares, expected in (
        ("F-02, F-03", []),
        ("F-02", ["F-02"]),
        ("F-02, F-04", ["F-04"]),
        ("F-03, F-01", ["F-01"]),
    ):
        spoil(tmp_path, LEAVE, "{of: leave,", f"{{on_one_of: [{shares}], of: leave,")

        faults = [one for one in examine(tmp_path)[1] if one.code != "unused"]

        assert [(one.code, shown(one)[:4]) for one in faults] == [("wrong-value", one) for one in expected], shares
        spoil(tmp_path, LEAVE, f"{{on_one_of: [{shares}], of: leave,", "{of: leave,")


def test_forms_that_share_a_list_out_have_a_column_by_which_every_member_is_known(tmp_path):
    forms = (clean_folder(tmp_path) / "rules/documents.yaml").read_text(encoding="utf-8")
    spoil(
        tmp_path, LEAVE, "from: open, to: closed, by: clerk", "from: open, to: closed, by: clerk, issues: [F-02, F-03]"
    )
    spoil(tmp_path, LEAVE, "{of: leave,", "{on_one_of: [F-02, F-03], of: leave,")
    for columns, expected in (
        ("name", ["F-02", "F-03"]),
        ("name, exam_no", ["F-02", "F-03"]),  # not everybody has one yet
        ("name, student_no", []),
        ("number, name", []),
    ):
        made = "".join(FORM.format(n=n, columns=columns) for n in (2, 3))
        write(tmp_path, "rules/documents.yaml", forms + made)

        faults = [one for one in examine(tmp_path)[1] if shown(one)[:4] in ("F-02", "F-03") and one.code != "unused"]

        assert [(one.code, shown(one)[:4]) for one in faults if "column" in one.message] == [
            ("wrong-value", kind) for kind in expected
        ], columns


def test_a_step_of_such_a_list_into_a_state_that_does_not_exist_is_named(tmp_path):
    clean_folder(tmp_path)
    spoil(tmp_path, LEAVE, "{of: leave,", "{on_one_of: [F-01], of: leave,")
    spoil(tmp_path, LEAVE, "from: open, to: closed, by: clerk", "from: open, to: shut, by: clerk")

    assert ("unknown-state", "shut") in [(one.code, shown(one)[:4]) for one in examine(tmp_path)[1]]
