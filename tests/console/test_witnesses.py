"""Witnesses by HTTP and by file: real servers, one of which is slow, forgetful, or ahead of us."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import uvicorn

from console.settings import Settings
from console.witness_desk import UnusableState, Witness, make_witness, witness_app
from console.witnesses import Asked, WitnessesRefused, ask_all, submission, witnesses_of
from console.witnesses import Witness as Named
from engine.store import leaves
from engine.trail.notes import Checkpoint, Note, Signature, cosigned_at
from engine.witnessing import Declined
from tests.engine.vault import SIGNER, Vault, vault_at

AT = 1_700_000_000


@pytest.fixture
def vault(sqlite_url: str) -> Iterator[Vault]:
    with vault_at(sqlite_url) as vault:
        vault.write((0, 1), (0, 2), (0, 3))
        vault.seal()
        yield vault


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    signer = make_witness(tmp_path / "province.key", "province/w1", None)
    return Witness(signer=signer, logs=(SIGNER.verifier,), record=tmp_path / "province.key.record")


@contextmanager
def served(witness: Witness) -> Iterator[str]:
    """The address of a witness that answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(witness_app(witness, lambda: AT), log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def asked(vault: Vault, witness: Witness, url: str) -> Asked:
    [one] = ask_all(vault.connection, [Named("w1", witness.signer.verifier, url)])
    return one


def body(vault: Vault, old: int) -> bytes:
    latest = leaves.latest(vault.connection)
    assert latest is not None
    return submission(vault.connection, latest, old).encoded().encode()


def remembered(witness: Witness) -> int | None:
    told = json.loads(witness.record.read_text()).get(SIGNER.verifier.name)
    return None if told is None else int(told[0])


def test_a_witness_vouches_and_its_line_stands_under_the_published_head(vault: Vault, witness: Witness):
    with served(witness) as url:
        assert asked(vault, witness, url).signature is not None
        vault.write((0, 4))
        vault.seal()
        assert asked(vault, witness, url).why == ""
        assert ask_all(vault.connection, [Named("w1", witness.signer.verifier, url)]) == (), "it has vouched already"

    latest = leaves.latest(vault.connection)
    assert latest is not None
    assert cosigned_at(latest, witness.signer.verifier) == AT
    assert remembered(witness) == 4


def test_a_witness_that_remembers_another_size_than_we_do_is_asked_again_from_there(vault: Vault, witness: Witness):
    assert isinstance(witness.answer(body(vault, 0), AT), str)
    vault.write((0, 4), (0, 5))
    vault.seal()

    with served(witness) as url:
        assert asked(vault, witness, url).signature is not None
    assert remembered(witness) == 5


def test_a_witness_that_has_seen_a_larger_tree_says_that_we_were_rolled_back(vault: Vault, witness: Witness):
    head = Checkpoint(SIGNER.verifier.name, 9, bytes(32))
    text = f"old 0\n\n{Note(head.text(), (SIGNER.sign(head.text()),)).encoded()}"
    assert isinstance(witness.answer(text.encode(), AT), str)

    with served(witness) as url:
        one = asked(vault, witness, url)

    assert one.signature is None
    assert "larger tree" in one.why
    assert remembered(witness) == 9


def test_a_witness_that_cannot_be_reached_or_is_none_costs_an_answer_and_nothing_else(vault: Vault, witness: Witness):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody listens
        assert "not reached" in asked(vault, witness, f"http://127.0.0.1:{silent.getsockname()[1]}").why
    with served(witness) as url:
        assert "HTTP 404" in asked(vault, witness, f"{url}/elsewhere").why
        stranger = replace(witness, signer=SIGNER)
        assert asked(vault, stranger, url).why.startswith("no line of the answer")
    assert leaves.cosigned_sizes(vault.connection) == {}


def test_of_twenty_who_ask_at_once_none_rolls_the_record_back(vault: Vault, witness: Witness):
    bodies = []
    for seq in range(4, 24):
        vault.write((0, seq))
        vault.seal()
        bodies.append(body(vault, 0))

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda one: witness.answer(one, AT), bodies))

    vouched = [place for place, one in enumerate(answers, 4) if isinstance(one, str)]
    assert len(vouched) == 1
    assert {one.body for one in answers if isinstance(one, Declined)} == {f"{vouched[0]}\n"}
    assert remembered(witness) == vouched[0]


@pytest.mark.parametrize("text", [None, "", "[]", '{"xueji/vault": [3]}'])
def test_a_witness_without_its_record_vouches_for_nothing(vault: Vault, witness: Witness, text: str | None):
    witness.record.unlink() if text is None else witness.record.write_text(text)

    with pytest.raises(UnusableState, match="retire this witness"):
        witness.answer(body(vault, 0), AT)


def test_a_request_that_is_too_large_is_a_bad_one_and_a_conflict_says_the_size(vault: Vault, witness: Witness):
    with served(witness) as url:
        answers = [_posted(url, sent) for sent in (b"x" * 200_000, body(vault, 0), body(vault, 0))]

    assert [status for status, _, _ in answers] == [400, 200, 409]
    assert answers[2][1:] == ("text/x.tlog.size", "3\n")
    line = Signature.parse(answers[1][2].rstrip("\n"))
    latest = leaves.latest(vault.connection)
    assert latest is not None
    assert witness.signer.verifier.verifies(latest.text, line)


def _posted(url: str, sent: bytes) -> tuple[int, str, str]:
    request = Request(f"{url}/add-checkpoint", sent, {"Content-Type": "text/plain"})  # noqa: S310 our own server
    try:
        with urlopen(request, timeout=10) as answer:  # noqa: S310 the same
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except HTTPError as answer:
        with answer:
            return answer.code, answer.headers["Content-Type"], answer.read().decode()


def test_the_file_of_the_witnesses_is_the_auditors_policy_with_addresses(tmp_path: Path, witness: Witness):
    path, key = tmp_path / "policy", witness.signer.verifier
    path.write_text(f"log {SIGNER.verifier.vkey()}\nwitness w1 {key.vkey()} https://w.invalid/x/\nquorum w1\n")
    settings = Settings.model_validate({"witnesses": path})

    found = witnesses_of(settings)

    assert found is not None
    assert found.each == (Named("w1", key, "https://w.invalid/x"),)
    path.write_text(path.read_text().replace("https:", "file:"))
    with pytest.raises(WitnessesRefused, match="expected http or https"):
        witnesses_of(settings)
    path.write_text("quorum w1\n")
    with pytest.raises(WitnessesRefused, match="no log line"):
        witnesses_of(settings)
