"""A witness vouches for a head only where it grows out of the last one, and says what it expected otherwise."""

from __future__ import annotations

from base64 import b64encode
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from engine.trail.notes import Checkpoint, Note, NoteError, Signer
from engine.trail.tree import EMPTY_ROOT, consistency_path, root_of
from engine.witnessing import MOST_BYTES, TREE_SIZE, Declined, Submission, judge
from tests.engine.vault import LOG, SIGNER, digest

LEAVES = [digest(place) for place in range(40)]
KNOWN = (SIGNER.verifier,)


def node(level: int, index: int) -> bytes:
    return root_of(LEAVES[index << level : (index + 1) << level])


def head(size: int, leaves: list[bytes] = LEAVES, origin: str = LOG) -> Checkpoint:
    return Checkpoint(origin, size, root_of(leaves[:size]))


def handed(old: int, new: Checkpoint, signer: Signer = SIGNER) -> Submission:
    path = consistency_path(min(old, new.size), new.size, node)
    return Submission(old=old, path=tuple(path), note=Note(new.text(), (signer.sign(new.text()),)))


def declined(submission: Submission, last: Checkpoint | None) -> tuple[int, str]:
    answer = judge(submission, KNOWN, last)
    assert isinstance(answer, Declined)
    return answer.status, answer.body


def test_every_head_that_grows_out_of_the_last_is_vouched_for():
    assert judge(handed(0, head(1)), KNOWN, None) == head(1)
    for old, new in pairwise([1, 1, 2, 3, 8, 9, 32, 33, 40, 40]):
        assert judge(handed(old, head(new)), KNOWN, head(old)) == head(new)


def test_the_empty_tree_is_vouched_for_once_and_grown_out_of():
    assert judge(handed(0, head(0)), KNOWN, None) == Checkpoint(LOG, 0, EMPTY_ROOT)
    assert judge(handed(0, head(5)), KNOWN, head(0)) == head(5)


def test_a_log_that_is_not_known_is_not_found():
    status, body = declined(handed(0, head(3, origin="xueji/vaults")), None)
    assert status == 404
    assert "Did you mean 'xueji/vault'?" in body


@pytest.mark.parametrize("name", [LOG, "somebody"])
def test_a_head_that_no_trusted_key_signed_is_forbidden(name: str):
    stranger = Signer(name, Ed25519PrivateKey.generate())
    assert declined(handed(0, head(3), stranger), None)[0] == 403


def test_a_head_signed_by_a_stranger_too_is_vouched_for():
    submission = handed(0, head(3))
    stranger = Signer("somebody", Ed25519PrivateKey.generate()).sign(submission.note.text)
    both = Submission(old=0, path=(), note=submission.note.with_signature(stranger))
    assert judge(both, KNOWN, None) == head(3)


@pytest.mark.parametrize(("old", "last"), [(0, 7), (3, 7), (9, 7), (1, None)])
def test_who_assumes_another_size_than_was_vouched_for_is_told_that_size(old: int, last: int | None):
    answer = judge(handed(old, head(20)), KNOWN, None if last is None else head(last))
    assert answer == Declined(status=409, body=f"{last or 0}\n", kind=TREE_SIZE)


def test_an_old_size_above_the_new_is_a_bad_request():
    assert declined(Submission(old=9, path=(), note=handed(0, head(3)).note), head(9))[0] == 400


def test_a_second_head_of_one_size_is_a_conflict():
    forked = head(7, leaves=LEAVES[::-1])
    assert (
        declined(Submission(old=7, path=(), note=Note(forked.text(), (SIGNER.sign(forked.text()),))), head(7))[0] == 409
    )


@pytest.mark.parametrize("change", ["forked", "cut", "longer", "empty", "for the same size"])
def test_a_path_that_does_not_lead_there_is_unprocessable(change: str):
    honest = handed(7, head(20))
    path, note, old = honest.path, honest.note, 7
    if change == "forked":
        forked = head(20, leaves=LEAVES[::-1])
        note = Note(forked.text(), (SIGNER.sign(forked.text()),))
    elif change == "for the same size":
        note, old = handed(0, head(7)).note, 7
    else:
        path = {"cut": path[:-1], "longer": (*path, path[0]), "empty": ()}[change]
    assert declined(Submission(old=old, path=path, note=note), head(7))[0] == 422


def test_a_path_from_the_empty_tree_is_empty():
    submission = Submission(old=0, path=(LEAVES[0],), note=handed(0, head(3)).note)
    assert declined(submission, None)[0] == 422


def test_a_note_that_is_no_head_is_a_bad_request():
    text = "xueji/vault\nmany\n"
    assert declined(Submission(old=0, path=(), note=Note(text, (SIGNER.sign(text),))), None)[0] == 400


def test_a_submission_reads_as_it_was_written():
    for submission in (handed(0, head(3)), handed(7, head(20)), handed(20, head(20))):
        assert Submission.parse(submission.encoded().encode()) == submission


NOTE = handed(0, head(3)).note.encoded()
HASH = b64encode(LEAVES[0]).decode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="empty"),
        pytest.param(NOTE, id="note alone"),
        pytest.param(f"old 0\n{NOTE}", id="no empty line before the note"),
        pytest.param(f"old 01\n\n{NOTE}", id="leading zero"),
        pytest.param(f"old -1\n\n{NOTE}", id="negative"),
        pytest.param(f"old {1 << 63}\n\n{NOTE}", id="beyond any tree"),
        pytest.param(f"old 1\n{HASH[:-4]}\n\n{NOTE}", id="short hash"),
        pytest.param(f"old 1\n{HASH} \n\n{NOTE}", id="spaces"),
        pytest.param("old 1\n" + f"{HASH}\n" * 64 + f"\n{NOTE}", id="64 hashes"),
        pytest.param(f"old 0\n\n{LOG}\n3\n", id="unsigned"),
        pytest.param("old 0\n\n" + "x" * MOST_BYTES, id="too large"),
        pytest.param(f"old \uff10\n\n{NOTE}", id="other digits"),
    ],
)
def test_what_is_no_submission_is_refused_with_what_was_expected(body: str):
    with pytest.raises(NoteError, match=r"expected|not a|not read|ASCII"):
        Submission.parse(body.encode())
