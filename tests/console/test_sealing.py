"""`xueji audit key`, `seal`, `head`, `status`, `witness …`, and the worker that seals."""

from __future__ import annotations

import stat
from pathlib import Path

from console.durable import locked
from console.seal_keys import previous, read_signer
from console.settings import Settings
from console.wiring import office
from engine.trail.notes import Note, Policy
from tests.console.counter import READY, Counter
from tests.engine.tampering import tamper


def key_of(counter: Counter) -> Path:
    return counter.folder / "xueji.db.seal"


def published(counter: Counter) -> Note:
    return Note.parse((counter.folder / "xueji.db.checkpoint").read_bytes())


def test_a_key_is_made_once_for_its_owner_alone_and_told_to_the_registry(counter: Counter):
    made = counter.document("audit", "key")
    again = counter.document("audit", "key")
    shown = counter.xueji("audit", "key").stdout

    assert made == again
    assert stat.S_IMODE(key_of(counter).stat().st_mode) == 0o600
    policy = Policy.parse("\n".join(line for line in shown.splitlines() if line.startswith(("log ", "quorum "))))
    assert policy.log.vkey() == made["vkey"]
    with office(Settings(database=counter.url)) as opened:
        told = 'SELECT count(*) FROM event WHERE chain = 0 AND CAST(body AS text) LIKE \'%"kind":"sealed"%\''
        assert opened.desk.connection.execute(told).fetchall() == [(1,)]
    assert counter.document("replay", "--all")["diverged"] == []


def test_sealing_without_a_key_says_how_to_make_one(counter: Counter):
    result = counter.xueji("audit", "seal")

    assert result.exit_code == 2
    assert "xueji audit key" in result.stderr
    assert counter.xueji("audit", "status").exit_code == 1


def test_what_is_sealed_is_published_and_the_status_says_how_it_stands(counter: Counter):
    counter.done("audit", "key")
    sealed = counter.document("audit", "seal")
    counter.done("move", READY[0], "apply", "batch=2024-06", "--as", "op")

    status = counter.document("audit", "status")

    assert (sealed["sealed"], sealed["witnesses"]) == (sealed["size"], {})
    assert published(counter).text.split("\n")[1] == str(sealed["size"])
    assert (status["size"], status["unsealed"]) == (sealed["size"], 1)
    assert (status["guards_missing"], status["trouble"], status["age_seconds"]) == ([], None, 0)
    assert counter.document("audit", "seal")["sealed"] == 1
    assert counter.document("replay", "--all")["diverged"] == []


def test_an_old_copy_of_the_database_is_refused_with_a_sentence(counter: Counter):
    counter.done("audit", "key")
    counter.done("audit", "seal")
    old = (counter.folder / "xueji.db").read_bytes()
    counter.done("move", READY[0], "apply", "batch=2024-06", "--as", "op")
    counter.done("audit", "seal")
    for left in counter.folder.glob("xueji.db-*"):
        left.unlink()
    (counter.folder / "xueji.db").write_bytes(old)

    refused = counter.xueji("audit", "seal")

    assert refused.exit_code == 1
    assert "rolled back" in refused.stderr
    assert "rolled back" in counter.document("audit", "status", code=1)["trouble"]
    assert published(counter).text.split("\n")[1] == str(counter.document("audit", "status", code=1)["size"] + 1)


def test_guards_that_were_taken_off_are_told(counter: Counter):
    counter.done("audit", "key")
    with office(Settings(database=counter.url)) as opened:
        opened.desk.connection.execute("DROP TRIGGER guard_event_delete")

    assert counter.document("audit", "status", code=1)["guards_missing"] == ["guard_event_delete"]


