"""What a profile has otherwise in vocabulary, rules and documents, beside the files as they stand."""

from decimal import Decimal

import pytest

from engine.checking.examining import examine
from engine.library import canonical, content_hash
from engine.loading.folder import load, read
from engine.steps import Machine
from engine.vocabulary import RulebookText
from tests.engine.loading.folders import CLEAN, clean_folder, spoil, write

RULES, WORDS, FORMS = "rules/conditions.yaml", "rules/vocabulary.yaml", "rules/documents.yaml"
FREE = "    free: {id: G-9, title: {zh: 免费, en: Free}, holds: true, otherwise: {zh: 收费, en: A fee}, source: S-1}\n"


@pytest.fixture
def folder(tmp_path):
    clean_folder(tmp_path)
    spoil(tmp_path, "rules/organisation.yaml", "  college:", "  east: {title: {zh: 东, en: East}}\n  college:")
    for name in ("leave", "record", "trip"):
        add(tmp_path, f"workflows/{name}.yaml", "variants: {east: {}}\n")
    return tmp_path


def add(folder, name: str, text: str) -> None:
    write(folder, name, (folder / name).read_text(encoding="utf-8") + text)


def vary(folder, name: str, changes: str) -> None:
    add(folder, name, f"variants:\n  east:\n{changes}")


def faults(folder) -> list[tuple[str, str]]:
    return [(one.code, one.excerpt[one.column - 1 :]) for one in examine(folder)[1]]


def test_a_profile_reads_its_own_number_title_and_form_and_the_others_read_the_files(folder):
    vary(folder, RULES, "    paid.let.limit: 50.00\n    on-roll: null\n    ready.all_of: paid\n" + FREE)
    vary(folder, WORDS, "    student.fee_owed.title: {zh: 学费, en: Tuition}\n")
    vary(folder, FORMS, "    F-01.file: [png, pdf]\n")

    library = load(folder)
    base, east = library.rulebook_for("college"), library.rulebook_for("east")

    assert base is library.rulebook
    assert (base.rules["paid"].let["limit"], east.rules["paid"].let["limit"]) == ("0", "50.00")
    assert (set(base.rules) - set(east.rules), set(east.rules) - set(base.rules)) == ({"on-roll"}, {"free"})
    assert east.vocabulary.student["fee_owed"].title.zh == "学费"
    assert east.documents["F-01"].file == ("png", "pdf")
    assert east.organisation == base.organisation


def test_a_case_is_judged_by_the_rulebook_of_its_profile(folder):
    vary(folder, RULES, "    paid.let.limit: 50.00\n")
    library = load(folder)

    def owing_thirty(profile: str) -> int:
        machine = Machine(library, library.definition("leave", profile), shape="", rulebook="")
        (paid,) = machine.guards_of(["paid"])
        return int(paid.ask(*[Decimal(30) for _ in paid.reads]))

    assert (owing_thirty("east"), owing_thirty("college")) == (0, 1)


def test_one_hash_pins_the_rulebook_of_every_profile_and_its_bytes_give_it_back(folder):
    before = content_hash(load(folder).rulebook)
    vary(folder, RULES, "    paid.let.limit: 50.00\n    on-roll: null\n    ready.all_of: paid\n")
    vary(folder, WORDS, "    student.fee_owed.title: {zh: 学费, en: Tuition}\n    groups.money.guards: []\n")
    book = load(folder).rulebook

    again = RulebookText.model_validate_json(canonical(book))

    assert content_hash(book) != before
    assert content_hash(again) == content_hash(book)
    assert again.for_profile("east") == book.for_profile("east")


def test_files_with_variants_that_are_in_order_show_no_fault(folder):
    vary(folder, RULES, "    paid.let.limit: 50.00\n")
    vary(folder, WORDS, "    choices.level.预科: {en: Preparatory}\n")
    vary(folder, FORMS, "    F-01.count: 1\n")

    assert faults(folder) == []


