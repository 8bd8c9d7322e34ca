"""Units: facts of theirs set by hand, their names, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping

from console.calling import SETUP, Caller, Misuse
from console.printing import line, long_moment, note, table, value_shown
from engine.desk import Desk
from engine.errors import Unknown
from engine.organisation import rename_unit
from engine.unit_facts import change_unit


def set_facts(caller: Caller, code: str, given: Mapping[str, str], login: str) -> int:
    """Set facts of a unit; what is known of it then."""
    if not given:
        message = (
            "请写明要设置的信息，例如 first_meeting_on=2024-09-02。Say what to set, e.g. first_meeting_on=2024-09-02."
        )
        raise Misuse(message)
    with caller.sitting(publishes_as=login) as sitting:
        change_unit(sitting.desk, code, given, sitting.request("unit_set", sitting.desk.actor(login)))
        line(f"单位 unit {code}：已设置 set {'、'.join(given)}")
        _show(sitting.desk, code)
    return 0


def rename(caller: Caller, code: str, name: str) -> int:
    """Call a unit by another name; what was made before keeps the name of then."""
    with caller.sitting(publishes_as=SETUP) as sitting:
        is_new = rename_unit(sitting.desk, code, name, at=sitting.at, actor=SETUP)
        called = sitting.desk.units()[code].name
        line(f"单位 unit {code}：{f'已改名为 renamed {called}' if is_new else f'原已叫 called so already {called}'}")
        if is_new:
            note("以前的纸面和名册仍写旧名。Papers and lists made before keep the old name.")
    return 0


def show(caller: Caller, code: str) -> int:
    """Show what is known of a unit."""
    with caller.sitting() as sitting:
        _show(sitting.desk, code)
    return 0


def _show(desk: Desk, code: str) -> None:
    row = desk.units().get(code)
    if row is None:
        raise Unknown("单位 unit", code, desk.units())
    known = desk.library.rulebook.vocabulary
    table(
        ("信息项 fact", "名称 title", "值 value"),
        [(name, one.title.zh, value_shown(known, one.type, row.facts.get(name))) for name, one in known.unit.items()],
        f"{row.name} {code}",
    )
    for one in reversed(desk.earlier_names(code)):
        line(f"曾用名 was called：{one.name}（至 until {long_moment(one.until)}，{one.by}）")
    if any(row.facts.get(name) is None for name in known.unit):
        note(f"未定的值用此命令设置 set what is open with: xueji unit set {code} FACT=VALUE --as USER")
