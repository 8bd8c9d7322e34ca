"""Attacks on the bundle itself: what the auditor's verifier comes to, and whom it names."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from time import process_time
from zipfile import ZipFile, ZipInfo

import pytest

from engine.records import case_number
from engine.store.bundles import Scope
from engine.trail.notes import Note
from tests.trail.attacks_on_bundles import ATTACKS, TOLERATED, UNFOUND, Attack
from tests.trail.attacks_on_rows import SOUND
from tests.trail.parcels import Parcel
from tests.trail.prey import WITNESS, WITNESSED, Prey
from tests.trail.verifying import Said, verified


@pytest.fixture(scope="module")
def part(prey: Prey, tmp_path_factory: pytest.TempPathFactory) -> Parcel:
    """The bundle of one case, unpacked."""
    scope = Scope(kind="case", name=case_number(prey.walked), case=prey.walked)
    return Parcel.read(prey.export(tmp_path_factory.mktemp("part") / "case.zip", scope))


def _verified(attack: Attack, parcel: Parcel, prey: Prey, folder: Path) -> Said:
    attacked = parcel.copy()
    attack.does(attacked, prey)
    seen = prey.seen if attack.seen else None
    return verified(attacked.write(folder / "attacked.zip"), policy=attack.policy, seen=seen)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name)
def test_an_attack_is_found_and_named(prey: Prey, bundle: Parcel, part: Parcel, tmp_path: Path, attack: Attack):
    said = _verified(attack, part if attack.partial else bundle, prey, tmp_path)
    assert said.outcome == attack.outcome, said
    assert attack.chain is None or prey.named(attack.chain) in said.chains, said


@pytest.mark.parametrize("attack", UNFOUND, ids=lambda one: one.name)
def test_what_a_bundle_cannot_show_is_not_pretended_to_be_found(
    prey: Prey, bundle: Parcel, tmp_path: Path, attack: Attack
):
    assert _verified(attack, bundle, prey, tmp_path).outcome == attack.outcome


@pytest.mark.parametrize("name", ["bundle", "part"])
def test_what_nobody_attacked_is_sound(request: pytest.FixtureRequest, prey: Prey, tmp_path: Path, name: str):
    parcel: Parcel = request.getfixturevalue(name)
    assert verified(parcel.write(tmp_path / "sound.zip"), seen=prey.seen).outcome == SOUND


def test_a_witness_of_the_policy_makes_the_quorum(prey: Prey, bundle: Parcel, tmp_path: Path):
    note = Note.parse(bundle["head.note"])
    parcel = bundle.copy()
    parcel["head.note"] = note.with_signature(WITNESS.sign(note.text, 1_713_600_000)).encoded().encode()
    assert verified(parcel.write(tmp_path / "sound.zip"), policy=WITNESSED, seen=prey.seen).outcome == SOUND


def _stored(name: str, flag: int = 0) -> bytes:
    """A zip with one empty entry, whose flags say something."""
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr(ZipInfo(name), b"")
    body = bytearray(file.getvalue())
    body[6] |= flag
    body[body.index(b"PK\x01\x02") + 8] |= flag
    return bytes(body)


def _bomb(bundle: Parcel, folder: Path, entry: str, size: int) -> bytes:
    """A bundle with an entry of a hundred megabytes of the same byte."""
    parcel = bundle.copy()
    parcel[entry] = b"0" * size
    return parcel.write(folder / "bomb.zip").read_bytes()


RAW: dict[str, Callable[[Parcel, bytes, Path], bytes]] = {
    "nothing": lambda *_: b"",
    "no zip": lambda *_: b"not a zip at all" * 1000,
    "half of it": lambda _, whole, __: whole[: len(whole) // 2],
    "without its end": lambda _, whole, __: whole[:-30],
    "a byte of what is packed": lambda _, whole, __: whole[:3000] + bytes([whole[3000] ^ 1]) + whole[3001:],
    "an entry alone": lambda *_: _stored("manifest.json"),
    "an encrypted entry": lambda *_: _stored("manifest.json", 1),
    "a folder": lambda *_: _stored("definitions/"),
    "an entry that leads outside": lambda *_: _stored("../../etc/passwd"),
    "an absolute entry": lambda *_: _stored("/etc/passwd"),
    "a bomb in the events": lambda bundle, _, folder: _bomb(bundle, folder, "events.jsonl", 10**8),
    "a bomb in the personal values": lambda bundle, _, folder: _bomb(bundle, folder, "personal.jsonl", 10**8),
    "a bomb in the leaves": lambda bundle, _, folder: _bomb(bundle, folder, "leaves.bin", 10**8),
    "a bomb in the readme": lambda bundle, _, folder: _bomb(bundle, folder, "README.txt", 10**8),
}
"""What a file may be besides a bundle."""


@pytest.mark.parametrize("name", RAW)
def test_a_file_that_is_no_bundle_is_refused_at_once_in_little_memory(bundle: Parcel, tmp_path: Path, name: str):
    file = tmp_path / "file.zip"
    file.write_bytes(RAW[name](bundle, bundle.write(tmp_path / "whole.zip").read_bytes(), tmp_path))

    tracemalloc.start()
    start = process_time()
    said = verified(file)
    seconds, (_, most) = process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert said.outcome == "invalid", said
    assert seconds < 2
    assert most < 40 * 2**20


@pytest.mark.parametrize("attack", TOLERATED, ids=lambda one: one.name)
def test_another_spelling_of_a_line_hides_nothing(prey: Prey, bundle: Parcel, tmp_path: Path, attack: Attack):
    assert _verified(attack, bundle, prey, tmp_path).outcome in (SOUND, attack.outcome)
