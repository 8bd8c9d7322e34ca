"""Replay: the trail read back and compared with the database, on all cores or a cluster, or for one student.

With other rules, past decisions are judged again under them instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

from console.calling import Caller, Misuse, Sitting
from console.case_view import fact_titles
from console.judging_again import judge_again, other_rules, show_judged
from console.printing import document, line, progress, table, timeline
from console.spreading import cluster, parts_of, processes, spread
from engine.casework import find_case
from engine.filing import files_agree
from engine.invariants import Audited, audit_part, audit_rows, together
from engine.records import case_of
from engine.replay import Divergence, Replayed, replay_one, replay_part
from engine.store.cases import read_case
from engine.store.trail import spans
from engine.timeline import timeline as entries_of
from engine.trail.event import chain_name

_CHAINS_WORTH_A_WORKER = 5000
"""Fewer are replayed sooner than another process has started."""
_MOST_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be replayed, and where.

    `student_no` None: everything; `under` a folder of other rules to judge by, `batch` whose cases then; `workers`
    here, or those of a `cluster`.
    """

    student_no: str | None = None
    under: Path | None = None
    batch: str | None = None
    workers: int | None = None
    cluster: str | None = None


def replay(caller: Caller, asked: Asked, *, as_json: bool) -> int:
    """Replay one student's chains (the record's and the student's own), or every chain there is.

    Returns:
        1 if anything diverged, or would have been otherwise under the other rules.
    """
    with caller.sitting() as sitting:
        if asked.student_no is not None:
            return _shown(sitting, _replay_student(sitting, asked.student_no, as_json=as_json), None, as_json=as_json)
        with _crew(sitting, asked) as crew:
            if asked.under is not None:
                other = other_rules(sitting, asked.under, caller.settings.definitions)
                judged = judge_again(sitting, crew.parts, other, asked.batch, crew.executor)
                return show_judged(sitting, judged, as_json=as_json)
            return _shown(sitting, _replay_all(sitting, crew), _audit(sitting, crew), as_json=as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Crew:
    """Who does the work, and the ranges it is cut into; without an executor it is done here."""

    executor: Executor | None
    parts: Sequence[tuple[int, int]]


@contextmanager
def _crew(sitting: Sitting, asked: Asked) -> Iterator[_Crew]:
    connection = sitting.desk.connection
    if asked.cluster is not None:
        with cluster(asked.cluster, sitting.office.url) as executor:
            yield _Crew(executor=executor, parts=parts_of(connection, 1, on_cluster=True))
        return
    chains = sum(last - first + 1 for first, last in spans(connection, 1))
    wanted = asked.workers or min(os.cpu_count() or 1, max(1, chains // _CHAINS_WORTH_A_WORKER))
    parts = parts_of(connection, wanted, on_cluster=False)
    if wanted == 1:
        yield _Crew(executor=None, parts=parts)
        return
    with processes(wanted) as pool:
        yield _Crew(executor=pool, parts=parts)


def _shown(sitting: Sitting, replayed: Replayed, audited: Sequence[Audited] | None, *, as_json: bool) -> int:
    if as_json:
        document({**_document(replayed), **({} if audited is None else {"invariants": _invariants(audited)})})
    else:
        _tell(sitting, replayed)
        _tell_invariants(sitting, audited or ())
    return 1 if replayed.diverged or any(one.faults for one in audited or ()) else 0


def either(asked: Asked, *, everything: bool) -> Asked:
    """One student or everything: exactly one of them is asked for, and what only everything can be asked goes with it.

    Raises:
        Misuse: If it is both or neither, or cannot be meant together.
    """
    if (asked.student_no is None) != everything:
        message = "请给出一个学号，或 --all 回放全部。Give one student number, or --all."
        raise Misuse(message)
    if not everything and (asked.under or asked.batch or asked.cluster):
        message = "--under、--batch、--cluster 与 --all 一起用。They go with --all."
        raise Misuse(message)
    if asked.batch is not None and asked.under is None:
        message = "--batch 只与 --under 一起用；回放总是全部。--batch goes with --under; a replay is of everything."
        raise Misuse(message)
    return asked


def _replay_student(sitting: Sitting, student_no: str, *, as_json: bool) -> Replayed:
    office, desk = sitting.office, sitting.desk
    found = read_case(desk.connection, find_case(desk, student_no))
    if found is None or found.case.student is None:
        return Replayed(cases=0, events=0)
    if not as_json:
        timeline(entries_of(desk, found), desk.definition(found.case.shape), fact_titles(desk))
    chains = (found.case.id, -found.case.student)
    return reduce(add, (replay_one(desk.connection, office.log, office.key, chain) for chain in chains))


def _replay_all(sitting: Sitting, crew: _Crew) -> Replayed:
    office = sitting.office
    work = [(office.url, office.log, office.key, part) for part in crew.parts]
    done = Replayed(cases=0, events=0)
    with progress(sum(last - first + 1 for first, last in crew.parts), "回放 replaying") as advance:
        for (first, last), one in zip(crew.parts, spread(crew.executor, replay_part, work), strict=True):
            done += one
            advance(last - first + 1)
    return done + Replayed(cases=0, events=0, diverged=_spoilt_files(sitting))


def _spoilt_files(sitting: Sitting) -> tuple[Divergence, ...]:
    """Uploaded files whose bytes are not those they are kept under; the chain is that of a case that has the file."""
    connection = sitting.desk.connection
    with connection.reading():
        spoilt = files_agree(connection)
    why = "文件内容与其哈希不符 the file's bytes are not those of its hash"
    return tuple(Divergence(chain=_has_file(sitting, one), seq=0, why=f"{why}: {one}") for one in spoilt)


def _has_file(sitting: Sitting, sha256: str) -> str:
    sql = "SELECT min(case_id) FROM document WHERE sha256 = ?"
    row = sitting.desk.connection.execute(sql, (sha256,)).fetchone()
    return "registry" if row is None or row[0] is None else chain_name(int(str(row[0])))


def _audit(sitting: Sitting, crew: _Crew) -> tuple[Audited, ...]:
    """Every invariant over the whole database: histories in parallel ranges, then what holds between cases."""
    work = [(sitting.office.url, part) for part in crew.parts]
    return together([*spread(crew.executor, audit_part, work), audit_rows(sitting.desk, sitting.at)])


def _document(replayed: Replayed) -> dict[str, object]:
    return {
        "cases": replayed.cases,
        "events": replayed.events,
        "diverged": [
            {"case": one.chain.removeprefix("case/"), "seq": one.seq, "why": one.why} for one in replayed.diverged
        ],
    }


def _invariants(audited: Sequence[Audited]) -> list[dict[str, object]]:
    return [_one_invariant(one) for one in audited]


def _one_invariant(one: Audited) -> dict[str, object]:
    said: dict[str, object] = {
        "id": one.invariant.id,
        "cases": list(dict.fromkeys(fault.case for fault in one.faults)),
        "zh": one.invariant.title.zh,
        "en": one.invariant.title.en,
        "faults": [
            {"case": fault.case, "seq": fault.seq, "zh": fault.why.zh, "en": fault.why.en} for fault in one.faults
        ],
    }
    if one.invariant.elsewhere is not None:
        said["note"] = {"zh": one.invariant.elsewhere.zh, "en": one.invariant.elsewhere.en}
    return said


def _tell_invariants(sitting: Sitting, audited: Sequence[Audited]) -> None:
    broken = [one for one in audited if one.faults]
    if audited and not broken:
        checked = sum(1 for one in audited if one.invariant.is_checked)
        line(f"{checked} 条不变式均成立；另 {len(audited) - checked} 条尚不可核对。", style="green")
        line(f"All {checked} invariants hold; {len(audited) - checked} cannot be checked yet.", style="green")
    owner = _owner(sitting)
    for one in broken:
        line(f"{one.invariant.id} {one.invariant.title.zh} {one.invariant.title.en}", style="red")
        rows = [(f.case, owner(f"case/{f.case}"), f.seq, f"{f.why.zh} {f.why.en}") for f in one.faults[:_MOST_SHOWN]]
        table(("办件 case", "学号 student", "事件号 seq", "原因 why"), rows)


def _tell(sitting: Sitting, replayed: Replayed) -> None:
    counted = f"回放 {replayed.cases} 个办件、{replayed.events} 个事件 cases and events replayed"
    if not replayed.diverged:
        line(f"{counted}：与库中一致，没有差异。All as kept; nothing diverged.", style="green")
        return
    line(f"{counted}：{len(replayed.diverged)} 处不一致 diverged", style="red")
    owner = _owner(sitting)
    rows = [(one.chain, owner(one.chain), one.seq, one.why) for one in replayed.diverged[:_MOST_SHOWN]]
    table(("链 chain", "学号 student", "事件号 seq", "原因 why"), rows)


def _owner(sitting: Sitting) -> Callable[[str], str]:
    """Whose case a chain is; the chains of students and of the registry speak for themselves."""

    def student_no(chain: str) -> str:
        kind, _, number = chain.partition("/")
        case = case_of(number) if kind == "case" else None
        found = None if case is None else read_case(sitting.desk.connection, case)
        return "—" if found is None else found.student_no or "—"

    return student_no
