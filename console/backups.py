"""`xueji backup` and `xueji restore`: a copy that has been read back before it is called one.

A backup is a folder: the database as of one moment, the published checkpoint, and a manifest with every hash. Keys are
not in it: who steals a backup must not be able to continue the log. Both commands replay every event before they say
that all is well (requirements.md S001-I-8.4: the archive must stand up years later).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from console import databases
from console.backup_folders import MANIFEST, PART, BackupRefused, Manifest, kept_in, remove
from console.calling import Caller, Sitting
from console.durable import put, put_folder
from console.printing import line, note, progress
from console.settings import Settings
from console.wiring import Office, office
from engine.expressions.kinds import SHANGHAI
from engine.replay import Divergence, Replayed, replay_range
from engine.store import leaves, registry
from engine.store.database import Connection, open_engine
from engine.store.trail import spans
from engine.trail.event import moment
from engine.trail.notes import Checkpoint, Note, NoteError

_CHECKPOINT = "checkpoint"
_PIECE = 1 << 20


def backup(caller: Caller, folder: Path) -> int:
    """Copy the database while it is worked on, read the copy back, and only then give it its name.

    Raises:
        BackupRefused: If the folder is there already, or the copy does not add up.
    """
    with caller.sitting() as sitting:
        _make(caller.settings, sitting, folder)
    return 0


def backup_next(caller: Caller, keep: int | None, *, dry_run: bool) -> int:
    """Make the next backup in the folder of backups; once it is verified, the oldest beyond `keep` go.

    Args:
        caller: Who calls; its settings name the folder.
        keep: How many whole ones there are afterwards, the new one among them; None: none is removed.
        dry_run: Only say what would be made, and which would go.

    Raises:
        BackupRefused: If no folder is set, it cannot be read, one of this minute is there, or the copy does not add up.
    """
    home = caller.settings.backups
    if home is None:
        message = (
            "没有说备份放在哪里：写明目录，或设置 XUEJI_BACKUPS。"
            " Where backups are kept is not said: name a folder, or set XUEJI_BACKUPS."
        )
        raise BackupRefused(message)
    with caller.sitting() as sitting:
        folder = home / f"{sitting.at.astimezone(SHANGHAI):%Y-%m-%d-%H%M}"
        if dry_run:
            line(f"将备份到 would be made：{folder}")
        else:
            _make(caller.settings, sitting, folder)
        if keep is not None:
            _thin_out(folder, sitting.office.log, keep, dry_run=dry_run)
    return 0


def _thin_out(made: Path, log: str, keep: int, *, dry_run: bool) -> None:
    """Remove the oldest whole ones until so many are left, `made` among them whatever the clocks said then.

    What is no whole backup, or another log's, is left alone.

    Raises:
        BackupRefused: If the folder cannot be read; none is removed.
    """
    try:
        others = [one for one in kept_in(made.parent, log) if one.folder != made]
    except FileNotFoundError:
        others = []
    except OSError as problem:
        message = (
            f"不能读取备份目录 {made.parent}，旧备份一个也没有删除。"
            f" The folder of backups {made.parent} cannot be read; no older backup was removed."
        )
        raise BackupRefused(message) from problem
    for one in reversed(others[keep - 1 :]):
        if not dry_run:
            remove(one)
        line(f"{'将删除 would go' if dry_run else '已删除旧备份 removed'}：{one.folder}")


def _make(settings: Settings, sitting: Sitting, folder: Path) -> None:
    if folder.exists():
        message = (
            f"{folder} 已存在；每次备份用新的目录。{folder} is there already; give each backup a folder of its own."
        )
        raise BackupRefused(message)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part_of = TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}{PART}", ignore_cleanup_errors=True)
    with part_of as part:
        made = _write(sitting.office, settings, Path(part), moment(sitting.at))
        replayed = _read_back(settings, Path(part), made)
        put(Path(part) / MANIFEST, made.written(), 0o600)
        put_folder(Path(part), folder)
    line(f"{folder}：事件 events {made.events:,}，封存至 sealed to {made.sealed:,}；已读回重放 read back, replayed")
    line(f"办件 cases {replayed.cases:,}，不一致 diverged {len(replayed.diverged)}", style="green")
    for path in _keys(settings):
        note(f"密钥不在备份内，请另行保管 not in the backup, keep it elsewhere：{path.name}")


def restore(caller: Caller, folder: Path, *, accept_loss: bool) -> int:
    """Put a backup in the place of a database that is not there; checked whole before and after.

    Raises:
        BackupRefused: If the backup is damaged, the place is taken, or what has been published shows that later events
            would be lost and nobody accepted that.
    """
    made = Manifest.read(folder)
    _refuse_damage(folder, made)
    databases.refuse_taken(caller.settings.database)
    lost = _sealed_elsewhere(caller.settings, made.log) - made.sealed
    if lost > 0 and not accept_loss:
        message = (
            f"已公布的封存头比备份多 {lost:,} 条事件，恢复后它们会丢失；先找更新的备份。确要如此请加 --accept-loss。"
            f" What was published holds {lost:,} events more than this backup; they would be lost."
            " Look for a newer one, or say --accept-loss."
        )
        raise BackupRefused(message)
    with databases.put_in_place(folder, made.kind, caller.settings.database, _quieten) as url:
        replayed = _replayed(replace_database(caller.settings, url), made)
    line(
        f"已恢复 restored：{caller.settings.address}，事件 events {made.events:,}，办件 cases {replayed.cases:,}",
        style="green",
    )
    line(f"备份时间 made at {made.made_at}；此后的事件不在其中 what came later is not in it")
    note("所有人须重新登录；备份时尚未发出的邮件记为“不明”，请在 xueji mail 中逐一确认。")
    note("Everybody signs in anew; mails not yet sent at the backup are 'unknown': decide on them in 'xueji mail'.")
    if lost > 0:
        note(f"丢失 {lost:,} 条已封存事件：封存会拒绝继续，见 docs/sealing.md。Sealing will refuse to go on.")
    return 0


def replace_database(settings: Settings, url: str) -> Settings:
    """The same settings and keys with another database."""
    return settings.model_copy(update={"database": url, "key": settings.key_file})


def _write(opened: Office, settings: Settings, part: Path, made_at: str) -> Manifest:
    """The copy, and what is to be said of it once it was read back."""
    connection = opened.desk.connection
    kind, file = databases.dump(connection, settings.database, part)
    if settings.checkpoint_file.exists():
        shutil.copy(settings.checkpoint_file, part / _CHECKPOINT)
    with databases.opened(part, kind, settings.database) as url:
        copied = _facts_of(url)
    names = [file.name, *([_CHECKPOINT] if (part / _CHECKPOINT).exists() else [])]
    return replace(
        copied, made_at=made_at, kind=kind, log=opened.log, files={name: _sha256(part / name) for name in names}
    )


def _facts_of(url: str) -> Manifest:
    """What a copy holds, counted in the copy."""
    engine = open_engine(url)
    try:
        connection = Connection(engine)
        try:
            events = int(connection.execute("SELECT count(*) FROM event").fetchall()[0][0])
            head, sealed = registry.registry_head(connection).seq, leaves.size(connection)
        finally:
            connection.close()
    finally:
        engine.dispose()
    return Manifest(
        xueji=version("xueji"), made_at="", kind="", log="", events=events, registry=head, sealed=sealed, files={}
    )


def _read_back(settings: Settings, part: Path, made: Manifest) -> Replayed:
    with databases.opened(part, made.kind, settings.database) as url:
        return _replayed(replace_database(settings, url), made)


def _replayed(settings: Settings, made: Manifest) -> Replayed:
    """Every event of a copy read, every hash and MAC checked, every row compared.

    Raises:
        BackupRefused: If anything does not add up, or it is another log or holds another number of events.
    """
    with office(settings) as opened:
        if opened.log != made.log:
            raise BackupRefused(_WRONG_LOG.format(made.log, opened.log))
        replayed = Replayed(cases=0, events=0)
        parts = spans(opened.desk.connection, 16)
        with progress(len(parts), "重放核对 replaying") as advance:
            for span in parts:
                replayed += replay_range(opened.desk.connection, opened.log, opened.key, span)
                advance(1)
    if replayed.diverged or replayed.events != made.events:
        raise BackupRefused(_does_not_add_up(replayed.diverged, replayed.events, made.events))
    return replayed


_WRONG_LOG = "日志名不符：应为 {0}，实为 {1}。Another log: {0} was expected, this is {1}."


def _does_not_add_up(diverged: Sequence[Divergence], found: int, told: int) -> str:
    if not diverged:
        return f"事件数不符：应有 {told:,}，实有 {found:,}。{told:,} events were expected, there are {found:,}."
    first = diverged[0]
    return (
        f"备份与其日志不一致，共 {len(diverged)} 处，首处 {first.chain} 第 {first.seq} 条：{first.why}。"
        f" It does not agree with its own log in {len(diverged)} places; first {first.chain}, event {first.seq}."
    )


def _refuse_damage(folder: Path, made: Manifest) -> None:
    for name, expected in made.files.items():
        path = folder / name
        if not path.is_file():
            message = f"备份缺少文件 {name}。The file {name} of the backup is missing."
        elif _sha256(path) != expected:
            message = f"备份中的 {name} 已损坏：校验值不符。{name} is damaged: its SHA-256 is not the manifest's."
        else:
            continue
        raise BackupRefused(message)


def _sealed_elsewhere(settings: Settings, log: str) -> int:
    """How many events stand under the newest head of this log that was published or signed here; 0 for none."""
    beside = settings.seal_key_file.with_name(f"{settings.seal_key_file.name}.head")
    sizes = [0]
    for path in (settings.checkpoint_file, beside):
        try:
            head = Checkpoint.parse(Note.parse(path.read_bytes()).text)
        except (OSError, NoteError):
            continue
        if head.origin == log:
            sizes.append(head.size)
    return max(sizes)


def _quieten(url: str) -> None:
    """Nobody is signed in, nothing typed waits to be sent again, and no mail of before leaves by itself.

    It may have left already (nobody is told twice).
    """
    engine = open_engine(url)
    try:
        connection = Connection(engine)
        try:
            with connection.writing():
                connection.execute("DELETE FROM session")
                connection.execute("DELETE FROM kept_form")
                connection.execute(
                    "UPDATE mail SET state = 'unknown', answer = 'restored' WHERE state IN (?, ?, ?)",
                    ("waiting", "claimed", "handing_over"),
                )
        finally:
            connection.close()
    finally:
        engine.dispose()


def _keys(settings: Settings) -> Iterator[Path]:
    seal = settings.seal_key_file
    for path in (settings.key_file, seal, seal.with_name(f"{seal.name}.head")):
        if path.exists():
            yield path


def _sha256(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.hexdigest()
