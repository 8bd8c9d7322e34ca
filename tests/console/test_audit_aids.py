"""Aids for auditors by command: what they draw, find, note, read and take out is in the trail."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from console.settings import Settings
from console.wiring import office
from tests.console.counter import NUMBERS, READY, Counter

BATCH = ("--batch", "2024-06")
AS = ("--as", "shen")
SAID = "照片与底册不一致"


@pytest.fixture
def audited(counter: Counter) -> Counter:
    """Four students have applied, three at once; an auditor is there."""
    counter.done("user", "add", "shen", "--role", "auditor", "--unit", "SX")
    counter.xueji("move", "--all-eligible", "apply", "--as", "op", *BATCH)
    return counter


def registry(counter: Counter, kind: str) -> list[Mapping[str, Any]]:
    """The registry's events of a kind."""
    with office(Settings(database=counter.url)) as opened:
        rows = opened.desk.connection.execute("SELECT body FROM event WHERE chain = 0 ORDER BY seq").fetchall()
    events = [json.loads(bytes(row[0])) for row in rows]
    return [one for one in events if one["kind"] == kind]


def test_a_sample_is_drawn_again_by_its_seed_and_kept(audited: Counter) -> None:
    asked = ("audit", "sample", *BATCH, *AS, "--seed", "2024", "--size", "2", "--workflow", "diploma-registration")
    drawn, again = audited.document(*asked), audited.document(*asked)

    assert drawn == again
    assert (drawn["population"], len(drawn["cases"])) == (4, 2)
    by_hand = [
        number
        for stratum in drawn["strata"]
        for number in sorted(stratum["cases"], key=lambda one: sha256(f"2024:{one}".encode()).hexdigest())
    ]
    assert by_hand == drawn["cases"]
    kept = [one["data"] for one in registry(audited, "noted")]
    assert [one["cases"] for one in kept] == [drawn["cases"]] * 2
    assert kept[0]["population_sha256"] == drawn["population_sha256"]
    shown = audited.xueji(*asked)
    assert "sha256sum" in shown.stdout
    assert drawn["cases"][0] in shown.stdout


def test_a_seed_that_nobody_gave_is_made_and_told(audited: Counter) -> None:
    one, other = (audited.document("audit", "sample", *BATCH, *AS) for _ in range(2))

    assert len(one["seed"]) == 16
    assert one["seed"] != other["seed"]


def test_findings_are_told_with_cases_events_people_and_sentences(audited: Counter) -> None:
    early = "2024-05-18T06:00"
    assert audited.xueji("move", READY[0], "site_approve", "--as", "ap", now=early).exit_code in (0, 1)
    audited.xueji("move", "--all-eligible", "site_approve", "--as", "ap", *BATCH, now=early)

    found = audited.document("audit", "findings", *BATCH, *AS, code=1)["findings"]

    hours = [one for one in found if one["code"] == "out-of-hours"]
    assert [one["people"] for one in hours] == [["ap"]]
    assert "周六" in hours[0]["zh"]
    assert "Saturday" in hours[0]["en"]
    assert all(one["seqs"] for one in hours[0]["events"])
    assert audited.document("audit", "findings", *BATCH, "--only", "two-levels") == {"findings": []}
    [kept] = registry(audited, "exported")
    assert (kept["actor"], kept["data"]["trigger"], kept["data"]["counts"]) == (
        "shen", "audit:findings", {"findings": len(found)},
    )  # fmt: skip
    assert "非工作时间办理" in audited.xueji("audit", "findings", *BATCH).stdout


def test_bulk_is_found_from_the_limit_on(audited: Counter) -> None:
    audited.xueji("move", "--all-eligible", "site_approve", "--as", "ap", *BATCH)
    words = ("audit", "findings", *BATCH, "--only", "in-bulk")
    cases = len(audited.document(*words, "--bulk", "2", code=1)["findings"][0]["events"])

    assert cases >= 2
    assert audited.document(*words, "--bulk", str(cases), code=1)["findings"]
    assert audited.document(*words, "--bulk", str(cases + 1)) == {"findings": []}


def test_a_note_is_seen_in_the_papers_and_not_in_the_case(audited: Counter) -> None:
    before = audited.document("case", READY[0])
    audited.done("audit", "note", READY[0], *AS, "--text", SAID, "--conclude", "exception")
    audited.done("audit", "note", "--case", before["case"], *AS, "--text", SAID)
    audited.done("audit", "note", *BATCH, *AS, "--text", "抽样复核中", "--conclude", "open")

    assert audited.document("case", READY[0]) == before
    papers = audited.document("audit", "papers", *BATCH, *AS)["papers"]
    assert [(one["case"], one["conclusion"], one["text"]) for one in papers] == [
        (None, "open", "抽样复核中"), (before["case"], "exception", SAID), (before["case"], None, SAID),
    ]  # fmt: skip
    assert registry(audited, "exported")[-1]["data"] == {
        "trigger": "audit:papers", "batch": "2024-06", "counts": {"papers": 3}, "size": None,
    }  # fmt: skip
    assert SAID in audited.xueji("audit", "papers", *AS).stdout
    assert audited.document("replay", "--all")["diverged"] == []


