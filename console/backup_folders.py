"""The folders of backups: what each says of itself, which is the newest, which may go; there is no other register.

Source: requirements.md S001-I-8.4, the archive must stand up years later.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from console.settings import Settings
from engine.errors import XuejiError
from engine.expressions.kinds import SHANGHAI

MANIFEST = "manifest.json"
PART = ".part-"
"""In the name of a folder while it is filled and read back; a process that was killed leaves it behind."""
WITHIN = timedelta(hours=26)
"""A night's backup is followed by the next within a day; two hours more for one that begins late and takes long."""


class BackupRefused(XuejiError):
    """A backup that is not whole, or a place it may not be put."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself: of which log, up to where, and the SHA-256 of each file in it."""

    format: int = 1
    xueji: str
    made_at: str
    kind: str
    log: str
    events: int
    registry: int
    sealed: int
    files: dict[str, str]

    def written(self) -> str:
        """As it stands in the folder."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a backup.

        Raises:
            BackupRefused: If there is none, or it cannot be read.
        """
        try:
            told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            return cls(**told)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
            message = (
                f"{folder} 不是完整的备份：缺少或读不出 {MANIFEST}。"
                f" {folder} is no whole backup: {MANIFEST} is missing or unreadable."
            )
            raise BackupRefused(message) from problem


class Kept(NamedTuple):
    """A whole backup: where it is, when it was begun, and how many events it holds."""

    folder: Path
    made_at: datetime
    events: int

    def is_late(self, now: datetime) -> bool:
        """Whether the next one should be there by now."""
        return now - self.made_at > WITHIN

    def when(self, lang: str, now: datetime) -> str:
        """今天 03:10, 昨天 03:10, 3 天前（5月12日）; by the clocks of Shanghai."""
        one = self.made_at.astimezone(SHANGHAI)
        days = (now.astimezone(SHANGHAI).date() - one.date()).days
        if days in (0, 1):
            words = (("今天", "昨天") if lang == "zh" else ("today", "yesterday"))[days]
            return f"{words} {one:%H:%M}"
        return f"{days} 天前（{one.month}月{one.day}日）" if lang == "zh" else f"{days} days ago ({one:%Y-%m-%d})"


def kept_in(home: Path, log: str) -> list[Kept]:
    """The whole backups of a log in a folder, the newest first.

    A folder gets its manifest, and then its name, only after the copy was read back and replayed (`console.backups`);
    one that has lost a file since is not whole, and none counts that is reached by a link or belongs to another log.

    Raises:
        OSError: If the folder is missing or may not be read.
    """
    named = [one for one in home.iterdir() if PART not in one.name and one.is_dir() and not one.is_symlink()]
    found = [_kept(one, log) for one in named]
    return sorted((one for one in found if one is not None), key=lambda one: (one.made_at, one.folder), reverse=True)


def _kept(folder: Path, log: str) -> Kept | None:
    try:
        made = Manifest.read(folder)
        made_at = datetime.fromisoformat(made.made_at)
    except (BackupRefused, ValueError, TypeError):
        return None
    is_whole = made.log == log and made_at.tzinfo is not None and all((folder / name).is_file() for name in made.files)
    return Kept(folder, made_at, made.events) if is_whole else None


def newest(settings: Settings, log: str) -> Kept | None:
    """The last backup that was verified, where the settings say; None where there is none to be seen."""
    if settings.backups is None:
        return None
    try:
        return next(iter(kept_in(settings.backups, log)), None)
    except OSError:
        return None


def remove(one: Kept) -> None:
    """Remove a backup: first what makes it one, so that what is left half removed is never taken for whole."""
    (one.folder / MANIFEST).unlink()
    shutil.rmtree(one.folder)
