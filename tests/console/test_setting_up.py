"""Making the database, units, people and batches; and what is said when a command cannot be meant."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from console.calling import SETUP
from console.judging import NOBODY
from console.web.in_force import PUBLISHER
from engine import actors
from engine.definition import RESERVED_ROLES
from tests.console.counter import READY, Counter


def test_making_a_database_twice_says_so_and_changes_nothing(nowhere: Counter) -> None:
    first = nowhere.xueji("init", "--rehearsal", "--profile", "online-ed")
    key = (nowhere.folder / "xueji.db.key").read_text(encoding="ascii")
    second = nowhere.xueji("init")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "已建立 created（演练库" in first.stdout
    assert "原已建立" in second.stdout
    assert (nowhere.folder / "xueji.db.key").read_text(encoding="ascii") == key


def test_a_live_database_is_not_told_the_time_and_does_not_become_a_rehearsal(nowhere: Counter) -> None:
    assert nowhere.xueji("init", now=None).exit_code == 0

    told = nowhere.xueji("queue", "--as", "rec")
    turned = nowhere.xueji("init", "--rehearsal", now=None)

    assert told.exit_code == 2
    assert "不是演练库" in told.stderr
    assert turned.exit_code == 2
    assert "正式库" in turned.stderr


def test_without_a_database_every_command_says_what_to_run_first(nowhere: Counter) -> None:
    result = nowhere.xueji("replay", "--all")

    assert result.exit_code == 2
    assert "xueji init" in result.stderr
    assert result.stdout == ""
    assert list(nowhere.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("init", "--profile", "online"), "Did you mean 'online-ed'", id="profile"),
        pytest.param(("unit", "add", "X1", "某站", "--kind", "sitee", "--parent", "SX"), "'site'", id="kind of unit"),
        pytest.param(("unit", "add", "X1", "某站", "--kind", "site", "--parent", "SX"), "应设在：branch", id="place"),
        pytest.param(("unit", "add", "X 1", "某站", "--kind", "province"), "X 1", id="characters of a code"),
        pytest.param(("user", "add", "w", "--role", "site_oper", "--unit", "SX"), "'site_operator'", id="role"),
        pytest.param(("batch", "publish", "2024-60", "--as", "rec"), "'2024-06'", id="batch"),
        pytest.param(("batch", "publish", "2024-06", "--as", "op"), "records_section", id="who publishes"),
        pytest.param(("batch", "set", "2024-06", "graduation_on=soon", "--as", "rec"), "2024-05-13", id="day"),
        pytest.param(
            ("batch", "set", "2024-06", "graduated_on=2024-06-30", "--as", "rec"), "graduation_on", id="field"
        ),
        pytest.param(("batch", "set", "2024-06", "soon", "--as", "rec"), "FIELD=VALUE", id="no equals sign"),
        pytest.param(("queue", "--as", "recc"), "Did you mean 'rec'", id="login"),
        pytest.param(("--now", "tomorrow", "queue", "--as", "rec"), "2024-05-13T09:30", id="moment"),
    ],
)
def test_a_word_nobody_knows_is_misuse_and_the_right_one_is_named(
    empty: Counter, words: tuple[str, ...], said: str
) -> None:
    result = empty.xueji(*words, now=None)

    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_what_is_given_twice_is_said_to_be_there_already(empty: Counter) -> None:
    unit = empty.xueji("unit", "add", "SX", "示范省校", "--kind", "province")
    role = empty.xueji("user", "add", "rec", "--role", "records_section", "--unit", "SX")
    batch = empty.xueji("batch", "publish", "2024-06", "--as", "rec")

    assert "was there already" in unit.stdout
    assert "held already" in role.stdout
    assert batch.exit_code == 1
    assert "There is one already" in batch.stderr


def test_a_published_batch_shows_its_days_with_weekdays_and_what_is_still_open(empty: Counter) -> None:
    result = empty.xueji("batch", "set", "2024-06", "president=张三", "--as", "rec")

    assert "2024年5月13日（周一）" in result.stdout
    assert "张三" in result.stdout
    assert "未定 open" in result.stdout
    assert "xueji batch set 2024-06" in result.stderr


def test_a_password_in_the_address_of_the_database_is_never_shown(tmp_path: Path) -> None:
    counter = Counter(url="postgresql://clerk:geheim@127.0.0.1:1/xueji", folder=tmp_path)

    result = counter.xueji("queue", "--as", "rec", now=None)

    assert result.exit_code == 2
    assert "clerk:***@" in result.stderr
    assert "geheim" not in result.output


def test_help_does_not_wait_for_the_engine_to_be_imported() -> None:
    code = (
        "import sys\n"
        "from console.commands import main\n"
        "sys.argv = ['xueji', '--help']\n"
        "try:\n    main()\n"
        "except SystemExit:\n    print(sorted({'pydantic', 'sqlalchemy', 'yaml'} & set(sys.modules)))\n"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, encoding="utf-8")

    assert "eligibility" in shown.stdout
    assert shown.stdout.splitlines()[-1] == "[]"


def test_whoever_corrects_the_first_name_after_a_start_does_not_wait_for_the_sounds_of_names(empty: Counter) -> None:
    asks = (
        "import sys\n"
        "from console.clock import machine_now\n"
        "from console.serving import opened\n"
        "from console.settings import Settings\n"
        "assert 'pypinyin' not in sys.modules\n"
        f"with opened(Settings(database={empty.url!r}), machine_now):\n"
        "    print(*sorted({'pypinyin', 'pypinyin.pinyin_dict', 'pypinyin.phrases_dict'} & sys.modules.keys()))\n"
    )

    done = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["pypinyin", "pypinyin.phrases_dict", "pypinyin.pinyin_dict"]


def accounts(counter: Counter) -> list[tuple[str]]:
    with sqlite3.connect(counter.url.removeprefix("sqlite:///")) as database:
        return database.execute("SELECT login FROM account ORDER BY login").fetchall()


def test_nobody_is_called_like_whoever_acts_in_the_trail_without_being_a_person(counter: Counter) -> None:
    machines = {one.login for one in vars(actors).values() if isinstance(one, actors.Actor)}
    assert machines | {SETUP, PUBLISHER, NOBODY.login} | RESERVED_ROLES == actors.RESERVED
    before = accounts(counter)

    for login in (*sorted(actors.RESERVED), "Import"):
        for as_whom in (("--role", "records_section", "--unit", "SX"), ("--student", READY[0])):
            refused = counter.xueji("user", "add", login, *as_whom)
            assert (refused.exit_code, f"系统自己用登录名“{login}”，请换一个" in refused.stderr) == (2, True), login

    assert accounts(counter) == before
