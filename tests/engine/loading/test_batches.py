"""Batches are typed by their kind, and their dates keep their order."""

import pytest

from engine.loading.folder import load, read
from tests.engine.loading.folders import clean_folder, spoil

BATCH = "workflows/batches/2024.yaml"


@pytest.fixture
def folder(tmp_path):
    return clean_folder(tmp_path)


def test_every_value_has_the_one_form_of_its_type(folder):
    batch = load(folder).batches["2024"]

    assert batch.values == {
        "pairs": [[2020, "本科"], [2021, "专科"]],
        "opens_on": "2024-03-01",
        "closes_on": "2024-05-13",
        "last_at": "2024-05-13T09:40:00.000000Z",
    }


def test_a_date_that_is_still_open_is_null(folder):
    spoil(folder, BATCH, "closes_on: 2024-05-13\n", "closes_on: null\n")

    assert load(folder).batches["2024"].values["closes_on"] is None


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        pytest.param("opens_on:", "opnes_on:", "unknown-key", "opnes_on", id="unknown field"),
        pytest.param("2024-05-13\n", "2024-02-30\n", "wrong-value", "2024-02-30", id="no such day"),
        pytest.param("kind: class", "kind: clas", "unknown-batch", "clas", id="unknown kind"),
        pytest.param("profile: college", "profile: colege", "unknown-profile", "colege", id="profile"),
        pytest.param("2021, 专科", "2021, 专科生", "wrong-value", "[[2020", id="unknown code"),
        pytest.param("[2021, 专科]", "[2021]", "wrong-value", "[[2020", id="half a pair"),
        pytest.param("2024-03-01", "2024-06-01", "wrong-value", "2024-06-01", id="wrong order"),
        pytest.param("batch: 2024\n", "batch: 2025\n", "wrong-value", "2025", id="file name"),
    ],
)
def test_a_value_that_does_not_fit_is_named_where_it_stands(folder, old, new, code, place):
    spoil(folder, BATCH, old, new)

    (fault,) = read(folder).faults

    assert fault.code == code
    assert fault.excerpt[fault.column - 1 :].startswith(place)


def test_dates_out_of_order_are_answered_with_the_rule_and_the_dates(folder):
    spoil(folder, BATCH, "2024-03-01", "2024-06-01")

    (fault,) = read(folder).faults

    assert "opens_on <= closes_on" in fault.message
    assert "2024-06-01" in fault.message
