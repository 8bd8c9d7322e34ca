"""Signed heads: what other tools sign is read here, what is signed here is read there, and nothing else is believed."""

from base64 import b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from engine.trail.notes import (
    COSIGNATURE,
    ED25519,
    Checkpoint,
    Note,
    NoteError,
    Policy,
    Signature,
    Signer,
    Verifier,
    cosigned_at,
    timestamp,
)

# The published examples: of C2SP signed-note, of the notes of the Go module mirror, of C2SP tlog-cosignature, and
# a head of a log as seven witnesses saw it.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo"
    " Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)
ENOCH_LINE = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ="
GO_NOTE = f"{GO_TEXT}\n{PETER_LINE}\n{ENOCH_LINE}\n"
SOFA = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE\
+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0x\
Ue+mbIUBkBIfZ+qnA==
"""
ARCHE = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
REMORA = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
GARDEN = "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM"
WITNESSED = """arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkp\
tQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g\
8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4A\
scylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJb\
qmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtq\
B0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cU\
iOvKFYe/TmN9DAg==
"""

AT = 1_720_000_000


def signer(name: str, kind: int = ED25519) -> Signer:
    return Signer(name, Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest()), kind)


LOG = signer("xueji/1ec9")
PROVINCE, OFFICE, ARCHIVE = (signer(name, COSIGNATURE) for name in ("province.cn/w", "office.cn/w", "archive.cn/w"))
HEAD = Checkpoint("xueji/1ec9", 1234, sha256(b"root").digest())


def head_note(*witnesses: Signer) -> Note:
    text = HEAD.text()
    return Note(text, (LOG.sign(text),)).with_signature(*(one.sign(text, AT) for one in witnesses))


@pytest.mark.parametrize(
    ("vkey", "note"),
    [(SPEC_KEY, SPEC_NOTE), (PETER, GO_NOTE), (ENOCH, GO_NOTE), (ARCHE, WITNESSED), (REMORA, WITNESSED),
     (GARDEN, WITNESSED)],
)  # fmt: skip
def test_the_published_examples_are_read_believed_and_written_back_byte_for_byte(vkey, note):
    verifier, read = Verifier.parse(vkey), Note.parse(note)
    assert read.signed_by(verifier)
    assert read == Note.parse(note.encode())
    assert read.encoded() == note
    assert verifier.vkey() == vkey
    changed = Note.parse(note.replace(note[0], "X", 1))
    assert not changed.signed_by(verifier)
    assert not Note.parse(SPEC_NOTE if note != SPEC_NOTE else GO_NOTE).signed_by(verifier)


def test_the_private_key_of_zeros_signs_as_the_go_module_mirror_has_it():
    enoch = Signer("EnochRoot", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    assert enoch.verifier.vkey() == ENOCH
    assert enoch.sign(GO_TEXT).line() == ENOCH_LINE
    assert Note.parse(f"{GO_TEXT}\n{PETER_LINE}\n").with_signature(enoch.sign(GO_TEXT)).encoded() == GO_NOTE


def test_the_example_of_a_checkpoint_tells_its_size_its_root_and_when_it_was_cosigned():
    note = Note.parse(SOFA)
    head = Checkpoint.parse(note.text)
    assert (head.origin, head.size) == ("example.com/behind-the-sofa", 20852163)
    assert head.root.hex() == "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"
    assert head.text() == note.text
    assert [timestamp(one) for one in note.signatures] == [None, 1679315147]


def test_a_real_witness_tells_when_it_saw_the_head():
    note = Note.parse(WITNESSED)
    assert cosigned_at(note, Verifier.parse(REMORA)) == cosigned_at(note, Verifier.parse(GARDEN)) == 1779573024
    assert cosigned_at(note, Verifier.parse(ARCHE)) is None
    assert cosigned_at(Note.parse(SOFA), Verifier.parse(REMORA)) is None


def test_a_cosignature_is_over_the_header_the_time_and_the_whole_text():
    signature = PROVINCE.sign(HEAD.text(), AT)
    told = f"cosignature/v1\ntime {AT}\n{HEAD.text()}".encode()
    key = Ed25519PrivateKey.from_private_bytes(sha256(b"province.cn/w").digest())
    assert signature.body == AT.to_bytes(8) + key.sign(told)
    later = Signature(signature.name, signature.key_id, (AT + 1).to_bytes(8) + signature.body[8:])
    assert PROVINCE.verifier.verifies(HEAD.text(), signature)
    assert not PROVINCE.verifier.verifies(HEAD.text(), later)
    assert not PROVINCE.verifier.verifies(HEAD.text() + "extension\n", signature)


def test_of_several_cosignatures_the_last_counts_and_a_wrong_one_spoils_them_all():
    text = HEAD.text()
    twice = head_note(PROVINCE).with_signature(PROVINCE.sign(text, AT + 5))
    assert cosigned_at(twice, PROVINCE.verifier) == AT + 5
    right = PROVINCE.sign(text, AT + 9)
    wrong = Signature(right.name, right.key_id, (AT + 99).to_bytes(8) + right.body[8:])
    assert cosigned_at(twice.with_signature(wrong), PROVINCE.verifier) is None


def test_a_signature_is_added_once():
    note = head_note(PROVINCE)
    assert note.with_signature(PROVINCE.sign(HEAD.text(), AT)) == note


def test_the_same_key_as_log_and_as_witness_has_two_ids_and_neither_signs_for_the_other():
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    log, witness = Signer("same", key), Signer("same", key, COSIGNATURE)
    note = Note(HEAD.text(), (log.sign(HEAD.text()),))
    assert log.verifier.key_id != witness.verifier.key_id
    assert note.signed_by(log.verifier)
    assert not note.signed_by(witness.verifier)
    forged = Signature("same", witness.verifier.key_id, note.signatures[0].body)
    assert not Note(HEAD.text(), (forged,)).signed_by(witness.verifier)


def test_a_time_is_signed_by_witnesses_and_by_nobody_else():
    with pytest.raises(ValueError, match="cannot sign with the time"):
        LOG.sign(HEAD.text(), AT)
    for at in (None, -1, 1 << 63):
        with pytest.raises(ValueError, match="cannot sign with the time"):
            PROVINCE.sign(HEAD.text(), at)


TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.just("\n"), max_size=60).map(
    lambda text: f"{text}\n"
)


@given(TEXTS)
def test_any_text_survives_being_signed_and_read(text):
    note = Note(text, (LOG.sign(text), PROVINCE.sign(text, AT)))
    read = Note.parse(note.encoded().encode())
    assert read == note
    assert read.signed_by(LOG.verifier)
    assert cosigned_at(read, PROVINCE.verifier) == AT


@given(st.data())
def test_no_changed_byte_of_a_note_leaves_it_signed_as_it_was(data):
    whole = bytearray(head_note(PROVINCE).encoded().encode())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        read = Note.parse(bytes(whole))
    except NoteError:
        return
    assert not (read.signed_by(LOG.verifier) and read.signed_by(PROVINCE.verifier))


SIGNED = head_note().encoded()
LINE = head_note().signatures[0].line()
NO_NOTES = {
    "nothing": "",
    "text alone": "text\n",
    "no empty line": SIGNED.replace("\n\n", "\n"),
    "no last line break": SIGNED[:-1],
    "no signature": f"{HEAD.text()}\n",
    "a line that signs nothing below": f"{SIGNED}and more\n",
    "a hyphen for the dash": SIGNED.replace("—", "-"),
    "no name": SIGNED.replace("— xueji/1ec9", "— "),
    "a plus in the name": SIGNED.replace("— xueji/1ec9", "— xueji+1ec9"),
    "a wide space in the name": SIGNED.replace("— xueji/1ec9", "— xueji\u30001ec9"),
    "two spaces": SIGNED.replace("— xueji/1ec9 ", "— xueji/1ec9  "),
    "base64 cut short": SIGNED.replace("=\n", "\n"),
    "spare bits": f"text\n\n— name {b64encode(bytes(8)).decode()[:-2]}B=\n",
    "base64 with a letter that is none": f"text\n\n— name {b64encode(bytes(69)).decode()[:-1]}*\n",
    "an id without signature": f"text\n\n— name {b64encode(bytes(4)).decode()}\n",
    "a carriage return": SIGNED.replace("\n", "\r\n"),
    "a control character": f"te\x07xt\n\n{LINE}\n",
    "a tabulator": f"te\txt\n\n{LINE}\n",
    "half a character": f"te\ud800xt\n\n{LINE}\n",
    "bytes that are no UTF-8": b"te\xffxt\n\n" + LINE.encode() + b"\n",
    "more than a megabyte": f"{'x' * 1_000_000}\n\n{LINE}\n",
    "more than a hundred signatures": "text\n\n" + f"{LINE}\n" * 101,
}


@pytest.mark.parametrize("text", NO_NOTES.values(), ids=NO_NOTES)
def test_what_is_no_note_is_refused(text):
    with pytest.raises(NoteError):
        Note.parse(text)


def test_a_note_that_could_not_be_read_is_neither_signed_nor_written():
    for text in ("no line break", "a\tb\n", "a\rb\n", "\ud800\n", ""):
        with pytest.raises(NoteError):
            LOG.sign(text)
        with pytest.raises(NoteError):
            Note(text, head_note().signatures).encoded()
    with pytest.raises(NoteError, match="nobody has signed"):
        Note("text\n").encoded()


ROOT = b64encode(HEAD.root).decode()
NO_CHECKPOINTS = {
    "two lines": "log\n5\n",
    "no last line break": f"log\n5\n{ROOT}",
    "an empty origin": f"\n5\n{ROOT}\n",
    "an empty extension": f"log\n5\n{ROOT}\n\n",
    "a zero before the size": f"log\n05\n{ROOT}\n",
    "a sign before the size": f"log\n+5\n{ROOT}\n",
    "a size below zero": f"log\n-5\n{ROOT}\n",
    "digits of another script": f"log\n\u0665\n{ROOT}\n",
    "a space after the size": f"log\n5 \n{ROOT}\n",
    "a size of 2^63": f"log\n{1 << 63}\n{ROOT}\n",
    "a size of a million digits": f"log\n{'9' * 1_000_000}\n{ROOT}\n",
    "a short root": f"log\n5\n{b64encode(bytes(31)).decode()}\n",
    "a root in hexadecimal": f"log\n5\n{HEAD.root.hex()}\n",
    "a root that is no base64": f"log\n5\n{ROOT[:-1]}\n",
}


@pytest.mark.parametrize("text", NO_CHECKPOINTS.values(), ids=NO_CHECKPOINTS)
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


def test_extension_lines_are_passed_over_but_stay_signed():
    text = f"{HEAD.text()}anything\nelse\n"
    assert Checkpoint.parse(text) == HEAD
    note = Note(text, (LOG.sign(text),))
    assert note.signed_by(LOG.verifier)
    assert not Note(HEAD.text(), note.signatures).signed_by(LOG.verifier)


NO_KEYS = {
    "nothing": "",
    "one part": "name",
    "two parts": "name+530d903a",
    "another name": SPEC_KEY.replace("foo", "fop"),
    "another id": SPEC_KEY.replace("530d903a", "530d903b"),
    "an id in capitals": SPEC_KEY.replace("530d903a", "530D903A"),
    "another key": SPEC_KEY.replace("Aeky", "Aekz"),
    "a key cut short": SPEC_KEY[:-4],
    "no key": "name+00000000+",
    "a space": SPEC_KEY.replace("example", "exam ple"),
    "a line break": SPEC_KEY + "\n",
    "a kind nobody reads here": f"name+00000000+{b64encode(bytes([2]) + bytes(32)).decode()}",
}


@pytest.mark.parametrize("vkey", NO_KEYS.values(), ids=NO_KEYS)
def test_what_is_no_verifier_key_is_refused(vkey):
    with pytest.raises(NoteError):
        Verifier.parse(vkey)


def policy(*lines: str) -> Policy:
    keys = {
        "LOG": LOG.verifier.vkey(),
        "P": PROVINCE.verifier.vkey(),
        "O": OFFICE.verifier.vkey(),
        "A": ARCHIVE.verifier.vkey(),
    }
    return Policy.parse("".join(" ".join(keys.get(word, word) for word in line.split(" ")) + "\n" for line in lines))


FULL = (
    "# whom we trust", "", "log LOG", "  witness\tprovince P https://province.example/", "witness office O",
    "witness archive A", "group state any province office", "group both all state archive", "quorum both",
)  # fmt: skip


def test_a_head_is_believed_once_the_quorum_of_witnesses_has_cosigned_it():
    trusted = policy(*FULL)
    assert trusted.log == LOG.verifier
    assert trusted.accept(head_note(OFFICE, ARCHIVE)) == HEAD
    assert trusted.cosigners(head_note(PROVINCE, ARCHIVE)) == ("province", "archive")
    assert not trusted.is_quorum(["province", "office", "state", "both"])
    for too_few in ((), (PROVINCE,), (PROVINCE, OFFICE), (ARCHIVE,)):
        with pytest.raises(NoteError, match="the quorum 'both' is not met"):
            trusted.accept(head_note(*too_few))


def test_two_of_three_is_a_quorum_too_and_none_needs_nobody():
    two = policy("log LOG", "witness p P", "witness o O", "witness a A", "group g 2 p o a", "quorum g")
    assert two.accept(head_note(PROVINCE, ARCHIVE)) == HEAD
    with pytest.raises(NoteError, match="cosigned by o"):
        two.accept(head_note(OFFICE))
    assert policy("log LOG", "quorum none").accept(head_note()) == HEAD
    one = policy("log LOG", "witness p P", "quorum p")
    assert one.accept(head_note(PROVINCE)) == HEAD


def test_a_head_of_another_log_or_in_another_name_is_not_believed():
    trusted = policy("log LOG", "quorum none")
    other = signer("xueji/other")
    foreign = Checkpoint("xueji/other", 5, HEAD.root).text()
    for note in (
        Note(foreign, (other.sign(foreign),)),
        Note(foreign, (LOG.sign(foreign),)),
        Note(HEAD.text(), (other.sign(HEAD.text()),)),
        Note(HEAD.text(), (LOG.sign(foreign),)),
    ):
        with pytest.raises(NoteError, match="not signed by a log of the policy"):
            trusted.accept(note)


REFUSED = {
    "no quorum line": (["log LOG"], "no quorum line"),
    "no log": (["quorum none"], "no log line"),
    "a second quorum": (["log LOG", "quorum none", "quorum none"], "line 3: a second quorum"),
    "a quorum of nobody known": (["log LOG", "witness office O", "quorum ofice"], "line 3: .*Did you mean 'office'"),
    "a witness after its group": (["log LOG", "group g any p", "witness p P", "quorum g"], "line 2: neither witness"),
    "a group of itself": (["log LOG", "group g any g", "quorum none"], "line 2: neither witness"),
    "a group of none": (["log LOG", "group g any none", "quorum none"], "line 2: neither witness"),
    "a group without members": (["log LOG", "group g any", "quorum none"], "line 2: not understood"),
    "a member twice": (["log LOG", "witness p P", "group g 1 p p", "quorum g"], "line 3: p is already the member"),
    "a member of two groups": (
        ["log LOG", "witness p P", "witness o O", "group g any p", "group h all p o", "quorum h"],
        "line 5: p is already",
    ),
    "more than all": (["log LOG", "witness p P", "group g 2 p", "quorum g"], "line 3: a group of 1 needs"),
    "less than one": (["log LOG", "witness p P", "group g 0 p", "quorum g"], "line 3: a group of 1 needs"),
    "a number that is none": (["log LOG", "witness p P", "group g 1.0 p", "quorum g"], "line 3: a group of 1 needs"),
    "a name twice": (["log LOG", "witness p P", "witness p O", "quorum p"], "line 3: the name p is taken"),
    "the name none": (["log LOG", "witness none P", "quorum none"], "line 2: the name none is taken"),
    "a log twice": (["log LOG", "log LOG", "quorum none"], "line 2: .*listed twice"),
    "a witness twice": (["log LOG", "witness p P", "witness q P", "quorum p"], "line 3: .*listed twice"),
    "a witness for a log": (["log P", "quorum none"], "line 1: .*of kind 4"),
    "a log for a witness": (["log LOG", "witness p LOG", "quorum p"], "line 2: .*of kind 1"),
    "a key that is none": (["log key", "quorum none"], "line 1: not a verifier key"),
    "a word nobody knows": (["log LOG", "trust LOG", "quorum none"], "line 2: not understood"),
    "a carriage return": (["log LOG", "quorum none\r"], "line 2: a control character"),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "why"), REFUSED.values(), ids=REFUSED)
def test_a_policy_that_trusts_nobody_in_particular_is_refused(lines, why):
    with pytest.raises(NoteError, match=why):
        policy(*lines)


def test_all_faults_of_a_policy_are_told_at_once():
    with pytest.raises(NoteError) as told:
        policy("log key", "trust LOG", "group g any w")
    assert [told.value.sentence.count(one) for one in ("line 1", "line 2", "line 3", "no quorum line")] == [1, 1, 1, 1]
