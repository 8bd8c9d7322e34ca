"""The yardstick on PostgreSQL: by round trips, in one data-modifying statement, and many at once by COPY."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from console.bench.by_hand import STEPS, Decided, Grant, Letterhead, Row, decide_by_hand
from console.bench.hand_sql import (
    EVENT,
    RIGHTS,
    TOLD,
    UPDATE,
    ManyByHand,
    Raw,
    Step,
    select,
    select_params,
    won_all,
)  # fmt: skip
from console.bench.lanes_by_hand import INTO_DEED, INTO_HAND, INTO_LANE, LANE_TYPES, OUT_OF_HAND, OUT_OF_LANE
from console.bench.scene import Act
from engine.store.lanes import Deed, Lane, Standing, beside_a_step


def _asked(sql: str) -> str:
    return sql.replace("?", "%s")


_GATHER = "string_agg({}, ',')"
_SELECTS = {trigger: _asked(select(trigger, which="= ?", gather=_GATHER)) for trigger in STEPS}
_LOCKING = {trigger: f"{text} FOR UPDATE OF c" for trigger, text in _SELECTS.items()}
_SELECTS_MANY = {trigger: _asked(select(trigger, which="= ANY(?)", gather=_GATHER)) for trigger in STEPS}
_UPDATE, _EVENT, _TOLD, _RIGHTS = _asked(UPDATE), _asked(EVENT), _asked(TOLD), _asked(RIGHTS)
_INTO_LANE, _INTO_HAND, _INTO_DEED = _asked(INTO_LANE), _asked(INTO_HAND), _asked(INTO_DEED)
_OUT_OF_LANE, _OUT_OF_HAND = _asked(OUT_OF_LANE), _asked(OUT_OF_HAND)

_CTE = (
    f"WITH won AS ({_UPDATE} RETURNING id),"  # noqa: S608 constant text
    " e AS (INSERT INTO event (chain, seq, request, body, hash, mac)"
    " SELECT %s::bigint, %s::integer, %s::text, %s::bytea, %s::bytea, %s::bytea FROM won)"
)
_COUNT = " SELECT count(*) FROM won"
_CTE_TELLING = (
    f"{_CTE}, o AS (INSERT INTO outbox (chain, seq, recipient, message)"  # noqa: S608 constant text
    " SELECT %s::bigint, %s::integer, %s::text, %s::text FROM won)"
)

_TABLE = (
    "CREATE TEMP TABLE IF NOT EXISTS by_hand (state text, seq integer, head bytea, fields text, taken text,"
    " rounds integer, batch text, entered_at text, sent_back integer, id bigint, revision integer, was_seq integer,"
    " request text, body bytea, mac bytea) ON COMMIT DELETE ROWS"
)
_TYPES = (
    "text", "int4", "bytea", "text", "text", "int4", "text", "text", "int4", "int8", "int4", "int4", "text", "bytea",
    "bytea",
)  # fmt: skip
_KEEP = (
    "WITH won AS (UPDATE cases c SET state = t.state, revision = c.revision + 1, seq = t.seq, head = t.head,"
    " fields = t.fields, taken = t.taken, rounds = t.rounds, batch = t.batch, entered_at = t.entered_at,"
    " sent_back = t.sent_back"
    " FROM by_hand t WHERE c.id = t.id AND c.revision = t.revision AND c.seq = t.was_seq RETURNING c.id),"
    " e AS (INSERT INTO event (chain, seq, request, body, hash, mac)"
    " SELECT t.id, t.seq, t.request, t.body, t.head, t.mac FROM by_hand t JOIN won USING (id))"
    " SELECT count(*) FROM won"
)


def rights(raw: Raw, login: str) -> list[Grant]:
    """The rights a person holds now."""
    return list(raw.execute(_RIGHTS, (login,)).fetchall())


def by_round_trips(raw: Raw, letterhead: Letterhead) -> Step:
    """Takes single steps as one types them: BEGIN, SELECT FOR UPDATE, UPDATE, the INSERTs, COMMIT."""

    def take(case: int, act: Act, request: str, grant: Grant) -> None:
        """One step, all of it or nothing."""
        raw.execute("BEGIN")
        try:
            row = raw.execute(_LOCKING[act.trigger], select_params(act, case)).fetchone()
            one = decide_by_hand(row, act, request, grant, letterhead)
            won_all(raw.execute(_UPDATE, one.update).rowcount, 1)
            raw.execute(_EVENT, one.event)
            if one.told is not None:
                raw.execute(_TOLD, one.told)
            _write_beside(raw, one)
            raw.execute("COMMIT")
        except BaseException:
            raw.execute("ROLLBACK")
            raise

    return take


def in_one_statement(raw: Raw, letterhead: Letterhead) -> Step:
    """Takes single steps as the engine does: SELECT, then one statement that writes nothing unless its UPDATE won."""

    def take(case: int, act: Act, request: str, grant: Grant) -> None:
        row = raw.execute(_SELECTS[act.trigger], select_params(act, case)).fetchone()
        one = decide_by_hand(row, act, request, grant, letterhead)
        told = () if one.told is None else one.told
        beside, params = _beside(one)
        done = raw.execute(
            f"{_CTE_TELLING if told else _CTE}{beside}{_COUNT}", (*one.update, *one.event, *told, *params)
        )
        won_all(done.fetchone()[0], 1)

    return take


def _write_beside(raw: Raw, one: Decided) -> None:
    """Where the case waits, whom that is kept from, and who did it."""
    if one.waited:
        raw.execute(_OUT_OF_LANE, one.event[:1])
        raw.execute(_OUT_OF_HAND, one.event[:1])
    if one.waits.lane is not None:
        raw.execute(_INTO_LANE, one.waits.lane)
    for hand in one.waits.hands:
        raw.execute(_INTO_HAND, hand)
    raw.execute(_INTO_DEED, one.deed)


def _beside(one: Decided) -> tuple[str, tuple[object, ...]]:
    """The same as parts of one statement."""
    case, seq, login, trigger, at, late = one.deed
    lane, hands = one.waits
    rows = () if lane is None else (Lane(*lane),)
    standing = Standing(int(str(case)), rows) if one.waited or hands or rows else None
    deed = Deed(int(str(case)), int(str(seq)), str(login), "moved", str(trigger), str(at), None, bool(late))
    sql, params = beside_a_step(standing, deed)
    return _asked(sql), params


def _write_many_beside(raw: Raw, steps: Sequence[Decided]) -> None:
    waited = [one.event[0] for one in steps if one.waited]
    if waited:
        raw.execute("DELETE FROM lane WHERE case_id = ANY(%s)", (waited,))
        raw.execute("DELETE FROM lane_hand WHERE case_id = ANY(%s)", (waited,))
    _copy(raw, "lane", LANE_TYPES, [one.waits.lane for one in steps if one.waits.lane is not None])
    _copy(raw, "lane_hand", ("int8", "text"), [hand for one in steps for hand in one.waits.hands])
    columns = ("int8", "int4", "text", "text", "text", "text", "bool")
    rows = [(*one.deed[:3], "moved", *one.deed[3:]) for one in steps]
    _copy(raw, "deed (case_id, seq, login, kind, trigger, at, late)", columns, rows)


def many(raw: Raw, letterhead: Letterhead) -> ManyByHand:
    """Takes a step on many cases with binary COPY into a temporary table, one UPDATE, and COPY of the messages."""

    def read(act: Act, cases: Sequence[int]) -> list[Row]:
        return list(raw.execute(_SELECTS_MANY[act.trigger], select_params(act, list(cases))).fetchall())

    def write(steps: Sequence[Decided]) -> None:
        raw.execute(_TABLE)
        _copy(raw, "by_hand", _TYPES, [(*one.update, one.event[2], one.event[3], one.event[5]) for one in steps])
        won_all(raw.execute(_KEEP).fetchone()[0], len(steps))
        told = [one.told for one in steps if one.told is not None]
        if told:
            _copy(raw, "outbox (chain, seq, recipient, message)", ("int8", "int4", "text", "text"), told)
        _write_many_beside(raw, steps)

    return ManyByHand(raw=raw, letterhead=letterhead, begin="BEGIN", read=read, write=write)


def _copy(raw: Raw, table: str, types: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    with raw.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)
