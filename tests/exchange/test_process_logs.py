"""Logs for process mining: XES as IEEE 1849 orders it, OCEL 2.0 whose relationships all lead somewhere."""

import gzip
import io
import json
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from engine.definition import Definition
from engine.loading.folder import read_workflow
from engine.records import case_number
from engine.store.process_logs import LoggedCase
from engine.store.registry import UnitRow
from engine.trail.event import chain_name, event_bytes
from exchange.ocel import Sources, write_ocel
from exchange.process_logs import REFUSALS, STEPS, Pseudonyms, Reading
from exchange.xes import opened_for, write_xes

XES = "{http://www.xes-standard.org/}"
ORDER = ("extension", "global", "classifier", "string", "date", "int", "trace")
"""What may stand in a log, in the order of the schema; attributes are one group."""
SHAPE = "f" * 64
UNITS = {"5101": UnitRow(code="5101", name="示范教学点", kind="site", parent=None, path="5101/", profile=None)}


@cache
def definition() -> Definition:
    return read_workflow(Path("workflows/diploma-registration.yaml"))["online-ed"]


def case_of(number, *, student=7):
    return LoggedCase(number, "diploma-registration", SHAPE, "5101", "2024-06", "applied", student, f"2022{number:09}")


def event(seq, kind="moved", **more):
    data = {"trigger": "apply", "from": "enrolled", "to": "applied", **more.pop("data", {})}
    return event_bytes({
        "actor": "wang", "at": f"2024-05-14T01:30:{seq:02}.000000Z", "data": data, "definition": SHAPE, "kind": kind,
        "role": "site_operator", "seq": seq, "unit": "5101", **more,
    })  # fmt: skip


def opened(seq=1):
    return event(seq, "opened", data={"trigger": "open_record", "from": "new", "to": "enrolled"}, unit="")


def reading(key=b"k", kinds=STEPS):
    return Reading(pseudonyms=Pseudonyms(key), definitions={SHAPE: definition()}, kinds=kinds)


def xes_of(events, **options):
    file = io.BytesIO()
    counted = write_xes(file, {"concept:name": "xueji/test"}, reading(**options), events)
    return counted, ET.fromstring(file.getvalue())  # noqa: S314 written a moment ago


def texts(element):
    return {one.get("key"): one.get("value") for one in element if one.get("key")}


def ocel_of(events, **options):
    file = io.BytesIO()
    cases = {case.id for case, _ in events}
    sources = Sources(events=lambda: iter(events), cases=cases, members=options.pop("members", {}), units=UNITS)
    counted = write_ocel(file, reading(**options), sources)
    return counted, json.loads(file.getvalue())


def test_a_case_is_a_trace_and_each_step_taken_is_one_event_by_its_trigger() -> None:
    looked = event(3, "viewed", data={"trigger": "view:E-IC-ID"})
    counted, log = xes_of(
        [(case_of(1), opened()), (case_of(1), event(2)), (case_of(1), looked), (case_of(2), opened())]
    )

    first, second = log.findall(f"{XES}trace")
    apply = texts(first.findall(f"{XES}event")[1])
    assert (counted.cases, counted.events) == (2, 3)
    assert texts(first)["concept:name"] == case_number(1)
    assert len(second.findall(f"{XES}event")) == 1
    assert {key: apply[key] for key in ("concept:name", "xueji:title", "org:role", "org:group", "xueji:seq")} == {
        "concept:name": "apply", "xueji:title": "提出毕业申请", "org:role": "site_operator", "org:group": "5101",
        "xueji:seq": "2",
    }  # fmt: skip
    assert apply["time:timestamp"] == "2024-05-14T01:30:02.000000Z"
    assert apply["lifecycle:transition"] == "complete"


def test_what_stands_in_a_log_stands_in_the_order_of_the_schema_and_is_declared() -> None:
    _, log = xes_of([(case_of(1), opened()), (case_of(1), event(2, cause={"chain": "case/K7Q2M4XA", "seq": 3}))])

    places = [ORDER.index(child.tag.removeprefix(XES)) for child in log]
    prefixes = {one.get("prefix") for one in log.findall(f"{XES}extension")}
    keys = [one.get("key") for one in log.iter() if one.get("key")]
    (of_events,) = [one for one in log.findall(f"{XES}global") if one.get("scope") == "event"]
    assert places == sorted(places)
    assert log.get("xes.version") == "1849.2016"
    assert texts(log) == {"lifecycle:model": "standard", "concept:name": "xueji/test"}
    assert {key.partition(":")[0] for key in keys} <= prefixes == {"concept", "time", "lifecycle", "org", "xueji"}
    assert {one.get("keys") for one in log.findall(f"{XES}classifier")} <= texts(of_events).keys()
    for one in log.iter(f"{XES}event"):
        assert texts(of_events).keys() <= texts(one).keys()
        assert {child.tag.removeprefix(XES) for child in one} <= {"string", "date", "int"}


def test_people_are_the_same_person_within_an_export_and_nobody_across_two() -> None:
    events = [
        (case_of(1), opened()),
        (case_of(1), event(2)),
        (case_of(1), event(3, actor="li")),
        (case_of(2), opened()),
    ]

    def people(key):
        _, log = xes_of(events, key=key)
        students = [texts(one)["xueji:student"] for one in log.findall(f"{XES}trace")]
        return [texts(one)["org:resource"] for one in log.iter(f"{XES}event")], students

    (wang, again, li, other), (student, same) = people(b"one key")
    assert wang == again == other != li
    assert student == same
    assert not {wang, li, student} & {*people(b"another")[0], *people(b"another")[1]}
    assert people(None) == (["wang", "wang", "li", "wang"], ["2022000000001", "2022000000002"])