@pytest.mark.parametrize(
    ("name", "change", "code", "place"),
    [
        pytest.param(RULES, "payd.holds: true", "unknown-path", "payd.holds", id="a path that leads nowhere"),
        pytest.param(RULES, "paid.hold: true", "unknown-key", "true", id="a key that is none"),
        pytest.param(RULES, "paid.holds: null", "missing-key", "paid:", id="a rule without condition"),
        pytest.param(RULES, "paid.holds: fee_owed <= level", "expression", "fee_owed", id="an expression"),
        pytest.param(RULES, "ready.all_of: [paid, on-rol]", "unknown-rule", "on-rol", id="a rule in a set"),
        pytest.param(RULES, "paid: null", "unknown-rule", "paid", id="a rule that is still asked"),
        pytest.param(WORDS, "student.level.type: choice lvel", "unknown-choice", "choice lvel", id="a choice"),
        pytest.param(WORDS, "student.level.type: text", "wrong-value", "text", id="another type in store"),
        pytest.param(WORDS, "student.nick: {type: text, title: {zh: 昵, en: N}}", "wrong-value", "{type", id="a fact"),
        pytest.param(FORMS, "F-01.rules: [smal-file]", "unknown-rule", "smal-file", id="a rule of files"),
    ],
)
def test_what_is_wrong_with_one_profile_is_placed_in_its_variant(folder, name, change, code, place):
    vary(folder, name, f"    {change}\n")

    found = faults(folder)

    assert code in {one for one, _ in found}
    assert any(one == code and shown.startswith(place) for one, shown in found), found


def test_a_variant_of_nobody_is_named_with_the_nearest_profile(folder):
    add(folder, RULES, "variants: {eats: {paid.let.limit: 1}}\n")

    assert [code for code, _ in faults(folder)] == ["unknown-profile"]
    assert "Did you mean 'east'?" in read(folder).faults[0].message


def test_variants_that_map_nothing_are_refused(folder):
    add(folder, RULES, "variants: [east]\n")
    add(folder, FORMS, "variants: {east: {}}\n")
    add(folder, WORDS, "variants: {east: paid}\n")

    assert faults(folder) == [("syntax", "[east]"), ("syntax", "paid}")]


def test_the_sentences_of_the_engine_are_the_same_for_every_profile(folder):
    add(folder, "rules/engine.yaml", "variants: {east: {one-by-one.id: X-2}}\n")

    assert "unknown-key" in {code for code, _ in faults(folder)}


def test_a_rule_added_for_a_profile_stands_nowhere_else(folder):
    vary(folder, RULES, FREE)
    write(folder, "rules/other.yaml", FREE.replace("    free", "free"))

    assert ("twice", "{id: G-9, title: {zh: 免费, en: Free}, holds: true") in {
        (code, shown.split(", otherwise")[0]) for code, shown in faults(folder)
    }


def test_several_files_of_rules_vary_for_one_profile_together(folder):
    vary(folder, RULES, "    paid.let.limit: 50.00\n")
    other = CLEAN[RULES][CLEAN[RULES].index("on-roll:") : CLEAN[RULES].index("small-file:")]
    spoil(folder, RULES, other, "")
    write(folder, "rules/other.yaml", f"{other}variants:\n  east:\n    on-roll.holds: true\n")

    book = load(folder).rulebook_for("east")

    assert (book.rules["paid"].let["limit"], book.rules["on-roll"].holds) == ("50.00", "true")
    assert faults(folder) == []


def test_what_is_wrong_in_the_variant_of_one_file_is_placed_there_though_another_varies_too(folder):
    vary(folder, RULES, "    paid.holds: fee_owed <= level\n")
    write(folder, "rules/other.yaml", f"variants:\n  east:\n{FREE}")
    spoil(folder, "workflows/trip.yaml", "variants: {east: {}}", "variants: {east: {transitions.start.guards: free}}")

    assert faults(folder) == [("expression", "fee_owed <= level")]
