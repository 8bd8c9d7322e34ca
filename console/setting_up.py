"""Setting up: the database, its units and people, its batches."""

from __future__ import annotations

from collections.abc import Mapping

from console import wiring
from console.calling import SETUP, Caller, Misuse, Sitting, plain_about
from console.printing import line, note, progress, role_title, table, value_shown
from engine.desk import Desk
from engine.errors import Unknown
from engine.loading.remembered import load_remembered
from engine.organisation import add_units, give_role
from engine.publishing import change_batch, publish_batch
from engine.publishing import start_term as start_term_of
from engine.store import registry
from engine.store.registry import UnitRow
from rules.functions import FUNCTIONS


def init(caller: Caller, *, rehearsal: bool, profile: str | None) -> int:
    """Create the database, or bring it forward; saying so twice changes nothing."""
    if profile is not None:
        profiles = load_remembered(
            caller.settings.definitions, caller.settings.memory_folder, FUNCTIONS
        ).rulebook.organisation.profiles
        if profile not in profiles:
            raise Unknown("办学类型 profile", profile, profiles)
    with plain_about(caller.settings.address):
        is_new = wiring.create(caller.settings, rehearsal=rehearsal, profile=profile)
    with caller.sitting(publishes_as=SETUP) as sitting:
        _refuse_another_kind(sitting, rehearsal=rehearsal, profile=profile)
        what = "已建立 created" if is_new else "原已建立，已是最新 was there already, up to date"
        kind = "演练库 rehearsal database" if sitting.office.rehearsal else "正式库 live database"
        line(f"{caller.settings.address}：{what}（{kind}）")
        if is_new:
            line(f"日志密钥 the log's key：{caller.settings.key_file}（请另行备份 back it up elsewhere）")
    return 0


def _refuse_another_kind(sitting: Sitting, *, rehearsal: bool, profile: str | None) -> None:
    """What a database is was decided when it was made."""
    if rehearsal and not sitting.office.rehearsal:
        message = (
            "这是正式库，不能改作演练库；请用 --database 另建一个。"
            " This is a live database and stays one; make another with --database for rehearsals."
        )
        raise Misuse(message)
    kept = registry.setting(sitting.desk.connection, "profile")
    if profile is not None and kept != profile:
        message = (
            f"该库的默认办学类型为“{kept or '未定'}”，不能改为 {profile}；可在单位上另行指定（unit add --profile）。"
            f" The database's profile is '{kept or 'none'}'; give '{profile}' to a unit instead (unit add --profile)."
        )
        raise Misuse(message)


def add_unit(caller: Caller, unit: UnitRow) -> int:
    """Add one unit; a topmost unit without a profile works by the database's."""
    with caller.sitting(publishes_as=SETUP) as sitting:
        default = registry.setting(sitting.desk.connection, "profile") or None
        profile = unit.profile or (default if unit.parent is None else None)
        row = UnitRow(
            code=unit.code, name=unit.name, kind=unit.kind, parent=unit.parent, path=unit.path, profile=profile
        )
        added = add_units(sitting.desk, [row], at=sitting.at, actor=SETUP)
        line(f"单位 unit {unit.code} {unit.name}：{'已添加 added' if added else '原已存在 was there already'}")
    return 0


def add_user(caller: Caller, login: str, role: str, unit: str) -> int:
    """Let a person hold a role at a unit."""
    with caller.sitting(publishes_as=SETUP) as sitting:
        is_new = give_role(sitting.desk, login, role, unit, at=sitting.at, actor=SETUP)
        title = role_title(sitting.desk.library.rulebook.organisation.roles, role)
        where = f"{sitting.desk.units()[unit].name} {unit}"
        line(f"用户 user {login}：{title} @ {where}：{'已授予 given' if is_new else '原已担任 held already'}")
    return 0


def publish(caller: Caller, batch: str, login: str) -> int:
    """Publish a batch of the files: pin the rulebook, open what starts with it."""
    with caller.sitting(publishes_as=login) as sitting:
        request = sitting.request("batch_publish", sitting.desk.actor(login))
        with progress(None, "随批次建立 opening") as advance:
            published = publish_batch(sitting.desk, batch, request, advance)
        line(f"批次 batch {batch}：已发布 published（规则集 rulebook {published.rulebook[:12]}）")
        if published.opened or published.not_opened:
            line(f"随批次建立 opened with it：{published.opened}；未建立 not opened：{published.not_opened}")
        _show_values(sitting.desk, batch)
    return 0


def start_term(caller: Caller, term: str, login: str) -> int:
    """Say that a term has begun, and open what starts with it."""
    with caller.sitting(publishes_as=login) as sitting:
        request = sitting.request("term_start", sitting.desk.actor(login))
        with progress(None, "随学期建立 opening") as advance:
            done = start_term_of(sitting.desk, term, request, advance)
        line(f"学期 term {done.term}：已开始 started（{'、'.join(done.profiles)}）")
        line(f"随学期建立 opened with it：{done.opened}；未建立 not opened：{done.not_opened}")
    return 0


def set_values(caller: Caller, batch: str, given: Mapping[str, str], login: str) -> int:
    """Set values of a published batch."""
    if not given:
        message = "请写明要设置的字段，例如 graduation_on=2024-06-30。Say what to set, e.g. graduation_on=2024-06-30."
        raise Misuse(message)
    with caller.sitting(publishes_as=login) as sitting:
        change_batch(sitting.desk, batch, given, sitting.request("batch_set", sitting.desk.actor(login)))
        line(f"批次 batch {batch}：已设置 set {'、'.join(given)}")
        _show_values(sitting.desk, batch)
    return 0


def _show_values(desk: Desk, name: str) -> None:
    row = desk.batch(name)
    if row is None:
        return
    fields = desk.library.rulebook.vocabulary.batch[row.kind].fields
    table(
        ("字段 field", "名称 title", "值 value"),
        [
            (field, one.title.zh, value_shown(desk.library.rulebook.vocabulary, one.type, row.values.get(field)))
            for field, one in fields.items()
        ],
        f"{row.title} {name}",
    )
    if any(row.values.get(field) is None for field in fields):
        note(f"未定的值用此命令设置 set what is open with: xueji batch set {name} FIELD=VALUE --as USER")
