"""The bench: an honest yardstick, races that compare like with like, and figures that are reported, never asserted."""

from collections.abc import Iterator

import orjson
import pytest

from console.bench import by_hand, hand_postgres, hand_sqlite, running
from console.bench.bulk import takers_of_many
from console.bench.by_hand import NotByHandError
from console.bench.hand_sql import LostError
from console.bench.honesty import DishonestError, check_honesty, cycle_of, cycle_of_many
from console.bench.races import Raced, race
from console.bench.replaying import EVENTS_A_STUDENT, make_events
from console.bench.results import Line
from console.bench.scene import CYCLE, Scene, requests, scene
from console.bench.single import HAND, grants, letterhead, takers
from console.settings import Settings
from engine.errors import Unknown
from engine.library import Library
from engine.loading.folder import load
from engine.replay import replay_range
from engine.store.trail import spans


@pytest.fixture(scope="module")
def library() -> Library:
    return load(Settings().definitions)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest) -> Settings:
    url = "sqlite:///unused.db" if request.param == "sqlite" else request.getfixturevalue("postgres_server")
    return Settings(database=url)


@pytest.fixture
def stage(settings: Settings, library: Library) -> Iterator[Scene]:
    with scene(settings, library, 60) as one:
        yield one


def test_a_hundred_moves_by_hand_leave_the_rows_that_the_engine_leaves(stage: Scene) -> None:
    everybody = {name: cycle_of(take) for name, take in takers(stage).items()}

    compared = check_honesty(stage, everybody)

    rows_a_case = 1 + 2 * len(CYCLE) + 2  # the case, its events, a message for each application
    beside = 2 * (len(CYCLE) + 4 + 6)  # who did it, the lanes of four states, whom their steps are kept from
    assert compared == (len(everybody) - 1) * 10 * (rows_a_case + beside)


def test_bulk_moves_by_hand_leave_the_rows_that_the_engine_leaves(stage: Scene) -> None:
    everybody = {name: cycle_of_many(take) for name, take in takers_of_many(stage).items()}

    assert check_honesty(stage, everybody) > 0


def test_a_yardstick_that_writes_less_is_found_out(stage: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = {name: cycle_of(take) for name, take in takers(stage).items()}
    monkeypatch.setattr(by_hand, "_TODAY", "")

    with pytest.raises(DishonestError, match=f"'{HAND}' does not write what the engine writes"):
        check_honesty(stage, everybody)


def test_the_yardstick_moves_nothing_that_is_not_in_the_right_state(stage: Scene) -> None:
    before = stage.desk.connection.execute("SELECT id, state, revision FROM cases ORDER BY id").fetchall()

    for name, take in takers(stage).items():
        if name.startswith("by hand"):
            with pytest.raises(NotByHandError, match="site_approve"):
                take(stage.cases[0], CYCLE[1], "r")

    assert stage.desk.connection.execute("SELECT id, state, revision FROM cases ORDER BY id").fetchall() == before


def test_a_chunk_by_hand_in_which_one_case_has_moved_on_is_noticed(stage: Scene) -> None:
    module = hand_sqlite if stage.desk.connection.is_sqlite else hand_postgres
    hand = module.many(stage.desk.connection.raw, letterhead(stage))
    rows = hand.read(CYCLE[0], stage.cases[:3])
    stale = [(*row[:3], row[3] + (place == 0), *row[4:]) for place, row in enumerate(rows)]
    grant = grants(stage)[CYCLE[0].login]
    steps = [by_hand.decide_by_hand(row, CYCLE[0], f"r{row[0]}", grant, hand.letterhead) for row in stale]

    with pytest.raises(LostError), stage.desk.connection.writing():
        hand.write(steps)

    assert stage.desk.connection.execute("SELECT count(*) FROM cases WHERE state <> 'enrolled'").fetchone() == (0,)


def test_events_made_for_the_replay_are_whole_and_as_many_as_promised(stage: Scene) -> None:
    make_events(stage)

    office, connection = stage.office, stage.desk.connection
    found = [replay_range(connection, office.log, office.key, span) for span in spans(connection, 2)]

    assert [one.diverged for one in found] == [(), ()]
    registry = connection.execute("SELECT count(*) FROM event WHERE chain = 0").fetchone() or (0,)
    assert sum(one.events for one in found) == len(stage.cases) * EVENTS_A_STUDENT + registry[0]


def test_everybody_goes_first_equally_often_and_the_round_to_warm_up_is_not_counted() -> None:
    order: list[str] = []

    def racer(name: str):
        return lambda _turn: lambda: order.append(name)

    raced = race({name: racer(name) for name in "abc"}, rounds=2, turns=3, things=5)

    assert "".join(order) == "abcbcacab" * 3
    assert {name: len(rounds) for name, rounds in raced.seconds.items()} == {"a": 2, "b": 2, "c": 2}
    assert raced.things == 15


def test_a_ratio_is_the_median_of_the_rounds_not_the_ratio_of_the_medians() -> None:
    raced = Raced(things=10, seconds={"engine": [1.0, 4.0, 2.0], "hand": [0.5, 4.0, 4.0]})

    ratio = raced.ratio("engine", "hand")

    assert (ratio.median, ratio.lowest, ratio.highest) == (1.0, 0.5, 2.0)
    assert raced.per_second("engine") == 5.0
    assert raced.microseconds_more("engine", "hand") == 0.0


@pytest.mark.parametrize(
    ("value", "promised", "at_most", "kept"),
    [(0.9, 0.85, False, True), (0.8, 0.85, False, False), (151, 150, True, False), (5, 5, True, True)],
)
def test_a_figure_says_whether_what_is_promised_was_kept(value, promised, at_most, kept):
    assert Line(race="r", what="w", value=value, unit="u", promised=promised, at_most=at_most).kept is kept
    assert Line(race="r", what="w", value=value, unit="u").kept is None


def test_the_bench_answers_with_one_document_and_succeeds_whatever_the_figures_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = Settings(database="sqlite:///unused.db")

    code = running.run(asked, quick=True, only=("parts", "rules"), rounds=1, students=500, events=100, json=True)

    document = orjson.loads(capsys.readouterr().out)
    assert code == 0
    assert "SQLite" in document["taken_on"]["database"]
    assert "synchronous 2" in document["taken_on"]["database"]
    assert {figure["race"] for figure in document["figures"]} == {"parts", "rules"}
    assert all(figure["value"] > 0 for figure in document["figures"])


def test_the_table_shows_what_was_found_beside_what_is_promised(capsys: pytest.CaptureFixture[str]) -> None:
    asked = Settings(database="sqlite:///unused.db")

    running.run(asked, quick=True, only=("rules",), rounds=1, students=500, events=100, json=False)

    told = capsys.readouterr()
    assert "≥ 500,000" in told.out
    assert "rules …" in told.err


def test_a_misspelt_race_is_named_with_the_nearest_there_is() -> None:
    with pytest.raises(Unknown, match="single"):
        running.run(Settings(), quick=True, only=("singel",), rounds=1, students=1, events=1, json=True)


def test_request_ids_are_all_different() -> None:
    ids = [request for _, _, request in requests(CYCLE, range(50))]

    assert len(set(ids)) == 50 * len(CYCLE)
