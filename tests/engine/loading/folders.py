"""A small folder of definitions that is in order, and a way to spoil it."""

from pathlib import Path

CLEAN = {
    "rules/rulebook.yaml": """\
title: {zh: 规则, en: Rules}
effective_from: 2024-01-01
""",
    "rules/vocabulary.yaml": """\
groups:
  money: {title: {zh: 费用, en: Money}, guards: [on-roll]}
choices:
  level: {本科: {en: Bachelor}, 专科: {en: Junior college}}
student:
  name: {type: text, privacy: personal, title: {zh: 姓名, en: Name}}
  level: {type: choice level, title: {zh: 层次, en: Level}}
  fee_owed: {type: money, group: money, title: {zh: 欠费, en: Fees owed}}
  born_on: {type: date, title: {zh: 出生日期, en: Date of birth}}
batch:
  class:
    pairs: {type: set of number and choice level, title: {zh: 范围, en: Pairs}}
    opens_on: {type: date, title: {zh: 开始, en: Opens}}
    closes_on: {type: date, title: {zh: 结束, en: Closes}}
    last_at: {type: moment, title: {zh: 末次, en: Last}}
    check: [opens_on <= closes_on]
""",
    "rules/organisation.yaml": """\
units:
  school: {title: {zh: 学校, en: School}}
  class: {title: {zh: 班级, en: Class}, in: school}
roles:
  clerk: {title: {zh: 经办, en: Clerk}, held_at: [class, school]}
  head: {title: {zh: 主任, en: Head}, held_at: school}
  teacher: {title: {zh: 班主任, en: Teacher}, held_at: class}
profiles:
  college: {title: {zh: 学院, en: College}}
""",
    "rules/engine.yaml": """\
one-by-one:
  id: X-1
  title: {zh: 逐一, en: One by one}
  otherwise: {zh: 须逐一办理, en: One at a time}
  source: S-1
""",
    "rules/documents.yaml": """\
F-01: {title: {zh: 申请表, en: Form}, file: [pdf], rules: [small-file]}
""",
    "rules/conditions.yaml": """\
paid:
  id: G-1
  title: {zh: 已缴费, en: Paid}
  let: {limit: 0}
  holds: fee_owed <= limit
  otherwise: {zh: "尚欠{fee_owed}", en: "{fee_owed} owed"}
  remedy: {by: student, zh: 缴费, en: pay}
  source: S-1
on-roll:
  id: G-2
  title: {zh: 在籍, en: On roll}
  holds: record.state == 'enrolled'
  otherwise: {zh: "{record.state}", en: "{record.state}"}
  source: S-1
small-file:
  id: G-3
  of: file
  title: {zh: 文件大小, en: Size}
  holds: file.bytes <= 1000
  otherwise: {zh: 文件过大, en: Too big}
  source: S-1
ready: {all_of: [paid, on-roll]}
""",
    "workflows/record.yaml": """\
workflow: record
procedure: W-1
title: {zh: 学籍, en: Record}
version: 1
effective_from: 2024-01-01
profile: college
about: [student]
record: true
fields:
  remark: {type: text, title: {zh: 备注, en: Remark}}
states:
  enrolled: {title: {zh: 在籍, en: Enrolled}, rests: true}
  left: {title: {zh: 离校, en: Left}, final: true}
transitions:
  open: {title: {zh: 建立, en: Open}, from: new, to: enrolled, by: clerk}
  note: {title: {zh: 备注, en: Note}, from: enrolled, by: effect, asks: [remark]}
  leave: {title: {zh: 离校, en: Leave}, from: enrolled, to: left, by: clerk}
""",
    "workflows/trip.yaml": """\
workflow: trip
procedure: W-3
title: {zh: 外出, en: Trip}
version: 1
effective_from: 2024-01-01
profile: college
about: [student, case.place]
fields:
  place: {type: text, title: {zh: 地点, en: Place}}
states:
  away: {title: {zh: 外出, en: Away}}
  back: {title: {zh: 返校, en: Back}, final: true}
transitions:
  start: {title: {zh: 外出, en: Start}, from: new, to: away, by: effect}
  return: {title: {zh: 返校, en: Return}, from: away, to: back, by: clerk}
""",
    "workflows/leave.yaml": """\
workflow: leave
procedure: W-2
title: {zh: 请假, en: Leave}
version: 1
effective_from: 2024-01-01
profile: college
about: [student]
fields:
  days: {type: number, title: {zh: 天数, en: Days}}
  part: {type: choice level, title: {zh: 部分, en: Part}}
states:
  asked: {title: {zh: 已申请, en: Asked}}
  granted: {title: {zh: 已批准, en: Granted}, final: true}
transitions:
  ask:
    title: {zh: 申请, en: Ask}
    from: new
    to: asked
    by: clerk
    on_behalf_of: student
    asks: [days]
    guards: [ready]
  grant:
    title: {zh: 批准, en: Grant}
    from: asked
    to: granted
    by: head
    needs: [F-01]
    then:
      - {fire: record.note, with: {remark: "'请假'"}}
      - {open: trip.start, with: {place: "'外地'"}}
  back: {title: {zh: 退回, en: Send back}, from: asked, to: asked, kind: return, by: head}
deadlines:
  D-1: {title: {zh: 期限, en: Due}, while: asked, settled: paid, due: "days_after(case.opened_on, 5)"}
rounds: 3
lists:
  sheet:
    title: {zh: 名单, en: Sheet}
    about: [school]
    members: {of: leave, where: it.state == 'asked'}
    states:
      open: {title: {zh: 汇总, en: Open}}
      closed: {title: {zh: 定稿, en: Closed}, frozen: true}
      sent: {title: {zh: 已报, en: Sent}, frozen: true, final: true}
    transitions:
      start: {title: {zh: 建立, en: Start}, from: new, to: open, by: members}
      close: {title: {zh: 定稿, en: Close}, from: open, to: closed, by: clerk}
      send: {title: {zh: 报送, en: Send}, from: closed, to: sent, sign: {against: reopen, slots: {head: {role: head}}}}
      reopen: {title: {zh: 退回, en: Reopen}, from: closed, to: open, kind: return, by: head}
""",
    "workflows/batches/2024.yaml": """\
batch: 2024
kind: class
title: {zh: 2024届, en: Class of 2024}
profile: college
pairs: [[2020, 本科], [2021, 专科]]
opens_on: 2024-03-01
closes_on: 2024-05-13
last_at: 2024-05-13T17:40
""",
}


def clean_folder(folder: Path) -> Path:
    """Write the folder that is in order."""
    for name, text in CLEAN.items():
        write(folder, name, text)
    return folder


def write(folder: Path, name: str, text: str) -> None:
    """Write one file of a folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def spoil(folder: Path, name: str, old: str, new: str) -> None:
    """Replace a piece of a file that is known to be there once."""
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
    write(folder, name, text.replace(old, new))
