"""The trail as evidence: bytes anybody can make again, links, authenticity, and erasure that keeps the proof."""

import hmac
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.records import Head, case_number, case_of
from engine.trail.chain import Scribe, commitment, event_hash, mac_maker
from engine.trail.event import REGISTRY, EventKind, canonical, chain_name, event_bytes, moment
from tests.engine.town import FIRST, KEY, LOG, NOW, OPEN_FIRST, Town

MOST = 2**53 - 1
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
KEYS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers(-MOST, MOST) | TEXTS
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)


@settings(deadline=None)
@given(st.dictionaries(KEYS, DOCUMENTS, max_size=6))
def test_the_bytes_of_an_event_are_those_of_rfc_8785(event):
    assert event_bytes(event) == rfc8785.dumps(event)


@pytest.mark.parametrize(
    "value",
    [date(2024, 5, 13), NOW, Decimal("1.50"), MOST + 1, -MOST - 1, b"bytes", "\ud800", {"a": {1: "b"}}, object()],
)
def test_what_has_no_single_form_is_refused_in_an_event(value):
    with pytest.raises(TypeError):
        event_bytes({"data": {"value": value}})


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=100))
def test_the_mac_is_the_hmac_of_the_standard_library(body, key):
    mac = mac_maker(key)(body)
    assert mac == hmac.digest(key, b"xueji/mac/v1\n" + body, "sha256")
    assert mac != mac_maker(key)(body + b" ")


@given(st.integers(0, (1 << 40) - 1))
def test_a_case_number_leads_back_to_its_case(case):
    number = case_number(case)
    assert len(number) == 8
    assert case_of(f" {number.lower()} ") == case


def test_no_two_cases_share_a_number_and_numbers_do_not_count_up():
    numbers = [case_number(case) for case in range(10_000)]
    assert len(set(numbers)) == 10_000
    assert sorted(numbers) != numbers


@pytest.mark.parametrize("text", ["", "0000000", "000000000", "ILOU0000", "0000-000", "学籍学籍学籍学籍"])
def test_what_is_no_case_number_is_none(text):
    assert case_of(text) is None


@given(st.binary(min_size=16, max_size=16), st.dictionaries(KEYS, TEXTS, max_size=4), KEYS, TEXTS)
def test_a_commitment_opens_to_its_own_values_and_salt_only(salt, values, key, text):
    sealed = commitment(salt, canonical(values))
    assert commitment(bytes(salt), canonical(dict(values))) == sealed
    assert commitment(bytes([salt[0] ^ 1]) + salt[1:], canonical(values)) != sealed
    changed = {**values, key: text}
    assert (commitment(salt, canonical(changed)) == sealed) == (changed == values)


def test_a_moment_is_always_written_in_utc_with_six_decimals():
    shanghai = timezone(timedelta(hours=8))
    assert moment(datetime(2024, 5, 13, 7, 30, tzinfo=shanghai)) == "2024-05-12T23:30:00.000000Z"
    assert moment(datetime(2024, 5, 13, 7, 30, 1, 5, tzinfo=shanghai)) == "2024-05-12T23:30:01.000005Z"


def test_moments_sort_as_text():
    moments = [NOW + timedelta(microseconds=one) for one in (0, 1, 999_999, 1_000_000, 1_000_001, 10**9)]
    assert sorted(map(moment, moments)) == [moment(one) for one in moments]


def test_cases_students_and_the_registry_have_chains_of_different_names():
    assert chain_name(REGISTRY) == "registry"
    assert chain_name(7) == f"case/{case_number(7)}"
    assert chain_name(-7) == f"student/{case_number(7)}"