def test_papers_become_a_pdf_whose_hash_is_kept_and_which_replaces_nothing(audited: Counter, tmp_path: Path) -> None:
    audited.done("audit", "note", READY[0], *AS, "--text", "]#panic(1)", "--conclude", "sound")
    audited.done("audit", "note", READY[1], *AS, "--text", SAID)
    pdf = tmp_path / "底稿.pdf"

    audited.done("audit", "papers", *AS, "--pdf", str(pdf))

    assert pdf.read_bytes().startswith(b"%PDF-")
    assert registry(audited, "exported")[-1]["data"]["sha256"] == {"pdf": sha256(pdf.read_bytes()).hexdigest()}
    assert audited.xueji("audit", "papers", *AS, "--pdf", str(pdf)).exit_code == 2
    assert len(registry(audited, "exported")) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("note", *AS, "--text", "x"), "STUDENT_NO"),
        (("note", READY[0], *BATCH, *AS, "--text", "x"), "STUDENT_NO"),
        (("note", READY[0], "--as", "op", "--text", "x"), "auditor"),
        (("note", READY[0], *AS, "--text", "x", "--conclude", "exceptional"), "exception"),
        (("note", "--case", "AAAAAAAA", *AS, "--text", "x"), "AAAAAAAA"),
        (("papers", "--as", "op"), "auditor"),
        (("papers", "--batch", "2024-07", *AS), "2024-06"),
        (("findings", "--only", "to-fast"), "too-fast"),
        (("findings", *BATCH, "--as", "op"), "auditor"),
        (("sample", *BATCH, *AS, "--confidence", "viele"), "95"),
        (("sample", *BATCH, "--as", "op"), "auditor"),
        (("report", *BATCH, *AS), "--pdf"),
    ],
)
def test_what_cannot_be_meant_is_named_and_nothing_is_written(
    audited: Counter, words: tuple[str, ...], said: str
) -> None:
    result = audited.xueji("audit", *words)

    assert result.exit_code == 2
    assert said in result.stderr
    assert registry(audited, "noted") == registry(audited, "exported") == []


def test_a_report_is_handed_out_once_the_trail_says_who_took_it(audited: Counter, tmp_path: Path) -> None:
    audited.done("audit", "sample", *BATCH, *AS, "--seed", "1", "--workflow", "diploma-registration")
    audited.done("audit", "note", READY[0], *AS, "--text", SAID, "--conclude", "exception")
    pdf, book = tmp_path / "报告.pdf", tmp_path / "报告.xlsx"

    audited.done("audit", "report", *BATCH, *AS, "--pdf", str(pdf), "--xlsx", str(book))

    assert pdf.read_bytes().startswith(b"%PDF-")
    [kept] = registry(audited, "exported")
    assert (kept["actor"], kept["role"], kept["unit"]) == ("shen", "auditor", "SX")
    assert kept["data"]["sha256"] == {
        "pdf": sha256(pdf.read_bytes()).hexdigest(), "xlsx": sha256(book.read_bytes()).hexdigest(),
    }  # fmt: skip
    again = audited.xueji("audit", "report", *BATCH, *AS, "--pdf", str(pdf))
    assert again.exit_code == 2
    assert len(registry(audited, "exported")) == 1


def test_a_report_says_where_cases_stand_what_was_refused_and_what_the_sample_said(audited: Counter) -> None:
    from console.audit_reporting import summary_of  # noqa: PLC0415 the module behind the command
    from console.calling import caller_of  # noqa: PLC0415 likewise
    from engine.auditing.found import Limits  # noqa: PLC0415 likewise

    assert audited.xueji("move", NUMBERS[0], "apply", "batch=2024-06", "--as", "op").exit_code == 1
    audited.done("audit", "sample", *BATCH, *AS, "--size", "4", "--workflow", "diploma-registration")
    for number, said in zip(READY, ("sound", "sound", "exception", "open"), strict=True):
        audited.done("audit", "note", number, *AS, "--text", SAID, "--conclude", said)

    with caller_of(audited.url, "2024-05-20").sitting() as sitting:
        summary = summary_of(sitting, "2024-06", "shen", Limits())

    record = summary.funnels[0]
    assert (record.workflow, [one.zh for one in record.states], sum(record.counts)) == (
        "diploma-registration", ["已提出毕业申请"], 4,
    )  # fmt: skip
    assert "G-GR-07" in {one.code for one in summary.refusals}
    counts = [sum(column) for column in zip(*(one[2:] for one in summary.read), strict=True)]
    assert counts == [4, 4, 2, 1, 1]
    assert [one.conclusion for one in summary.exceptions] == ["exception"]
    assert (summary.trail.size, summary.trail.note) == (None, None)
    assert summary.trail.events > summary.trail.events_of_batch > 0
