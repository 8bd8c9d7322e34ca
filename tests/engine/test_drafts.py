"""Forms as they were made: by what a line is known."""

from engine.drafts import form_from


def test_a_line_without_an_examination_number_is_known_by_its_case():
    form = form_from({"columns": ["exam_no", "number"], "rows": [["2261000001", "A1"], [None, "A2"], [None, "A3"]]})

    assert list(form.lines) == ["2261000001", "A2", "A3"]
