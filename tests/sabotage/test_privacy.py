"""Promise 7: personal values stand where they are needed and nowhere else."""

from engine import casework
from engine.facts import write_facts
from engine.records import Moved
from engine.trail.event import chain_name
from tests.sabotage.builds import breaks_under
from tests.sabotage.office import asked, everything, id_number, replayed, rows, student_no
from tests.sabotage.switches import ONE_SALT, PERSONAL_VALUES_IN_CLEAR

PERSONAL = ("测试1", id_number(1), "1980-01-01")


@breaks_under(PERSONAL_VALUES_IN_CLEAR)
def test_no_name_id_number_or_birthday_stands_in_an_event_or_a_message(build, sqlite_premises):
    with build.tried(), sqlite_premises.furnished() as office:
        assert isinstance(casework.move(office.desk, 1, asked(office.desk, "operator.one", "apply")), Moved)

        tables = everything(office.desk.connection)
        said = b"".join(column for row in tables["event"] for column in row if isinstance(column, bytes)).decode(
            errors="replace"
        )
        said += repr(tables["outbox"]) + repr(tables["cases"])
        assert student_no(1)[-4:] in repr(tables["student"])
        assert [value for value in PERSONAL if value in said] == []


@breaks_under(ONE_SALT)
def test_the_same_personal_change_leaves_another_commitment_each_time(build, sqlite_premises):
    with build.tried(), sqlite_premises.furnished() as office:
        desk = office.desk
        for name in ("测试甲", "测试乙", "测试甲", "测试乙"):
            write_facts(desk, {student_no(1): {"name": name}}, asked(desk, "records", "facts"))

        salts = rows(desk.connection, "SELECT salt FROM personal WHERE chain = -1")
        assert len(salts) == 5
        assert len(set(salts)) == 5


def test_personal_values_deleted_by_hand_are_gone_and_are_missed(sqlite_premises):
    with sqlite_premises.furnished() as office:
        connection = office.desk.connection
        connection.execute("DELETE FROM personal WHERE chain = -1")
        connection.execute(
            "UPDATE student SET facts = json_remove(facts, '$.name', '$.gender', '$.id_number', '$.born_on'),"
            " id_number = NULL, pinyin = '' WHERE id = 1"
        )

        assert [value for value in PERSONAL if value in repr(everything(connection))] == ["1980-01-01"]  # of the others
        assert [one.chain for one in replayed(office).diverged] == [chain_name(-1)]
