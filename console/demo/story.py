"""The story: twelve teaching points, one batch, from the notice of April to the registration of June."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from console import wiring
from console.calling import Misuse, Sitting
from console.demo import acts, evening, lists, school, telling
from console.demo.calendar import Calendar, begin, rungs_told
from console.demo.cast import FEWEST_STUDENTS, Cast, gather, mended_by, with_two_slips
from console.demo.sheets import (
    Files,
    faults_of_roster,
    take_in_facts,
    take_in_roster,
    write_fact_sheet,
    write_roster,
)  # fmt: skip
from console.demo.what_next import show_what_next
from console.judging import rule_titles
from console.printing import line
from console.settings import Settings
from console.wiring import Office
from engine.casework import find_case
from engine.eligibility import Eligibility, eligibility
from engine.publishing import change_batch, publish_batch
from engine.records import Refused
from engine.replay import Replayed, replay_range
from engine.store.cases import read_case
from engine.store.trail import spans
from engine.timeline import timeline as entries_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    """What every chapter needs: the office, the people, the files, the calendar."""

    office: Office
    cast: Cast
    files: Files
    calendar: Calendar

    def on(self, at: datetime) -> Sitting:
        """The office at one moment of the rehearsal, every morning up to then lived through."""
        self.calendar.go_to(at)
        return Sitting(office=self.office, at=at)


def run(*, students: int, seed: int, into: Path) -> int:
    """Tell the whole story in a folder; an earlier telling there is replaced.

    Args:
        students: How many take part, at least `FEWEST_STUDENTS`.
        seed: The same seed, the same people and the same totals.
        into: The folder, made if need be.

    Returns:
        0, or 1 if the replay at the end finds something that does not add up.

    Raises:
        Misuse: If there are too few students, or the folder holds somebody's own sheets.
    """
    started = time.perf_counter()
    files = Files(into=into)
    _refuse_what_cannot_be_told(students, files)
    files.start_afresh()
    cast = gather(students, seed)
    _head(students, seed)
    with _begun(files, cast) as story:
        _up_to_the_lists(story)
        evening.set_down(files, story.office.desk.connection)
        with evening.played_beside(files, cast) as playing:
            _review(story)
            _decide_above(story)
            _remind(story)
            _register(story)
            replayed = _look_back(story)
            with telling.timed() as said:
                playing.result()
                said.append(f"5月15日 17:31 的副本 that evening, kept apart：{evening.database_of(files).name}")
    show_what_next(files, cast, time.perf_counter() - started)
    return 1 if replayed.diverged else 0


def stage_evening(into: Path, students: int, seed: int = 1) -> Files:
    """Only the evening of 15 May (`console.demo.evening`), with half of the students at its teaching point."""
    files = Files(into=into)
    files.start_afresh()
    here = [site for site in school.SITES if site.code == evening.SITE]
    cast = gather(students, seed, (*here * 11, *school.SITES))
    with _begun(files, cast) as story:
        _up_to_the_lists(story)
        evening.set_down(files, story.office.desk.connection)
    evening.play(files, cast)
    return files


@contextmanager
def _begun(files: Files, cast: Cast) -> Iterator[_Story]:
    settings = Settings(database=files.url, channels=None)  # nobody in it has one, whoever is called the same
    wiring.create(settings, rehearsal=True, profile=school.PROFILE)
    with wiring.office(settings) as office:
        office.desk.connection.execute("PRAGMA synchronous = OFF")  # told again sooner than saved from a power cut
        yield _Story(office=office, cast=cast, files=files, calendar=begin(office, settings))


def _up_to_the_lists(story: _Story) -> None:
    """From the roster to the lists that every teaching point has submitted."""
    _publish_and_enrol(story)
    before = _take_in_what_is_known(story)
    _put_right(story, before)
    _apply(story)
    _submit(story)


def _refuse_what_cannot_be_told(students: int, files: Files) -> None:
    if students < FEWEST_STUDENTS:
        message = (
            f"演示至少需要 {FEWEST_STUDENTS} 名学生，现为 {students} 名。"
            f" The demonstration needs at least {FEWEST_STUDENTS} students, not {students}."
        )
        raise Misuse(message)
    if files.are_somebody_elses():
        names = "、".join(path.name for path in (files.database, *files.sheets))
        message = (
            f"{files.into} 中已有同名文件（{names}），但不是演示留下的演练库；请用 --into 另选目录。"
            f" {files.into} holds files of these names beside no rehearsal database: they may be yours."
            " Choose another --into."
        )
        raise Misuse(message)


def _head(students: int, seed: int) -> None:
    line()
    line("演练 REHEARSAL", style="bold reverse")
    line("学籍 xueji · 2024届6月毕业批次 the graduation batch of June 2024", style="bold")
    line(
        f"3 所分校 branches · {len(school.SITES)} 个教学点 teaching points · {students:,} 名学生 students"
        f" · 随机种子 seed {seed}"
    )
    line("人物、证件号、单位均为虚构 Nobody and nothing named here exists.", style="dim")


def _publish_and_enrol(story: _Story) -> None:
    sitting = story.on(school.PUBLISHED_AT)
    telling.chapter(1, sitting.at, "导入名册，发布批次", "The roster is read in, the batch published")
    desk = sitting.desk
    desk.publish(sitting.at, school.HEAD)
    school.add_school(desk)
    rows = [one.roster for one in story.cast.students]
    _hand_in_with_slips(story, sitting)
    with telling.timed() as said:
        write_roster(story.files.roster, rows)
        done = take_in_roster(sitting, story.files.roster, desk.actor(school.HEAD))
        school.add_people(desk, story.cast.short_staffed)
        said.append(f"更正后全部导入 all of them, corrected：建立学籍 records opened {done.opened:,}")
    _read_again(story, sitting)
    with telling.timed() as said:
        request = sitting.request("batch_publish", desk.actor(school.HEAD))
        published = publish_batch(desk, school.BATCH, request)
        said.append(f"批次 batch {school.BATCH} 已发布，建立资格审查 published, reviews opened {published.opened:,}")


def _hand_in_with_slips(story: _Story, sitting: Sitting) -> None:
    """A roster with two slips is refused whole, and every faulty cell is named."""
    with telling.timed() as said:
        write_roster(story.files.roster, with_two_slips(story.cast))
        faults = faults_of_roster(sitting, story.files.roster)
        said.append(
            f"{school.SITES[0].name}先报的名册有 {len(faults)} 处错误，整份退回 {len(faults)} faults, nothing taken"
        )
    telling.show_faults(faults)


def _read_again(story: _Story, sitting: Sitting) -> None:
    with telling.timed() as said:
        again = take_in_roster(sitting, story.files.roster, sitting.desk.actor(school.HEAD))
        said.append(f"再次导入同一名册 the same again：新建 opened {again.opened}，变更 changed {again.changed}")


def _take_in_what_is_known(story: _Story) -> tuple[Eligibility, ...]:
    sitting = story.on(school.FACTS_AT)
    telling.chapter(2, sitting.at, "导入学业与材料信息", "What is known of the students")
    with telling.timed() as said:
        write_fact_sheet(story.files.facts, [one.facts for one in story.cast.students])
        done = take_in_facts(sitting, story.files.facts, sitting.desk.actor(school.HEAD))
        said.append(f"{story.files.facts.name}：写入 written {done.changed:,}")
    return _judge(sitting)


def _judge(sitting: Sitting) -> tuple[Eligibility, ...]:
    with telling.timed() as said:
        request = sitting.request("eligibility", sitting.desk.actor(school.HEAD))
        answers = eligibility(sitting.desk, school.BATCH, request)
        eligible = sum(one.eligible for one in answers)
        said.append(
            f"资格审查 judged {len(answers):,}：符合 eligible {eligible:,}，其余 others {len(answers) - eligible:,}"
        )
    return answers


def _put_right(story: _Story, before: tuple[Eligibility, ...]) -> None:
    telling.chapter(3, school.MENDINGS_AT[0], "逐日提醒，补正", "Reminded day by day, things are put right")
    for part, at in enumerate(school.MENDINGS_AT, 1):
        with telling.timed() as said:
            written = _mend(story, at, part)
            said.append(f"{at.month}/{at.day} {story.files.mended.name}：写入 written {written:,}")
    sitting = story.on(school.MENDED_AT)
    after = _judge(sitting)
    telling.show_sites(sitting.desk, before, after)
    telling.show_rules(rule_titles(sitting.desk, school.BATCH), before, after)
    with telling.timed() as said:
        eligible = frozenset(one.student_no for one in after if one.eligible)
        done = lists.find_eligible(sitting, eligible)
        said.append(f"审查合格 find_eligible：{telling.counted(done)}")


def _mend(story: _Story, at: datetime, part: int) -> int:
    """Everybody is reminded up to a moment; then the sheet comes in with what has been put right by then."""
    sitting = story.on(at)
    with story.calendar.mending(at):
        write_fact_sheet(story.files.mended, mended_by(story.cast, part))
        return take_in_facts(sitting, story.files.mended, sitting.desk.actor(school.HEAD)).changed


def _apply(story: _Story) -> None:
    sitting = story.on(school.APPLIED_AT)
    telling.chapter(4, sitting.at, "提出毕业申请", "The teaching points apply")
    with telling.timed() as said:
        done = acts.apply_everywhere(sitting, apart_from=story.cast.late)
        said.append(f"申请 apply（12 名经办人 operators）：{telling.counted(done)}")
    record = find_case(sitting.desk, story.cast.several)
    refused = next(one for one in done.refused if one.case.id == record)
    line()
    telling.show_refusal(sitting.desk, story.cast.several, refused)


def _submit(story: _Story) -> None:
    sitting = story.on(school.REVIEWED_AT)
    telling.chapter(5, sitting.at, "教学点审批", "Review at the teaching points")
    with telling.timed() as said:
        rest, submitted = lists.find_the_rest(sitting), lists.submit_lists(sitting)
        said.append(f"审查不合格 not eligible {rest.moved}；名单签字盖章报送 lists signed and submitted {submitted}")


def _review(story: _Story) -> None:
    sitting = story.on(school.REVIEWED_AT)
    cast, site = story.cast, story.cast.short_staffed
    _one_winner(story, sitting)
    acts.return_once(sitting, cast.debtor, cast.site_of(cast.debtor))
    telling.say(f"退回修改 returned, and filed again：{cast.debtor}（见下 told below）")
    with telling.timed() as said:
        done = acts.approve_everywhere(acts.later(sitting, 360), apart_from=cast.late)
        said.append(f"同意 site_approve（12 名审批人 approvers）：{telling.counted(done)}")
    own = acts.file_own(acts.later(sitting, 480), cast.late, site)
    line()
    telling.say(f"{school.both_in_one(site)} 身兼经办与审批，想批自己报的申请 tries to approve what it filed itself")
    if isinstance(own, Refused):
        telling.show_refusal(sitting.desk, cast.late, own)


def _one_winner(story: _Story, sitting: Sitting) -> None:
    """Two people decide the same case at once; one of them is told."""
    stale = acts.decide_twice(sitting, story.cast.contested, story.cast.short_staffed)
    telling.say(f"两人同时审批 {story.cast.contested}，先者成，后者被告知 two decide at once; the second is told:")
    telling.say(str(stale), "yellow")


def _decide_above(story: _Story) -> None:
    sitting = story.on(school.ACCEPTED_AT)
    telling.chapter(6, sitting.at, "学籍科接收", "The records section accepts for the branches")
    with telling.timed() as said:
        done = acts.work_queue(sitting, school.ACCEPTING, "branch_approve")
        said.append(f"接收 branch_approve：{telling.counted(done)}")
    sitting = story.on(school.AUDITED_AT)
    telling.chapter(7, sitting.at, "省校审核", "The audit of the province")
    with telling.timed() as said:
        done = acts.work_queue(sitting, school.AUDITING, "provincial_audit")
        said.append(f"审核 provincial_audit（另一人记录 by another person）：{telling.counted(done)}")


def _remind(story: _Story) -> None:
    """What the calendar has brought by the evening of 20 May."""
    calendar = story.calendar
    calendar.go_to(school.LAST_MORNING_AT)
    telling.chapter(8, school.LAST_MORNING_AT, "提醒与补正汇总", "Who was reminded, and what was put right")
    desk = story.office.desk
    telling.show_rungs(
        desk.library.definition("graduation-eligibility-review", school.PROFILE), rungs_told(desk.connection)
    )
    telling.show_mended(calendar.mended)
    mails = f"{calendar.days} 个早晨 mornings，发出邮件 mails sent {calendar.sent:,}"
    telling.say(f"{mails}（{story.files.mail.name}/ 中的 .eml 文件 files）")
    silent = sum(not one.roster["email"] for one in story.cast.students)
    telling.say(f"未留邮箱的学生 students without an address：{silent:,}（xueji remind plan 会标出 marks them）")


def _register(story: _Story) -> None:
    sitting = Sitting(office=story.office, at=school.REGISTERED_AT)  # the mornings of June are left out
    telling.chapter(9, sitting.at, "学历注册", "The diplomas are registered")
    desk, head = sitting.desk, sitting.desk.actor(school.HEAD)
    day = school.REGISTERED_AT.date().isoformat()
    given = {"school_name": school.SCHOOL.name, "president": "示范校长", "graduation_on": day}
    change_batch(desk, school.BATCH, given, sitting.request("batch_set", head))
    with telling.timed() as said:
        passed = acts.students_waiting(sitting, school.REGISTERING, "register")
        write_fact_sheet(
            story.files.certificates, [one.certificate for one in story.cast.students if one.student_no in passed]
        )
        written = take_in_facts(sitting, story.files.certificates, head)
        said.append(f"{story.files.certificates.name}：证书信息 certificates {written.changed:,}")
    with telling.timed() as said:
        done = acts.work_queue(sitting, school.REGISTERING, "register")
        said.append(f"注册 register：{telling.counted(done)}")


def _look_back(story: _Story) -> Replayed:
    office, desk = story.office, story.office.desk
    telling.rule("回顾  Looking back", "bold cyan")
    found = read_case(desk.connection, find_case(desk, story.cast.debtor))
    if found is not None:
        telling.say(f"学号 student {story.cast.debtor}，由事件重放 read back from its events")
        telling.show_timeline(entries_of(desk, found), desk.definition(found.case.shape))
    telling.show_states(desk, desk.library.record(school.PROFILE))
    with telling.timed() as said:
        replayed = Replayed(cases=0, events=0)
        for span in spans(desk.connection, 1):
            replayed += replay_range(desk.connection, office.log, office.key, span)
        said.append(
            f"重放全部事件 every event replayed：{replayed.cases:,} 件 cases，{replayed.events:,} 个事件 events，"
            f"不一致 diverged {len(replayed.diverged)}"
        )
    telling.say("每条链的每个哈希与 MAC 都已核对 every link, hash and MAC of every chain was checked")
    return replayed
