"""Random people do random things: whatever comes of it, the trail adds up and the invariants hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.casework import move
from engine.definition import Definition
from engine.enrolling import Enrolment, enrol
from engine.errors import NotAllowed, StaleCase, TransitionNotOpen, Unknown
from engine.library import Library
from engine.records import Case, Json, Moved, Refused, Repeated, Request
from engine.replay import replay_one
from tests.engine.lab import lending, loan
from tests.engine.laning import lanes_agree
from tests.engine.town import BATCH, FIELDS, KEY, LOG, NOW, OPEN_BATCH, READY, ROLES, Town, roster_facts, town_at

IN_ORDER = ("apply", "site_approve", "branch_approve", "provincial_audit", "register")
APART = frozenset(IN_ORDER[:-1])
USUAL = {
    "S1": ("operator.s1", "approver.s1", "records.sx", "auditor.sx", "auditor.sx"),
    "T1": ("operator.t1", "approver.t1", "branch.c1", "province.kf", "records.kf"),
}
TRIGGERS = sorted({
    *FIELDS, *IN_ORDER, "apply_degree", "record_preliminary_check", "publish", "open_record", "no_such_step",
})  # fmt: skip
LOGINS = sorted({login for login, _, _ in ROLES} | {"import"})
FACTS = st.sampled_from([
    {"fee_owed": "1.00"}, {"fee_owed": "0.00"}, {"fee_owed": None}, {"electronic_photo": False},
    {"electronic_photo": True}, {"level": "专升本"}, {"level": "专科"}, {"preliminary_passed": None},
    {"form_signed": False}, {"form_signed": True}, {"name": "某某"}, {"name": None}, {"phone": "13800000000"},
])  # fmt: skip
ACTS = st.one_of(
    st.just("usual"),
    st.just("usual"),
    st.just("stale"),
    st.just("again"),
    FACTS,
    st.tuples(st.sampled_from(TRIGGERS), st.sampled_from(LOGINS), st.none() | st.sampled_from(["applied", "enrolled"])),
)
HISTORIES = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NUMBERS = count(1)


@dataclass(slots=True, kw_only=True)
class History:
    """One student of the town, and what has been done to the record so far."""

    town: Town
    student_no: str
    site: str
    last: Request | None = None
    ids: int = 0

    @property
    def batch(self) -> str:
        return OPEN_BATCH if self.site == "T1" else BATCH

    def do(self, act: object) -> None:
        """Do one thing that a person might try."""
        before, rows = self.town.case(self.student_no), self.town.counts()
        if isinstance(act, dict):
            self.town.know(self.student_no, **act)
            return
        request = self._request(act, before)
        try:
            outcome = move(self.town.desk, before.id, request)
        except (StaleCase, Unknown):
            assert (self.town.counts(), self.town.case(self.student_no)) == (rows, before), "and nothing happened"
            return
        except (TransitionNotOpen, NotAllowed):
            after = self.town.case(self.student_no)
            assert after._replace(head=before.head) == before, "nothing changed"
            assert self.town.counts() == (rows[0] + 1, *rows[1:]), "and the attempt is kept"
            return
        self._agrees(before, outcome)
        self.last = request

    def _request(self, act: object, case: Case) -> Request:
        if act == "again" and self.last is not None:
            return self.last
        trigger, login, to = act if isinstance(act, tuple) else self._usual(case.state)
        self.ids += 1
        request = replace(self.town.step(trigger, login, self.batch), to=to, id=f"{self.student_no}/{self.ids}")
        return replace(request, seen=case.revision - 1 if act == "stale" else case.revision)

    def _usual(self, state: str) -> tuple[str, str, None]:
        ahead = ["enrolled", "applied", "site_approved", "branch_approved", "provincially_audited"]
        place = ahead.index(state) if state in ahead else 0
        return IN_ORDER[place], USUAL[self.site][place], None

    def _agrees(self, before: Case, outcome: Moved | Refused | Repeated) -> None:
        after = self.town.case(self.student_no)
        if isinstance(outcome, Moved):
            assert before.state not in ("withdrawn", "registered") or after.state == before.state, "INV-ST-2"
            assert (after.state, after.revision) == (outcome.case.state, before.revision + 1)
        else:
            assert after.state == before.state
            assert after.head.seq == before.head.seq + isinstance(outcome, Refused)

    def check(self, library: Library) -> None:
        """Reopen the database, replay the two chains, and look at what must always hold."""
        with town_at(self.town.url, library) as reopened:
            case, student = reopened.case(self.student_no), reopened.student(self.student_no)
            for chain in (case.id, -student.id):
                assert replay_one(reopened.connection, LOG, KEY, chain).diverged == ()
            definition = reopened.desk.definition(case.shape)
            self._invariants(definition, case, reopened.events(case.id))

    def _invariants(self, definition: Definition, case: Case, events: list[dict[str, Json]]) -> None:
        assert case.state in definition.states, "INV-ST-1: exactly one of the eight states"
        since: list[tuple[str, str]] = []
        for one in events:
            data = one["data"]
            assert isinstance(data, dict)
            if one["kind"] == "moved" and data.get("rests"):
                since = []
            elif one["kind"] == "moved":
                since.append((str(data["trigger"]), str(one["actor"])))
        persons = [who for trigger, who in dict.fromkeys(since) if trigger in APART]
        assert len({*persons}) == len(persons), "INV-AP-1, G-SG-08: nobody acts at two levels"
        if case.state == "registered":
            order = [trigger for trigger, _ in since if trigger in IN_ORDER]
            places = [order.index(trigger) for trigger in IN_ORDER]
            assert places == sorted(places), "INV-ST-3: no level skipped"


def enrolled(town: Town, site: str) -> History:
    """A new student who lacks nothing."""
    serial = next(NUMBERS)
    student_no = f"2022039{serial:06d}"
    facts = {
        **roster_facts(student_no),
        "exam_no": f"E{serial}",
        "id_number": f"{serial}",
        "certificate_no": f"C{serial}",
    }
    rows = [Enrolment(student_no=student_no, unit=site, facts={**facts, **READY})]
    enrol(town.desk, rows, town.request("open_record", "import"))
    return History(town=town, student_no=student_no, site=site)


@HISTORIES
@given(site=st.sampled_from(["S1", "T1"]), acts=st.lists(ACTS, min_size=5, max_size=20))
def test_whatever_people_try_the_row_is_what_its_events_add_up_to(
    town: Town, library: Library, site: str, acts: list[object]
):
    history = enrolled(town, site)
    for place, act in enumerate(acts):
        history.do(act)
        if place % 4 == 3:
            history.check(library)
    history.check(library)
    lanes_agree(town.desk, NOW + timedelta(hours=next(NUMBERS)))  # later than it was looked at before


STEPS = st.lists(
    st.fixed_dictionaries({
        "from": st.lists(st.sampled_from(["asked", "checked", "shelved"]), min_size=1, max_size=3, unique=True),
        "to": st.sampled_from([None, "asked", "checked", "shelved", "lent", "cancelled", ["asked", "shelved"]]),
        "kind": st.sampled_from(["advance", "advance", "return", "reject", "withdraw"]),
        "by": st.sampled_from(["site_operator", "site_approver"]),
    }),
    min_size=1, max_size=5,
)  # fmt: skip


@settings(HISTORIES, max_examples=8)
@given(steps=STEPS, taken=st.lists(st.integers(0, 4), min_size=1, max_size=10), rounds=st.integers(1, 3))
def test_any_small_procedure_goes_only_where_it_is_drawn(
    district_url: str, library: Library, steps: list[dict[str, object]], taken: list[int], rounds: int
):
    transitions = {
        f"step_{place}": {key: value for key, value in one.items() if value is not None}
        for place, one in enumerate(steps)
    }
    for one in transitions.values():
        if isinstance(one.get("to"), list):
            one["kind"] = "return"
    definition = loan(transitions, workflow=f"loan-{next(NUMBERS)}", rounds=rounds)
    with lending(district_url, library, definition) as (town, case):
        for place in taken:
            trigger, before = f"step_{place % len(steps)}", town.by_id(case)
            drawn = definition.transitions[trigger]
            try:
                outcome = town.decided(case, trigger, "both.s1", reason="理由")
            except TransitionNotOpen:
                assert before.state not in drawn.origins
                continue
            assert before.state in drawn.origins
            after = town.by_id(case)
            used_up = drawn.kind == "return" and before.rounds >= rounds
            assert isinstance(outcome, Refused) == used_up
            assert after.state == (before.state if used_up or not drawn.targets else drawn.targets[0])
        assert replay_one(town.connection, LOG, KEY, case).diverged == ()


def test_the_acts_of_these_histories_do_reach_the_end(town: Town, library: Library):
    """A property over histories that never get anywhere would prove nothing."""
    for site in ("S1", "T1"):
        history = enrolled(town, site)
        for _ in IN_ORDER:
            history.do("usual")
        history.check(library)
        assert town.case(history.student_no).state == "registered"