def test_an_event_names_its_chain_its_place_and_the_hash_before_it():
    scribe = Scribe(LOG, KEY)
    first = scribe.write(7, Head(), EventKind.OPENED, {"at": moment(NOW), "actor": "a", "data": {}})
    second = scribe.write(7, Head(seq=1, hash=first.hash), EventKind.MOVED, {"data": {}, "request": "r-1"})
    assert (first.seq, second.seq, second.request) == (1, 2, "r-1")
    assert first.hash == sha256(b"xueji/event/v1\n" + first.body).digest() == event_hash(first.body)
    assert f'"prev":"{first.hash.hex()}"'.encode() in second.body
    assert b'"prev":"' + b"0" * 64 + b'"' in first.body
    assert f'"chain":"{chain_name(7)}"'.encode() in second.body
    assert f'"log":"{LOG}"'.encode() in second.body


def test_every_chain_of_a_database_is_linked_without_a_gap(town: Town):
    town.advance(FIRST, "registered")
    town.take(OPEN_FIRST, "apply", "operator.t1")
    rows = town.connection.execute("SELECT chain, seq, body, hash FROM event ORDER BY chain, seq").fetchall()
    assert len({row[0] for row in rows}) == 1 + 6 + 6 + 1, "the registry, six students, their records, audit rounds"
    for (chain, seq, _, digest), (next_chain, next_seq, body, _) in pairwise(rows):
        if next_chain == chain:
            assert int(str(next_seq)) == int(str(seq)) + 1
            assert bytes(digest).hex().encode() in bytes(body)
        else:
            assert next_seq == 1


def test_every_event_of_a_case_says_who_did_it_as_what_where_and_by_which_rules(town: Town):
    case = town.advance(FIRST, "registered")
    events = town.events(case.id)
    steps = ["open_record", "apply", "site_approve", "branch_approve", "provincial_audit", "register"]
    assert [one["data"]["trigger"] for one in events] == steps
    assert events[1] | {"prev": "", "data": ""} == {
        "v": 1, "log": LOG, "chain": chain_name(case.id), "seq": 2, "kind": "moved", "prev": "", "data": "",
        "at": "2024-04-20T02:00:00.000000Z", "actor": "operator.s1", "role": "site_operator", "unit": "S1",
        "on_behalf_of": "student", "definition": case.shape, "rulebook": town.desk.rulebook,
    }  # fmt: skip
    assert events[4]["role"] == "records_section"
    assert events[4]["done_by"] == "provincial_auditor"


def test_personal_values_seen_by_a_rule_stand_nowhere_in_the_events(town: Town):
    town.advance(FIRST, "registered")
    known = town.facts(FIRST)
    bodies = b"".join(bytes(row[0]) for row in town.connection.execute("SELECT body FROM event").fetchall())
    for fact in ("name", "id_number", "born_on", "gender"):
        assert f'"{known[fact]}"'.encode() not in bodies, fact
    assert f'"{known["certificate_no"]}"'.encode() in bodies, "an open fact does stand there"


def test_what_a_case_saw_of_a_person_is_missed_when_it_is_deleted_by_hand(town: Town):
    case = town.advance(FIRST, "registered")
    deleted = town.connection.execute("DELETE FROM personal WHERE chain = ?", (case.id,))
    assert deleted.rowcount > 0
    [found] = town.replayed().diverged
    assert (found.chain, "抹除" in found.why) == (chain_name(case.id), True)


def test_a_person_deleted_everywhere_by_hand_is_named(town: Town):
    student = town.student(FIRST)
    town.connection.execute("DELETE FROM personal WHERE chain = ?", (-student.id,))
    personal = {"name", "gender", "id_number", "born_on"}
    kept = {name: value for name, value in student.facts.items() if name not in personal}
    facts = event_bytes(kept).decode()
    town.connection.execute("UPDATE student SET facts = ?, id_number = NULL WHERE id = ?", (facts, student.id))
    [found] = town.replayed().diverged
    assert (found.chain, found.seq) == (chain_name(-student.id), 1)


def test_a_personal_value_changed_beside_its_commitment_is_found(town: Town):
    chain = -town.student(FIRST).id
    town.edit(("personal", "body"), b'{"name":{"new":"x","old":null}}', chain=chain)
    [found] = town.replayed().diverged
    assert (found.chain, found.seq) == (chain_name(chain), 1)
    assert "承诺" in found.why
