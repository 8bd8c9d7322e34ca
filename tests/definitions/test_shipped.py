"""What is shipped under `rules/` and `workflows/` is whole, in order, and says what the notices say."""

from datetime import date
from pathlib import Path

import pytest

from engine.checking.examining import examine
from engine.definition import MoveKind
from engine.guards import flatten
from engine.library import Library
from engine.loading import schema

ROOT = Path(__file__).parents[2]
LEVELS = ("applied", "site_approved", "branch_approved", "provincially_audited")
BEYOND_MENDING = {
    "change-before-graduation",
    "change-provided-for",
    "course-in-rule",
    "credential-not-registered",
    "degree-level",
    "due-for-annual-registration",
    "file-not-frozen",
    "first-credential",
    "not-published",
    "not-withdrawn-automatically",
    "record-suspended",
    "within-study-period",
}
OF_FILES = {"at-most-10-mb", "at-least-200-by-200", "named-by-content"}


@pytest.fixture(scope="module")
def examined():
    return examine(ROOT)


@pytest.fixture(scope="module")
def library(examined) -> Library:
    found: Library | None = examined[0]
    assert found is not None
    return found


def ids(library: Library, profile: str, trigger: str, part: str = "guards") -> set[str]:
    """The catalogue ids that a step of the record asks."""
    rules = library.rulebook.rules
    transition = library.record(profile).transitions[trigger]
    return {rules[name].id or "" for name in flatten(getattr(transition, part), rules)}


def test_the_whole_folder_checks_clean_in_every_profile(examined, library):
    assert examined[1] == ()
    assert {profile for _, profile in library.definitions} == set(library.rulebook.organisation.profiles)


def test_the_record_has_the_eight_states_in_both_profiles(library):
    for profile in ("open-university", "online-ed"):
        record = library.record(profile)
        assert record.procedure == "W-01"
        assert list(record.states) == [
            "enrolled", "suspended", "withdrawn", "applied", "site_approved", "branch_approved",
            "provincially_audited", "registered",
        ]  # fmt: skip
        assert {name for name, one in record.states.items() if one.final} == {"withdrawn", "registered"}


def test_an_application_of_online_education_asks_the_conditions_of_the_notice(library):
    assert ids(library, "online-ed", "apply") == {
        "G-GR-01", "G-GR-02", "G-GR-03", "G-GR-04", "G-GR-05", "G-GR-06", "G-GR-07", "G-GR-08",
        "G-GR-24", "G-SC-07",
    }  # fmt: skip
    assert ids(library, "online-ed", "site_approve") == {"G-GR-09", "G-GR-12", "G-GR-26"}


def test_an_application_of_the_open_university_asks_its_own_conditions(library):
    assert ids(library, "open-university", "apply") == {
        "G-GR-04", "G-GR-10", "G-CR-03", "G-GR-24", "G-SC-07",
    }  # fmt: skip
    assert ids(library, "open-university", "apply", "warns") == {"G-GR-15"}
    assert ids(library, "open-university", "apply_degree") == {"G-GR-11"}
    assert ids(library, "open-university", "site_approve") == {"G-GR-12"}
    assert ids(library, "open-university", "provincial_audit") >= {"G-GR-13", "G-GR-14", "G-GR-15"}
    assert "G-GR-26" in ids(library, "open-university", "register")


@pytest.mark.parametrize("profile", ["open-university", "online-ed"])
def test_registration_asks_what_a_credential_must_be(library, profile):
    assert ids(library, profile, "register") >= {
        "G-GR-19a", "G-GR-19b", "G-GR-19c", "G-GR-20", "G-GR-21", "G-GR-22", "G-CT-01",
    }  # fmt: skip
    assert ids(library, profile, "open_record") == {"G-AD-11", "G-AD-14"}


@pytest.mark.parametrize("profile", ["open-university", "online-ed"])
def test_every_level_can_return_or_reject_and_no_person_takes_two(library, profile):
    record = library.record(profile)
    for level in LEVELS:
        kinds = {one.kind for one in record.transitions.values() if level in one.origins}
        assert MoveKind.REJECT in kinds
        assert MoveKind.RETURN in kinds or level == "provincially_audited"
    assert record.transitions["branch_return"].targets == ("applied", "enrolled")
    assert {"apply", "site_approve", "branch_approve"} <= set(record.distinct[0])
    assert library.rulebook.engine["distinct-persons"].id == "G-SG-08"


def test_a_withdrawn_record_stays_withdrawn_and_a_registered_one_is_only_annotated(library):
    for trigger, one in library.record("open-university").transitions.items():
        assert "withdrawn" not in one.origins, trigger
        assert not ("registered" in one.origins and one.targets), trigger


def test_every_rule_can_be_read_in_both_languages_and_traced_to_its_source(library):
    for name, rule in library.rulebook.rules.items():
        if not rule.all_of:
            assert None not in (rule.title, rule.otherwise, rule.id), name
            assert rule.source, name


def test_every_rule_says_who_can_mend_it_unless_nobody_can(library):
    silent = {name for name, rule in library.rulebook.rules.items() if not rule.all_of and rule.remedy is None}

    assert silent - OF_FILES == BEYOND_MENDING


def test_the_batch_of_june_2024_has_its_eight_pairs_and_its_dates(library):
    values = library.batches["2024-06"].values

    assert sorted(map(tuple, values["pairs"])) == [
        (2018, "高起本"), (2019, "高起本"), (2020, "专升本"), (2020, "专科"), (2021, "专升本"),
        (2021, "专科"), (2022, "专升本"), (2022, "专科"),
    ]  # fmt: skip
    assert {values[name] for name in ("photo_by", "fees_by", "file_by")} == {"2024-05-13"}
    assert {values[name] for name in ("review_by", "lists_by", "package_by")} == {"2024-05-15"}
    assert date.fromisoformat(str(values["photo_by"])).isoweekday() == 1


def test_a_number_that_names_one_person_is_unique_and_an_identity_number_is_secret(library):
    student = library.rulebook.vocabulary.student
    unique = {name for name, fact in student.items() if fact.unique}

    assert unique == {"student_no", "exam_no", "id_number", "certificate_no", "record_no"}
    assert student["id_number"].privacy.value == "secret"
    assert {student[name].privacy.value for name in ("name", "born_on", "phone", "email")} == {"personal"}


def test_no_two_facts_answer_to_one_column_of_a_sheet(library):
    headers = [one for fact in library.rulebook.vocabulary.student.values() for one in fact.header]

    assert len(headers) == len(set(headers))


def test_the_committed_schemas_are_those_of_the_models():
    committed = {path.name: path.read_text(encoding="utf-8") for path in schema.FOLDER.glob("*.json")}

    assert committed == schema.schemas()


def test_every_definition_file_tells_the_editor_its_schema():
    for path in [*(ROOT / "rules").glob("*.yaml"), *(ROOT / "workflows").rglob("*.yaml")]:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        reference = first.removeprefix("# yaml-language-server: $schema=")
        assert (path.parent / reference).resolve().parent == schema.FOLDER, path
        assert (path.parent / reference).is_file(), path