def test_two_keys_sign_while_one_is_changed_for_the_other(counter: Counter):
    first = counter.document("audit", "key")["vkey"]
    counter.done("audit", "seal")
    rotated = counter.document("audit", "key", "--rotate")
    counter.done("audit", "seal")

    assert rotated["previous"] == [first] != [rotated["vkey"]]
    assert len(published(counter).signatures) == 2
    assert counter.xueji("audit", "key", "--rotate").exit_code == 2, "the one before still signs"
    previous(key_of(counter)).unlink()
    counter.done("move", READY[0], "apply", "batch=2024-06", "--as", "op")
    counter.done("audit", "seal")
    assert len(published(counter).signatures) == 1


def test_a_key_with_a_passphrase_is_of_no_use_without_it(counter: Counter, monkeypatch, tmp_path: Path):
    (tmp_path / "words").write_text("a passphrase only tests use\n")
    monkeypatch.setenv("XUEJI_SEAL_PASSPHRASE_FILE", str(tmp_path / "words"))
    counter.done("audit", "key")
    counter.done("audit", "seal")
    assert "ENCRYPTED" in key_of(counter).read_text()

    monkeypatch.delenv("XUEJI_SEAL_PASSPHRASE_FILE")
    refused = counter.xueji("audit", "seal")

    assert refused.exit_code == 2
    assert "XUEJI_SEAL_PASSPHRASE_FILE" in refused.stderr


def test_the_head_is_printed_and_drawn_for_the_register(counter: Counter):
    assert counter.xueji("audit", "head").exit_code == 2
    counter.done("audit", "key")
    counter.done("audit", "seal")
    picture = counter.folder / "head.svg"

    shown = counter.done("audit", "head", "--qr", str(picture)).stdout

    assert Note.parse(shown) == published(counter)
    assert "<svg" in picture.read_text()


def test_a_province_vouches_by_file(counter: Counter, monkeypatch):
    folder = counter.folder
    vkey = counter.document("audit", "key")["vkey"]
    counter.done("audit", "seal")
    counter.done("audit", "witness", "key", str(folder / "w.key"), "--name", "province/w1")
    witness = read_signer(folder / "w.key", "province/w1", None, 4).verifier
    (folder / "policy").write_text(f"log {vkey}\nwitness w1 {witness.vkey()}\nquorum w1\n")
    monkeypatch.setenv("XUEJI_WITNESSES", str(folder / "policy"))
    cosign: tuple[str, ...] = ("audit", "witness", "cosign", str(folder / "asked"), "--answer", str(folder / "told"))
    cosign += ("--key", str(folder / "w.key"), "--name", "province/w1", "--log", vkey)

    counter.done("audit", "witness", "request", str(folder / "asked"))
    counter.done(*cosign)
    counter.done("audit", "witness", "accept", str(folder / "told"))

    assert published(counter).signed_by(witness)
    status = counter.document("audit", "status")
    assert (status["quorum"], status["witnesses"][0]["size"]) == (True, status["size"])
    counter.done("audit", "witness", "request", str(folder / "asked"), "--old", "0")
    assert counter.xueji(*cosign).exit_code == 1, "it has vouched for more than nothing"
    (folder / "told").write_text((folder / "told").read_text().replace("A", "B"))
    assert counter.xueji("audit", "witness", "accept", str(folder / "told")).exit_code == 2


def test_the_worker_seals_once_there_is_a_key(counter: Counter):
    assert "not sealing, there is no key" in counter.done("work", "--once").stderr
    counter.done("audit", "key")

    counter.done("work", "--once")

    assert counter.document("audit", "status")["unsealed"] == 0
    with office(Settings(database=counter.url)) as opened:
        tamper(opened.desk.connection, "DELETE FROM leaf")
    assert "sealing refused" in counter.done("work", "--once").stderr


def test_a_sealer_that_stands_still_does_not_hold_up_another(counter: Counter):
    counter.xueji("audit", "key")
    head = key_of(counter).with_name(f"{key_of(counter).name}.head.lock")
    with locked(head):  # as a process that was stopped while it signed
        answer = counter.xueji("audit", "seal")
    assert answer.exit_code == 1
    assert "另一进程正在封存" in answer.output
    assert counter.xueji("audit", "seal").exit_code == 0
