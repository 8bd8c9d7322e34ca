"""How the machinery stands: what tells people, what seals, where it is kept; each in one sentence, with what to do."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import make_url

from console.backup_folders import newest
from console.message_view import left_out, texts_of
from console.web import lettering
from console.web.visit import Visit
from console.worker import LEASE
from engine.store import leases, leaves, mails, proposals
from engine.store.administration import Standing, standing

_SEAL_WITHIN = timedelta(minutes=15)
"""What was written is sealed every minute as the settings stand; after a quarter of an hour something is amiss."""
_SEND_WITHIN = timedelta(hours=1)
_GIB = 2**30
_LITTLE, _HARDLY = 10 * _GIB, _GIB
"""Bytes free on the disk below which somebody has to look, or work will soon stop."""


class Health(StrEnum):
    """How a part is: nothing to do, somebody has to look, it does not do its work."""

    FINE = "fine"
    LOOK = "look"
    FAULT = "fault"


class Part(NamedTuple):
    """One part of the machinery: its name, how it is, that in one sentence, and what to do; empty where nothing is."""

    name: str
    health: Health
    sentence: str
    remedy: str = ""


def parts(visit: Visit) -> tuple[Part, ...]:
    """Every part, in the order in which things are missed when they stop."""
    stands = standing(visit.desk.connection)
    counted = mails.counts(visit.desk.connection)
    unsealed = leaves.count_unsealed_after(visit.desk.connection, stands.low)
    return (
        _scheduler(visit, stands),
        _sealer(visit, stands, unsealed),
        _database(visit, stands),
        _backup(visit, stands.leaves + unsealed),
        _mailer(visit, stands, counted),
        _templates(visit),
    )


def _scheduler(visit: Visit, stands: Standing) -> Part:
    connection, name, remedy = visit.desk.connection, visit.say("调度"), visit.say("启动 xueji work，或看它的日志。")
    held = leases.leader(connection, LEASE)
    if stands.worked_at is None:
        return Part(name, Health.FAULT, visit.say("从未运行，期限不会提醒。"), remedy)
    last = lettering.short_moment(stands.worked_at, visit.lang, visit.at)
    if held is None or held.until <= visit.at:
        said = visit.say("没有进程在运行；最近一轮 {when}。", when=last)
        return Part(name, Health.FAULT, said, remedy)
    return Part(name, Health.FINE, visit.say("{holder} 在运行；最近一轮 {when}。", holder=held.holder, when=last))


def _sealer(visit: Visit, stands: Standing, count: int) -> Part:
    name, remedy = visit.say("封存"), visit.say("运行 xueji audit status，看封存密钥和 xueji work 的日志。")
    unsealed = lettering.number(count)
    if stands.signed_at is None:
        said = visit.say("从未封存，未封 {n} 个事件。", n=unsealed)
        return Part(name, Health.LOOK, said, visit.say("先运行 xueji audit key 建立封存密钥。"))
    when = lettering.short_moment(stands.signed_at, visit.lang, visit.at)
    said = visit.say(
        "封存到第 {size} 个事件（{when}），未封 {n}。", size=lettering.number(stands.sealed), when=when, n=unsealed
    )
    is_late = unsealed != "0" and visit.at - stands.signed_at > _SEAL_WITHIN
    return Part(name, Health.LOOK, said, remedy) if is_late else Part(name, Health.FINE, said)


def _database(visit: Visit, stands: Standing) -> Part:
    name = visit.say("数据库")
    size = f"{stands.size / 2**20:,.1f} MB"
    url = make_url(visit.house.settings.database)
    if url.get_backend_name() != "sqlite" or not url.database:
        said = visit.say("{version}，{size}；磁盘余量请在数据库服务器上看。", version=stands.version, size=size)
        return Part(name, Health.FINE, said)
    free = shutil.disk_usage(Path(url.database).resolve().parent).free
    said = visit.say(
        "{version}，{size}，磁盘剩余 {free} GB。", version=stands.version, size=size, free=f"{free / _GIB:,.1f}"
    )
    if free >= _LITTLE:
        return Part(name, Health.FINE, said)
    return Part(name, Health.FAULT if free < _HARDLY else Health.LOOK, said, visit.say("清理或扩大数据库所在的磁盘。"))


def _backup(visit: Visit, events: int) -> Part:
    """The last backup that was read back and replayed, and how many of the events of now it holds."""
    name, settings = visit.say("备份"), visit.house.settings
    if settings.backups is None:
        said = visit.say("没有设置备份目录，不知道有没有备份。")
        return Part(name, Health.LOOK, said, visit.say("设置 XUEJI_BACKUPS，并启用每晚的备份（xueji-backup.timer）。"))
    remedy = visit.say("看 xueji-backup 的日志，再运行 xueji backup。")
    kept = newest(settings, visit.office.log)
    if kept is None:
        return Part(name, Health.FAULT, visit.say("备份目录里没有核对过的备份。"), remedy)
    held, now = lettering.number(kept.events), lettering.number(events)
    said = visit.say(
        "{when} 备份并核对过，含 {n} 个事件，现有 {m} 个。", when=kept.when(visit.lang, visit.at), n=held, m=now
    )
    if kept.is_late(visit.at):
        return Part(name, Health.LOOK, said, remedy)
    return Part(name, Health.FINE, said)


def _mailer(visit: Visit, stands: Standing, counted: Mapping[str, int]) -> Part:
    name = visit.say("邮件")
    shown = {state: lettering.number(counted.get(state, 0)) for state in mails.STATES}
    said = visit.say(
        "待发 {waiting}，已送达 {accepted}，失败 {failed}，不明 {unknown}。",
        waiting=shown["waiting"], accepted=shown["accepted"], failed=shown["failed"], unknown=shown["unknown"],
    )  # fmt: skip
    if stands.waiting_since is not None and visit.at - stands.waiting_since > _SEND_WITHIN:
        return Part(name, Health.FAULT, said, visit.say("有邮件到点一小时仍未发出：看 xueji work 和邮件服务器。"))
    if any(counted.get(state) for state in mails.OPEN_QUESTIONS):
        return Part(name, Health.LOOK, said, visit.say("到发件箱逐封处理失败和不明的邮件。"))
    return Part(name, Health.FINE, said)


def _templates(visit: Visit) -> Part:
    """Approved templates that cannot be used any more, each by name; mails go on with those installed."""
    name = visit.say("邮件模板")
    approved = texts_of(proposals.templates_in_force(visit.desk.connection, visit.today))
    broken = sorted({one.file for one in left_out(visit.house.settings.messages, approved)})
    if not broken:
        many = sum(bool(text) for text in approved.values())
        fine = visit.say("由两人发布的 {n} 个，都能使用。", n=many) if many else visit.say("用的都是安装的文字。")
        return Part(name, Health.FINE, fine)
    said = visit.say("不能使用：{names}；邮件按安装的文字发出。", names=visit.say("、").join(broken))
    return Part(name, Health.LOOK, said, visit.say("在模板页改好再提交，或提交用回安装的文字。"))
