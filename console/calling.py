"""One call of a command: which database it works on, and what time it is. The clock is read here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy.exc import SQLAlchemyError

from console.settings import Settings
from console.wiring import Office, Published, office, published
from engine import actors
from engine.actors import Actor
from engine.desk import Desk
from engine.errors import (
    AlreadyOpen,
    ContentsErased,
    NotNow,
    NotRetractable,
    StaleCase,
    TransitionNotOpen,
    Unreadable,
    XuejiError,
)
from engine.expressions.kinds import SHANGHAI, YEARS
from engine.records import Json, Request
from engine.store.database import DRIVER_ERRORS, Busy

SETUP = actors.SETUP
"""Who the trail names for what is set up before anybody has an account."""


REFUSED, MISUSE = 1, 2
"""Exit codes: the case says no, or something was found; the command cannot be meant like this (design, section 9)."""


class Misuse(XuejiError):
    """The command as typed cannot be meant."""


class NoRehearsal(XuejiError):
    """A live database was told the time."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"{address} 不是演练库，不能用 --now 指定时间；演练库由 xueji init --rehearsal 建立。"
            f" It is no rehearsal database and is not told the time; make one with 'xueji init --rehearsal'."
        )


class DatabaseTrouble(XuejiError):
    """The database, or the way to it, failed."""

    def __init__(self, address: str, problem: Exception) -> None:
        said = str(getattr(problem, "orig", None) or problem).strip()
        first = said.splitlines()[0] if said else type(problem).__name__
        super().__init__(
            f"数据库 {address} 无法使用：{first}。请检查 --database 与服务器。"
            f" The database cannot be used; check --database and the server."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """An open database at one moment: everything a command works with."""

    office: Office
    at: datetime

    @property
    def desk(self) -> Desk:
        """Where cases are worked."""
        return self.office.desk

    @property
    def today(self) -> date:
        """The day in Shanghai."""
        return self.at.astimezone(SHANGHAI).date()

    def request(self, trigger: str, actor: Actor, fields: Mapping[str, Json] | None = None) -> Request:
        """What is asked for now, by this person."""
        return Request(trigger=trigger, actor=actor, at=self.at, fields=fields or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What was said before the command: the settings, and the moment to go by (None: the clock's)."""

    settings: Settings
    now: datetime | None = None

    @contextmanager
    def sitting(self, *, publishes_as: str | None = None) -> Iterator[Sitting]:
        """Open the database for one command.

        Args:
            publishes_as: Who is about to write; definitions that are new in the files are kept first.

        Raises:
            NotInitialised: If there is no database yet.
            NoRehearsal: If a moment was given for a live database.
            DatabaseTrouble: If the database or the way to it fails.
        """
        at = self.now or datetime.now(UTC)
        with plain_about(self.settings.address), office(self.settings, today=at.astimezone(SHANGHAI).date()) as opened:
            if self.now is not None and not opened.rehearsal:
                raise NoRehearsal(self.settings.address)
            if publishes_as is not None:
                opened.desk.publish(at, publishes_as)
            yield Sitting(office=opened, at=at)

    def published(self) -> Published | None:
        """What the database has in force today beside the folder; None where there is no database yet.

        Raises:
            NoRehearsal: If a moment was given for a live database.
            DatabaseTrouble: If the database or the way to it fails.
        """
        at = self.now or datetime.now(UTC)
        with plain_about(self.settings.address):
            found = published(self.settings, at.astimezone(SHANGHAI).date())
        if self.now is not None and found is not None and not found.rehearsal:
            raise NoRehearsal(self.settings.address)
        return found


@contextmanager
def plain_about(address: str) -> Iterator[None]:
    """Turn what the drivers raise into one sentence about the database."""
    try:
        yield
    except (SQLAlchemyError, *DRIVER_ERRORS) as problem:
        raise DatabaseTrouble(address, problem) from problem


def exit_code(problem: XuejiError) -> int:
    """1 when the state of things says no to what was well meant (somebody was faster, it is done already), else 2."""
    conflicts = (StaleCase, TransitionNotOpen, AlreadyOpen, NotRetractable, NotNow, ContentsErased, Busy)
    return REFUSED if isinstance(problem, conflicts) else MISUSE


def caller_of(database: str | None, now: str | None) -> Caller:
    """What the options before the command say; the environment fills in what they leave out."""
    settings = Settings() if database is None else Settings(database=database)
    return Caller(settings=settings, now=None if now is None else read_moment(now))


def read_moment(text: str, name: str = "--now") -> datetime:
    """A moment as people type it, by Shanghai's clocks unless it names an offset; a day alone begins at 0:00.

    Raises:
        Unreadable: If it is neither a day nor a moment of ISO 8601, or of none of the `YEARS`; it calls it by `name`.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as problem:
        raise Unreadable(name, text, "2024-05-13、2024-05-13T09:30 或 or 2024-05-13T01:30Z") from problem
    _refuse_beyond(at, name, text)
    return (at if at.tzinfo else at.replace(tzinfo=SHANGHAI)).astimezone(UTC)


def read_day(text: str, name: str, example: str = "2024-05-13") -> date:
    """A day as people type it.

    Raises:
        Unreadable: If it is none, or of none of the `YEARS`; it calls it by `name` and shows an example.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError as problem:
        raise Unreadable(name, text, example) from problem
    _refuse_beyond(day, name, text)
    return day


def _refuse_beyond(day: date, name: str, text: str) -> None:
    """From a day of the `YEARS` there are days to count to both ways; from the first and the last of all there are not.

    Raises:
        Unreadable: If it is of another year.
    """
    if day.year not in YEARS:
        raise Unreadable(name, text, f"{YEARS[0]} 至 {YEARS[-1]} 年的日期 a day of the years {YEARS[0]} to {YEARS[-1]}")


def read_pairs(words: Sequence[str]) -> dict[str, str]:
    """FIELD=VALUE words as a mapping.

    Raises:
        Misuse: If a word has no equals sign, or a field is given twice.
    """
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            message = f"“{word}”应写作 字段=值。'{word}' should read FIELD=VALUE."
            raise Misuse(message)
        if name in given:
            message = f"字段 {name} 给了两次。The field '{name}' is given twice."
            raise Misuse(message)
        given[name] = value
    return given
