"""The bench's answer: one table for people, or one JSON document."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import orjson
from rich import box
from rich.console import Console
from rich.table import Table

from console.bench.results import Line
from engine.store.database import Connection

_WIDTH_IN_A_PIPE = 120
_MARKS = {True: "✓", False: "✗", None: ""}
_FINE = 100
"""Values from here on are printed without decimals."""


def about(connection: Connection) -> Mapping[str, str]:
    """What the figures were taken on: interpreter, processor kind, database, and how durable it says it is."""
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    if connection.is_sqlite:
        version, mode, level = (
            _told(connection, sql) for sql in ("SELECT sqlite_version()", "PRAGMA journal_mode", "PRAGMA synchronous")
        )
        return {**found, "database": f"SQLite {version}, journal_mode {mode}, synchronous {level}"}
    version, waits, flushes = (
        _told(connection, f"SHOW {name}") for name in ("server_version", "synchronous_commit", "fsync")
    )
    return {**found, "database": f"PostgreSQL {version}, synchronous_commit {waits}, fsync {flushes}"}


def print_document(taken_on: Mapping[str, str], lines: Sequence[Line]) -> None:
    """Print one JSON document and nothing else."""
    document = {"taken_on": taken_on, "figures": [{**asdict(line), "kept": line.kept} for line in lines]}
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")


def print_table(taken_on: Mapping[str, str], lines: Sequence[Line]) -> None:
    """Print the figures as one table, what is promised beside what was found."""
    table = Table(box=box.SIMPLE_HEAD, title="；".join(taken_on.values()), title_justify="left")
    for header in ("项目 race", "比较 what"):
        table.add_column(header)
    for header in ("结果 found", "各轮 rounds", "目标 promised"):
        table.add_column(header, justify="right")
    table.add_column("")
    for line in lines:
        table.add_row(
            line.race, line.what, f"{_number(line.value)} {line.unit}", _span(line), _promise(line), _MARKS[line.kept]
        )
    out = Console()
    (out if out.is_terminal else Console(width=_WIDTH_IN_A_PIPE)).print(table)


def _told(connection: Connection, sql: str) -> str:
    row = connection.execute(sql).fetchone()
    return "" if row is None else str(row[0])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= _FINE else f"{value:.2f}"


def _span(line: Line) -> str:
    return "" if line.lowest is None or line.highest is None else f"{line.lowest:.2f}–{line.highest:.2f}"


def _promise(line: Line) -> str:
    return "" if line.promised is None else f"{'≤' if line.at_most else '≥'} {_number(line.promised)}"