def test_a_pseudonymous_log_has_no_login_student_number_or_typed_reason_in_it() -> None:
    told = event(
        2, data={"reason": "身份证号有误"}, delegation={"by": "zhao", "why": "病假", "until": None},
        cause={"chain": "student/K7Q2M4XA", "seq": 2},
    )  # fmt: skip
    file = io.BytesIO()
    write_xes(file, {}, reading(), [(case_of(1), opened()), (case_of(1), told)])
    _, ocel = ocel_of([(case_of(1), opened()), (case_of(1), told)])

    for text in (file.getvalue().decode(), json.dumps(ocel, ensure_ascii=False)):
        for personal in ("wang", "zhao", "2022000000001", "身份证号有误", "病假", "student/K7Q2M4XA"):
            assert personal not in text


@pytest.mark.parametrize(("kinds", "told"), [(STEPS, 0), (STEPS | REFUSALS, 1)])
def test_a_refusal_is_told_only_if_asked_for_and_never_as_completed(kinds, told) -> None:
    refused = event(2, "refused", data={"failed": ["G-GR-05", "G-GR-06"], "to": ""})
    _, log = xes_of([(case_of(1), opened()), (case_of(1), refused)], kinds=kinds)

    events = [texts(one) for one in log.iter(f"{XES}event")][1:]
    assert len(events) == told
    assert [(one["lifecycle:transition"], one["xueji:failed"]) for one in events] == [
        ("ate_abort", "G-GR-05 G-GR-06")
    ] * told


def test_a_step_taken_back_and_a_move_to_a_new_version_are_told_as_what_they_are() -> None:
    back = event(3, "retracted", data={"from": "applied", "to": "enrolled"})
    moved_over = event_bytes({
        "actor": "rec", "at": "2024-05-15T01:00:00.000000Z", "data": {"from": "enrolled", "to": "enrolled"},
        "definition": SHAPE, "kind": "migrated", "seq": 4,
    })  # fmt: skip
    _, log = xes_of([(case_of(1), event(2)), (case_of(1), back), (case_of(1), moved_over)])

    names = [texts(one)["concept:name"] for one in log.iter(f"{XES}event")]
    assert names == ["apply", "retract:apply", "migrated"]


def test_letters_that_xml_cannot_hold_do_not_break_the_file() -> None:
    _, log = xes_of([(case_of(1), event(2, actor='a<b&"\x01\uffff'))], key=None)

    (one,) = log.iter(f"{XES}event")
    assert texts(one)["org:resource"] == 'a<b&"��'


def test_a_name_that_ends_in_gz_is_packed_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a.xes.gz", "b.xes.gz", "c.xes"):
        with opened_for(Path(name), tmp_path / name) as file:
            write_xes(file, {}, reading(), [(case_of(1), opened())])

    packed = (tmp_path / "a.xes.gz").read_bytes()
    assert packed == (tmp_path / "b.xes.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "c.xes").read_bytes()


def test_every_relationship_of_an_ocel_log_leads_to_an_object_of_a_declared_type() -> None:
    inside = {"chain": chain_name(1), "seq": 2}
    outside = {"chain": chain_name(99), "seq": 1}
    events = [
        (case_of(1), opened()), (case_of(1), event(2, cause=outside)), (case_of(2, student=8), event(1, cause=inside)),
    ]  # fmt: skip
    counted, log = ocel_of(events, members={2: [1, 77]})

    objects = {one["id"]: one["type"] for one in log["objects"]}
    events_told = {one["id"]: one for one in log["events"]}
    declared = {one["name"]: {text["name"] for text in one["attributes"]} for one in log["objectTypes"]}
    assert (counted.cases, counted.events) == (2, 3)
    assert len(objects) == len(log["objects"]) == 5
    assert set(objects.values()) == declared.keys() == {"unit", "student", "diploma-registration"}
    for one in (*log["objects"], *log["events"]):
        assert {to["objectId"] for to in one["relationships"]} <= objects.keys()
    for one in log["objects"]:
        assert {text["name"] for text in one["attributes"]} <= declared[one["type"]]
    caused = events_told[f"{chain_name(2)}#1"]["relationships"]
    assert {"objectId": chain_name(1), "qualifier": "caused by"} in caused
    assert {to["qualifier"] for to in events_told[f"{chain_name(1)}#2"]["relationships"]} == {"case", "student", "at"}


def test_a_case_in_an_ocel_log_has_the_states_it_went_through_with_their_moments() -> None:
    _, log = ocel_of([(case_of(1), opened()), (case_of(1), event(2))])

    (case,) = [one for one in log["objects"] if one["type"] == "diploma-registration"]
    states = [(one["value"], one["time"][17:19]) for one in case["attributes"] if one["name"] == "state"]
    assert states == [("enrolled", "01"), ("applied", "02")]
    steps = {one["type"] for one in log["events"]}
    assert steps == {one["name"] for one in log["eventTypes"]} == {
        "diploma-registration.open_record", "diploma-registration.apply",
    }  # fmt: skip
